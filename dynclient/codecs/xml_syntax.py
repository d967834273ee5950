"""Parse XML documents to trees of elements and write them, with the prefixes and CDATA sections that ElementTree drops.

Rule 1: a document with a DOCTYPE is refused, so no entity is expanded and no file or host is read. Rule 2: depth is
counted while reading, by a parser that does not recurse.
Rule 3: names and characters are checked when writing, since they come from values: those that XML 1.0 does not allow
are an EncodeError, and no value can end its own element.
Rule 4: a document that a caller has already (text, bytes, an element) is checked, and sent unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import count
from typing import Any
from xml.parsers import expat  # safe here: a DOCTYPE is refused, and nothing is fetched

from dynclient._deferred import expression
from dynclient._negotiation import BOM, decode_text, encode_text, unicode_encoding
from dynclient._records import Record
from dynclient.codecs.codec import scalar, too_many
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of
from dynclient.options import Limits
from dynclient.transports.clock import look

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
BLANK = " \t\r\n"

_SEPARATOR = "\n"  # no namespace has one, since attribute values are normalized
_DECLARATION = r"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']"""
_DECLARED = expression(_DECLARATION)
_DECLARED_IN_BYTES = expression(_DECLARATION.encode("ascii"))
# Namespaces in XML 1.0, 4: NCName.
_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = expression(f"[{_START}][-.0-9\u00b7\u0300-\u036f\u203f\u2040{_START}]*")
# XML 1.0, 2.2: Char.
_NO_CHARACTER = expression("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_VALUE = {**_TEXT, '"': "&quot;", "\t": "&#9;", "\n": "&#10;"}
_IN_TEXT = str.maketrans(_TEXT)
_IN_VALUE = str.maketrans(_VALUE)


class CData(str):
    """The text of a CDATA section."""

    __slots__ = ()


class Attribute(Record):
    """An attribute; ``namespace`` is empty if it has none."""

    name: str
    value: str
    namespace: str = ""
    prefix: str | None = None


# Shared by the elements that were read, which are never changed: a list for each would double their memory.
_NO_ATTRIBUTES: list[Attribute] = []
_NO_CHILDREN: list[Element | str] = []
_PIECE = 65_536


class Element:
    """An element that is built or was read. ``namespace`` None means the namespace of the element around it."""

    __slots__ = ("attributes", "children", "name", "namespace", "prefix")

    def __init__(self, name: str, namespace: str | None = None, prefix: str | None = None) -> None:
        """Take the local name, the namespace, and the prefix to write for it."""
        self.name = name
        self.namespace = namespace
        self.prefix = prefix
        self.attributes: list[Attribute] = []
        self.children: list[Element | str] = []

    def elements(self) -> Iterator[Element]:
        """The child elements in order."""
        return (child for child in self.children if isinstance(child, Element))

    def text(self) -> str:
        """The text of the children; that of its CDATA sections if there is only white space around them."""
        texts = [child for child in self.children if isinstance(child, str)]
        sections = [text for text in texts if isinstance(text, CData)]
        # A carriage return is not white space for layout: it was a character reference (XML 1.0, 2.11).
        if sections and all(isinstance(text, CData) or not text.strip(" \t\n") for text in texts):
            return "".join(sections)
        return "".join(texts)

    def attribute(self, name: str, namespace: str | None = None) -> str | None:
        """The value of an attribute; one in the namespace takes precedence over one with only the same local name."""
        found = [each for each in self.attributes if each.name == name]
        exact = [each for each in found if each.namespace == (namespace or "")]
        return next((each.value for each in exact or found), None)

    @property
    def nil(self) -> bool:
        """Whether it is null by ``xsi:nil`` (XML Schema 1, 2.6.2)."""
        return any(
            each.name == "nil" and each.namespace == XSI and each.value.strip(BLANK) in {"true", "1"}
            for each in self.attributes
        )


def text_of(body: bytes, content_type: str) -> str:
    """The text of a document, in the charset of its byte order mark, its Content-Type, or its declaration.

    Raises:
        DecodeError: the charset is not known, or the bytes are not text in it.
    """
    # RFC 7303, 3: a byte order mark takes precedence over a charset parameter, and that over the declaration.
    detected, _ = unicode_encoding(body)
    declared = _DECLARED_IN_BYTES.match(body)
    named = charset_of(content_type) or (declared.group(1).decode("ascii") if declared else "utf-8")
    return decode_text(body, detected or named)


def parse(text: str, limits: Limits) -> Element:
    """Read a document.

    Raises:
        DecodeError: it is not well-formed, has a DOCTYPE, or is nested deeper than the limit.
    """
    builder = _Builder(limits)
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartCdataSectionHandler = partial(builder.section, CData)
    parser.EndCdataSectionHandler = partial(builder.section, str)
    _parse(parser, text)
    return next(builder.top.elements())


def check(text: str, limits: Limits) -> None:
    """Check a document without reading it into a tree.

    Raises:
        DecodeError: as :func:`parse`, except that its elements are not counted.
    """
    depth = 0

    def start(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.body_depth:
            raise _too_deep(limits)

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    _parse(parser, text)


def _parse(parser: expat.XMLParserType, text: str) -> None:
    """Feed a parser in pieces, with a look at the clock before each."""
    parser.StartDoctypeDeclHandler = _refuse_doctype
    data = encode_text(text, "utf-8")
    try:
        for at in range(0, len(data), _PIECE):
            look()
            parser.Parse(data[at : at + _PIECE], False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        fault = expat.ErrorString(error.code)
        message = f"the body is not well-formed XML: {fault} at line {error.lineno}, column {error.offset + 1}"
        raise DecodeError(message, offset=parser.ErrorByteIndex) from None


def _too_deep(limits: Limits) -> DecodeError:
    return DecodeError(f"the body is nested deeper than {limits.body_depth} levels")


def _refuse_doctype(*_: Any) -> None:
    raise DecodeError("the body has a DOCTYPE, which is refused: it could define entities or fetch files")


class _Builder:
    """Builds the tree from the parser's events, with its own stack."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.top = Element("")
        self.stack = [self.top]
        self.kind: Callable[[str], str] = str
        self.texts: list[str] = []
        self.names: dict[str, tuple[str, str]] = {}
        self.left = math.inf if limits.body_values is None else limits.body_values

    def start(self, name: str, attributes: list[str]) -> None:
        self.flush()
        if len(self.stack) > self.limits.body_depth:
            raise _too_deep(self.limits)
        self.left -= 1 + len(attributes) // 2
        if self.left < 0:
            raise too_many(self.limits.body_values)
        element = Element(*self.parts(name))
        element.attributes = [
            Attribute(local, value, namespace)
            for key, value in zip(attributes[::2], attributes[1::2], strict=True)
            for local, namespace in [self.parts(key)]
        ] or _NO_ATTRIBUTES
        self.stack[-1].children.append(element)
        self.stack.append(element)

    def parts(self, name: str) -> tuple[str, str]:
        """The local name and the namespace, each text kept once."""
        known = self.names.get(name)
        if known is None:
            namespace, _, local = name.rpartition(_SEPARATOR)
            known = self.names[name] = (local, namespace)
        return known

    def end(self, _: str) -> None:
        self.flush()
        element = self.stack.pop()
        element.children = element.children or _NO_CHILDREN

    def data(self, text: str) -> None:
        self.texts.append(text)

    def section(self, kind: Callable[[str], str]) -> None:
        """A CDATA section begins or ends."""
        self.flush()
        self.kind = kind

    def flush(self) -> None:
        """Add the text that has arrived; it is joined here, since it arrives in small pieces."""
        if self.texts:
            self.stack[-1].children.append(self.kind("".join(self.texts)))
            self.texts.clear()


# -- writing -----------------------------------------------------------------------------------------------------------

Scope = Mapping[str, str]
"""Prefix -> namespace, of those declared; the prefix ``""`` is the default namespace."""


def render(root: Element) -> str:
    """Write a document, without a declaration.

    Raises:
        EncodeError: a name is not valid in XML, or a text has a character that XML can't have.
    """
    texts: list[str] = []
    try:
        _write(root, {"xml": XML}, texts)
    except RecursionError:
        raise EncodeError("the body is nested too deeply to be written as XML") from None
    return "".join(texts)


def is_name(text: str) -> bool:
    """Whether a text can be the name of an element or attribute."""
    return _NAME.fullmatch(text) is not None


def _write(element: Element, scope: Scope, texts: list[str]) -> None:
    inner = dict(scope)
    name = _qualified(element.name, element.namespace, element.prefix, inner, attribute=False)
    attributes = [
        (_qualified(each.name, each.namespace or None, each.prefix, inner, attribute=True), each.value)
        for each in element.attributes
    ]
    declared = [
        (f"xmlns:{prefix}" if prefix else "xmlns", namespace)
        for prefix, namespace in inner.items()
        if scope.get(prefix) != namespace
    ]
    start = "".join(f' {key}="{_checked(value).translate(_IN_VALUE)}"' for key, value in (*declared, *attributes))
    if not element.children:
        texts.append(f"<{name}{start}/>")
        return
    texts.append(f"<{name}{start}>")
    for child in element.children:
        if isinstance(child, Element):
            _write(child, inner, texts)
        else:
            texts.append(_text(child))
    texts.append(f"</{name}>")


def _qualified(name: str, namespace: str | None, prefix: str | None, scope: dict[str, str], *, attribute: bool) -> str:
    """A name with its prefix; a prefix that is not declared yet is added to the scope."""
    for each in (name, prefix):
        if each is not None and not is_name(each):
            raise EncodeError(f"{each[:80]!r} can't be the name of an XML element or attribute")
    if namespace is None:
        # A prefix without a declaration is left out: namespace-aware readers would refuse the document.
        return f"{prefix}:{name}" if prefix in scope else name
    if prefix is None and attribute:
        # Namespaces in XML 1.0, 6.2: the default namespace does not apply to attributes.
        unused = next(name for name in (f"ns{number}" for number in count(1)) if name not in scope)
        prefix = next((known for known, value in scope.items() if known and value == namespace), unused)
    scope[prefix or ""] = namespace
    return f"{prefix}:{name}" if prefix else name


def _checked(text: str) -> str:
    fault = _NO_CHARACTER.search(text)
    if fault is not None:
        raise EncodeError(f"XML can't have the character U+{ord(fault.group()):04X}")
    return text


def _text(text: str) -> str:
    if isinstance(text, CData):
        # XML 1.0, 2.7 and 2.11: a section ends at its first "]]>", and a carriage return in it would be read as a line
        # feed: both are written between two sections.
        inner = _checked(text).replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
        return f"<![CDATA[{inner}]]>"
    return _checked(text).translate(_IN_TEXT)


# -- documents of callers ----------------------------------------------------------------------------------------------


def is_element(value: Any) -> bool:
    """Whether a value is an element of ElementTree, lxml or a library with the same interface."""
    return hasattr(value, "tag") and hasattr(value, "attrib") and hasattr(value, "itertext")


def is_document(value: Any) -> bool:
    """Whether a value is a document already: an element, or text or bytes that begin with ``<``."""
    if isinstance(value, str):
        return value.lstrip("\ufeff \t\r\n").startswith("<")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:64]).lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")
    return is_element(value)


def document_body(value: Any, content_type: str) -> bytes:
    """A caller's document as bytes, unchanged: in the charset of the content type, else of its declaration, else UTF-8.

    Raises:
        EncodeError: it is not well-formed; ``line`` and ``column`` say where.
    """
    if isinstance(value, (bytes, bytearray)):
        _check(bytes(value), charset_of(content_type))
        return bytes(value)
    document = value
    if not isinstance(document, str):
        # lxml's elements are written by lxml.
        module = "lxml.etree" if type(value).__module__.startswith("lxml") else "xml.etree.ElementTree"
        try:
            document = import_module(module).tostring(value, encoding="unicode")
        except (TypeError, ValueError, RecursionError) as error:
            raise EncodeError(f"the element can't be written as XML: {error}") from None
    document = document.removeprefix(BOM)
    declared = _DECLARED.match(document)
    name = charset_of(content_type) or (declared.group(1) if declared else "utf-8")
    _check(document.encode("utf-8", "surrogatepass"), "utf-8")
    return encode_text(document, name)


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


def write_scalar(value: Any) -> str:
    """A scalar as the text of an element or attribute; scalars of a list are separated by spaces, as in xs:list.

    Raises:
        EncodeError: the value is an object, or a list of objects or lists.
    """
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(each, (list, dict)) for each in value):
        return " ".join(map(write_scalar, value))
    if isinstance(value, (list, dict)):
        raise EncodeError(f"a {type(value).__name__} can't be an XML attribute or text")
    return scalar(value)
