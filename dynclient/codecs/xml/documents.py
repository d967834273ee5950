"""XML that a caller holds already: text, bytes, or an ElementTree element. It is checked, and goes as it is."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from xml.parsers import expat  # nothing is fetched, and what is checked is the caller's own

from dynclient._expressions import expression
from dynclient.codecs import charsets
from dynclient.exceptions import EncodeError

_DECLARED = expression(r"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")


def is_element(value: Any) -> bool:
    """Tell whether a value is an element: of ElementTree, or of what has its ways."""
    return hasattr(value, "tag") and hasattr(value, "attrib") and hasattr(value, "itertext")


def is_document(value: Any) -> bool:
    """Tell whether a value is a document already: an element, or text or bytes that begin as one."""
    if isinstance(value, str):
        return value.lstrip("\ufeff \t\r\n").startswith("<")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:64]).lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")
    return is_element(value)


def text(value: Any) -> str:
    """The text of an element, or text as it is.

    Raises:
        EncodeError: the element holds what can't be written.
    """
    if isinstance(value, str):
        return value
    # lxml's elements are written by lxml, which is there if they are.
    module = "lxml.etree" if type(value).__module__.startswith("lxml") else "xml.etree.ElementTree"
    try:
        written: str = import_module(module).tostring(value, encoding="unicode")
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(f"the element can't be written as XML: {error}") from None
    return written


def body(value: Any, content_type: str) -> bytes:
    """A document as bytes, as it is: in the charset of the content type, else of its declaration, else UTF-8.

    Raises:
        EncodeError: it is not well-formed; ``line`` and ``column`` tell where.
    """
    if isinstance(value, (bytes, bytearray)):
        _check(bytes(value), charsets.charset(content_type))
        return bytes(value)
    document = text(value).removeprefix(charsets.BOM)
    declared = _DECLARED.match(document)
    name = charsets.charset(content_type) or (declared.group(1) if declared else "utf-8")
    _check(document.encode("utf-8", "surrogatepass"), "utf-8")
    return charsets.encode_text(document, name)


def _check(document: bytes, charset: str | None) -> None:
    try:
        expat.ParserCreate(charset).Parse(document, True)
    except expat.ExpatError as error:
        fault = expat.ErrorString(error.code)
        raise EncodeError(
            f"the body is not well-formed XML: {fault}", line=error.lineno, column=error.offset + 1
        ) from None
    except (LookupError, ValueError) as error:
        raise EncodeError(f"the body can't be read as XML: {error}") from None
