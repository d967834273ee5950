"""Logging in at an authorization server, and the tokens of it that a later command line finds.

Rule 1: what is kept of a login is what the next token is got by: a refresh token, or the secret of a client that acts
for itself. A person's password is not kept.
Rule 2: the addresses are looked up, and held to what the caller vouches for, once: at the login. They are kept with it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import click

from dynclient._records import Record
from dynclient.cli.vault import Vault
from dynclient.exceptions import escaped
from dynclient.messages import Request
from dynclient.model import API, Operation, OperationRow, SecurityScheme
from dynclient.options import DeviceCode, Limits, OAuth2, Secret, Timeout

FLOWS = ("authorizationCode", "deviceAuthorization", "password", "clientCredentials")
"""The flows that a person can log in by, in the order in which they are taken."""


class Wishes(Record):
    """What the command line says of a login."""

    flow: str | None = None
    client_id: str | None = None
    scopes: tuple[str, ...] = ()
    base_url: str | None = None
    origins: tuple[str, ...] = ()
    browser: bool = True


class Kept(Record):
    """A TokenStore of the tokens of one login."""

    key: str

    def load(self, key: str) -> Mapping[str, Any] | None:
        """What was kept."""
        del key  # a login has one client, one address and one person
        return (Vault().load(self.key) or {}).get("tokens")

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Keep new tokens in place of the old ones."""
        del key
        vault = Vault()
        entry = vault.load(self.key)
        if entry:
            vault.save(self.key, {**entry, "tokens": dict(tokens)})


def logged_in(api: API, scheme: SecurityScheme, wishes: Wishes) -> dict[str, Any]:
    """Log in: what is to be kept of it.

    Raises:
        UsageError: the scheme has no flow that a person can log in by.
        AuthorizationError: the authorization server gives no token.
        CredentialScopeError: its origin is none that the caller vouched for.
    """
    flow = wishes.flow or _first_flow(scheme)
    known = sorted({scope for offered in scheme.flows for scope in offered.scopes})
    if known and not wishes.scopes:
        click.echo(escaped(f"No --scope is given: the server decides. The document has {', '.join(known)}"), err=True)
    given = _asked(flow, wishes)
    token, to = _token(api, scheme, given, wishes)
    return {
        "client_id": given.client_id,
        "client_secret": given.client_secret.reveal() if given.client_secret is not None else None,
        "flow": flow,
        "token_url": to.refresh or to.token,
        "client_auth": to.auth,
        "scopes": list(wishes.scopes),
        "tokens": {
            "access_token": token.access.reveal(),
            "refresh_token": token.refresh.reveal() if token.refresh is not None else None,
            "expires_at": token.expires_at,
            "scopes": sorted(token.asked) if token.asked is not None else None,
        },
    }


def credential_of(key: str, entry: Mapping[str, Any]) -> OAuth2 | str | None:
    """What ``auth=`` takes of what was kept; None where it is good for nothing any more."""
    tokens = entry.get("tokens") or {}
    by_itself = entry["flow"] == "clientCredentials"
    if by_itself or tokens.get("refresh_token"):
        return OAuth2(
            entry["client_id"],
            entry["client_secret"],
            refresh_token=None if by_itself else tokens["refresh_token"],
            scopes=entry["scopes"],
            token_url=entry["token_url"],
            client_auth=entry["client_auth"],
            store=Kept(key),
        )
    expires_at = tokens.get("expires_at")
    is_alive = bool(tokens.get("access_token")) and (expires_at is None or time.time() < expires_at)
    return str(tokens["access_token"]) if is_alive else None


def state_of(key: str, entry: Mapping[str, Any]) -> str:
    """What was kept, in words."""
    found = credential_of(key, entry)
    if found is None:
        return "expired: log in again"
    expires_at = (entry.get("tokens") or {}).get("expires_at")
    renewed = "renewed by itself" if isinstance(found, OAuth2) else "not renewed"
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at)) if expires_at is not None else "no known end"
    return f"token until {until}, {renewed}"


