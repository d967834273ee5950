"""Save bodies to files, completely or not at all, and resume downloads that were interrupted.

Rule 1: bytes of two versions are never joined. A part of a file is kept for one version of the body, named by a strong
validator, and only the rest of that version is requested (RFC 9110, 13.1.5 and 14).
Rule 2: a part is kept next to the file, under a name made from the version: no other version is continued.
Rule 3: a broken download is continued; it fails after ``Retry.attempts`` attempts in a row that brought no byte.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from dynclient._call import Flow
from dynclient._deferred import expression
from dynclient._records import Record
from dynclient._response import ResponseReader, StreamedResponse
from dynclient.exceptions import (
    ConnectionLost,
    DynclientError,
    ResponseError,
    TimeoutError,  # noqa: A004  # ours
)
from dynclient.messages import Await, Headers, Request, Response, RunBlocking, Sleep

if TYPE_CHECKING:
    from typing import Self  # type checkers know it; nothing of it is needed at run time

Progress = Callable[[int, "int | None"], object]
"""Called with the number of bytes that were saved so far, and the number of all bytes, or None if it is unknown."""

_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_CONTENT_RANGE = expression(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)")
_PAUSE = 0.2


class AtomicFile:
    """A file that appears complete or not at all: it is written under another name, and renamed at the end.

    It keeps the permissions of the file that it replaces, from its first byte on. A pipe, ``/dev/null`` or anything
    else that is not a regular file is written to instead. Errors of the operating system are raised unchanged, as
    OSError.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take the path of the file, which may exist: it is replaced."""
        self.path = Path(path)
        # A symbolic link stays: its target is replaced.
        self._target = Path(os.path.realpath(self.path))
        if self._target.is_dir():
            raise IsADirectoryError(f"{self.path} is a directory")
        self._is_regular = self.path.is_file() or not self.path.exists()
        self.size = 0
        self._open()

    def _open(self) -> None:
        """Open the part, as a new file."""
        if not self._is_regular:
            self._file: IO[bytes] = self.path.open("wb")
            return
        self._part = self._target.with_name(f".{self._target.name[:100]}.{secrets.token_hex(8)}.part")
        self._file = self._opened(os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    def _opened(self, flags: int) -> IO[bytes]:
        """Open the part as a file with the permissions of the file that it replaces, or fewer."""
        try:
            mode: int | None = stat.S_IMODE(self._target.stat().st_mode)
        except FileNotFoundError:
            mode = None
        flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        file = os.fdopen(os.open(self._part, flags, 0o666 if mode is None else mode & 0o600), "wb")
        if mode is not None:
            with contextlib.suppress(OSError):
                # The file system has no permissions, or the file has another owner.
                self._part.chmod(mode)
        return file

    def write(self, chunk: bytes) -> None:
        """Write a chunk."""
        self._file.write(chunk)
        self.size += len(chunk)

    def keep(self) -> None:
        """The file is complete: rename it."""
        self._file.flush()
        if self._is_regular:
            os.fsync(self._file.fileno())
        self._file.close()
        if self._is_regular:
            self._part.replace(self._target)

    def discard(self) -> None:
        """Remove the part, unless the file is complete."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self._is_regular:
            with contextlib.suppress(OSError):
                self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.keep()
        finally:
            self.discard()


class Version(Record):
    """A version of a body: its strong validator, and its size, if that is known."""

    validator: str
    size: int | None


