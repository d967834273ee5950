"""JSON of a compiled form, as data: whole, or line by line; and how it is searched."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_SHORT = 1 << 20


class DamagedError(Exception):
    """What was read is not what was written."""


def decoded(data: bytes) -> Any:
    """JSON as data, by the fast decoder where it is installed, and saves more time than it takes to load.

    Raises:
        DamagedError: it is no JSON.
    """
    try:
        if len(data) < _SHORT and "msgspec" not in sys.modules:
            return json.loads(data)
        try:
            import msgspec
        except ImportError:
            return json.loads(data)
        try:
            return msgspec.json.decode(data)
        except (msgspec.MsgspecError, ValueError):
            # It takes no lone surrogates, which JSON may have.
            return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError from error


def decoded_lines(text: bytes) -> list[Any]:
    """The data of each line. All have a line end; within them there is none, since JSON writes those in another way.

    Raises:
        DamagedError: one of them is no JSON.
    """
    found: list[Any] = decoded(b"[%b]" % text.removesuffix(b"\n").replace(b"\n", b","))
    return found


def spelled(pattern: str, *texts: str) -> Iterator[bytes]:
    """What to search JSON for: the pattern with texts as JSON has them, in ASCII alone and as they are.

    JSON may be written in other ways too: what is not found this way may still be there.
    """
    yield pattern.format(*map(json.dumps, texts)).encode()
    if not all(map(str.isascii, texts)):
        with suppress(UnicodeEncodeError):
            yield pattern.format(*(json.dumps(text, ensure_ascii=False) for text in texts)).encode()
