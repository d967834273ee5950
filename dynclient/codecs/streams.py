"""Contents that are bytes already: bytes, paths, file objects, iterators of bytes.

A path or a file object is opened and read when the body is sent, never before, and never wholly in memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from dynclient.exceptions import EncodeError
from dynclient.messages import Body

CHUNK = 65_536

Part = bytes | Callable[[], Iterator[bytes]]
"""A piece of a body: bytes, or what gives their iterator when it is their turn."""


class Stream(Iterator[bytes]):
    """A body made of pieces, read once. ``length`` is its size in bytes; None where a piece does not tell."""

    def __init__(self, parts: Iterable[Part], length: int | None) -> None:
        """Take the pieces in their order, and the length of all."""
        self.length = length
        self._chunks = _chunks(parts)

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close what is open."""
        self._chunks.close()


def _chunks(parts: Iterable[Part]) -> Generator[bytes, None, None]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from part()


def is_content(value: Any) -> bool:
    """Tell whether a value is bytes already, or gives them."""
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike, Iterator, AsyncIterator)) or hasattr(
        value, "read"
    )


def piece(value: Any) -> tuple[Part, int | None]:
    """One content as a piece of a body, with its length where that can be told.

    Raises:
        EncodeError: it is a path that can't be read, or gives its bytes in a way that fits no piece.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        content = bytes(value)
        return content, len(content)
    if isinstance(value, os.PathLike):
        return _path(Path(value))
    if hasattr(value, "read"):
        return lambda: _read(value), _remaining(value)
    if isinstance(value, Iterator):
        length = getattr(value, "length", None)
        return lambda: _checked(value), length if isinstance(length, int) else None
    raise EncodeError(f"a {type(value).__name__} is no content that can be sent as bytes")


def body(value: Any) -> Body:
    """One content as a whole body."""
    if isinstance(value, AsyncIterator):
        return value
    part, length = piece(value)
    return part if isinstance(part, bytes) else Stream([part], length)


def _path(path: Path) -> tuple[Part, int | None]:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise EncodeError(f"the file {path.name!r} can't be read: {getattr(error, 'strerror', error)}") from None
    if not path.is_file():
        raise EncodeError(f"{path.name!r} is no file")

    def contents() -> Iterator[bytes]:
        try:
            file = path.open("rb")
        except OSError as error:
            raise EncodeError(f"the file {path.name!r} can't be read: {error.strerror}") from None
        with file:
            yield from _read(file)

    return contents, status.st_size


def _read(file: IO[Any]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk.encode("utf-8") if isinstance(chunk, str) else bytes(chunk)


def _checked(chunks: Iterator[Any]) -> Iterator[bytes]:
    for chunk in chunks:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise EncodeError(f"a stream of bytes gave a {type(chunk).__name__}")
        if chunk:
            yield bytes(chunk)


def _remaining(file: Any) -> int | None:
    """The bytes from where a file stands to its end, or None where it can't be told."""
    if isinstance(file, io.TextIOBase):
        return None
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return end - here if isinstance(end, int) and isinstance(here, int) else None
