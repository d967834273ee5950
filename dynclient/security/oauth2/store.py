"""Tokens on disk, if the caller wants that: one JSON file, which nobody but its owner can read.

A file is replaced whole: another process sees the old tokens or the new ones, never half of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dynclient._secrets import OAuth2, Secret, TokenStore
from dynclient.exceptions import ArgumentError
from dynclient.security.oauth2.need import Need
from dynclient.security.oauth2.tokens import Token, alive_for

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class FileStore:
    """A TokenStore in a file of mode 0600."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the file's path; it need not be there."""
        self._path = Path(path)

    def load(self, key: str) -> Mapping[str, Any] | None:
        """What was saved under a key, or None.

        Raises:
            ArgumentError: the file can't be read, or others can read it.
        """
        entry = self._read().get(key)
        return entry if isinstance(entry, dict) else None

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Keep tokens under a key, beside those of other keys.

        Raises:
            ArgumentError: the file can't be written.
        """
        text = json.dumps({**self._read(), key: dict(tokens)}, indent=1)
        temporary = None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes a file of mode 0600 that was not there before.
            descriptor, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(self._path)
            temporary = None
        except OSError as error:
            raise _fault(self._path, f"can't be written: {error.strerror}") from None
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open(encoding="utf-8") as file:
                if os.name == "posix" and os.fstat(file.fileno()).st_mode & _OTHERS:
                    raise _fault(self._path, "can be read by others", "chmod 600 it, if what is in it is still secret")
                data = json.load(file)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _fault(self._path, f"can't be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise _fault(self._path, "is not a file of tokens", "remove it to begin anew") from None
        return data if isinstance(data, dict) else {}


def store_of(given: OAuth2) -> TokenStore | None:
    """The store that the caller named, or None."""
    if given.store is None:
        return None
    if isinstance(given.store, (str, os.PathLike)):
        return FileStore(given.store)
    return given.store


def load(store: TokenStore, need: Need) -> Token | None:
    """The token that a store has, or None."""
    saved = store.load(_key(need))
    if not saved or not isinstance(saved.get("access_token"), str):
        return None
    refresh, expires_at, scopes = (saved.get(name) for name in ("refresh_token", "expires_at", "scopes"))
    life = float(expires_at) if isinstance(expires_at, (int, float)) else None
    return Token(
        Secret(saved["access_token"]),
        Secret(refresh) if isinstance(refresh, str) else None,
        # How long it was good for is not known any more: it is renewed as one of a long life.
        alive_for(life, 0.0)[0] if life is not None else None,
        life,
        frozenset(cast("list[str]", scopes)) if isinstance(scopes, list) else None,
    )


def save(store: TokenStore, need: Need, token: Token) -> None:
    """Give a token to a store."""
    store.save(
        _key(need),
        {
            "access_token": token.access.reveal(),
            "refresh_token": token.refresh.reveal() if token.refresh else None,
            "expires_at": token.expires_at,
            "scopes": sorted(token.asked) if token.asked is not None else None,
        },
    )


def forget(store: TokenStore, need: Need) -> None:
    """Have a store keep nothing."""
    store.save(_key(need), {})


def _key(need: Need) -> str:
    """What a person can tell tokens apart by: the scheme's address, the client, the user."""
    given, scheme = need.given, need.scheme
    flow = next((flow for flow in scheme.flows if flow.token_url), None)
    address = given.token_url or (flow.token_url if flow else None) or scheme.open_id_connect_url
    address = address or scheme.oauth2_metadata_url
    parameters = [f"{name}={value}" for name, value in given.parameters]
    return " ".join(filter(None, (address, given.client_id, given.username, *parameters)))


def _fault(path: Path, what: str, hint: str = "") -> ArgumentError:
    return ArgumentError(f"the token store {path} {what}", argument="store", hint=hint)
