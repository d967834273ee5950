"""A token, the request for one, and the answer (RFC 6749, 4 to 6)."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from dynclient import codecs
from dynclient._records import Record
from dynclient._secrets import OAuth2, Secret, masked
from dynclient.exceptions import AuthorizationError, DecodeError, escaped
from dynclient.http_grammar import SUCCESS
from dynclient.messages import SECRET_BODY, Headers, Request, Response
from dynclient.options import Limits

EARLY = 60.0
"""How many seconds before a token expires it is renewed; half of its life where that is shorter than two minutes."""

_LONGEST_LIFE = 10 * 365 * 86400.0


class Token(Record):
    """An access token. Times are seconds since the epoch, None where it does not expire.

    ``asked`` are the scopes that it was asked for, None where nobody knows and any is hoped for.
    """

    access: Secret
    refresh: Secret | None = None
    renew_at: float | None = None
    expires_at: float | None = None
    asked: frozenset[str] | None = None

    def serves(self, scopes: tuple[str, ...], rejected: Secret | None) -> bool:
        """Whether it was asked for with these scopes, and is not the one that a server has rejected."""
        return self.access != rejected and (self.asked is None or self.asked.issuperset(scopes))

    def is_fresh(self, now: float) -> bool:
        """Whether it is not yet time to renew it."""
        return self.renew_at is None or now < self.renew_at

    def is_alive(self, now: float) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


def alive_for(seconds: float | None, now: float) -> tuple[float | None, float | None]:
    """When a token of so long a life is to be renewed, and when it expires."""
    if seconds is None:
        return None, None
    return now + max(seconds - EARLY, seconds / 2), now + seconds


def form_request(url: str, fields: Mapping[str, str | None], given: OAuth2, auth: str) -> Request:
    """A request to an authorization server: a form, with the client's own identification.

    ``auth`` is ``basic`` or ``post``. Fields that are None are left out.
    """
    form = {name: value for name, value in fields.items() if value is not None} | dict(given.parameters)
    headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
    if given.client_secret is None:
        # RFC 6749, 3.2.1: a client that has nothing to prove itself by names itself.
        form["client_id"] = given.client_id
    elif auth == "post":
        form |= {"client_id": given.client_id, "client_secret": given.client_secret.reveal()}
    else:
        # RFC 6749, 2.3.1: name and secret are form-encoded before they are joined.
        pair = f"{quote_plus(given.client_id)}:{quote_plus(given.client_secret.reveal())}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"))
    return Request("POST", url, Headers(headers), urlencode(form).encode("ascii"), secrets=frozenset({SECRET_BODY}))


def answer_of(response: Response, limits: Limits) -> Mapping[str, Any]:
    """The JSON object that an authorization server answered.

    Raises:
        AuthorizationError: it answered with an error, or with something else.
    """
    data: Any = None
    try:
        data = codecs.find("application/json").decode(response.body, None, "application/json", limits)
    except DecodeError:
        data = None
    if not isinstance(data, Mapping):
        raise AuthorizationError(f"the authorization server answered {response.status}, not in JSON", response=response)
    # RFC 6749, 5.2; some servers report errors with status 200.
    if response.status not in SUCCESS or "error" in data:
        error = _said(data.get("error"), response)
        told = ": ".join(filter(None, (error, _said(data.get("error_description"), response))))
        raise AuthorizationError(
            f"the authorization server answered {response.status}: {told or 'no reason'}",
            error=error,
            response=response,
        )
    return data


def token_of(response: Response, limits: Limits, now: float, asked: frozenset[str] | None, old: Secret | None) -> Token:
    """The token that an authorization server gave; ``old`` is the refresh token that goes on if none came.

    Raises:
        AuthorizationError: it gave none.
    """
    data = answer_of(response, limits)
    access, kind, refresh = data.get("access_token"), data.get("token_type", "Bearer"), data.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise AuthorizationError("the authorization server answered without an access_token", response=response)
    # RFC 6749, 7.1: a client does not use a token whose type it does not know.
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise AuthorizationError(
            f"the authorization server gave a token of type {_said(kind, response)!r}, not Bearer", response=response
        )
    renew_at, expires_at = alive_for(_seconds(data.get("expires_in")), now)
    return Token(Secret(access), Secret(refresh) if isinstance(refresh, str) else old, renew_at, expires_at, asked)


def _seconds(value: Any) -> float | None:
    """A life in seconds, also where it is written as a text; None where it is neither."""
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(number, 0.0), _LONGEST_LIFE) if math.isfinite(number) else None


def _said(value: Any, response: Response) -> str:
    """What a server tells in words, without what it was told itself."""
    if not isinstance(value, (str, int)):
        return ""
    secrets = response.request.secret_values() if response.request is not None else ()
    return escaped(str(masked(str(value), secrets))[:200]).replace("\n", " ")
