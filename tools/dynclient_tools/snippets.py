"""Examples for an operation's page: Python that runs once the credentials are filled in, curl, and bodies.

Rule 1: a request is prepared by the operation itself, without credentials; it is not assembled here.
Rule 2: an example that can't be written is omitted.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from dynclient import DynclientError, Request, codecs
from dynclient._schemas import cache, follow, shape
from dynclient.examples import media_example, unrevealing
from dynclient.inspection.arguments import preferred
from dynclient.inspection.hints import text
from dynclient.inspection.views import ArgumentView
from dynclient.media_types import find, is_concrete
from dynclient.model import API, MediaType, Schema
from dynclient.security.schemes import kind_of
from dynclient_tools.rendering import literal
from dynclient_tools.views import EXAMPLE_URL, OperationPage, Site, is_absolute

_STEP = "    "
_WIDTH = 90
_LONGEST = 4000
_COMMENT = 100
_DEEPEST = 40
_PARTS = "multipart/"
_BOUNDARY = "example"  # Fixed, so that pages are reproducible.

# Placeholders for the credentials of schemes.
_LOGIN = '("YOUR USERNAME", "YOUR PASSWORD")'
_TOKEN = '"YOUR TOKEN"'  # noqa: S105  # a placeholder


def snippet(site: Site, page: OperationPage) -> str:
    """Write a program that loads the document, makes the call, and prints the data."""
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
            *([f"{_STEP}# {_line(view.summary)}"] if view.summary else []),
            f"{_STEP}{result}",
            "except dynclient.ApiError as error:",
            f'{_STEP}print(f"Error when calling {view.name}: {{error}}")',
        ]
    )


def http_info_snippet(site: Site, page: OperationPage) -> str:
    """Write the same call with the ``with_http_info`` variant."""
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
    """Write the lines that make the client of the examples."""
    return f"import dynclient\n\n{site.client} = dynclient.load({literal(site.source)})"


def _loading(site: Site, page: OperationPage) -> str:
    parts = [literal(site.source)]
    auth = _auth(site.api, page)
    if auth:
        parts.append(f"auth={auth}")
    if not is_absolute(page.base_url):
        parts.append(f"base_url={literal(EXAMPLE_URL)}")
    return f"{site.client} = dynclient.load({', '.join(parts)})"


def _auth(api: API, page: OperationPage) -> str:
    """The value of ``auth=`` for the first choice of security schemes; empty if a call needs none."""
    if not all(page.view.security):
        return ""
    kinds = {scheme.name: kind_of(scheme) for scheme in api.security_schemes.values()}
    names = [name for name, _ in page.view.security[0]] if page.view.security else []
    shown = {name: _LOGIN if kinds[name].typed == "user:password" else _TOKEN for name in names if kinds[name].form}
    if len(shown) <= 1:
        return next(iter(shown.values()), "")
    return "{" + ", ".join(f"{literal(name)}: {value}" for name, value in shown.items()) + "}"


def _names(site: Site, page: OperationPage) -> list[str]:
    return [_variable(site, argument.name) for argument in page.given]


# Names that the examples use for themselves.
_OWN = frozenset({"dynclient", "result", "data", "status", "headers", "error", "print"})


def _variable(site: Site, name: str) -> str:
    """The variable for an argument, with an underscore appended if the examples use its name for something else."""
    return f"{name}_" if name in _OWN or name == site.client else name


def _assignments(site: Site, page: OperationPage) -> list[str]:
    example = _short(page)
    lines = [_assignment(site, argument, example) for argument in page.given if argument.name in example]
    return [*lines, ""] if lines else []


def _assignment(site: Site, argument: ArgumentView, example: Mapping[str, Any]) -> str:
    name = _variable(site, argument.name)
    value = literal(example[argument.name], width=_WIDTH - len(name))
    described = _line(argument.description)
    return f"{name} = {value}  # {text(argument.hint)}{f' | {described}' if described else ''}"


def _line(described: str) -> str:
    """The first sentence or two of a text of the document, as a comment that is always one line."""
    return textwrap.shorten("".join(c if c.isprintable() else " " for c in described), _COMMENT, placeholder=" ...")


def all_properties(site: Site, page: OperationPage) -> str:
    """Write the body with its optional properties too; empty if the example already has them all."""
    whole, short = page.example, _short(page)
    bodies = [each for each in page.given if each.kind == "body" and whole.get(each.name) != short.get(each.name)]
    return "\n".join(_assignment(site, body, whole) for body in bodies)


@lru_cache(maxsize=1)
def _short(page: OperationPage) -> Mapping[str, Any]:
    """The example arguments; the body has only its required properties if such a call is valid."""
    example = page.example
    body = page.operation.body
    media_types = list(body.content.values()) if body is not None else []
    short = {name: _required(media_types[0].schema, example[name]) for name in page.body_name if name in example}
    if not media_types or short.items() <= example.items():
        return example
    try:
        page.method.prepare(**{**example, **short})
    except DynclientError:
        return example
    return {**example, **short}


def _required(schema: Schema | None, value: Any, depth: int = 0) -> Any:
    """A value with only the required properties of its schema; all of them if none is required."""
    if schema is None or depth > _DEEPEST:
        return value
    seen = shape(schema)
    if isinstance(value, list) and seen.items is not None:
        return [_required(seen.items, item, depth + 1) for item in value]
    if not isinstance(value, dict) or seen.required.isdisjoint(seen.properties):
        return value
    kept = {name: member for name, member in value.items() if name in seen.required or name not in seen.properties}
    return {name: _required(seen.properties.get(name), member, depth + 1) for name, member in kept.items()}


def _first_status(page: OperationPage) -> str:
    return next((response.status for response in page.view.responses if not response.error), "2XX")


class Sent(NamedTuple):
    """A body as text in a media type; ``language`` is that of its fence."""

    content_type: str
    body: str
    language: str


class ShownResponse(NamedTuple):
    """The body of a response and its status."""

    status: str
    sent: Sent


@lru_cache(maxsize=4)
def prepared(page: OperationPage, media_range: str | None = None) -> Request | None:
    """Prepare a call with example arguments, its body in one of the operation's media types; None if that fails."""
    method, body = page.method, page.operation.body
    try:
        arguments = dict(page.example)
        if media_range is not None and body is not None:
            boundary = f"; boundary={_BOUNDARY}" if media_range.startswith(_PARTS) else ""
            method = method.with_options(content_type=f"{media_range}{boundary}")
            media_type = body.content[media_range]
            if media_type is not preferred(body):  # the example has that one's
                value = unrevealing(media_type.schema, media_example(media_type))
                arguments.update(dict.fromkeys(page.body_name, value))
        request: Request = method.prepare(**arguments)
    except DynclientError:
        return None
    return request


