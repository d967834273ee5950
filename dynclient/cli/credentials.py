"""Credentials of a command line: from the environment, or asked for; never an argument, which ``ps`` would show."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from dynclient._identifiers import near
from dynclient.exceptions import escaped
from dynclient.model import API, Operation, SecurityScheme

_PAIRS = frozenset({"basic", "digest"})


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
    return f"set {'; or '.join(told)}" if told else ""


def form(scheme: SecurityScheme) -> str:
    """How a scheme's credential is written as one text."""
    if scheme.type == "http" and scheme.scheme in _PAIRS:
        return "user:password"
    return "a token, or client_id:client_secret" if scheme.type in {"oauth2", "openIdConnect"} else "a token"


def gathered(api: API, asked: Iterable[str]) -> dict[str, Any] | None:
    """The credentials by scheme, for ``auth=``: what ``--auth`` says goes before the environment.

    Raises:
        UsageError: ``--auth`` names no scheme or no variable, or is itself a secret.
    """
    found: dict[str, Any] = {}
    for scheme in api.security_schemes.values():
        text = os.environ.get(variable(api, scheme))
        if text:
            found[scheme.name] = _credential(scheme, text)
    for word in asked:
        name, _, source = word.partition("=")
        scheme = _scheme(api.security_schemes, name)
        found[scheme.name] = _credential(scheme, _text(scheme, source))
    return found or None


def _scheme(schemes: Mapping[str, SecurityScheme], name: str) -> SecurityScheme:
    if name in schemes:
        return schemes[name]
    matches = near(name, list(schemes))
    # What stands there may be a secret, so it is told only where it is nearly a scheme's name.
    hint = f"did you mean {' or '.join(matches)}?" if matches else f"there are {', '.join(schemes) or 'none'}"
    raise click.UsageError(escaped(f"--auth names no security scheme of the document: {hint}"))


def _text(scheme: SecurityScheme, source: str) -> str:
    if source == "-":
        asked: str = click.prompt(escaped(f"{scheme.name} ({form(scheme)})"), hide_input=True, err=True)
        return asked
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