class ResumableFile(AtomicFile):
    """A file whose received part is kept until it is complete, and is continued if the body has the same version."""

    def __init__(self, path: str | os.PathLike[str], version: Version) -> None:
        """Open the received part of this version; ``size`` is its number of bytes.

        Parts of other versions are removed.
        """
        self._version = version
        super().__init__(path)

    def _open(self) -> None:
        if not self._is_regular:
            raise FileExistsError(f"{self.path} is not a regular file, so it can't be continued")
        stem = f".{self._target.name[:100]}."
        version = hashlib.sha256(repr(tuple(self._version)).encode()).hexdigest()[:16]
        self._part = self._target.with_name(f"{stem}{version}.resume")
        # A link in its place is not followed, and two processes never write to the same part.
        self._file = self._opened(os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
        try:
            self._claim()
        except BaseException:
            self._file.close()
            raise
        for other in self._target.parent.iterdir():
            if other.name.startswith(stem) and other.suffix == ".resume" and other != self._part:
                with contextlib.suppress(OSError):
                    other.unlink()

    def _claim(self) -> None:
        found = os.fstat(self._file.fileno())
        if not stat.S_ISREG(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
            raise FileExistsError(f"{self._part} is not a file of this user")
        try:
            import fcntl
        except ImportError:  # Windows
            pass
        else:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FileExistsError(f"{self.path} is already being downloaded") from None
        self.size = found.st_size
        if self._version.size is not None and self.size > self._version.size:
            self._file.truncate(0)
            self.size = 0

    def restart(self, version: Version) -> None:
        """Discard the part, and begin that of another version."""
        self._file.close()
        self._part.unlink(missing_ok=True)
        self._version = version
        self._open()

    def discard(self) -> None:
        """Close it; the part is kept."""
        with contextlib.suppress(OSError):
            self._file.close()


class RangeReader(ResponseReader):
    """Opens the response to a range request, whose statuses a document need not describe."""

    def open(self, response: Response) -> StreamedResponse:
        """Accept a range, or the refusal of one; read anything else as a normal response."""
        if response.status in {_PARTIAL, _UNSATISFIABLE}:
            return StreamedResponse(response, None, response.content_type or "", self)
        return super().open(response)


def version_of(response: Response) -> Version | None:
    """Return the version of a whole body, or None if the rest of it can't be requested."""
    headers, request = response.headers, response.request
    if request is None or request.method != "GET" or response.status != _OK:
        return None
    # A body with a content coding may differ each time, and files are saved decoded.
    if "content-encoding" in headers or headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    length = headers.get("content-length", "")
    size = int(length) if length.isdecimal() and len(length) < len(str(2**63)) else None
    validator = _strong_validator(headers)
    return None if validator is None else Version(validator, size)


def _strong_validator(headers: Headers) -> str | None:
    etag = headers.get("etag", "").strip()
    if etag.startswith('"'):
        return etag
    # RFC 9110, 8.8.2.2: a date is strong if it was old when the response was made.
    try:
        modified = headers["last-modified"]
        age = parsedate_to_datetime(headers["date"]) - parsedate_to_datetime(modified)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return modified if age.total_seconds() >= 1 else None


class Reopenable(Protocol):
    """A body that is read as it arrives, and that can be reopened."""

    request: Request
    streamed: StreamedResponse

    @property
    def attempts(self) -> int:
        """How often it may be opened in a row."""

    def chunk(self) -> RunBlocking | Await:
        """The step that reads the next chunk; its result is None at the end."""

    def close(self, response: Response) -> RunBlocking | Await:
        """The step that closes a response."""

    def reopen(self, request: Request, reader: ResponseReader) -> Flow[None]:
        """Open it by another request, with another reader of its head."""

    def completed(self, error: DynclientError) -> DynclientError:
        """Add to an error the facts of the call."""


class Download:
    """One body that is being saved to a file; reopened where it breaks off."""

    def __init__(self, body: Reopenable, version: Version) -> None:
        """``opened`` is a response whose body is still unread."""
        self._body = body
        self._version = version
        self._failed = 0

    def saved(self, path: str | os.PathLike[str], progress: Progress | None) -> Flow[Path]:
        """Save the body.

        Raises:
            TransportError, ResponseError: the download failed; the received part is kept for the next attempt.
            OSError: the file can't be written.
        """
        file: ResumableFile = yield RunBlocking(partial(ResumableFile, path, self._version))
        try:
            if file.size:
                yield from self._go_on(file)
            while file.size != self._version.size:
                try:
                    data: bytes | None = yield self._body.chunk()
                    if data is None and self._version.size is not None:
                        raise ConnectionLost("the body ended before it was complete")
                except DynclientError as error:
                    yield from self._lost(error, file)
                    continue
                if data is None:
                    break
                self._failed = 0
                yield RunBlocking(partial(file.write, data))
                if progress is not None:
                    progress(file.size, self._version.size)
            yield RunBlocking(file.keep)
        finally:
            file.discard()
        return file.path

    def _lost(self, error: DynclientError, file: ResumableFile) -> Flow[None]:
        """Reopen the body after it broke off, or raise the error."""
        passing = isinstance(error, ConnectionLost) or (isinstance(error, TimeoutError) and error.phase == "read")
        self._failed += 1
        if not passing or self._failed >= self._body.attempts:
            raise self._body.completed(error) from error.__cause__
        yield Sleep(_PAUSE * (self._failed - 1))
        yield from self._go_on(file)

    def _go_on(self, file: ResumableFile) -> Flow[None]:
        """Request the rest of the body, or all of it if the rest can't be requested."""
        if file.size == self._version.size:
            return
        asked = bool(file.size and self._version.validator)
        if asked:
            yield from self._ask({"Range": f"bytes={file.size}-", "If-Range": self._version.validator})
            if self._continues(file):
                return
        if not asked or self._body.streamed.response.status != _OK:
            yield from self._ask({})
        response = self._body.streamed.response
        if response.status != _OK:
            raise self._body.completed(ResponseError(f"the server answered {response.status} instead of the body"))
        # It may be another version; the rest of that one may be requested in turn, or not at all.
        self._version = version_of(response) or Version("", length_of(response))
        yield RunBlocking(partial(file.restart, self._version))

    def _ask(self, fields: Mapping[str, str]) -> Flow[None]:
        yield self._body.close(self._body.streamed.response)
        # Ranges count the bytes as sent, with their content coding.
        headers = self._body.request.headers.replace("Accept-Encoding", "identity")
        for name, value in fields.items():
            headers = headers.replace(name, value)
        reader = RangeReader(*self._body.streamed.reader)
        yield from self._body.reopen(replace(self._body.request, headers=headers), reader)

    def _continues(self, file: ResumableFile) -> bool:
        """Whether the response continues where the file ends, or says that the file is complete."""
        response, version = self._body.streamed.response, self._version
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        total = None if found is None or found[3] is None else int(found[3])
        if version.size is not None and total not in {None, version.size}:
            return False
        if response.status == _UNSATISFIABLE:
            # RFC 9110, 14.4: nothing is left of a body of this size.
            goes_on = total == file.size
        else:
            etag = response.headers.get("etag", "").strip()
            same = not etag or not version.validator.startswith('"') or etag == version.validator
            begin = found[1] if found is not None else None
            coded = "content-encoding" in response.headers
            goes_on = response.status == _PARTIAL and same and not coded and begin == str(file.size)
        if goes_on and total is not None:
            self._version = version._replace(size=total)
        return goes_on


def length_of(response: Response) -> int | None:
    """The number of bytes of a body; None if that is unknown, as for one with a content coding."""
    length = response.headers.get("content-length", "")
    return int(length[:18]) if length.isdecimal() and "content-encoding" not in response.headers else None