def _first_flow(scheme: SecurityScheme) -> str:
    if scheme.open_id_connect_url:
        return FLOWS[0]
    offered = {flow.type for flow in scheme.flows}
    found = next((flow for flow in FLOWS if flow in offered), None)
    if found is None:
        raise click.UsageError(
            escaped(f"{scheme.name} has no flow to log in by: give --token to be asked for a token that you have")
        )
    return found


def _asked(flow: str, wishes: Wishes) -> OAuth2:
    """Ask for what a flow needs."""
    client_id = wishes.client_id or _prompted("client id")
    optional = flow != "clientCredentials"
    secret = _prompted(f"client secret{' (none: just Enter)' if optional else ''}", hidden=True, optional=optional)
    given = OAuth2(client_id, secret or None, scopes=wishes.scopes)
    if flow == "password":
        return replace(given, username=_prompted("user"), password=Secret(_prompted("password", hidden=True)))
    if flow == "authorizationCode":
        return replace(given, open_browser=_opened if wishes.browser else _told)
    return replace(given, show_code=_shown) if flow == "deviceAuthorization" else given


def _prompted(what: str, *, hidden: bool = False, optional: bool = False) -> str:
    default = "" if optional else None
    text: str = click.prompt(what, hide_input=hidden, err=True, default=default, show_default=False)
    return text


def _told(url: str) -> None:
    click.echo(escaped(f"Log in at {url}"), err=True)


def _opened(url: str) -> None:
    import webbrowser

    _told(url)
    webbrowser.open(url)


def _shown(code: DeviceCode) -> None:
    click.echo(escaped(f"Log in at {code.uri} with the code {code.code}"), err=True)


def _token(api: API, scheme: SecurityScheme, given: OAuth2, wishes: Wishes) -> tuple[Any, Any]:
    """Fetch a token as a call would: the token, and the addresses."""
    from dynclient._call import Chance
    from dynclient._client._drivers import drive
    from dynclient.exceptions import ArgumentError, CredentialScopeError
    from dynclient.security import AuthContext, CallClock, CredentialCache
    from dynclient.security.grants import endpoints, fault_of
    from dynclient.security.oauth2 import obtain
    from dynclient.security.tokens import TokenRequest
    from dynclient.security.trust import trust
    from dynclient.transports import HTTPTransport

    fault = fault_of(given, scheme)
    if fault:
        raise ArgumentError(f"the security scheme {scheme.name}: {fault}", argument="auth")
    trusted, limits = trust(api, wishes.base_url, wishes.origins), Limits()
    clock = CallClock(Chance(), Timeout(), limits, None)
    clock.restart()
    context = AuthContext(scheme, (), _LOGIN, clock, trusted, CredentialCache())
    needed = TokenRequest(given, context, _server(api, wishes.base_url))
    transport = HTTPTransport(limits=limits)
    try:
        token = drive(_sent(obtain(needed), clock), transport)
        return token, drive(_sent(endpoints(needed), clock), transport)
    except CredentialScopeError as error:
        error.hint = "if they may, give --allow-origin https://host, with that one"
        raise
    finally:
        transport.close()


def _sent(steps: Generator[Any, Any, Any], clock: Any) -> Generator[Any, Any, Any]:
    """The steps of a token fetch as those of a call: each of its requests is sent once."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = yield clock.send(step) if isinstance(step, Request) else step


# No operation needs this token.
_LOGIN = Operation(
    OperationRow("", "", "", "login", "login", (), "", (), deprecated=False, pointer="", path_pointer="")
)


def _server(api: API, base_url: str | None) -> str:
    """What a relative address is relative to."""
    from dynclient._request.servers import server_url
    from dynclient.exceptions import ArgumentError

    try:
        return server_url(api.servers, base_url)
    except ArgumentError:
        return api.document_uri
