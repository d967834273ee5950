"""A private cache of the responses to GET, in memory or in a folder (RFC 9111).

Rule 1: a response is given only for the same URL with the same headers, so that no other credential, cookie or language
gets it. Headers that identify a request in a trace are left out.
Rule 2: keys are hashed with a secret of the cache: no file shows a URL, a header of a request, or whose response it is.
Rule 3: the cache is bounded in bytes; the least recently used responses are removed first. A file that can't be read
counts as a miss.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import threading
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dynclient._records import Record
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Request
from dynclient.options import MiB

# Headers that belong to a single request, or are directives to the cache.
UNKEYED = frozenset({"cache-control", "pragma", "traceparent", "tracestate", "x-correlation-id", "x-request-id"})
_OVERHEAD = 1024
_SCANNED_EVERY = 64


class StoredResponse(Record):
    """A response of the cache. ``made`` is when it was made, in seconds by this machine's clock."""

    status: int
    headers: Headers
    made: float
    body: bytes

    @property
    def size(self) -> int:
        """The size in bytes that counts towards the limit."""
        return len(self.body) + _OVERHEAD


class HTTPCache:
    """A cache of the responses to GET, as ``load(http_cache=...)`` takes it: private, by the rules of RFC 9111.

    Several clients may share one, and threads too. With a folder, so may processes.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 64 * MiB,
        max_response_bytes: int = 8 * MiB,
    ) -> None:
        """Take the folder that keeps the responses; without one they are kept in memory.

        Args:
            folder: made if it is missing, only for its owner: responses are private data. `~` is your home.
            max_bytes: how large all responses may be together.
            max_response_bytes: how large one may be; larger ones are not kept.

        Raises:
            ArgumentError: hishel is not installed.
            OSError: the folder can't be used.
        """
        if find_spec("hishel") is None:
            raise ArgumentError("HTTPCache needs hishel", argument="http_cache", hint="pip install 'dynclient[cache]'")
        self.folder = None if folder is None else Path(folder).expanduser()
        self.max_bytes = max_bytes
        self.max_response_bytes = max_response_bytes
        self.store = _InMemory(max_bytes) if self.folder is None else _InFolder(self.folder, max_bytes)

    def key(self, request: Request) -> tuple[str, str]:
        """The key of a request."""
        fields = sorted((name.lower(), value) for name, value in request.headers.pairs() if name.lower() not in UNKEYED)
        return self._hashed(request.url), self._hashed(json.dumps([request.url, fields]))

    def forget(self, url: str) -> None:
        """Drop the responses of a URL, for all credentials."""
        self.store.remove(self._hashed(url))

    def clear(self) -> None:
        """Drop all responses."""
        self.store.clear()

    def _hashed(self, text: str) -> str:
        return hmac.new(self.store.secret, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:40]

    def __reduce__(self) -> Any:
        # Responses in memory are not pickled.
        return _again, (self.folder, self.max_bytes, self.max_response_bytes)

    def __repr__(self) -> str:
        return f"HTTPCache({str(self.folder)!r})" if self.folder is not None else "HTTPCache()"


def _again(folder: Path | None, max_bytes: int, max_response_bytes: int) -> HTTPCache:
    return HTTPCache(folder, max_bytes=max_bytes, max_response_bytes=max_response_bytes)


class _InMemory:
    """Responses in memory. A key is a pair of hashes: of the URL, and of the whole request."""

    def __init__(self, max_bytes: int) -> None:
        self.secret = secrets.token_bytes(32)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], StoredResponse] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[str, str]) -> StoredResponse | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: tuple[str, str], stored: StoredResponse) -> None:
        with self._lock:
            self._drop(key)
            self._kept[key] = stored
            self._size += stored.size
            while self._size > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def remove(self, url: str, key: str | None = None) -> None:
        with self._lock:
            for each in [each for each in self._kept if each[0] == url and key in {None, each[1]}]:
                self._drop(each)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _drop(self, key: tuple[str, str]) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self._size -= old.size


class _InFolder:
    """Responses in files: ``URL's hash/request's hash``, a line of JSON and the body."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._max_bytes = max_bytes
        self._puts = 0
        self.secret = self._read_secret()

    def _read_secret(self) -> bytes:
        path = self._folder / "secret"
        with contextlib.suppress(FileExistsError):
            _written(path, secrets.token_bytes(32), os.O_EXCL)
        secret = path.read_bytes()
        if len(secret) < 32:  # noqa: PLR2004  # as it was written
            raise OSError(f"{path} is damaged; remove {self._folder}")
        return secret

    def _path(self, key: tuple[str, str]) -> Path:
        return self._folder / key[0] / key[1]

    def get(self, key: tuple[str, str]) -> StoredResponse | None:
        path = self._path(key)
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            meta = json.loads(head)
            if meta["size"] != len(body):
                return None
            with contextlib.suppress(OSError):
                os.utime(path)
            pairs = [(str(name), str(value)) for name, value in meta["headers"]]
            return StoredResponse(int(meta["status"]), Headers(pairs), float(meta["made"]), body)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, key: tuple[str, str], stored: StoredResponse) -> None:
        meta = {
            "status": stored.status,
            "headers": stored.headers.pairs(),
            "made": stored.made,
            "size": len(stored.body),
        }
        path = self._path(key)
        # The call does not fail because the disk is full or the folder was removed.
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = path.with_name(f"{secrets.token_hex(8)}.part")
            _written(part, json.dumps(meta).encode() + b"\n" + stored.body, os.O_EXCL)
            part.replace(path)
        self._puts += 1
        if self._puts % _SCANNED_EVERY == 1 or stored.size * _SCANNED_EVERY > self._max_bytes:
            self._bound()

    def _bound(self) -> None:
        """Remove the least recently used files until the rest is small enough."""
        found = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size + _OVERHEAD, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found, key=lambda one: one[0]):
            if total <= self._max_bytes:
                break
            total -= size
            with contextlib.suppress(OSError):
                path.unlink()

    def remove(self, url: str, key: str | None = None) -> None:
        for path in list((self._folder / url).glob("*" if key is None else key)):
            with contextlib.suppress(OSError):
                path.unlink()

    def clear(self) -> None:
        for path in list(self._folder.glob("*/*")):
            with contextlib.suppress(OSError):
                path.unlink()


def _written(path: Path, data: bytes, flags: int) -> None:
    """Write a new file that only its owner can read."""
    flags |= os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
