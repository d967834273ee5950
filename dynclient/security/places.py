"""A credential as text, and the places of a Request where one can stand."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote_plus

from dynclient import messages
from dynclient._expressions import expression
from dynclient.exceptions import ArgumentError
from dynclient.messages import Request, variable
from dynclient.model import SecurityScheme
from dynclient.security.credentials import Credential, Pair

Place = messages.SecretLocation

_AUTHORIZATION: Place = ("header", "authorization")
# The registered names as their specifications write them (IANA, HTTP Authentication Schemes). Servers should match
# without regard to case, and some do not.
_WORDS = {
    word.lower(): word
    for word in (
        "Basic",
        "Bearer",
        "Concealed",
        "Digest",
        "DPoP",
        "GNAP",
        "HOBA",
        "Mutual",
        "Negotiate",
        "OAuth",
        "PrivateToken",
        "SCRAM-SHA-1",
        "SCRAM-SHA-256",
        "vapid",
    )
}
_CONTROL = expression(r"[\x00-\x1f\x7f]")
_NOT_IN_COOKIE = expression(r"[\x00-\x20\x7f;,]")


def place_of(scheme: SecurityScheme) -> Place | None:
    """Where a scheme's credential stands in a request, as location and wire name; None where in none."""
    if scheme.type == "mutualTLS":
        return None
    if scheme.type != "apiKey":
        return _AUTHORIZATION
    # RFC 9110, 5.1: names of header fields match without regard to case.
    return scheme.in_, scheme.parameter.lower() if scheme.in_ == "header" else scheme.parameter


def text_of(scheme: SecurityScheme, credential: Credential) -> str:
    """A credential as its place wants it.

    Raises:
        ArgumentError: it holds what can't stand there.
    """
    if isinstance(credential, Pair):
        return f"Basic {_basic(scheme, credential)}"
    value = credential.reveal()
    if not value or _CONTROL.search(value) or value != value.strip():
        raise _unfit(scheme, "is empty, begins or ends with a space, or holds a control character")
    if scheme.type == "apiKey":
        # RFC 6265, 4.1.1: what a cookie's value can't hold would begin another cookie.
        if scheme.in_ == "cookie" and _NOT_IN_COOKIE.search(value):
            raise _unfit(scheme, "holds a space, a comma or a semicolon")
        return value
    word = word_of(scheme)
    if value.lower().startswith(f"{word.lower()} "):
        raise _unfit(scheme, f"begins with {word}, which is added to it")
    if word == "Bearer" and " " in value:
        raise _unfit(scheme, "holds a space")
    return f"{word} {value}"


def placeholder_of(scheme: SecurityScheme) -> str:
    """What stands for a credential that is not at hand: ``Basic $BASIC``, ``$API_KEY``."""
    if scheme.type == "apiKey":
        return variable(scheme.parameter)
    return f"{word_of(scheme)} {variable(scheme.name)}"


def word_of(scheme: SecurityScheme) -> str:
    """The word before the credential in the Authorization header."""
    if scheme.type != "http":
        # RFC 6750, 2.1: what OAuth and OpenID Connect give out is a bearer token.
        return "Bearer"
    return _WORDS.get(scheme.scheme.lower()) or scheme.word or scheme.scheme


def _basic(scheme: SecurityScheme, pair: Pair) -> str:
    # RFC 7617, 2: a user-id holds no colon, and neither part a control character.
    password = pair.password.reveal()
    if ":" in pair.user or _CONTROL.search(pair.user + password):
        raise _unfit(scheme, "has a colon in the user's name, or holds a control character")
    return base64.b64encode(f"{pair.user}:{password}".encode()).decode("ascii")


def _unfit(scheme: SecurityScheme, why: str) -> ArgumentError:
    return ArgumentError(f"the credential of security scheme {scheme.name} {why}", argument="auth")


def secret_in(place: Place) -> Place:
    """What of a request is secret then: of a cookie, the whole header."""
    return ("header", "cookie") if place[0] == "cookie" else place


def name_of(scheme: SecurityScheme) -> str:
    """The wire name of a scheme's place, as the document spells it."""
    return scheme.parameter if scheme.type == "apiKey" else "Authorization"


def has(request: Request, place: Place | None) -> bool:
    """Whether a request has something in a place already."""
    if place is None:
        return False
    in_, name = place
    if in_ == "header":
        return name in request.headers
    if in_ == "cookie":
        return any(pair.partition("=")[0].strip() == name for pair in request.headers.get("cookie", "").split(";"))
    return any(unquote_plus(field.partition("=")[0]) == name for field in _query(request.url)[1])


def _in_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=request.headers.replace(name, value))


def _in_cookie(request: Request, name: str, value: str) -> Request:
    others = [pair.strip() for pair in request.headers.get("cookie", "").split(";")]
    kept = [pair for pair in others if pair and pair.partition("=")[0] != name]
    return replace(request, headers=request.headers.replace("Cookie", "; ".join([*kept, f"{name}={value}"])))


def _in_query(request: Request, name: str, value: str) -> Request:
    url, fields = _query(request.url)
    kept = [field for field in fields if unquote_plus(field.partition("=")[0]) != name]
    # RFC 3986, 3.4: a query may hold $, with which a placeholder begins.
    kept.append(f"{quote(name, safe='')}={quote(value, safe='$')}")
    return replace(request, url=f"{url}?{'&'.join(kept)}")


def _query(url: str) -> tuple[str, list[str]]:
    before, _, query = url.partition("#")[0].partition("?")
    return before, query.split("&") if query else []


PLACES: dict[str, Callable[[Request, str, str], Request]] = {
    "header": _in_header,
    "query": _in_query,
    "cookie": _in_cookie,
}
"""Location of a credential -> what writes it there."""
