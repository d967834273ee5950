"""Does a request show who it is, as the operation asks?

Rule 1: any credential of the right form is right, unless some are given: then one of those it has to be.
Rule 2: a refusal names the schemes that would do, and never what was sent.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dynclient import model
from dynclient.messages import Request
from dynclient.testing.refusals import Refusal

Credentials = Any
"""What is right: ``("user", "password")``, a token, or a mapping of scheme name to either; None: anything is."""


def check_credentials(api: model.API, operation: model.Operation, request: Request, credentials: Credentials) -> None:
    """Check that a request satisfies one of the operation's security requirements.

    Raises:
        Refusal: 401, with a WWW-Authenticate for each scheme that would do.
    """
    schemes = api.security_schemes
    if not operation.security:
        return
    for requirement in operation.security:
        if all(name in schemes and _is_shown(schemes[name], request, credentials) for name in requirement):
            return
    wanted = dict.fromkeys(name for requirement in operation.security for name in requirement if name in schemes)
    challenges = dict.fromkeys(_challenge(schemes[name], api.title) for name in wanted)
    raise Refusal(
        401,
        f"no valid credential for {' or '.join(wanted) or 'this operation'}",
        # RFC 9110, 11.6.1: a 401 carries at least one challenge.
        headers={"WWW-Authenticate": ", ".join(challenges) or "Unknown"},
    )


def _challenge(scheme: model.SecurityScheme, realm: str) -> str:
    words = {"http": scheme.scheme.title(), "oauth2": "Bearer", "openIdConnect": "Bearer"}
    word = words.get(scheme.type, scheme.type[:1].upper() + scheme.type[1:])
    quoted = "".join(c for c in realm if " " <= c <= "~" and c not in '"\\')
    return f'{word} realm="{quoted}"'


def _is_shown(scheme: model.SecurityScheme, request: Request, credentials: Credentials) -> bool:
    if scheme.type == "mutualTLS":
        return True
    shown = _api_key(scheme, request) if scheme.type == "apiKey" else _authorization(scheme, request)
    if not shown:
        return False
    right = _right(scheme, credentials)
    return right is None or (
        isinstance(shown, type(right)) and hmac.compare_digest(repr(shown).encode(), repr(right).encode())
    )


def _right(scheme: model.SecurityScheme, credentials: Credentials) -> Any:
    """The credential that a scheme has to be shown, or None where any will do."""
    if isinstance(credentials, Mapping):
        right = credentials.get(scheme.name)
    elif isinstance(credentials, (tuple, list)) == (scheme.type == "http" and scheme.scheme == "basic"):
        right = credentials
    else:
        right = None
    return tuple(right) if isinstance(right, list) else right


def _api_key(scheme: model.SecurityScheme, request: Request) -> str | None:
    if scheme.in_ == "header":
        return request.headers.get(scheme.parameter)
    if scheme.in_ == "query":
        values = parse_qs(urlsplit(request.url).query, keep_blank_values=True).get(scheme.parameter)
        return values[0] if values else None
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[scheme.parameter].value if scheme.parameter in cookies else None


def _authorization(scheme: model.SecurityScheme, request: Request) -> str | tuple[str, str] | None:
    # RFC 9110, 11.1 and 11.4: scheme names match without regard to case.
    word, _, rest = request.headers.get("authorization", "").partition(" ")
    wanted = scheme.scheme if scheme.type == "http" else "bearer"
    if word.lower() != wanted or not rest.strip():
        return None
    return _basic(rest.strip()) if wanted == "basic" else rest.strip()


def _basic(text: str) -> tuple[str, str] | None:
    try:
        user, colon, password = b64decode(text, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None