def curl(page: OperationPage) -> str:
    """Write the call as a command line; empty if that is impossible, or if it would differ each time."""
    known = page.view.content_types
    chosen = known[0] if known and is_concrete(known[0]) and (len(known) == 1 or known[0].startswith(_PARTS)) else None
    # Keys and boundaries differ each time.
    varies = page.view.repeated == "key" or any(each.startswith(_PARTS) for each in known)
    made = [prepared.__wrapped__(page, chosen) for _ in range(2)] if varies else [prepared(page, chosen)]
    commands = {request.to_curl() if request is not None else "" for request in made}
    command = commands.pop()
    return command if not commands and len(command) <= _LONGEST else ""


def bodies(page: OperationPage) -> list[Sent]:
    """Make an example of the body in each of its media types."""
    requests = ((known, prepared(page, known)) for known in page.view.content_types if is_concrete(known))
    found = (
        _written(request.headers.get("content-type", known), request.body)
        for known, request in requests
        if request is not None
    )
    return [sent for sent in found if sent is not None]


def answers(page: OperationPage) -> list[ShownResponse]:
    """Make an example of each type of response body in each of its media types, results before errors."""
    found: list[ShownResponse] = []
    shown: set[tuple[str, str]] = set()
    content = page.operation.responses
    for response in sorted(page.view.responses, key=lambda known: known.error != ""):
        for view in response.content:
            kind = (view.hint.schema.uri if view.hint.schema is not None else text(view.hint), view.media_range)
            if kind not in shown and is_concrete(view.media_range):
                sent = _response_body(content[response.status].content[view.media_range])
                if sent is not None:
                    shown.add(kind)
                    found.append(ShownResponse(response.status, sent))
    return found


def _response_body(media_type: MediaType) -> Sent | None:
    """Encode the document's example of a response, or else a value made from its schema."""
    is_plain = media_type._replace(schema=None, pointer="") == MediaType(media_type.media_range)
    try:
        if media_type.schema is None or not (is_plain or media_type.pointer):
            return _encoded(media_type)
        # Most operations share their responses, or the schemas of them, with others.
        schema = follow(media_type.schema)
        known: dict[tuple[str, str], Sent | None] = cache(schema.references, "response bodies")
        key = schema.uri if is_plain else media_type.pointer, media_type.media_range
        if key not in known:
            known[key] = _encoded(media_type)
        return known[key]
    except DynclientError:
        return None


def _encoded(media_type: MediaType) -> Sent | None:
    content_type = media_type.media_range
    value = unrevealing(media_type.schema, media_example(media_type, "response"), "response")
    encoded = codecs.find(content_type).encode(value, media_type, content_type)
    return _written(encoded.content_type, encoded.body)


def _written(content_type: str, body: Any) -> Sent | None:
    if not isinstance(body, bytes) or len(body) > _LONGEST:
        return None
    try:
        written = body.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError:
        return None
    kind = find(content_type).name
    language = kind if kind in {"json", "xml"} else "text"
    return Sent(content_type, _indented(written) if language == "json" else written, language) if written else None


def _indented(written: str) -> str:
    """Indent JSON, unless that would change how a value is written."""
    try:
        value = json.loads(written)
    except ValueError:
        return written
    same = json.dumps(value, ensure_ascii=False, separators=(",", ":")) == written
    return json.dumps(value, ensure_ascii=False, indent=2) if same else written
