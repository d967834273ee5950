"""Where an API of OpenAPI 2.0 is served: ``host``, ``basePath`` and ``schemes``, told as servers.

Rule 1: what is missing is taken from the document's own URL, where it has one.
Rule 2: of several schemes, https goes first. Where none is known it is https, but http on this machine itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from dynclient._expressions import expression
from dynclient._readers.nodes import Node
from dynclient.model import Server

_HOST = expression(r"[^\s/?#@\\]+")
_LOOPBACK = expression(r"(?i)(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_HTTP = ("https", "http")


def servers(root: Node, operation: Node | None = None) -> tuple[Server, ...]:
    """The servers of a document, or of an operation that names other schemes."""
    base = urlsplit(root.base_url or "")
    host = root.text("host", "").strip() or base.netloc.rpartition("@")[2]
    path = root.text("basePath", "").strip()
    path = path if not path or path.startswith("/") else f"/{path}"
    if not host:
        return (Server(path),) if path else ()
    if not _HOST.fullmatch(host):
        return root.refuse(root.fault(f"`host` must be a host, with a port at most, not {host!r}"), ())
    return tuple(Server(f"{scheme}://{host}{path}") for scheme in _schemes(root, operation, host, base.scheme))


def _schemes(root: Node, operation: Node | None, host: str, own: str) -> list[str]:
    for node in (operation, root):
        told = [scheme.lower() for scheme in strings(node, "schemes")] if node is not None else []
        if told:
            # OpenAPI 2.0, Swagger Object, `schemes`: http, https, ws, wss. A call is made by the first two.
            return [scheme for scheme in _HTTP if scheme in told]
    return [own or ("http" if _LOOPBACK.fullmatch(host) else "https")]


def strings(node: Node, key: str) -> list[str]:
    """The array of strings under a key.

    Raises:
        InvalidDocument: it is none.
    """
    found = []
    for member in node.members(key):
        if isinstance(member.value, str):
            found.append(member.value)
        else:
            member.refuse(member.fault(f"`{key}` must hold strings"), None)
    return found
