"""The type Codec, and the codecs for text and bytes, whose value is the body itself.

Rule 1: a codec turns values into bytes and back; it never validates.
Rule 2: encoding raises only EncodeError, and decoding only DecodeError (or ResponseTooLarge for one item of a stream).
Rule 3: a codec does not know the operation or the response; its caller adds them to errors.
Rule 4: a path or a file object is opened and read when the body is sent, not before, and in chunks.

``text/*`` and other media types of text have a string, decoded by the charset; the schema may type it. Media types
without another codec have bytes: bytes, paths, file objects, iterators of bytes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol, Self

from dynclient import _schemas, _styles
from dynclient._negotiation import decode_text, encode_text
from dynclient._records import Record
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of, find
from dynclient.messages import Body
from dynclient.model import MediaType
from dynclient.options import Limits
from dynclient.transports.body_reader import CHUNK, size_of


class Encoded(Record):
    """An encoded body and its complete Content-Type, with the boundary or charset if needed."""

    body: Body
    content_type: str


Encode = Callable[[Any, MediaType, str], Encoded]
"""``(value, media type, content type) -> Encoded``. The value is plain; the content type is not a range."""

Decode = Callable[[bytes, MediaType | None, str, Limits], Any]
"""``(body, media type or None, content type, limits) -> value``. The content type is the header's value as received."""


class Splitter(Protocol):
    """Splits a body that arrives in chunks into its items.

    Consume everything yielded for a chunk before feeding the next one.
    """

    def feed(self, chunk: bytes, /) -> Iterator[Any]:
        """Take a chunk; yields the items that it completes."""

    def finish(self) -> Iterator[Any]:
        """The body has ended; yields the rest."""


Split = Callable[[MediaType | None, Limits], Splitter]
"""``(media type or None, limits) -> splitter`` for one body."""


class Codec(Record):
    """Encodes and decodes the bodies of a media type.

    ``name`` is the name of its kind of media type (``MediaKind.name``), which several codecs may share. ``files`` is
    true if it accepts bytes, paths and file objects unchanged. ``split``, for sequential media types, reads the items
    of a body as it arrives.
    """

    name: str
    encode: Encode
    decode: Decode
    files: bool = False
    split: Split | None = None


Content = bytes | Path | Callable[[], Iterator[bytes]]
"""A part of a body: bytes, the path of a file, or a function that returns an iterator of chunks, once."""


class StreamBody(Iterator[bytes]):
    """A body of several contents. If they are bytes and paths, it can be iterated again.

    ``length`` is in bytes, or None if a content's length is unknown.
    """

    def __init__(self, contents: Iterable[Content], length: int | None) -> None:
        """Take the contents in their order, and their total length."""
        self.length = length
        self._contents = list(contents)
        self.can_be_repeated = all(isinstance(content, (bytes, Path)) for content in self._contents)
        self._chunks = _chunks(self._contents)

    def __iter__(self) -> Self:
        if self.can_be_repeated:
            self._chunks = _chunks(self._contents)
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close an open file."""
        self._chunks.close()


def _chunks(contents: Iterable[Content]) -> Generator[bytes, None, None]:
    for content in contents:
        if isinstance(content, bytes):
            yield content
        elif isinstance(content, Path):
            try:
                file = content.open("rb")
            except OSError as error:
                raise EncodeError(f"the file {content.name!r} can't be read: {error.strerror}") from None
            with file:
                yield from _read(file)
        else:
            yield from content()


def too_many(most: int | None) -> DecodeError:
    """The error for a body with more values than the limit."""
    return DecodeError(
        f"the body has more than {most:,} values",
        hint="load(..., limits=Limits(body_values=...)) sets this limit; elements of XML and fields of forms count too",
    )


def is_content(value: Any) -> bool:
    """Whether a value is bytes or a source of bytes."""
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike, Iterator, AsyncIterator)) or hasattr(
        value, "read"
    )


def content_of(value: Any) -> tuple[Content, int | None]:
    """Bytes, a path, a file object or an iterator of bytes as a content, and its length in bytes if known.

    Raises:
        EncodeError: it is a path that can't be read, or an asynchronous iterator.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        content = bytes(value)
        return content, len(content)
    if isinstance(value, os.PathLike):
        return _of_path(Path(value))
    if hasattr(value, "read"):
        return lambda: _read(value), size_of(value)
    if isinstance(value, Iterator):
        length = getattr(value, "length", None)
        return lambda: _checked(value), length if isinstance(length, int) else None
    raise EncodeError(f"a {type(value).__name__} can't be a part of a body")


