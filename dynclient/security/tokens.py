"""Tokens: their requests, the server's responses, and how they are stored (RFC 6749, 4 to 6).

Rule 1: requests to an authorization server go only to a trusted origin.
Rule 2: an error contains no part of a token, a password or a client secret, and no sent or received body.
"""

from __future__ import annotations

import base64
import contextlib
import math
import os
from collections.abc import Hashable, Mapping
from typing import Any, cast
from urllib.parse import quote_plus, urlencode, urljoin

from dynclient import codecs
from dynclient._records import Record
from dynclient._secrets import SECRET_BODY, Secret, masked
from dynclient.exceptions import AuthorizationError, DecodeError, InvalidDocument, escaped
from dynclient.http_grammar import SUCCESS
from dynclient.messages import Headers, Request, Response, joined_url, origin
from dynclient.model import OAuthFlow, SecurityScheme
from dynclient.options import Limits, OAuth2, TokenStore
from dynclient.security.auth import AuthContext, CallClock
from dynclient.security.trust import Origin, text_of

EARLY = 60.0
"""Seconds before its end at which a token is renewed.

One that lives less than two minutes is renewed at half its life.
"""

_LONGEST_LIFE = 10 * 365 * 86400.0


class Token(Record):
    """An access token. Times are seconds since the epoch, or None if it does not expire.

    ``asked`` are the scopes that it was requested with; None if they are unknown, and may be any.
    """

    access: Secret
    refresh: Secret | None = None
    renew_at: float | None = None
    expires_at: float | None = None
    asked: frozenset[str] | None = None

    def serves(self, scopes: tuple[str, ...], rejected: Secret | None) -> bool:
        """Whether it was requested with these scopes, and is not the one that a server has rejected."""
        return self.access != rejected and (self.asked is None or self.asked.issuperset(scopes))

    def is_fresh(self, now: float) -> bool:
        """Whether it is not yet time to renew it."""
        return self.renew_at is None or now < self.renew_at

    def is_alive(self, now: float) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


def flow_of(given: OAuth2) -> str:
    """The flow of the caller's OAuth2, as OpenAPI names it; "" if it has only a refresh token."""
    if given.username is not None and given.password is not None:
        return "password"
    if given.open_browser is not None:
        return "authorizationCode"
    if given.show_code is not None:
        return "deviceAuthorization"
    return "clientCredentials" if given.client_secret is not None and given.refresh_token is None else ""


def flow_in(scheme: SecurityScheme, type_: str) -> OAuthFlow | None:
    """The scheme's flow of a type; without a type, one that has an address for refreshing."""
    if type_:
        return next((flow for flow in scheme.flows if flow.type == type_), None)
    return next((flow for flow in scheme.flows if flow.refresh_url or flow.token_url), None)


def metadata_url(scheme: SecurityScheme) -> str:
    """The URL of the metadata of a scheme's authorization server; "" if the document names none."""
    return scheme.open_id_connect_url or scheme.oauth2_metadata_url


