"""A token for a call: the one that is there, or a new one, which is fetched once for all who want it."""

from __future__ import annotations

import copy
from functools import partial

from dynclient._secrets import Secret
from dynclient.exceptions import DynclientError, MissingCredential, TimeoutError  # noqa: A004  # ours
from dynclient.messages import Run, Sleep
from dynclient.security.memory import Flight, Memory
from dynclient.security.oauth2 import store
from dynclient.security.oauth2.endpoints import endpoints, flow_of
from dynclient.security.oauth2.grants import PERSONAL, first_token, refreshed
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.tokens import Token
from dynclient.security.steps import Steps, Way

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1
_AFTER_A_FAILURE = 10.0


class _NobodyAsked(DynclientError):
    """Only a person could help, and is not asked because of a 401."""


def obtain(need: Need, memory: Memory, way: Way, rejected: Secret | None = None) -> Steps[Token]:
    """Return a token that serves, and is not the one that a server has rejected.

    Raises:
        AuthorizationError: the authorization server gives none.
        CredentialScopeError: its origin is none that the caller vouched for.
        TransportError: it can't be reached.
    """
    while True:
        token: Token | None = memory.tokens.get(need.key)
        serves = token is not None and token.serves(need.scopes, rejected)
        if token is not None and serves and token.is_fresh(way.world.now()):
            return token
        flight, leads = memory.join(need.key)
        if leads:
            return (yield from _lead(need, memory, way, flight, rejected))
        if token is not None and serves and token.is_alive(way.world.now()):
            return token
        yield from _follow(flight, way)
        if flight.error is not None:
            raise copy.copy(flight.error)


def renew(need: Need, memory: Memory, way: Way, rejected: Secret) -> Steps[Secret]:
    """Get another token in place of one that a server has rejected; the same where only a person could help.

    Raises:
        AuthorizationError: the authorization server gives none.
    """
    try:
        token = yield from obtain(need, memory, way, rejected)
    except _NobodyAsked:
        # The next call may ask a person.
        held: Token | None = memory.tokens.get(need.key)
        if held is not None and held.access == rejected:
            del memory.tokens[need.key]
            kept = store.store_of(need.given)
            if kept is not None:
                yield Run(partial(store.forget, kept, need))
        return rejected
    return token.access


def _follow(flight: Flight, way: Way) -> Steps[None]:
    """Wait until another call has landed."""
    pause = _FIRST_PAUSE
    waited_for_a_person = False
    while not flight.is_done:
        waited_for_a_person = waited_for_a_person or flight.is_personal
        late = way.deadline is not None and way.world.clock() >= way.deadline
        if late and not waited_for_a_person:
            raise TimeoutError("time ran out while another call fetched the token", phase="total")
        yield Sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    if waited_for_a_person:
        way.begin_anew()


def _lead(need: Need, memory: Memory, way: Way, flight: Flight, rejected: Secret | None) -> Steps[Token]:
    """Fetch a token for all who wait for it."""
    error: DynclientError | None = None
    try:
        return (yield from _fetch(need, memory, way, flight, rejected))
    except (TimeoutError, _NobodyAsked):
        # Others may have more time, or may ask a person.
        raise
    except DynclientError as fault:
        error = fault
        raise
    finally:
        memory.leave(need.key, flight, error)


def _fetch(need: Need, memory: Memory, way: Way, flight: Flight, rejected: Secret | None) -> Steps[Token]:
    # Another flight may have landed between the look at the memory and this one's beginning.
    held: Token | None = memory.tokens.get(need.key)
    now = way.world.now
    if held is not None and held.serves(need.scopes, rejected) and held.is_fresh(now()):
        return held
    kept = store.store_of(need.given)
    if kept is not None:
        stored: Token | None = yield Run(partial(store.load, kept, need))
        held = stored or held
    if held is None or not held.serves(need.scopes, rejected) or not held.is_fresh(now()):
        try:
            token = yield from _new(need, memory, way, flight, held, rejected)
        except DynclientError:
            if held is None or not held.serves(need.scopes, rejected) or not held.is_alive(now()):
                raise
            # It was early: the old one is good for a while, and the server is left alone for some of it.
            memory.tokens[need.key] = held._replace(renew_at=now() + _AFTER_A_FAILURE)
            return held
        held = token
        memory.tokens[need.key] = held
        if kept is not None:
            yield Run(partial(store.save, kept, need, held))
    memory.tokens[need.key] = held
    return held


def _new(
    need: Need, memory: Memory, way: Way, flight: Flight, old: Token | None, rejected: Secret | None
) -> Steps[Token]:
    """Get a token: for a refresh token where there is one, else, or where that is no good, by the caller's flow."""
    to = yield from endpoints(need, memory, way)
    asked = frozenset(need.given.scopes if need.given.scopes is not None else need.scopes)
    known = old.asked if old is not None else None
    candidates = [old.refresh if old is not None else None, need.given.refresh_token]
    flow = flow_of(need.given)
    # A refresh brings no scopes that were not there before (RFC 6749, 6): where some are missing, a person is asked.
    if flow and known is not None and not known.issuperset(need.scopes):
        candidates = []
    for refresh in dict.fromkeys(candidates):
        if refresh is not None:
            token = yield from refreshed(need, to, refresh, known, way)
            if token is not None:
                return token
    if not flow:
        raise MissingCredential(
            f"the refresh token of {need.scheme.name} is no longer good",
            schemes=(need.scheme.name,),
            hint="log in again, and pass the new one",
        )
    if flow in PERSONAL:
        if rejected is not None:
            raise _NobodyAsked
        flight.is_personal = True
    if need.given.scopes is None and known is not None:
        asked |= known
    return (yield from first_token(need, to, flow, asked, way))
