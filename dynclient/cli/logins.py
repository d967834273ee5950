"""``dynclient auth``: store credentials for command lines that provide no others.

Rule 1: a login stores only what is needed to get the next token: a refresh token, or the secret of a client that acts
for itself. A person's password is not stored.
Rule 2: the addresses of an authorization server are discovered, and their origins checked, once, at login, and then
stored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import click

from dynclient.cli import credentials
from dynclient.cli.commands import Group, ask, inform
from dynclient.cli.credentials import Vault, key_of, keyring, login_of
from dynclient.cli.documents import api_of, document_argument, format_option, settings_of
from dynclient.cli.output import FORMATS, write
from dynclient.exceptions import ArgumentError, CredentialScopeError, escaped
from dynclient.messages import Request
from dynclient.model import API, Operation, OperationRow, SecurityScheme
from dynclient.options import Limits, OAuth2, Secret, Timeout
from dynclient.security.schemes import kind_of

FLOWS = ("authorizationCode", "deviceAuthorization", "password", "clientCredentials")
"""The flows for a login by a person, in order of preference."""

_NOTHING = "the document names no security scheme to log in to; --auth bearer=env:VARIABLE sends a token in each call"
# No operation needs a token.
_LOGIN = Operation(
    OperationRow("", "", "", "login", "login", (), "", (), deprecated=False, pointer="", path_pointer="")
)


@click.group(cls=Group)
def auth() -> None:
    """Store credentials in the system's keyring, or if there is none, in a file that only you can read.

    `dynclient call` and `dynclient shell` use them, unless --auth or the environment provides others.
    """


@auth.command(short_help="Prompt for a credential, and store it.")
@document_argument()
@click.argument("scheme", required=False)
@click.option("--token", is_flag=True, help="Prompt for an existing token, instead of fetching one.")
@click.option("--flow", type=click.Choice(FLOWS), help="The OAuth 2 flow.  [the first of these that SCHEME has]")
@click.option("--client-id", help="The client's identifier; by default it is prompted for.")
@click.option("--scope", "scopes", multiple=True, help="A scope of the token; may be repeated.")
@click.option("--base-url", help="The base URL, instead of the document's servers.")
@click.option("--profile", "-p", help="The profile of an API by short name.  [DYNCLIENT_PROFILE]")
@click.option("--allow-origin", "origins", multiple=True, help="A further trusted origin, such as https://login.host.")
@click.option("--no-browser", is_flag=True, help="Print the login address instead of opening a browser.")
def login(document: str, scheme: str | None, *, token: bool, no_browser: bool, **given: Any) -> None:
    """Log in to DOCUMENT's security SCHEME, which is optional if there is only one.

    Secrets are prompted for, never arguments. For OAuth 2 and OpenID Connect a token is fetched, and renewed from then
    on; the password for it is not stored.
    """
    api = api_of(document)
    settings = settings_of(document, given.pop("profile"))
    given["base_url"] = given["base_url"] or (settings.base_url if settings is not None else None)
    found = _one(api, scheme)
    vault = Vault()
    vault.load(key_of(api, found.name))  # a file that can't be used is an error before anything is asked
    if keyring() is None:
        inform(f"There is no keyring: the credential is stored in {vault.file}, which only you can read")
    if "OAuth2" in kind_of(found).takes and not token:
        entry = _logged_in(api, found, {**given, "browser": not no_browser})
    else:
        entry = {"text": credentials.checked(found, credentials.prompted(found))}
    location = vault.save(key_of(api, found.name), entry)
    inform(f"{found.name} is stored in {location}")


@auth.command(short_help="Delete stored credentials.")
@document_argument()
@click.argument("scheme", required=False)
def logout(document: str, scheme: str | None) -> None:
    """Delete the stored credentials of DOCUMENT, or those of one SCHEME. The server is not informed."""
    api = api_of(document)
    names = [_named(api, scheme).name] if scheme is not None else list(api.security_schemes)
    vault = Vault()
    forgotten = [name for name in names if vault.forget(key_of(api, name))]
    inform(f"deleted: {', '.join(forgotten)}" if forgotten else "nothing was stored")


@auth.command(short_help="Show where credentials come from.")
@document_argument()
@click.argument("scheme", required=False)
@format_option("text", "json", "yaml")
def status(document: str, scheme: str | None, output: str) -> int:
    """Show where DOCUMENT's credentials come from, without secrets. The exit status is 1 if SCHEME has none."""
    api = api_of(document)
    schemes = [_named(api, scheme)] if scheme is not None else list(api.security_schemes.values())
    states = {found.name: _state(api, found) for found in schemes}
    if not states:
        inform("the document names no security scheme; --auth bearer=env:VARIABLE sends a token")
    if output == "text":
        width = max(map(len, states), default=0)
        for name, state in states.items():
            click.echo(escaped(f"{name:{width}}  {state or 'none'}"))
    else:
        write(FORMATS[output](states))
    return 0 if scheme is None or all(states.values()) else 1


def _one(api: API, name: str | None) -> SecurityScheme:
    """The scheme of a name, or the only one.

    Raises:
        UsageError: the document has no scheme, or several.
    """
    if name is not None:
        return _named(api, name)
    found = [scheme for scheme in api.security_schemes.values() if kind_of(scheme).form]
    if len(found) != 1:
        names = ", ".join(scheme.name for scheme in found)
        raise click.UsageError(f"name one of the document's security schemes: {names}" if found else _NOTHING)
    return found[0]


