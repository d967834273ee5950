"""A file of tokens, which threads and processes share.

Rule 1: the file belongs to this user and is readable by nobody else; another one is refused.
Rule 2: it is replaced as a whole: a reader sees the old tokens or the new ones, never a mixture.
Rule 3: it is read, changed and replaced under a lock, so that no writer undoes the changes of another. The lock is the
operating system's, on a file next to it: it is released when a process dies.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dynclient._settings import write
from dynclient.exceptions import ArgumentError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PATIENCE = 10.0
_PAUSE = 0.005
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_NEW = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


class FileStore:
    """A TokenStore in a file of mode 0600."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the path of a file, which may not exist yet."""
        self._path = Path(path)

    def load(self, key: str) -> Mapping[str, Any] | None:
        """The tokens of a key, or None.

        Raises:
            ArgumentError: the file can't be read, or belongs to others, or they can read it.
        """
        entry = self._read().get(key)
        return entry if isinstance(entry, dict) else None

    def save(self, key: str, tokens: Mapping[str, Any]) -> None:
        """Save the tokens of a key; those of other keys stay; an empty mapping removes the key.

        Raises:
            ArgumentError: the file can't be written, or another process does not release it.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked():
                entries = self._read()
                entries.pop(key, None)
                entries |= {key: dict(tokens)} if tokens else {}
                write(os.fspath(self._path), json.dumps(entries, indent=1))
        except OSError as error:
            raise self._fault(f"can't be written: {error.strerror}") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep out all other writers, in this process and in others."""
        file = os.open(self._path.with_name(f".{self._path.name}.lock"), _NEW, 0o600)
        try:
            end = time.monotonic() + _PATIENCE
            while not _try_lock(file):
                if time.monotonic() >= end:
                    raise self._fault(f"has been locked by another process for {_PATIENCE:g} seconds")
                time.sleep(_PAUSE)
            yield
        finally:
            # This unlocks it too.
            os.close(file)

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open(encoding="utf-8") as file:
                self._check(os.fstat(file.fileno()))
                data = json.load(file)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._fault(f"can't be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise self._fault("is not a file of tokens", "remove it to start again") from None
        return data if isinstance(data, dict) else {}

    def _check(self, found: os.stat_result) -> None:
        """Refuse a file whose tokens others can read, or may have written: their tokens would be sent."""
        if os.name != "posix":
            return
        if found.st_uid != os.geteuid():
            raise self._fault("belongs to another user", "remove it, or name another file")
        if found.st_mode & _OTHERS:
            raise self._fault("can be read by others", "chmod 600 it, if its contents are still secret")

    def _fault(self, what: str, hint: str = "") -> ArgumentError:
        return ArgumentError(f"the token store {self._path} {what}", argument="store", hint=hint)


def _try_lock(file: int) -> bool:
    """Lock a file that is open; False if it is already locked."""
    try:
        _LOCK(file)
    except OSError as error:
        # On a file system without locks, the file is used unlocked.
        return error.errno not in _BUSY
    return True


def _system_lock() -> Callable[[int], object]:
    try:
        import fcntl
    except ImportError:
        import msvcrt  # the same on Windows

        return lambda file: msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,no-any-return,unused-ignore]  # known on Windows only
    return lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_LOCK = _system_lock()
