"""Where in a request a credential stands: a header, a field of the query, or a cookie."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, unquote_plus

from dynclient._secrets import SecretLocation
from dynclient.messages import Request
from dynclient.model import SecurityScheme

_PLAIN = frozenset({"accept", "content-length", "content-type", "date", "host", "user-agent"})
"""Header fields whose values are not secret: an error that shows them masked would be of no use."""

UNDECLARED = "undeclared"
"""The type of a security scheme that an operation requires, and that the document does not declare."""


def location_of(scheme: SecurityScheme) -> SecretLocation | None:
    """Where a scheme's credential stands in a request, as location and wire name; None where it is in none."""
    if scheme.type == "mutualTLS":
        return None
    if scheme.type != "apiKey":
        return "header", "authorization"
    # RFC 9110, 5.1: names of header fields match without regard to case.
    return scheme.in_, scheme.parameter.lower() if scheme.in_ == "header" else scheme.parameter


def secret_at(location: SecretLocation) -> SecretLocation:
    """What is secret in a request with a credential there: of a cookie, the whole header."""
    return ("header", "cookie") if location[0] == "cookie" else location


def has_credential(request: Request, scheme: SecurityScheme) -> bool:
    """Whether a request has something where a scheme's credential stands."""
    location = location_of(scheme)
    if location is None:
        return False
    in_, name = location
    if in_ == "header":
        return name in request.headers
    if in_ == "cookie":
        return any(pair.partition("=")[0].strip() == name for pair in request.headers.get("cookie", "").split(";"))
    return any(unquote_plus(field.partition("=")[0]) == name for field in _query(request.url)[1])


def write(request: Request, scheme: SecurityScheme, text: str) -> Request:
    """Return the request with a text where the scheme's credential stands, named as a secret."""
    in_, name = (scheme.in_, scheme.parameter) if scheme.type == "apiKey" else ("header", "Authorization")
    if in_ == "query":
        url, fields = _query(request.url)
        kept = [field for field in fields if unquote_plus(field.partition("=")[0]) != name]
        # RFC 3986, 3.4: a query may hold $, with which a placeholder begins.
        kept.append(f"{quote(name, safe='')}={quote(text, safe='$')}")
        return replace(request, url=f"{url}?{'&'.join(kept)}", secrets=request.secrets | {("query", name)})
    if in_ == "cookie":
        others = [pair.strip() for pair in request.headers.get("cookie", "").split(";")]
        kept = [pair for pair in others if pair and pair.partition("=")[0] != name]
        name, text = "Cookie", "; ".join([*kept, f"{name}={text}"])
    secrets = request.secrets | {("header", name.lower())}
    return replace(request, headers=request.headers.replace(name, text), secrets=secrets)


def added(before: Request, after: Request) -> frozenset[SecretLocation]:
    """The headers and query fields that an Auth has added or changed, any of which may be secret."""
    old_lines, old_fields = before.headers.pairs(), _query(before.url)[1]
    lines = [name.lower() for name, value in after.headers.pairs() if (name, value) not in old_lines]
    fields = [field.partition("=")[0] for field in _query(after.url)[1] if field not in old_fields]
    headers = {("header", name) for name in lines if name not in _PLAIN}
    return frozenset(headers | {("query", unquote_plus(name)) for name in fields})


def _query(url: str) -> tuple[str, list[str]]:
    before, _, query = url.partition("#")[0].partition("?")
    return before, query.split("&") if query else []
