"""Tokens of OAuth 2.0 and OpenID Connect: how each flow gets one, and how they are kept and renewed for all calls.

Rule 1: addresses come from the caller, from the document's flow, or from the server's metadata (OpenID Connect
Discovery 1.0 and RFC 8414, which use the same names). Metadata is fetched if an address is missing, and kept as long as
the client.
Rule 2: a token is renewed a minute before it expires, by one call for all; the others keep using the old one.
Rule 3: after a 401 a token is renewed, and the request sent again, once for each call. No person is asked to log in
because of a 401.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from dynclient._records import Record
from dynclient._secrets import Secret
from dynclient.exceptions import AuthorizationError, DynclientError, MissingCredential, TimeoutError  # noqa: A004  # ours
from dynclient.messages import Headers, Request, Response, RunBlocking, Sleep
from dynclient.model import OAuthFlow, SecurityScheme
from dynclient.options import DeviceCode, OAuth2
from dynclient.security.auth import AuthContext, PendingCall, SchemeAuth, Steps, called, write
from dynclient.security.tokens import (
    Token,
    TokenRequest,
    answer_of,
    flow_in,
    flow_of,
    form_request,
    load_token,
    metadata_url,
    save_token,
    store_of,
    token_of,
)

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL = 5.0
_SHORTEST = 1.0
_YEAR = 365 * 86_400
_WAITING = frozenset({"authorization_pending", "slow_down"})
_OWN_URL = {"authorizationCode": "authorization_url", "deviceAuthorization": "device_authorization_url"}
"""Flow -> its address in addition to the token's."""


class Endpoints(Record):
    """The addresses of an authorization server. ``own`` is the address where a person or a device starts the flow."""

    token: str
    own: str = ""
    refresh: str = ""
    auth: str = "basic"
    issuer: str = ""


def fault_of(given: OAuth2, scheme: SecurityScheme) -> str:
    """Why a scheme can't get a token with the caller's OAuth2; "" if it can."""
    try:
        hash(given)
    except TypeError:
        return "its values, including the store, must be hashable"
    type_ = flow_of(given)
    if not type_ and given.refresh_token is None:
        return "OAuth2 needs client_secret, username and password, refresh_token, open_browser or show_code"
    if metadata_url(scheme):
        return ""
    flow = flow_in(scheme, type_)
    missing = [name for name in ("token_url", _OWN_URL.get(type_, "")) if name and not _address(name, given, flow)]
    return f"the document names no {' and no '.join(missing)} for {type_ or 'any'} flow of it" if missing else ""


def endpoints(request: TokenRequest) -> Steps[Endpoints]:
    """Find the addresses that the caller's flow needs.

    Raises:
        CredentialScopeError: the origin of one is not trusted.
        AuthorizationError: the metadata can't be fetched, or lacks one.
    """
    given, scheme = request.given, request.scheme
    type_ = flow_of(given)
    flow = flow_in(scheme, type_)
    own = _OWN_URL.get(type_, "")
    token, first = _address("token_url", given, flow), _address(own, given, flow) if own else ""
    metadata: Mapping[str, Any] = {}
    if metadata_url(scheme) and (not token or (own and not first)):
        metadata = yield from _metadata(request)
        token = token or _named(metadata, "token_endpoint")
        first = first or (_named(metadata, own.replace("_url", "_endpoint")) if own else "")
    return Endpoints(
        request.allowed(token),
        request.allowed(first) if first else "",
        request.allowed(given.token_url or (flow.refresh_url if flow else None) or token),
        given.client_auth or _auth(metadata),
        str(metadata.get("issuer", "")),
    )


def _metadata(request: TokenRequest) -> Steps[Mapping[str, Any]]:
    url = request.allowed(metadata_url(request.scheme))
    if url not in request.context.cache.metadata:
        response = yield Request("GET", url, Headers({"Accept": "application/json"}))
        request.context.cache.metadata[url] = answer_of(response, request.clock.limits)
    return request.context.cache.metadata[url]


def _address(name: str, given: OAuth2, flow: OAuthFlow | None) -> str:
    return getattr(given, name) or (getattr(flow, name) if flow is not None else None) or ""


def _named(metadata: Mapping[str, Any], name: str) -> str:
    value = metadata.get(name)
    if not isinstance(value, str) or not value:
        raise AuthorizationError(f"the authorization server's metadata has no {name}")
    return value


def _auth(metadata: Mapping[str, Any]) -> str:
    """How the client sends its secret. RFC 8414, 2: the default is the header."""
    methods = metadata.get("token_endpoint_auth_methods_supported")
    known = methods if isinstance(methods, list) else ["client_secret_basic"]
    return "post" if "client_secret_post" in known and "client_secret_basic" not in known else "basic"