class TokenRequest(Record):
    """A request for a token. ``url`` is that of the API request that needs the token."""

    given: OAuth2
    context: AuthContext
    url: str

    @property
    def scheme(self) -> SecurityScheme:
        """The security scheme."""
        return self.context.scheme

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the token has to have. If the caller names scopes, every token is requested with these."""
        return self.context.scopes if self.given.scopes is None else ()

    @property
    def clock(self) -> CallClock:
        """The time of the call that needs it."""
        return self.context.clock

    @property
    def issuer(self) -> tuple[Origin, str]:
        """The authorization server: its origin, and the address of its tokens or its metadata as it was written.

        Raises:
            CredentialScopeError: the origin is not trusted. Then an existing token is not used either.
        """
        flow = flow_in(self.scheme, flow_of(self.given))
        address = self.given.token_url or (flow.token_url or flow.refresh_url if flow is not None else None)
        address = address or metadata_url(self.scheme)
        return origin(self.allowed(address)), address

    @property
    def key(self) -> Hashable:
        """The key of its tokens in the cache: all operations of a scheme share those of one authorization server.

        An address relative to the API's server differs for each server.
        """
        return self.scheme.name, self.given, self.issuer

    def allowed(self, url: str) -> str:
        """An authorization server's URL, made absolute, after a check that credentials may go there.

        Raises:
            CredentialScopeError: its origin is not trusted.
            InvalidDocument: it is not a URL.
        """
        # OAS 3.1, Relative References in URLs: they are relative to the server.
        whole = joined_url(self.url, url)
        if whole is None:
            raise InvalidDocument(f"the security scheme {self.scheme.name} has an invalid URL: {url[:200]!r}")
        place = origin(whole)
        given = (self.given.token_url, self.given.authorization_url, self.given.device_authorization_url)
        if url in given:
            # An address that the caller passes is trusted.
            trust = self.context.trust
            self.context.trust = trust._replace(origins=trust.origins | {place})
        self.context.check(place)
        return whole


def alive_for(seconds: float | None, now: float) -> tuple[float | None, float | None]:
    """When to renew a token with this lifetime in seconds, and when it expires."""
    if seconds is None:
        return None, None
    return now + max(seconds - EARLY, seconds / 2), now + seconds


def form_request(url: str, fields: Mapping[str, str | None], given: OAuth2, auth: str) -> Request:
    """Make a request to an authorization server: a form, and the client's own credentials.

    ``auth`` is their location: ``basic`` is the Authorization header, ``post`` the form. Fields that are None are left
    out.
    """
    form = {name: value for name, value in fields.items() if value is not None} | dict(given.parameters)
    headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
    if given.client_secret is None:
        # RFC 6749, 3.2.1: a client without a secret sends its identifier.
        form["client_id"] = given.client_id
    elif auth == "post":
        form |= {"client_id": given.client_id, "client_secret": given.client_secret.reveal()}
    else:
        # RFC 6749, 2.3.1: name and secret are form-encoded before they are joined.
        pair = f"{quote_plus(given.client_id)}:{quote_plus(given.client_secret.reveal())}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"))
    return Request("POST", url, Headers(headers), urlencode(form).encode("ascii"), secrets=frozenset({SECRET_BODY}))


def answer_of(response: Response, limits: Limits) -> Mapping[str, Any]:
    """The JSON object in an authorization server's response.

    Raises:
        AuthorizationError: the response is an error, or not a JSON object.
    """
    data: Any = None
    with contextlib.suppress(DecodeError):
        data = codecs.find("application/json").decode(response.body, None, "application/json", limits)
    if not isinstance(data, Mapping):
        raise AuthorizationError(f"the authorization server answered {response.status}, not in JSON", response=response)
    # RFC 6749, 5.2; some servers report errors with status 200.
    if response.status not in SUCCESS or data.get("error"):
        error = _said(data.get("error"), response)
        reason = ": ".join(filter(None, (error, _said(data.get("error_description") or data.get("message"), response))))
        raise AuthorizationError(
            f"the authorization server answered {response.status}: {reason or 'no reason'}",
            error=error,
            response=response,
        )
    return data


def token_of(response: Response, limits: Limits, now: float, asked: frozenset[str] | None, old: Secret | None) -> Token:
    """The token in an authorization server's response; ``old`` is the refresh token to keep if there is no new one.

    Raises:
        AuthorizationError: there is no token in it.
    """
    data = answer_of(response, limits)
    access, kind, refresh = data.get("access_token"), data.get("token_type", "Bearer"), data.get("refresh_token")
    if not isinstance(access, str) or not access or not access.isprintable():
        raise AuthorizationError("the authorization server answered without a valid access_token", response=response)
    # RFC 6749, 7.1: a client does not use a token whose type it does not know.
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise AuthorizationError(
            f"the authorization server gave a token of type {_said(kind, response)!r}, not Bearer", response=response
        )
    renew_at, expires_at = alive_for(_seconds(data.get("expires_in")), now)
    return Token(Secret(access), Secret(refresh) if isinstance(refresh, str) else old, renew_at, expires_at, asked)


def _seconds(value: Any) -> float | None:
    """A number of seconds, which some servers write as a string; None for anything else."""
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(number, 0.0), _LONGEST_LIFE) if math.isfinite(number) else None


def _said(value: Any, response: Response) -> str:
    """The server's text for an error, without any secrets of the request that it may repeat."""
    if not isinstance(value, (str, int)):
        return ""
    secrets = response.request.secret_values() if response.request is not None else ()
    return escaped(str(masked(str(value), secrets))[:200]).replace("\n", " ")


def store_of(given: OAuth2) -> TokenStore | None:
    """The caller's token store, or None."""
    if not isinstance(given.store, (str, os.PathLike)):
        return given.store
    from dynclient.security.oauth2.store import FileStore

    return FileStore(given.store)


def load_token(store: TokenStore, request: TokenRequest) -> Token | None:
    """Load a token from a store; None if it has none."""
    saved = store.load(_key(request))
    if not saved or not isinstance(saved.get("access_token"), str):
        return None
    refresh, expires_at, scopes = (saved.get(name) for name in ("refresh_token", "expires_at", "scopes"))
    life = float(expires_at) if isinstance(expires_at, (int, float)) else None
    return Token(
        Secret(saved["access_token"]),
        Secret(refresh) if isinstance(refresh, str) else None,
        # Its total lifetime is unknown: it is renewed like one with a long life.
        alive_for(life, 0.0)[0],
        life,
        frozenset(cast("list[str]", scopes)) if isinstance(scopes, list) else None,
    )


def entry_of(token: Token) -> dict[str, Any]:
    """The stored form of a token."""
    return {
        "access_token": token.access.reveal(),
        "refresh_token": token.refresh.reveal() if token.refresh else None,
        "expires_at": token.expires_at,
        "scopes": sorted(token.asked) if token.asked is not None else None,
    }


def save_token(store: TokenStore, request: TokenRequest, token: Token | None) -> None:
    """Save a token in a store, or delete the stored one."""
    store.save(_key(request), entry_of(token) if token is not None else {})


def _key(request: TokenRequest) -> str:
    """A readable key: the address, the client, the user, further parameters, and the API's origin.

    A store may be shared by many APIs, and a document may name the authorization server of any other.
    """
    given, (place, address) = request.given, request.issuer
    parameters = [f"{name}={value}" for name, value in given.parameters]
    whole = urljoin(text_of(place), address)
    api = text_of(origin(request.url))
    return " ".join(filter(None, (whole, given.client_id, given.username, *parameters, "for", api)))
