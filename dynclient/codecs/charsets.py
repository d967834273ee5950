"""Text <-> bytes in the charset that a Content-Type names: strictly, never with replacements."""

from __future__ import annotations

import codecs

from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import parse

BOM = "\ufeff"

# Python knows codecs that are no charsets (rot13, zip, idna, unicode_escape): what turns text into text, or expands,
# is nothing that a server may choose.
_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf-7"}
)


def charset(content_type: str) -> str | None:
    """The charset that a Content-Type names, as it is spelled there; None where it names none or is malformed."""
    try:
        return parse(content_type).get("charset") or None
    except ValueError:
        return None


def known(name: str) -> bool:
    """Tell whether a name is that of a charset that can be read and written."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    # A text encoding says so of itself; Python has no public word for it.
    return bool(getattr(info, "_is_text_encoding", True)) and info.name not in _NO_CHARSETS


def encode_text(text: str, name: str) -> bytes:
    """Write text in a charset.

    Raises:
        EncodeError: the charset is not known, or has no code for a character (a lone surrogate has none anywhere).
    """
    if not known(name):
        raise EncodeError(f"the charset {name[:40]!r} is not known")
    try:
        return text.encode(name)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - (text.rfind("\n", 0, error.start) + 1) + 1
        message = f"the text holds U+{ord(text[error.start]):04X}, for which {name} has no code"
        raise EncodeError(message, line=line, column=column) from None
    except UnicodeError:
        raise EncodeError(f"the text can't be written in {name}") from None


def decode_text(body: bytes, name: str) -> str:
    """Read text in a charset; a byte order mark at its beginning is skipped.

    Raises:
        DecodeError: the charset is not known, or the bytes are not text in it.
    """
    if not known(name):
        raise DecodeError(f"the body's charset {name[:40]!r} is not known")
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        raise DecodeError(f"the body is not text in {name}: {error.reason}", offset=error.start) from None
    except UnicodeError:
        raise DecodeError(f"the body is not text in {name}") from None
    return text.removeprefix(BOM)