def device_code(request: TokenRequest, to: Endpoints, scope: str | None) -> Steps[Response]:
    """Show a person a code, and poll the server until the person has used it; return the response with the token.

    Raises:
        AuthorizationError: the person refused, or did nothing in time.
    """
    fields = {"client_id": request.given.client_id, "scope": scope}
    response = yield form_request(to.own, fields, request.given, to.auth)
    answer = answer_of(response, request.clock.limits)
    # Some servers still use the name of a draft.
    uri = answer.get("verification_uri", answer.get("verification_url"))
    device, code, complete = (answer.get(name) for name in ("device_code", "user_code", "verification_uri_complete"))
    if not (isinstance(device, str) and isinstance(code, str) and isinstance(uri, str)):
        raise AuthorizationError("the authorization server gave no code for a device", response=response)
    expires_in = _number(answer.get("expires_in"), 600.0)
    patience = min(request.given.login_timeout, expires_in)
    request.clock.wait_for_a_person(patience)
    end = request.clock.environment.clock() + patience
    interval = _number(answer.get("interval"), _INTERVAL)
    if request.given.show_code is not None:
        shown = DeviceCode(uri, code, complete if isinstance(complete, str) else None, expires_in)
        yield from called(partial(request.given.show_code, shown))
    fields = {"grant_type": _GRANT, "device_code": device, "client_id": request.given.client_id}
    while request.clock.environment.clock() + interval < end:
        yield Sleep(interval)
        response = yield form_request(to.token, fields, request.given, to.auth)
        try:
            answer_of(response, request.clock.limits)
        except AuthorizationError as error:
            if error.error in _WAITING:
                # RFC 8628, 3.5: five seconds more, for this and all later requests.
                interval += _INTERVAL if error.error == "slow_down" else 0.0
                continue
        request.clock.restart()
        return response  # type: ignore[no-any-return]  # the result of a step is untyped
    raise AuthorizationError(f"nobody logged in within {patience:g} seconds", error="expired_token")


def _number(value: Any, default: float) -> float:
    """A number of seconds in a server's answer, from 1 to a year; the default for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        return default
    return float(min(max(value, _SHORTEST), _YEAR))


PERSONAL = frozenset({"authorizationCode", "deviceAuthorization"})
"""The flows in which a person logs in."""


def first_token(request: TokenRequest, to: Endpoints, flow: str, scopes: frozenset[str]) -> Steps[Token]:
    """Get a token with the flow of the caller's credentials.

    Raises:
        AuthorizationError: the server issues no token, or nobody logged in.
    """
    given, scope = request.given, " ".join(sorted(scopes)) or None
    if flow == "deviceAuthorization":
        response = yield from device_code(request, to, scope)
    else:
        # RFC 6749, 4.4.2
        fields: Mapping[str, str | None] = {"grant_type": "client_credentials", "scope": scope}
        if flow == "authorizationCode":
            from dynclient.security.login import authorization_code

            fields = yield from authorization_code(request, to.own, to.issuer, scope)
        elif flow == "password":
            # RFC 6749, 4.3.2
            password = given.password.reveal() if given.password is not None else None
            fields = {"grant_type": flow, "username": given.username, "password": password, "scope": scope}
        response = yield form_request(to.token, fields, given, to.auth)
    return token_of(response, request.clock.limits, request.context.now(), scopes, None)


def refreshed(
    request: TokenRequest, to: Endpoints, refresh: Secret, asked: frozenset[str] | None
) -> Steps[Token | None]:
    """Get a token with a refresh token (RFC 6749, 6); None if that is no longer valid.

    Raises:
        AuthorizationError: the server issues no token for another reason.
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
    response: Response = yield form_request(to.refresh, fields, request.given, to.auth)
    try:
        return token_of(response, request.clock.limits, request.context.now(), asked, refresh)
    except AuthorizationError as error:
        if error.error == "invalid_grant":
            return None
        raise


_UNAUTHORIZED = 401
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1
_AFTER_A_FAILURE = 10.0


class OAuth2Auth(SchemeAuth):
    """A token that is fetched for the scheme, and sent as a bearer token (RFC 6750, 2.1)."""

    __slots__ = ("_given",)
    signs = False

    def __init__(self, given: OAuth2) -> None:
        """Take the credentials that a token is requested with."""
        self._given = given

    def flow(self, request: Request, context: AuthContext, /) -> Generator[Any, Any, None]:
        """Send the request with the token, and with a new one if the server rejects it."""
        needed = TokenRequest(self._given, context, request.url)
        token = (yield from obtain(needed)).access
        response = yield write(request, context.scheme, f"Bearer {token.reveal()}")
        if response.status == _UNAUTHORIZED and not context.is_renewed:
            context.is_renewed = True
            renewed = yield from renew(needed, token)
            if renewed != token:
                yield write(request, context.scheme, f"Bearer {renewed.reveal()}")


class _LoginNeeded(DynclientError):
    """A person would have to log in, which is not requested because of a 401."""


