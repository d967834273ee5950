"""Where credentials are kept from one command line to the next, by document and security scheme.

Rule 1: a file that only its owner can read tells what is kept. That itself is in the system's keyring, where the
library ``keyring`` is installed and has one, else in that file.
Rule 2: a command line for which nothing is kept reads that file, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynclient.model import API

_SERVICE = "dynclient"
_IN_KEYRING = {"in": "keyring"}


class Vault:
    """The credentials of a person. An entry is a mapping of texts and numbers, all of it secret."""

    def __init__(self) -> None:
        """Find the file."""
        import platformdirs

        self.file: Path = platformdirs.user_data_path("dynclient") / "credentials.json"

    def load(self, key: str) -> Mapping[str, Any] | None:
        """What is kept under a key, or None.

        Raises:
            ArgumentError: the file can't be read, or others can read it.
        """
        if not self.file.exists():
            return None
        entry = self._store().load(key)
        if entry == _IN_KEYRING:
            entry = _from_keyring(key)
        return entry or None

    def save(self, key: str, entry: Mapping[str, Any]) -> str:
        """Keep an entry, and say where: ``the keyring``, or the file's path.

        Raises:
            ArgumentError: the file can't be written.
        """
        if _into_keyring(key, json.dumps(dict(entry))):
            self._store().save(key, _IN_KEYRING)
            return "the keyring"
        self._store().save(key, entry)
        return str(self.file)

    def forget(self, key: str) -> bool:
        """Keep nothing under a key any more; whether there was something.

        Raises:
            ArgumentError: the file can't be read or written.
        """
        entry = self._store().load(key) if self.file.exists() else None
        if not entry:
            return False
        if entry == _IN_KEYRING:
            _out_of_keyring(key)
        self._store().save(key, {})
        return True

    def place(self) -> str:
        """Where the next entry would be kept."""
        return str(self.file) if _keyring() is None else "the keyring"

    def _store(self) -> Any:
        from dynclient.security.tokens import FileStore

        return FileStore(self.file)


def key_of(api: API, name: str) -> str:
    """What a scheme's credential is kept under: the same scheme of another document is another one."""
    return f"{api.document_uri} {name}"


def _keyring() -> Any:
    """The library, where it is installed and has a keyring of the system to keep things in."""
    try:
        import keyring
    except ImportError:
        return None
    try:
        # Backends that keep nothing, or only fail, have the priorities -1 and 0.
        return keyring if keyring.get_keyring().priority > 0 else None
    except Exception:  # noqa: BLE001  # backends are others' code: one that breaks is none
        return None


def _from_keyring(key: str) -> Mapping[str, Any] | None:
    held = _asked("get_password", key)
    try:
        entry = json.loads(held) if held else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _into_keyring(key: str, text: str) -> bool:
    # One that is locked, or holds short texts only, gives back something else than what it was given.
    _asked("set_password", key, text)
    return bool(_asked("get_password", key) == text)


def _out_of_keyring(key: str) -> None:
    _asked("delete_password", key)


def _asked(method: str, *words: str) -> Any:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        return getattr(keyring, method)(_SERVICE, *words)
    except Exception:  # noqa: BLE001  # likewise: locked, forbidden, gone
        return None