def _named(api: API, name: str) -> SecurityScheme:
    return credentials.scheme_of(api.security_schemes, name, "SCHEME")


def _state(api: API, scheme: SecurityScheme) -> str | None:
    """Where a scheme's credential comes from, in words."""
    variable = credentials.variable(api, scheme)
    if os.environ.get(variable) and credentials.is_configured(api):
        return f"from the environment: {variable}"
    key = key_of(api, scheme.name)
    entry = Vault().load(key)
    if entry is None or "text" in entry:
        return "stored" if entry is not None else None
    found = login_of(key, entry)
    if found is None:
        return "stored: expired: log in again"
    expires_at = (entry.get("tokens") or {}).get("expires_at")
    renewed = "renewed automatically" if isinstance(found, OAuth2) else "not renewed"
    until = time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at)) if expires_at is not None else "an unknown time"
    return f"stored: token until {until}, {renewed}"


def _logged_in(api: API, scheme: SecurityScheme, options: Mapping[str, Any]) -> dict[str, Any]:
    """Log in by the options of ``dynclient auth login``: return the entry to store.

    Raises:
        UsageError: the scheme has no login flow.
        AuthorizationError: the authorization server gives no token.
        CredentialScopeError: its origin is not trusted.
    """
    from dynclient.security.tokens import entry_of

    flow, scopes = options["flow"] or _first_flow(scheme), options["scopes"]
    known = sorted({scope for offered in scheme.flows for scope in offered.scopes})
    if known and not scopes:
        inform(f"no --scope given: the server decides; the document has {', '.join(known)}")
    given = _asked(flow, options)
    to, token, server = _fetch(api, scheme, given, options)
    return {
        "client_id": given.client_id,
        "client_secret": given.client_secret.reveal() if given.client_secret is not None else None,
        "flow": flow,
        "token_url": to.refresh or to.token,
        "server": server,
        "client_auth": to.auth,
        "scopes": list(scopes),
        "tokens": entry_of(token),
    }


def _first_flow(scheme: SecurityScheme) -> str:
    offered = FLOWS if scheme.open_id_connect_url else [flow.type for flow in scheme.flows]
    found = next((flow for flow in FLOWS if flow in offered), None)
    if found is None:
        text = f"{scheme.name} has no login flow: with --token you are prompted for an existing token"
        raise click.UsageError(text)
    return found


def _asked(flow: str, options: Mapping[str, Any]) -> OAuth2:
    """Prompt for the inputs of a flow."""
    client_id = options["client_id"] or ask("client id")
    optional = flow != "clientCredentials"
    secret = ask(f"client secret{' (none: just Enter)' if optional else ''}", hidden=True, optional=optional)
    given = OAuth2(client_id, secret or None, scopes=options["scopes"])
    if flow == "password":
        return replace(given, username=ask("user"), password=Secret(ask("password", hidden=True)))
    if flow == "authorizationCode":
        return replace(given, open_browser=_open if options["browser"] else _show_address)
    if flow == "deviceAuthorization":
        return replace(given, show_code=lambda code: _show_address(f"{code.uri} with the code {code.code}"))
    return given


def _show_address(url: str) -> None:
    inform(f"Log in at {url}")


def _open(url: str) -> None:
    import webbrowser

    _show_address(url)
    webbrowser.open(url)


def _fetch(api: API, scheme: SecurityScheme, given: OAuth2, options: Mapping[str, Any]) -> Any:
    """Fetch a token as a call would.

    Returns the authorization server's addresses, the token, and the API server if the token is for that one only.
    """
    from dynclient._client.drivers import drive
    from dynclient.security import AuthContext, CallClock, CredentialCache
    from dynclient.security.oauth2.flows import endpoints, fault_of, first_token
    from dynclient.security.tokens import TokenRequest, flow_of
    from dynclient.security.trust import text_of, trust
    from dynclient.transports import HTTPTransport
    from dynclient.transports.clock import Environment

    fault = fault_of(given, scheme)
    if fault:
        raise ArgumentError(f"the security scheme {scheme.name}: {fault}", argument="auth")
    limits = Limits()
    clock = CallClock(Environment(), Timeout(), limits, None)
    clock.restart()
    trusted = trust(api, options["base_url"], options["origins"])
    context = AuthContext(scheme, (), _LOGIN, clock, trusted, CredentialCache())
    needed = TokenRequest(given, context, _server(api, options["base_url"]))

    def steps() -> Generator[Any, Any, Any]:
        to = yield from endpoints(needed)
        place, address = needed.issuer
        token = yield from first_token(needed, to, flow_of(given), frozenset(options["scopes"]))
        return to, token, None if "://" in address else text_of(place)

    transport = HTTPTransport(limits=limits)
    try:
        return drive(_sent(steps(), clock), transport)
    except CredentialScopeError as error:
        error.hint = "if you trust it, add --allow-origin https://host with that origin"
        raise
    finally:
        transport.close()


def _sent(steps: Generator[Any, Any, Any], clock: Any) -> Generator[Any, Any, Any]:
    """Carry out the steps of a token fetch as those of a call; each request is sent once."""
    answer: Any = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = yield clock.send(step) if isinstance(step, Request) else step


def _server(api: API, base_url: str | None) -> str:
    """The base URL of relative addresses."""
    from dynclient._request.servers import server_url

    with suppress(ArgumentError):
        return server_url(api.servers, base_url)
    return api.document_uri