def obtain(request: TokenRequest, rejected: Secret | None = None) -> Steps[Token]:
    """Return a token with the scopes, other than the one that a server has rejected.

    Raises:
        AuthorizationError: the authorization server issues no token.
        CredentialScopeError: its origin is not trusted.
        TransportError: it can't be reached.
    """
    key = request.key
    while True:
        token: Token | None = request.context.cache.tokens.get(key)
        serves = token is not None and token.serves(request.scopes, rejected)
        if token is not None and serves and token.is_fresh(request.context.now()):
            return token
        pending, leads = request.context.cache.join(key)
        if leads:
            return (yield from _lead(request, pending, rejected))
        if token is not None and serves and token.is_alive(request.context.now()):
            return token
        yield from _follow(request, pending)
        if pending.error is not None:
            raise copy.copy(pending.error)


def renew(request: TokenRequest, rejected: Secret) -> Steps[Secret]:
    """Get a new token in place of a rejected one; returns the rejected one if a person would have to log in.

    Raises:
        AuthorizationError: the authorization server issues no token.
    """
    try:
        token: Token = yield from obtain(request, rejected)
    except _LoginNeeded:
        # The next call may ask a person.
        held: Token | None = request.context.cache.tokens.get(request.key)
        if held is not None and held.access == rejected:
            del request.context.cache.tokens[request.key]
            store = store_of(request.given)
            if store is not None:
                yield RunBlocking(partial(save_token, store, request, None))
        return rejected
    return token.access


def _follow(request: TokenRequest, pending: PendingCall) -> Steps[None]:
    """Wait until another call has fetched the token."""
    pause = _FIRST_PAUSE
    waited_for_a_person = False
    while not pending.is_done:
        waited_for_a_person = waited_for_a_person or pending.is_personal
        late = request.clock.deadline is not None and request.clock.environment.clock() >= request.clock.deadline
        if late and not waited_for_a_person:
            raise TimeoutError("the call's time ran out while another call was fetching the token", phase="total")
        yield Sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    if waited_for_a_person:
        request.clock.restart()


def _lead(request: TokenRequest, pending: PendingCall, rejected: Secret | None) -> Steps[Token]:
    """Fetch a token for all calls that wait for it."""
    try:
        return (yield from _fetch(request, pending, rejected))
    except DynclientError as error:
        # If time ran out, or a person would have to log in, other calls may have more time, or may ask a person.
        if not isinstance(error, (TimeoutError, _LoginNeeded)):
            pending.error = error
        raise
    finally:
        request.context.cache.leave(request.key, pending)


def _fetch(request: TokenRequest, pending: PendingCall, rejected: Secret | None) -> Steps[Token]:
    tokens, now = request.context.cache.tokens, request.context.now
    # Another call may have fetched it between the cache lookup and the start of this fetch.
    held: Token | None = tokens.get(request.key)
    if held is not None and held.serves(request.scopes, rejected) and held.is_fresh(now()):
        return held
    store = store_of(request.given)
    if store is not None:
        held = (yield RunBlocking(partial(load_token, store, request))) or held
    if held is None or not held.serves(request.scopes, rejected) or not held.is_fresh(now()):
        try:
            token = yield from _new(request, pending, held, rejected)
        except DynclientError:
            if held is None or not held.serves(request.scopes, rejected) or not held.is_alive(now()):
                raise
            # The renewal was early: the old token still works, and the next attempt is delayed.
            held = held._replace(renew_at=now() + _AFTER_A_FAILURE)
        else:
            tokens[request.key] = held = token
            if store is not None:
                yield RunBlocking(partial(save_token, store, request, token))
    tokens[request.key] = held
    return held


def _new(request: TokenRequest, pending: PendingCall, old: Token | None, rejected: Secret | None) -> Steps[Token]:
    """Get a token: with a refresh token that still works, else by the caller's flow."""
    to = yield from endpoints(request)
    asked = frozenset(request.given.scopes if request.given.scopes is not None else request.scopes)
    known = old.asked if old is not None else None
    candidates = [old.refresh if old is not None else None, request.given.refresh_token]
    flow = flow_of(request.given)
    # A refresh brings no new scopes (RFC 6749, 6): if some are missing, the flow is used.
    if flow and known is not None and not known.issuperset(request.scopes):
        candidates = []
    for refresh in dict.fromkeys(candidates):
        if refresh is not None:
            token = yield from refreshed(request, to, refresh, known)
            if token is None and old is not None and refresh == old.refresh:
                token = yield from _rotated(request, old, rejected)
            if token is not None:
                return token
    if not flow:
        raise MissingCredential(
            f"the refresh token of {request.scheme.name} is no longer valid",
            schemes=(request.scheme.name,),
            hint="log in again, and pass the new one",
        )
    if flow in PERSONAL:
        if rejected is not None:
            raise _LoginNeeded
        pending.is_personal = True
    if request.given.scopes is None and known is not None:
        asked |= known
    return (yield from first_token(request, to, flow, asked))


def _rotated(request: TokenRequest, old: Token, rejected: Secret | None) -> Steps[Token | None]:
    """The token in the store, if another process has used the refresh token since, and stored the new token."""
    store = store_of(request.given)
    newer: Token | None = (yield RunBlocking(partial(load_token, store, request))) if store is not None else None
    if newer is None or newer.access == old.access or not newer.serves(request.scopes, rejected):
        return None
    return newer if newer.is_alive(request.context.now()) else None
