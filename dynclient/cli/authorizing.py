"""``dynclient auth``: credentials that are kept, so that each command line need not be given them."""

from __future__ import annotations

import os
from typing import Any

import click

from dynclient.cli import credentials
from dynclient.cli.documents import api_of, document_argument
from dynclient.cli.logins import FLOWS, Wishes, logged_in, state_of
from dynclient.cli.output import FORMATS, write
from dynclient.cli.vault import Vault, key_of
from dynclient.exceptions import escaped
from dynclient.model import API, SecurityScheme

_GRANTING = frozenset({"oauth2", "openIdConnect"})


@click.group(short_help="Log in, and keep what that gives.")
def auth() -> None:
    """Keep credentials: in the system's keyring where there is one, else in a file that only you can read.

    `dynclient call` and `dynclient shell` use them where neither --auth nor the environment gives others.
    """


@auth.command(short_help="Ask for a credential, and keep it.")
@document_argument()
@click.argument("scheme", required=False)
@click.option("--token", is_flag=True, help="Ask for a token that you have, where one could be fetched.")
@click.option("--flow", type=click.Choice(FLOWS), help="How a token is got.  [the first of these that it has]")
@click.option("--client-id", help="By what name the authorization server knows this client; else it is asked for.")
@click.option("--scope", "scopes", multiple=True, help="What the token is for.")
@click.option("--base-url", help="A server in place of the document's.")
@click.option("--allow-origin", "origins", multiple=True, help="Where secrets may go too, such as https://login.host.")
@click.option("--no-browser", is_flag=True, help="Show the address where to log in, and open nothing.")
def login(document: str, scheme: str | None, *, token: bool, no_browser: bool, **given: Any) -> None:
    """Log in to DOCUMENT's security SCHEME, which needs no name where there is but one.

    What is secret is asked for, and never an argument. A token of OAuth 2 or OpenID Connect is fetched, and from then
    on renewed; a password that gets one is not kept.
    """
    api = api_of(document)
    found = _one(api, scheme)
    vault = Vault()
    place = vault.place()
    if place == str(vault.file):
        click.echo(escaped(f"There is no keyring here: this is kept in {place}, which only you can read"), err=True)
    if found.type in _GRANTING and not token:
        entry = logged_in(api, found, Wishes(**given, browser=not no_browser))
    else:
        entry = {"text": credentials.checked(found, credentials.prompted(found))}
    place = vault.save(key_of(api, found.name), entry)
    click.echo(escaped(f"{found.name} is kept in {place}"), err=True)


@auth.command(short_help="Forget what is kept.")
@document_argument()
@click.argument("scheme", required=False)
def logout(document: str, scheme: str | None) -> None:
    """Forget what is kept for DOCUMENT: all of it, or that of one SCHEME. The server is told nothing."""
    api = api_of(document)
    names = [_named(api, scheme).name] if scheme is not None else list(api.security_schemes)
    vault = Vault()
    forgotten = [name for name in names if vault.forget(key_of(api, name))]
    click.echo(escaped(f"forgotten: {', '.join(forgotten)}" if forgotten else "nothing was kept"), err=True)


@auth.command(short_help="Tell which credentials there are.")
@document_argument()
@click.argument("scheme", required=False)
@click.option(
    "-o", "--format", "output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True
)
def status(document: str, scheme: str | None, output: str) -> int:
    """Tell where DOCUMENT's credentials come from; no secret is shown. The status is 1 where SCHEME has none."""
    api = api_of(document)
    schemes = [_named(api, scheme)] if scheme is not None else list(api.security_schemes.values())
    vault = Vault()
    states = {found.name: _state(vault, api, found) for found in schemes}
    if output == "text":
        width = max(map(len, states), default=0)
        for name, state in states.items():
            click.echo(escaped(f"{name:{width}}  {state or 'none'}"))
    else:
        write(FORMATS[output](states))
    return 0 if scheme is None or all(states.values()) else 1


def _state(vault: Vault, api: API, scheme: SecurityScheme) -> str | None:
    """Where a scheme's credential comes from, in words."""
    variable = credentials.variable(api, scheme)
    if os.environ.get(variable):
        return f"from the environment: {variable}"
    key = key_of(api, scheme.name)
    entry = vault.load(key)
    if entry is None:
        return None
    if "text" in entry:
        return "kept"
    return f"kept: {state_of(key, entry)}"


def _one(api: API, name: str | None) -> SecurityScheme:
    """The scheme that is meant.

    Raises:
        UsageError: there is none, or there are several.
    """
    if name is not None:
        return _named(api, name)
    found = [scheme for scheme in api.security_schemes.values() if scheme.type != "mutualTLS"]
    if len(found) != 1:
        names = ", ".join(scheme.name for scheme in found)
        raise click.UsageError(
            escaped(
                f"name one of the document's security schemes: {names}" if found else "there is nothing to log in to"
            )
        )
    return found[0]


def _named(api: API, name: str) -> SecurityScheme:
    return credentials.scheme_of(api.security_schemes, name, "SCHEME")
