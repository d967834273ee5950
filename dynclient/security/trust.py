"""Decide which origins are trusted with credentials. No other module decides this.

Trusted are only origins (scheme, host, port) that the caller named:

* that of ``base_url``, and those of ``allow_origins``;
* that of the URL which ``load`` was given: not the target of a redirect;
* those of the servers that a document declares, if it was loaded from a local file, text or mapping: then the caller is
  responsible for them. Servers in a file that it refers to by a URL are not;
* that of an overlay's URL, for the servers that this overlay adds or changes. One from a local file or a mapping counts
  as the caller's, for any document.

Over plain http, credentials go only to this machine, unless that very origin is in ``allow_origins``, where ``http://``
is explicit consent. In ``base_url`` it is only an address.

Credentials are: the values of ``auth=`` and tokens fetched with them, headers of ``headers=`` that carry one
(:func:`credential_headers`), and the client's certificate. The first two are refused for other origins, the last is not
sent. SECURITY.md has the table of who receives what; its rows and columns are tested one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dynclient import messages
from dynclient._deferred import expression
from dynclient._escaping import without_user
from dynclient._records import Record
from dynclient._secrets import SECRET_HEADERS, names_credential
from dynclient.exceptions import ArgumentError, CredentialScopeError
from dynclient.model import API, SecurityScheme, Server

Origin = tuple[str, str, int]

_TEMPLATE = expression(r"((?:[^{}/?#]|\{[^{}]*\})+?)://((?:[^{}/?#]|\{[^{}]*\})+)")
_VARIABLE = expression(r"\{([^{}]+)\}")
_URL = expression(r"https?://[^/?#@\s]+/?", re.IGNORECASE)
_SPACE = expression(r"\s")
# An origin has at most the 253 characters of a host name (RFC 1035, 2.3.4), its scheme and its port.
_LONGEST = 270
_MOST_PIECES = 65


class Trust(Record):
    """The trusted origins. ``servers`` are the document's top-level ones."""

    origins: frozenset[Origin]
    named: frozenset[Origin] = frozenset()
    servers: tuple[Server, ...] = ()

    def fault(self, origin: Origin, servers: Sequence[Server]) -> str:
        """Why a credential may not go to an origin; "" if it may. ``servers`` are those of the operation."""
        if origin in self.named:
            return ""
        if origin not in self.origins and not any(_declares(server, origin) for server in (*servers, *self.servers)):
            return "which is not a trusted origin"
        return "" if origin[0] == "https" or is_loopback(origin[1]) else "which is not encrypted"

    def check(self, origin: Origin, servers: Sequence[Server], operation_id: str, what: str = "credentials") -> None:
        """Make sure that a credential may go to an origin; ``what`` names it in the error.

        Raises:
            CredentialScopeError: it is not trusted.
        """
        fault = self.fault(origin, servers)
        if fault:
            raise CredentialScopeError(
                f"{what} may not go to {text_of(origin)}, {fault}",
                operation_id=operation_id,
                hint=f'if you trust it, pass allow_origins=("{text_of(origin)}",)',
            )


def trust(api: API, base_url: str | None, allow_origins: Iterable[str]) -> Trust:
    """Collect the origins that the caller trusts.

    Raises:
        ArgumentError: a member of ``allow_origins`` is not an origin.
    """
    named = frozenset(_origin(text) for text in allow_origins)
    # A local compiled form that was made from a URL is trusted only with the origin of that URL.
    document = api.source_uri if is_remote(api) else api.document_uri if api.remote else None
    origins = frozenset(origin for url in (base_url, document) if url and (origin := _origin_of(url)) is not None)
    return Trust(origins, named, api.servers)


def check_document(url: str, allow_origins: Iterable[str], what: str) -> None:
    """Make sure that a credential may go to a document's URL, which the caller has named.

    Raises:
        ArgumentError: a member of ``allow_origins`` is not an origin, or the URL has no valid host.
        CredentialScopeError: the URL is plain http on another machine.
    """
    there = _origin_of(url)
    if there is None:
        raise ArgumentError("the document's URL has no valid host")
    Trust(frozenset({there}), frozenset(_origin(text) for text in allow_origins)).check(there, (), "", what)


def is_remote(api: API) -> bool:
    """Whether the caller named a URL for the document."""
    return api.source_uri.lower().startswith(("http://", "https://"))


def credential_headers(headers: Iterable[str], schemes: Mapping[str, SecurityScheme]) -> Iterator[str]:
    """The header names that carry credentials: by HTTP, by the document's schemes, or by their own name."""
    known = {*SECRET_HEADERS, *(scheme.parameter.lower() for scheme in schemes.values() if scheme.in_ == "header")}
    for name in headers:
        if name.lower() in known or names_credential(name):
            yield name


def text_of(origin: Origin) -> str:
    """An origin as ``https://host``, with its port if that is not the default."""
    scheme, host, port = origin
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if messages.origin(f"{scheme}://{shown}") == origin else f"{scheme}://{shown}:{port}"


def _origin(text: object) -> Origin:
    if isinstance(text, str) and _URL.fullmatch(text) and (origin := _origin_of(text)) is not None:
        return origin
    raise ArgumentError(
        f"allow_origins contains {without_user(str(text))!r}, which is not an origin",
        argument="allow_origins",
        hint='write it as "https://host:port"',
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address belongs to this machine."""
    # RFC 6761, 6.3: names that end in localhost never leave the machine.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _declares(server: Server, origin: Origin) -> bool:
    """Whether a server's URL, with some valid value for each of its variables, has this origin.

    A server in a document from the network is not trusted; one in an overlay is trusted as the overlay's origin.
    """
    if server.remote and (not server.overlay or _origin_of(server.overlay) != origin):
        return False
    match = _TEMPLATE.match(server.url)
    if match is None:
        return False
    if "{" not in match[0]:
        return _origin_of(match[0]) == origin
    scheme, host, port = origin
    shown = f"[{host}]" if ":" in host else host
    return any(_matches(match[0], server, text) for text in {text_of(origin), f"{scheme}://{shown}:{port}"})


def _matches(template: str, server: Server, text: str) -> bool:
    """Whether an origin is a template with some valid value of each variable, in time linear in the document."""
    pieces = _VARIABLE.split(template.lower())
    names = _VARIABLE.split(template)
    if len(text) > _LONGEST or len(pieces) > _MOST_PIECES or _SPACE.search(text):
        return False
    ends = {0}
    for index, piece in enumerate(pieces):
        variable = server.variables.get(names[index]) if index % 2 else None
        if index % 2 and (variable is None or not variable.enum):
            # A value without an enum is the caller's, or the document's default, which is trusted equally here.
            ends = set(range(min(ends), len(text) + 1))
        else:
            values = {value.lower() for value in variable.enum} if variable is not None else {piece}
            sizes = {len(value) for value in values if len(value) <= len(text)}
            ends = {end + size for end in ends for size in sizes if text[end : end + size] in values}
        if not ends:
            return False
    return len(text) in ends


def _origin_of(url: str) -> Origin | None:
    try:
        return messages.origin(url)
    except ValueError:
        return None
