"""Which origins are trusted with credentials.

* that of ``base_url``;
* those that a document declares as its servers, if it came as a local file, text or mapping;
* for a document from the network, that document's own origin;
* those of ``allow_origins``.

Plain http carries credentials to this machine only, unless that very origin is in ``allow_origins``, where the caller
has written ``http://`` for credentials. In ``base_url`` it is no more than the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dynclient import messages
from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError, CredentialScopeError
from dynclient.model import API, Server

Origin = tuple[str, str, int]

_TEMPLATE = expression(r"((?:[^{}/?#]|\{[^{}]*\})+?)://((?:[^{}/?#]|\{[^{}]*\})+)")
_VARIABLE = expression(r"\{([^{}]+)\}")
_URL = expression(r"https?://[^/?#@\s]+/?", re.IGNORECASE)


class Trust(Record):
    """The trusted origins. ``local`` says that the document's servers are among them."""

    origins: frozenset[Origin]
    named: frozenset[Origin] = frozenset()
    local: bool = False
    servers: tuple[Server, ...] = ()

    def check(self, origin: Origin, servers: Sequence[Server], operation_id: str) -> None:
        """Make sure that a credential may go to an origin.

        Raises:
            CredentialScopeError: it is not trusted.
        """
        if origin in self.named:
            return
        declared = (_declares(server, origin) for server in (*servers, *self.servers))
        if origin not in self.origins and not (self.local and any(declared)):
            fault = "which is not a trusted origin"
        elif origin[0] != "https" and not _is_loopback(origin[1]):
            fault = "which is not encrypted"
        else:
            return
        raise CredentialScopeError(
            f"credentials may not go to {text_of(origin)}, {fault}",
            operation_id=operation_id,
            hint=f'if they may, pass allow_origins=("{text_of(origin)}",)',
        )


def trust(api: API, base_url: str | None, allow_origins: Iterable[str]) -> Trust:
    """Gather what the caller trusts.

    Raises:
        ArgumentError: a member of ``allow_origins`` is not an origin.
    """
    named = frozenset(_origin(text) for text in allow_origins)
    own = [base_url, api.document_uri if api.remote else None]
    origins = frozenset(origin for url in own if url is not None and (origin := _origin_of(url)) is not None)
    return Trust(origins, named, not api.remote, api.servers)


def text_of(origin: Origin) -> str:
    """An origin as ``https://host``, its port where it is not the scheme's own."""
    scheme, host, port = origin
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if messages.origin(f"{scheme}://{shown}") == origin else f"{scheme}://{shown}:{port}"


def _origin(text: object) -> Origin:
    if isinstance(text, str) and _URL.fullmatch(text) and (origin := _origin_of(text)) is not None:
        return origin
    raise ArgumentError(
        f"allow_origins holds {text!r}, which is not an origin",
        argument="allow_origins",
        hint='say "https://host:port"',
    )


def _is_loopback(host: str) -> bool:
    # RFC 6761, 6.3: names that end in localhost never leave the machine.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _declares(server: Server, origin: Origin) -> bool:
    """Whether a server's URL, with some valid value of each of its variables, is of this origin."""
    match = _TEMPLATE.match(server.url)
    if match is None:
        return False
    if "{" not in match[0]:
        return _origin_of(match[0]) == origin
    pattern = re.compile(f"{_pattern(match[1], server)}://{_pattern(match[2], server)}", re.IGNORECASE)
    scheme, host, port = origin
    shown = f"[{host}]" if ":" in host else host
    return any(pattern.fullmatch(text) for text in {text_of(origin), f"{scheme}://{shown}:{port}"})


def _origin_of(url: str) -> Origin | None:
    try:
        return messages.origin(url)
    except ValueError:
        return None


def _pattern(template: str, server: Server) -> str:
    pieces = _VARIABLE.split(template)
    return "".join(_values(piece, server) if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces))


def _values(name: str, server: Server) -> str:
    variable = server.variables.get(name)
    if variable is not None and variable.enum:
        return "(?:" + "|".join(re.escape(value) for value in variable.enum) + ")"
    # A value without an enum is the caller's, or the document's default, which is trusted as much here.
    return r"[^/?#@\s]*"
