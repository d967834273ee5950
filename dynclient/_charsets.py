"""Text <-> bytes in a named charset: strictly, never with replacement characters."""

from __future__ import annotations

import codecs

from dynclient.exceptions import DecodeError, EncodeError

BOM = "\ufeff"

# Python also calls transformations of text "codecs" (rot13, zip, idna, unicode_escape): a server may not choose those.
_NOT_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf-7"}
)
# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS = ((b"\0\0", "utf-32-be"), (b"\0", "utf-16-be"))


def unicode_encoding(data: bytes) -> tuple[str, int]:
    """The encoding of Unicode text that begins with an ASCII character, and the length of its byte order mark.

    The empty string stands for UTF-8 or another charset based on ASCII. The first character of YAML (YAML 1.2.2, 5.2),
    JSON and XML (XML 1.0, appendix F) is ASCII, so the zero bytes around it show the encoding.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    if data[1:4] == b"\0\0\0":
        return "utf-32-le", 0
    if data[1:2] == b"\0" and data[:1] != b"\0":
        return "utf-16-le", 0
    return next((name for zeros, name in _ZEROS if data.startswith(zeros)), ""), 0


def is_known(name: str) -> bool:
    """Whether a name is that of a charset that can be read and written."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    # Python has no public name for this attribute.
    return bool(getattr(info, "_is_text_encoding", True)) and info.name not in _NOT_CHARSETS


def encode_text(text: str, name: str) -> bytes:
    """Write text in a charset.

    Raises:
        EncodeError: the charset is not known, or it can't encode a character (no charset can encode a lone surrogate).
    """
    if not is_known(name):
        raise EncodeError(f"the charset {name[:40]!r} is not known")
    try:
        return text.encode(name)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - (text.rfind("\n", 0, error.start) + 1) + 1
        message = f"the text has U+{ord(text[error.start]):04X}, which can't be encoded in {name}"
        raise EncodeError(message, line=line, column=column) from None
    except UnicodeError:
        raise EncodeError(f"the text can't be encoded in {name}") from None


def decode_text(body: bytes, name: str) -> str:
    """Read text in a charset; a byte order mark at its beginning is removed.

    Raises:
        DecodeError: the charset is not known, or the bytes are not text in it.
    """
    if not is_known(name):
        raise DecodeError(f"the body's charset {name[:40]!r} is not known")
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        raise DecodeError(f"the body is not text in {name}: {error.reason}", offset=error.start) from None
    except UnicodeError:
        raise DecodeError(f"the body is not text in {name}") from None
    return text.removeprefix(BOM)
