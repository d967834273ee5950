"""The authorization code grant with PKCE, as a native app does it (RFC 6749, 4.1; RFC 7636; RFC 8252; RFC 9700).

A person logs in in a browser, which then comes back to a listener on this machine. What comes back counts only if it
brings the state that the browser was sent off with, and the code alone is worth nothing without the verifier.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

from dynclient.exceptions import AuthorizationError, escaped
from dynclient.messages import Run, Sleep
from dynclient.security.oauth2.endpoints import Endpoints
from dynclient.security.oauth2.listener import Listener
from dynclient.security.oauth2.need import Need
from dynclient.security.steps import Steps, Way

_PAUSE = 0.1


def authorization_code(need: Need, to: Endpoints, scope: str, way: Way) -> Steps[Mapping[str, str | None]]:
    """Send a person's browser off, wait for it to come back, and return what the code is exchanged with.

    Raises:
        AuthorizationError: the person, or the server, said no, or nobody came back.
        ArgumentError: the redirect URI is none that can be listened at.
    """
    # RFC 7636, 4.1: 32 random bytes make a verifier of 43 characters.
    state, verifier = _random(way), _random(way)
    challenge = _text64(hashlib.sha256(verifier.encode("ascii")).digest())
    listener = Listener(need.given.redirect_uri, state)
    try:
        query = {
            "response_type": "code",
            "client_id": need.given.client_id,
            "redirect_uri": listener.redirect_uri,
            **({"scope": scope} if scope else {}),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **dict(need.given.parameters),
        }
        answer = yield from _returned(need, listener, _with_query(to.own, query), way)
    finally:
        listener.close()
    way.begin_anew()
    # RFC 9207, 2.4: an answer of another server is not for us.
    if "iss" in answer and to.issuer and answer["iss"] != to.issuer:
        raise AuthorizationError("the browser came back from another authorization server than it was sent to")
    if "code" not in answer:
        error, why = (escaped(answer.get(name, "")[:200]) for name in ("error", "error_description"))
        told = ": ".join(filter(None, (error, why))) or "no reason"
        raise AuthorizationError(f"the authorization server let nobody in: {told}", error=error)
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": listener.redirect_uri,
        "code_verifier": verifier,
    }


def _returned(need: Need, listener: Listener, url: str, way: Way) -> Steps[Mapping[str, str]]:
    """Open the browser, and wait for it to come back."""
    patience = need.given.login_timeout
    way.wait_for_a_person(patience)
    end = way.world.clock() + patience
    opener = need.given.open_browser
    if opener is not None and (yield Run(partial(opener, url))) is False:
        raise AuthorizationError("no browser could be opened for logging in")
    while listener.query is None:
        if way.world.clock() >= end:
            raise AuthorizationError(f"nobody logged in within {patience:g} seconds")
        yield Sleep(_PAUSE)
    return dict(parse_qsl(listener.query, keep_blank_values=True))


def _with_query(url: str, query: Mapping[str, str]) -> str:
    # RFC 6749, 3.1: the address may have a query of its own, which is kept.
    parts = urlsplit(url)
    return parts._replace(query="&".join(filter(None, (parts.query, urlencode(query)))), fragment="").geturl()


def _random(way: Way) -> str:
    return _text64(way.world.entropy(32))


def _text64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
