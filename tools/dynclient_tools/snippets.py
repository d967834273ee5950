"""Examples in Python that run as they stand, given the credentials."""

from __future__ import annotations

from dynclient.inspection import APIView, text
from dynclient.security.schemes import kind_of
from dynclient_tools.python_text import literal
from dynclient_tools.views import OperationPage, Site

_STEP = "    "
_WIDTH = 90

# What stands for a scheme's credential.
_PAIR = ("YOUR USERNAME", "YOUR PASSWORD")
_TOKEN = "YOUR TOKEN"  # noqa: S105  # this is what stands for one


def snippet(site: Site, page: OperationPage) -> str:
    """Load the document, make the call, print its data."""
    view = page.view
    call = f"{site.client}.{view.name}({', '.join(_names(site, page))})"
    result = f"result = {call}\n{_STEP}print(result)" if view.returns.name != "None" else call
    return "\n".join(
        [
            "import dynclient",
            "",
            _loading(site, page),
            "",
            *_assignments(site, page),
            "try:",
            f"{_STEP}{result}",
            "except dynclient.ApiError as error:",
            f'{_STEP}print(f"Error when calling {view.name}: {{error}}")',
        ]
    )


def http_info_snippet(site: Site, page: OperationPage) -> str:
    """The same call by its ``with_http_info`` variant."""
    name = f"{page.view.name}_with_http_info"
    return "\n".join(
        [
            "try:",
            f"{_STEP}data, status, headers = {site.client}.{name}({', '.join(_names(site, page))})",
            f"{_STEP}print(status)  # {_first_status(page)}",
            f"{_STEP}print(headers)  # {{...}}",
            f"{_STEP}print(data)",
            "except dynclient.ApiError as error:",
            f'{_STEP}print(f"Error when calling {name}: {{error}}")',
        ]
    )


def loading(site: Site) -> str:
    """How the client of the examples is made."""
    return f"import dynclient\n\n{site.client} = dynclient.load({literal(site.source)})"


def _loading(site: Site, page: OperationPage) -> str:
    parts = [literal(site.source)]
    auth = _auth(site.api, page)
    if auth:
        parts.append(f"auth={auth}")
    if "://" not in page.base_url:
        parts.append('base_url="https://example.com"')
    return f"{site.client} = dynclient.load({', '.join(parts)})"


def _auth(api: APIView, page: OperationPage) -> str:
    """The credentials of the first way in that asks for some."""
    if not all(page.view.security):
        return ""
    kinds = {scheme.name: kind_of(scheme) for scheme in api.schemes}
    names = [name for name, _ in page.view.security[0]] if page.view.security else []
    wanted = {name: _PAIR if kinds[name].has_user else _TOKEN for name in names if kinds[name].form}
    if not wanted:
        return ""
    shown = {name: _credential(value) for name, value in wanted.items()}
    if len(shown) == 1:
        return next(iter(shown.values()))
    return "{" + ", ".join(f"{literal(name)}: {value}" for name, value in shown.items()) + "}"


def _credential(value: tuple[str, str] | str) -> str:
    return literal(value) if isinstance(value, str) else f"({', '.join(literal(part) for part in value)})"


def _names(site: Site, page: OperationPage) -> list[str]:
    return [_variable(site, argument.name) for argument in page.given]


# What the examples name themselves.
_OWN = frozenset({"dynclient", "result", "data", "status", "headers", "error", "print"})


def _variable(site: Site, name: str) -> str:
    """The variable that holds an argument; what the examples name themselves stays as it is."""
    return f"{name}_" if name in _OWN or name == site.client else name


def _assignments(site: Site, page: OperationPage) -> list[str]:
    example = page.method.example()
    lines = []
    for argument in page.given:
        if argument.name in example:
            name = _variable(site, argument.name)
            value = literal(example[argument.name], room=_WIDTH - len(name))
            # A type is written in ASCII on one line, so the comment ends where it should.
            lines.append(f"{name} = {value}  # {text(argument.hint)}")
    return [*lines, ""] if lines else []


def _first_status(page: OperationPage) -> str:
    return next((response.status for response in page.view.responses if not response.error), "2XX")
