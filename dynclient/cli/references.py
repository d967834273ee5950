"""References to secrets, on command lines and in settings: the location of a secret instead of the secret.

Others can see the arguments of a command line (``ps``), and files of settings are shared, so neither contains secrets.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dynclient.exceptions import escaped

FORMS = "env:VARIABLE, file:PATH or keyring:SERVICE/USER"
_REFERENCE = re.compile(r"(env|file|keyring):(?!//)(\S.*)", re.DOTALL)
_LARGEST_FILE = 65_536


def is_reference(text: str) -> bool:
    """Return whether a text is a reference to a secret."""
    return _REFERENCE.fullmatch(text) is not None


def has_reference(text: str) -> bool:
    """Return whether a header's value is a reference, or ends in one like ``Bearer env:TOKEN``."""
    return is_reference(text) or is_reference(text.rpartition(" ")[2])


def looked_up(text: str, where: str) -> str:
    """Read the secret of a reference; ``where`` says what contains the reference, for errors.

    Raises:
        UsageError: the text is not a reference, or its target does not exist.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise click.UsageError(f"{where} takes {FORMS}; never a secret itself")
    return _SOURCES[found[1]](found[2], where)


def header_value(text: str, where: str) -> str:
    """Read a header's value, which may be a reference, or end in one.

    Raises:
        UsageError: the target of the reference does not exist.
    """
    if is_reference(text):
        return looked_up(text, where)
    head, blank, last = text.rpartition(" ")
    return f"{head}{blank}{looked_up(last, where)}" if is_reference(last) else text


def authorization(kind: str, secret: str) -> str:
    """The value of Authorization for a secret: ``bearer`` and ``basic`` (RFC 6750, 2.1; RFC 7617, 2); else as it is."""
    if kind == "basic":
        return f"Basic {base64.b64encode(secret.encode()).decode('ascii')}"
    return f"Bearer {secret}" if kind == "bearer" else secret


def keyring() -> Any:
    """The library ``keyring``, if it is installed and has a working backend."""
    try:
        import keyring as library

        # Backends that store nothing, or only fail, have the priorities -1 and 0.
        return library if library.get_keyring().priority > 0 else None
    except Exception:  # noqa: BLE001  # not installed, or a backend, which is others' code, that breaks
        return None


def _of_environment(name: str, where: str) -> str:
    if not os.environ.get(name):
        raise click.UsageError(escaped(f"{where}: the environment has no variable {name}"))
    return os.environ[name]


def _of_file(name: str, where: str) -> str:
    path = Path(name).expanduser()
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise click.UsageError(escaped(f"{where}: {path} can't be read: {reason}")) from None
    if not text.strip() or len(text) > _LARGEST_FILE:
        raise click.UsageError(escaped(f"{where}: {path} is empty, or too large for a secret"))
    return text.strip()


def _of_keyring(name: str, where: str) -> str:
    service, slash, user = name.partition("/")
    library = keyring()
    if library is None or not slash:
        fault = "keyring: takes SERVICE/USER" if not slash else "there is no keyring: pip install 'dynclient[keyring]'"
        raise click.UsageError(f"{where}: {fault}")
    try:
        secret = library.get_password(service, user)
    except Exception:  # noqa: BLE001  # a backend, which is others' code: locked, forbidden, gone
        secret = None
    if not secret:
        raise click.UsageError(escaped(f"{where}: the keyring has nothing for {service}/{user}"))
    return str(secret)


_SOURCES: Mapping[str, Callable[[str, str], str]] = {
    "env": _of_environment,
    "file": _of_file,
    "keyring": _of_keyring,
}
