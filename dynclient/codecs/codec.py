"""What a codec is: one value with two functions.

Rule 1: a codec turns values into bytes and back; it never validates.
Rule 2: whatever goes wrong while encoding is an EncodeError, and while decoding a DecodeError: no other exception.
Rule 3: a codec knows no operation and no response; its caller adds those to the error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from dynclient._records import Record
from dynclient.messages import Body
from dynclient.model import MediaType
from dynclient.options import Limits


class Encoded(Record):
    """A body as it goes over the wire, and its complete Content-Type, with boundary or charset where one is needed."""

    body: Body
    content_type: str


Encode = Callable[[Any, MediaType, str], Encoded]
"""``(value, media type, content type) -> Encoded``. The value is plain; the content type is concrete, no range."""

Decode = Callable[[bytes, MediaType | None, str, Limits], Any]
"""``(body, media type or None, content type, limits) -> value``. The content type is the header's value as it came."""


class Splitter(Protocol):
    """Cuts a body that comes in chunks into its items; what it gives for one chunk is taken before the next is fed."""

    def feed(self, chunk: bytes, /) -> Iterator[Any]:
        """Take a chunk, and give the items that are whole with it."""

    def finish(self) -> Iterator[Any]:
        """The body has ended: give what is left."""


Split = Callable[[MediaType | None, Limits], Splitter]
"""``(media type or None, limits) -> splitter``, for one body."""


class Codec(Record):
    """Writes and reads the bodies of a media range.

    ``files`` tells that it takes bytes, paths and file objects as they are. ``split`` reads the items of a body while
    it comes, where the media range is a sequence.
    """

    name: str
    encode: Encode
    decode: Decode
    files: bool = False
    split: Split | None = None
