"""Tokens of OAuth 2.0 and OpenID Connect: how they are fetched, kept and renewed, once for all calls that need them.

Rule 1: a token is renewed a minute before it expires, by one call for all; the others go on with the one they have.
Rule 2: after a 401 a token is renewed, and the request sent again, once for each call. No person is asked to log in
because of a 401.
"""

from __future__ import annotations

import copy
from collections.abc import Generator
from functools import partial
from typing import Any

from dynclient._secrets import Secret
from dynclient.exceptions import DynclientError, MissingCredential, TimeoutError  # noqa: A004  # ours
from dynclient.messages import Request, RunBlocking, Sleep
from dynclient.options import OAuth2
from dynclient.security.auth import AuthContext, PendingCall, SchemeAuth, Steps
from dynclient.security.grants import PERSONAL, endpoints, first_token, refreshed
from dynclient.security.locations import write
from dynclient.security.tokens import Token, TokenRequest, flow_of, load_token, save_token, store_of

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
    """A person would have to log in, which a 401 does not cause."""


def obtain(request: TokenRequest, rejected: Secret | None = None) -> Steps[Token]:
    """Return a token with the scopes, other than the one that a server has rejected.

    Raises:
        AuthorizationError: the authorization server gives none.
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
        AuthorizationError: the authorization server gives none.
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
            raise TimeoutError("time ran out while another call fetched the token", phase="total")
        yield Sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    if waited_for_a_person:
        request.clock.restart()


def _lead(request: TokenRequest, pending: PendingCall, rejected: Secret | None) -> Steps[Token]:
    """Fetch a token for all calls that wait for it."""
    try:
        return (yield from _fetch(request, pending, rejected))
    except DynclientError as error:
        # Where time ran out, or a person would have to log in, others may have more time, or may ask a person.
        if not isinstance(error, (TimeoutError, _LoginNeeded)):
            pending.error = error
        raise
    finally:
        request.context.cache.leave(request.key, pending)


def _fetch(request: TokenRequest, pending: PendingCall, rejected: Secret | None) -> Steps[Token]:
    tokens, now = request.context.cache.tokens, request.context.now
    # Another call may have fetched it between the look at the cache and the beginning of this fetch.
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
            # The renewal was early: the old token still works, and the server is left alone for a while.
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
            f"the refresh token of {request.scheme.name} is no longer good",
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
    """The token in the store, if another process has used the refresh token since, and stored what it got for it."""
    store = store_of(request.given)
    newer: Token | None = (yield RunBlocking(partial(load_token, store, request))) if store is not None else None
    if newer is None or newer.access == old.access or not newer.serves(request.scopes, rejected):
        return None
    return newer if newer.is_alive(request.context.now()) else None
