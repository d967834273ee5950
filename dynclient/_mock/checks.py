"""Preferences and credentials of a request. Its parameters and body are checked by ``_incoming.requests``.

Rule 1: any credential of the right form is valid, unless the mock has a list of credentials; then one of those is
required.
Rule 2: an error names the accepted schemes, never the received credential.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dynclient import model
from dynclient._incoming.requests import HTTPError, first_value
from dynclient._mock.responses import Preference
from dynclient.messages import Request

PREFERENCES = ("code", "example", "dynamic", "seed")

Credentials = Any
"""Valid credentials: ``("user", "password")``, a token, or a mapping of scheme name to either; None: any are valid."""


def read_preference(request: Request, default: Preference) -> Preference:
    """Read the preferences of a request: Prism's ``Prefer`` header, and ``__code``, ``__example`` etc. in the query.

    The query wins over the header, and the header over ``default``.

    Raises:
        HTTPError: 400 for a preference that can't be read.
    """
    given: dict[str, str] = {}
    if "prefer" in request.headers:
        # RFC 7240, 2: preferences are separated by commas; their values may be quoted.
        members = request.headers["prefer"].replace(";", ",").split(",")
        pairs = (member.strip().partition("=") for member in members)
        given = {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name}
    query = urlsplit(request.url).query
    if "__" in query:
        given |= {name[2:]: value for name, value in parse_qsl(query, keep_blank_values=True) if name[:2] == "__"}
    read = {name: _preferred(name, given[name]) for name in PREFERENCES if name in given}
    return default._replace(**read) if read else default


def _preferred(name: str, text: str) -> Any:
    is_number = text.isascii() and text.isdecimal()
    # RFC 9110, 15: a status has three digits, the first of which is 1 to 5; 1xx are not final responses.
    if name == "code" and not (is_number and len(text) == 3 and "2" <= text[0] <= "5"):  # noqa: PLR2004  # see above
        raise HTTPError(400, "the preferred code is not a status of a final response")
    if name == "seed" and not (is_number and len(text) < 10):  # noqa: PLR2004  # a larger seed has no use
        raise HTTPError(400, "the preferred seed is not a number of at most 9 digits")
    if name == "dynamic" and text.lower() not in {"true", "false", ""}:
        raise HTTPError(400, "the preference dynamic must be true or false")
    return text.lower() != "false" if name == "dynamic" else int(text) if name == "seed" else text


def check_credentials(api: model.API, operation: model.Operation, request: Request, valid: Credentials) -> None:
    """Check that a request satisfies one of the operation's security requirements.

    Raises:
        HTTPError: 401, with a WWW-Authenticate for each accepted scheme.
    """
    schemes = api.security_schemes
    if not operation.security or any(
        # A scheme that the document does not declare can't be checked.
        all(name not in schemes or _is_authorized(schemes[name], request, valid) for name in requirement)
        for requirement in operation.security
    ):
        return
    names = dict.fromkeys(name for requirement in operation.security for name in requirement if name in schemes)
    challenges = dict.fromkeys(_challenge(schemes[name], api.title) for name in names)
    raise HTTPError(
        401,
        f"no valid credential for {' or '.join(names) or 'this operation'}",
        # RFC 9110, 11.6.1: a 401 carries at least one challenge.
        headers={"WWW-Authenticate": ", ".join(challenges) or "Unknown"},
    )


def _challenge(scheme: model.SecurityScheme, realm: str) -> str:
    known = {"http": scheme.scheme.title(), "oauth2": "Bearer", "openIdConnect": "Bearer"}
    name = known.get(scheme.type, scheme.type[:1].upper() + scheme.type[1:])
    quotable = "".join(c for c in realm if " " <= c <= "~" and c not in '"\\')
    return f'{name} realm="{quotable}"'


def _is_authorized(scheme: model.SecurityScheme, request: Request, valid: Credentials) -> bool:
    if scheme.type == "mutualTLS":
        return True
    sent = _api_key(scheme, request) if scheme.type == "apiKey" else _authorization(scheme, request)
    if not sent:
        return False
    # The valid credential of this scheme, or None if any is accepted.
    if isinstance(valid, Mapping):
        valid = valid.get(scheme.name)
    elif isinstance(valid, (tuple, list)) != (scheme.type == "http" and scheme.scheme == "basic"):
        valid = None
    expected = tuple(valid) if isinstance(valid, list) else valid
    return expected is None or (
        isinstance(sent, type(expected)) and hmac.compare_digest(repr(sent).encode(), repr(expected).encode())
    )


def _api_key(scheme: model.SecurityScheme, request: Request) -> str | None:
    if scheme.in_ == "header":
        sent: str | None = request.headers.get(scheme.parameter)
        return sent
    if scheme.in_ == "query":
        return first_value(urlsplit(request.url).query, scheme.parameter, "&")
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[scheme.parameter].value if scheme.parameter in cookies else None


def _authorization(scheme: model.SecurityScheme, request: Request) -> str | tuple[str, str] | None:
    # RFC 9110, 11.1 and 11.4: scheme names match without regard to case.
    name, _, rest = request.headers.get("authorization", "").partition(" ")
    expected = scheme.scheme if scheme.type == "http" else "bearer"
    if name.lower() != expected:
        return None
    if expected != "basic":
        return str(rest).strip()
    try:
        user, colon, password = b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None
