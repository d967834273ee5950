"""Credentials of a command line: from the environment, asked for, or kept by ``dynclient auth login``.

Never an argument, which ``ps`` would show.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import click

from dynclient._identifiers import near
from dynclient.cli.vault import Vault, key_of
from dynclient.exceptions import DocumentError, escaped
from dynclient.model import API, Operation, SecurityScheme

_PAIRS = frozenset({"basic", "digest"})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})


def variable(api: API, scheme: SecurityScheme) -> str:
    """The environment variable of a scheme's credential: ``DYNCLIENT_VOICE_BASIC``."""
    words = (re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") for name in (api.title, scheme.name))
    return "_".join(["DYNCLIENT", *filter(None, words)])


def needed(api: API, operation: Operation) -> Iterator[SecurityScheme]:
    """The schemes that an operation's security names, each once."""
    for name in dict.fromkeys(name for choice in operation.security for name in choice):
        if name in api.security_schemes:
            yield api.security_schemes[name]


def in_words(api: API, operation: Operation) -> str:
    """Which variables an operation's credentials are taken from."""
    told = [f"{variable(api, scheme)} ({form(scheme)})" for scheme in needed(api, operation)]
    return f"Credentials are taken from the environment: {', '.join(told)}." if told else ""


def hint(api: API, operation: Operation) -> str:
    """What to do where an operation's credential is missing."""
    told = [f"{variable(api, scheme)}, or give --auth {scheme.name}=-" for scheme in needed(api, operation)]
    return f"set {'; or '.join(told)}; or keep one: dynclient auth login" if told else ""


def form(scheme: SecurityScheme) -> str:
    """How a scheme's credential is written as one text."""
    if scheme.type == "http" and scheme.scheme in _PAIRS:
        return "user:password"
    return "a token, or client_id:client_secret" if scheme.type in {"oauth2", "openIdConnect"} else "a token"


def gathered(api: API, asked: Iterable[str]) -> dict[str, Any] | None:
    """The credentials by scheme, for ``auth=``: what ``--auth`` says, else the environment has, else was kept.

    Raises:
        UsageError: ``--auth`` names no scheme or no variable, or is itself a secret.
        ArgumentError: what was kept can be read by others.
    """
    found: dict[str, Any] = {}
    for scheme in api.security_schemes.values():
        text = os.environ.get(variable(api, scheme))
        if text:
            found[scheme.name] = _credential(scheme, text)
    for word in asked:
        name, _, source = word.partition("=")
        scheme = scheme_of(api.security_schemes, name, "--auth")
        found[scheme.name] = _credential(scheme, _text(scheme, source))
    vault = Vault()
    for scheme in api.security_schemes.values():
        if scheme.name not in found and (held := kept(vault, api, scheme)) is not None:
            found[scheme.name] = held
    return found or None


def kept(vault: Vault, api: API, scheme: SecurityScheme) -> Any:
    """The credential of a scheme that ``dynclient auth login`` kept, for ``auth=``; None where there is none.

    Raises:
        ArgumentError: it can be read by others.
    """
    key = key_of(api, scheme.name)
    entry = vault.load(key)
    if entry is None:
        return None
    if "text" in entry:
        return _credential(scheme, str(entry["text"]))
    from dynclient.cli.logins import credential_of

    return credential_of(key, entry)


def scheme_of(schemes: Mapping[str, SecurityScheme], name: str, where: str) -> SecurityScheme:
    """The security scheme of a name; ``where`` is what named it.

    Raises:
        UsageError: there is none.
    """
    if name in schemes:
        return schemes[name]
    matches = near(name, list(schemes))
    # What stands there may be a secret, so it is told only where it is nearly a scheme's name.
    hint = f"did you mean {' or '.join(matches)}?" if matches else f"there are {', '.join(schemes) or 'none'}"
    raise click.UsageError(escaped(f"{where} names no security scheme of the document: {hint}"))


def prompted(scheme: SecurityScheme) -> str:
    """Ask for a scheme's credential."""
    asked: str = click.prompt(escaped(f"{scheme.name} ({form(scheme)})"), hide_input=True, err=True)
    return asked


def checked(scheme: SecurityScheme, text: str) -> str:
    """A credential as it was typed, once it is sure that the scheme can take it.

    Raises:
        ArgumentError: it can't.
    """
    from dynclient.security.schemes import auth_of, kind_of

    found = _credential(scheme, text)
    if kind_of(scheme).oauth2 is None or isinstance(found, str):
        auth_of(found, scheme)
    return text


def _text(scheme: SecurityScheme, source: str) -> str:
    if source == "-":
        return prompted(scheme)
    kind, _, name = source.partition(":")
    if kind != "env" or not name:
        raise click.UsageError("--auth takes NAME=env:VARIABLE, or NAME=- to be asked; never a secret itself")
    if not os.environ.get(name):
        raise click.UsageError(escaped(f"the environment has no variable {name}"))
    return os.environ[name]


def _credential(scheme: SecurityScheme, text: str) -> Any:
    user, colon, password = text.partition(":")
    pair = colon and (scheme.type in {"oauth2", "openIdConnect"} or (scheme.type == "http" and scheme.scheme in _PAIRS))
    return (user, password) if pair else text


def headers(api: API, given: Iterable[str]) -> dict[str, str]:
    """The header fields that a command line adds, of which none may carry a secret: others can see its words.

    Raises:
        UsageError: one is no ``NAME:VALUE``, or its name is that of a credential.
    """
    schemes = {scheme.parameter.lower() for scheme in _sound(api) if scheme.in_ == "header"}
    found = {}
    for word in given:
        name, colon, value = (part.strip() for part in word.partition(":"))
        if not name or not colon:
            raise click.UsageError("--header takes NAME:VALUE")
        if name.lower() in _CREDENTIALS | schemes:
            raise click.UsageError(f"--header {escaped(name)} would show a secret: --auth takes it, or the environment")
        found[name] = value
    return found


def _sound(api: API) -> Iterator[SecurityScheme]:
    for name in api.security_schemes:
        with suppress(DocumentError):
            yield api.security_schemes[name]
