"""How each flow gets its first token: a table of generators.

Each is given what is needed, the addresses and the scopes, and returns a Token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from dynclient._secrets import Secret
from dynclient.exceptions import AuthorizationError
from dynclient.messages import Response
from dynclient.security.oauth2.device import device_code
from dynclient.security.oauth2.endpoints import Endpoints
from dynclient.security.oauth2.login import authorization_code
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.tokens import Token, form_request, token_of
from dynclient.security.steps import Steps, Way

Grant = Callable[[Need, Endpoints, str, Way], Steps[Mapping[str, str | None]]]
"""``(need, endpoints, scopes, way) -> the fields that are exchanged for a token``."""

PERSONAL = frozenset({"authorizationCode", "deviceAuthorization"})
"""The flows in which a person has to do something."""


def first_token(need: Need, to: Endpoints, flow: str, scopes: frozenset[str], way: Way) -> Steps[Token]:
    """Get a token by the flow that the caller's credentials are for.

    Raises:
        AuthorizationError: the server gives none, or nobody logged in.
    """
    scope = " ".join(sorted(scopes)) or None
    if flow == "deviceAuthorization":
        response: Response = yield from device_code(need, to, scope, way)
    else:
        fields = yield from GRANTS[flow](need, to, scope or "", way)
        response = yield way.send(form_request(to.token, fields, need.given, to.auth))
    return token_of(response, way.limits, way.world.now(), scopes, None)


def refreshed(
    need: Need, to: Endpoints, refresh: Secret, asked: frozenset[str] | None, way: Way
) -> Steps[Token | None]:
    """Get a token for a refresh token (RFC 6749, 6); None where that is no longer good.

    Raises:
        AuthorizationError: the server gives none for another reason.
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
    response: Response = yield way.send(form_request(to.refresh, fields, need.given, to.auth))
    try:
        return token_of(response, way.limits, way.world.now(), asked, refresh)
    except AuthorizationError as error:
        if error.error == "invalid_grant":
            return None
        raise


def _client_credentials(_need: Need, _to: Endpoints, scope: str, _way: Way) -> Steps[Mapping[str, str | None]]:
    # RFC 6749, 4.4.2
    yield from ()
    return {"grant_type": "client_credentials", "scope": scope or None}


def _password(need: Need, _to: Endpoints, scope: str, _way: Way) -> Steps[Mapping[str, str | None]]:
    # RFC 6749, 4.3.2
    yield from ()
    password = need.given.password
    return {
        "grant_type": "password",
        "username": need.given.username,
        "password": password.reveal() if password is not None else None,
        "scope": scope or None,
    }


GRANTS: Mapping[str, Grant] = MappingProxyType(
    {"clientCredentials": _client_credentials, "password": _password, "authorizationCode": authorization_code}
)
"""Flow -> what gets the fields that its token is asked for with."""