def raw_body(value: Any) -> Body:
    """A whole body of bytes, or a source of bytes.

    Raises:
        EncodeError: it is a path that can't be read.
    """
    if isinstance(value, AsyncIterator):
        return value
    content, length = content_of(value)
    return content if isinstance(content, bytes) else StreamBody([content], length)


def _of_path(path: Path) -> tuple[Content, int | None]:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise EncodeError(f"the file {path.name!r} can't be read: {getattr(error, 'strerror', error)}") from None
    if not path.is_file():
        raise EncodeError(f"{path.name!r} is not a file")
    return path, status.st_size


def _read(file: IO[Any]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk.encode("utf-8") if isinstance(chunk, str) else bytes(chunk)


def _checked(chunks: Iterator[Any]) -> Iterator[bytes]:
    for chunk in chunks:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise EncodeError(f"a stream of bytes yielded a {type(chunk).__name__}")
        if chunk:
            yield bytes(chunk)


# -- text and bytes ----------------------------------------------------------------------------------------------------

_EXACT_INTEGERS = 2**53


def scalar(value: Any) -> str:
    """Write a scalar as text: a string as it is, a number, boolean or null as in JSON.

    Raises:
        EncodeError: the value is not a scalar, or not finite.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    try:
        text = _styles.scalar(value)
    except ValueError as error:
        raise EncodeError(f"the value {error}") from None
    # Digits alone would be read as an integer, and with more digits than the float has.
    return repr(value) if isinstance(value, float) and abs(value) >= _EXACT_INTEGERS else text


def encode_as_text(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a scalar as text; bytes, paths and file objects are sent as they are.

    RFC 6657, 4: text beyond ASCII needs a charset parameter, so it is added if the content type has none.
    """
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    if isinstance(value, (dict, list)):
        raise _no_codec(value, content_type)
    text = scalar(value)
    charset = charset_of(content_type)
    body = encode_text(text, charset or "utf-8")
    if charset is None and not text.isascii() and content_type.lower().startswith("text/"):
        content_type += "; charset=utf-8"
    return Encoded(body, content_type)


def decode_as_text(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # every codec's arguments
    """Read text, in UTF-8 unless the content type names another charset; by its schema ``3`` may be an int."""
    text = decode_text(body, charset_of(content_type) or "utf-8")
    if media_type is None or media_type.schema is None or _schemas.is_structured(media_type.schema):
        return text
    return _schemas.typed(media_type.schema, text)


def _no_codec(value: Any, content_type: str) -> EncodeError:
    return EncodeError(
        f"a {type(value).__name__} can't be written as {content_type}: there is no codec for this media type",
        hint="pass text, bytes, a path or a file object that is already in this media type, or register a "
        "codec (dynclient.codecs.register)",
    )


def encode_as_bytes(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Send bytes, paths, file objects and iterators of bytes as they are, and a scalar as its text.

    Raises:
        EncodeError: the value is a mapping or a sequence, for which this media type has no form.
    """
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    if isinstance(value, (dict, list, tuple)):
        raise _no_codec(value, content_type)
    return Encoded(encode_text(scalar(value), charset_of(content_type) or "utf-8"), content_type)


def decode_as_bytes(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Return the bytes; or text, if the schema is a string and neither it nor the media type is binary."""
    if media_type is None or media_type.schema is None or find(content_type).opaque:
        return body
    if _schemas.is_binary(media_type.schema) or "string" not in _schemas.shape(media_type.schema).types:
        return body
    try:
        return decode_as_text(body, media_type, content_type, limits)
    except DecodeError:
        return body


TEXT = Codec("text", encode_as_text, decode_as_text, files=True)
BINARY = Codec("binary", encode_as_bytes, decode_as_bytes, files=True)
