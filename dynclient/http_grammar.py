"""HTTP's grammar, and the methods, status codes and header fields with a fixed role (RFC 9110, RFC 9112).

Every package that reads or writes a part of an HTTP message takes its definitions from here. Header names are in lower
case.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

from dynclient._deferred import expression
from dynclient._records import Record

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  # a token of RFC 9110, not a secret
"""The pattern of a token (RFC 9110, 5.6.2): a method, a header name, a media type's halves, a parameter's name."""

QUOTED_STRING = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
"""The pattern of a quoted-string (RFC 9110, 5.6.4); characters stand for bytes."""

SUCCESS = range(200, 300)
"""Status codes of success (RFC 9110, 15.3)."""

BODILESS = frozenset({204, 205, 304})
"""Status codes whose responses have no body, whatever a document says (RFC 9110, 15.3.5, 15.3.6, 15.4.5)."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Status codes of redirects (RFC 9110, 15.4): not 300 (a choice), 304 (no redirect), 305 and 306 (deprecated)."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
"""Methods that only read (RFC 9110, 9.2.1; QUERY: draft-ietf-httpbis-safe-method-w-body)."""

IDEMPOTENT = SAFE | {"PUT", "DELETE"}
"""Idempotent methods: a second request has no additional effect (RFC 9110, 9.2.2)."""

IDEMPOTENCY_KEYS = frozenset({"idempotency-key", "x-idempotency-key"})
"""Header fields that make a request of any method safe to repeat, on servers that support them."""

CONTENT_EXPECTED = frozenset({"POST", "PUT", "PATCH", "QUERY"})
"""Methods whose requests have ``Content-Length: 0`` if they have no body (RFC 9110, 8.6)."""

CONNECTION_FIELDS = frozenset({
    "connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
"""Header fields that belong to the message's framing or to one connection (RFC 9110, 7.2, 7.6.1, 8.6; RFC 9112, 6).

Only a transport or a server writes them. A value from a caller or a document could split one message into two.
"""

_REGISTERED_SCHEMES = (
    "Basic Bearer Concealed Digest DPoP GNAP HOBA Mutual Negotiate OAuth PrivateToken SCRAM-SHA-1 SCRAM-SHA-256 vapid"
)
AUTHENTICATION_SCHEMES = {word.lower(): word for word in _REGISTERED_SCHEMES.split()}
"""The registered authentication schemes, lower case -> as their specifications write them (IANA, HTTP Authentication
Schemes). Servers should match them without regard to case, and some do not."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Scheme -> port (RFC 9110, 4.2)."""

_TOKEN = expression(TOKEN)
_LINK_TARGET = expression(r"<([^<>]*)>")
_LINK_PARAMETER = expression(rf"[ \t]*;[ \t]*({TOKEN})[ \t]*(?:=[ \t]*(?:({QUOTED_STRING})|([^\s;,\"]*)))?")
_QUOTED_PAIR = expression(r"\\(.)")
_NOT_IN_A_VALUE = expression(r"[\r\n\0\x0b\x0c\ud800-\udfff]")


@lru_cache(maxsize=512)
def is_token(text: str) -> bool:
    """Return whether a text is a token: usable as a method or as a header name.

    Results are cached, since few names are in use.
    """
    return _TOKEN.fullmatch(text) is not None


def is_field_value(text: str) -> bool:
    """Return whether a header value can be sent: no line break, NUL (RFC 9110, 5.5), or half of a surrogate pair."""
    return text.isprintable() or _NOT_IN_A_VALUE.search(text) is None


class WebLink(Record):
    """A link of a ``Link`` header (RFC 8288, 3): its target as it came, and its relation types in lower case.

    ``parameters`` are its other attributes, by their names in lower case.
    """

    target: str
    relations: tuple[str, ...]
    parameters: Mapping[str, str] = {}


def web_links(value: str) -> tuple[WebLink, ...]:
    """Read a ``Link`` header; several lines are joined by commas, and text that is not a link is skipped.

    RFC 8288, 3.2: a link with an ``anchor`` is one of another resource, and is left out.
    """
    found = []
    start = _LINK_TARGET.search(value)
    while start is not None:
        parameters: dict[str, str] = {}
        position = start.end()
        while (part := _LINK_PARAMETER.match(value, position)) is not None:
            name, quoted, token = part.groups()
            text = _QUOTED_PAIR.sub(r"\1", quoted[1:-1]) if quoted else token or ""
            # RFC 8288, 3.3: of several rel parameters, the first counts.
            parameters.setdefault(name.lower(), text)
            position = part.end()
        relations = tuple(parameters.pop("rel", "").lower().split())
        if "anchor" not in parameters:
            found.append(WebLink(start[1].strip(), relations, parameters))
        start = _LINK_TARGET.search(value, position)
    return tuple(found)


def status_text(status: int) -> str:
    """A status code with its reason phrase, ``404 Not Found``; of a code that is not registered, the code alone."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
