"""Where an API is served.

Rule 1: a relative URL is resolved against the URL of the document that it stands in, if that came from the network.
Else it stays relative, and whoever builds a request says what is missing.
Rule 2: a server's URL is a template: what stands in braces is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

from dynclient._expressions import expression
from dynclient._readers.nodes import Node, described, spelled
from dynclient.model import Server, ServerVariable

_ABSOLUTE = expression(r"[A-Za-z][A-Za-z0-9+.-]*:")
_VARIABLE = expression(r"\{([^{}]+)\}")


def servers(root: Node, nearer: Iterable[Node] = ()) -> tuple[Server, ...]:
    """The servers of the first object that has any: of the ``nearer`` ones, then of the root.

    Without any at all, the default ``/`` counts only where the document's own URL is known.
    """
    for node in (*nearer, root):
        found = tuple(_server(value.object("a Server Object")) for value in node.members("servers"))
        if found:
            return found
    # OAS 3.1.1, OpenAPI Object: without `servers`, or with an empty array, there is one server with the URL `/`.
    return (Server(urljoin(root.base_url, "/")),) if root.base_url else ()


def _server(node: Node) -> Server:
    variables = {
        name: _variable(name, value.object("a Server Variable Object")) for name, value in node.entries("variables")
    }
    template = node.text("url").strip()
    try:
        url = absolute(template, node.base_url, {name: variable.default for name, variable in variables.items()})
    except ValueError as error:
        fault = node.fault(f"the server's URL {template!r} is none")
        fault.__cause__ = error
        url = node.refuse(fault, "")
    return Server(
        url=url,
        description=node.note("description"),
        name=node.note("name"),
        variables=variables,
    )


def _variable(name: str, node: Node) -> ServerVariable:
    values = []
    for member in node.members("enum"):
        text = spelled(member.value)
        if text is None:
            fault = member.fault(f"a value of a server variable must be a string, not {described(member.value)}")
            text = member.refuse(fault, "")
        values.append(text)
    # `default` is required; where it is missing, the first value of the enumeration can only be what is meant.
    default = node.text("default", values[0] if values else None)
    return ServerVariable(name, default, tuple(values), node.note("description"))


def absolute(template: str, base: str | None, defaults: dict[str, str]) -> str:
    """A server's URL, resolved against the document's where it is relative with its defaults filled in.

    Raises:
        ValueError: it is no URL.
    """
    filled = template
    if "{" in template:
        filled = _VARIABLE.sub(lambda match: defaults.get(match[1], match[0]), template)
    urlsplit(filled)
    if base is None or _ABSOLUTE.match(filled):
        return template
    if "{" not in template:
        return urljoin(base, template)
    parts = urlsplit(base)
    if filled.startswith("//"):
        return f"{parts.scheme}:{template}"
    root = f"{parts.scheme}://{parts.netloc}"
    if filled.startswith("/"):
        return root + template
    return f"{root}{parts.path.rpartition('/')[0]}/{template.removeprefix('./')}"
