"""An XML document as a tree of plain nodes, with the two things ElementTree drops: prefixes and CDATA sections.

Rule 1: nothing is defined in a document (R17): whatever has a DOCTYPE is refused, so that no entity, no file and no
other host comes into play.
Rule 2: depth is counted while reading (R18), by a parser that does not recurse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat  # safe as used here: every DOCTYPE is refused

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.codecs import charsets
from dynclient.exceptions import DecodeError
from dynclient.options import Limits

XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"

_SEPARATOR = "\n"  # no namespace name holds one, since attribute values are normalized
_BLANK = " \t\r\n"
_DECLARED = expression(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
# W3C XML 1.0, Appendix F: how the first bytes tell the encoding.
_FIRST_BYTES = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)


class CData(str):
    """Text that stands in a CDATA section."""

    __slots__ = ()


class Attribute(Record):
    """An attribute; ``namespace`` is empty where it has none."""

    name: str
    value: str
    namespace: str = ""
    prefix: str | None = None


class Element:
    """An element being built or read. ``namespace`` None leaves an element in the namespace of what it stands in."""

    __slots__ = ("attributes", "children", "name", "namespace", "prefix")

    def __init__(self, name: str, namespace: str | None = None, prefix: str | None = None) -> None:
        """Take the name, and the namespace with the prefix to write for it, if there are any."""
        self.name = name
        self.namespace = namespace
        self.prefix = prefix
        self.attributes: list[Attribute] = []
        self.children: list[Element | str] = []

    def elements(self) -> Iterator[Element]:
        """The elements right below, in order."""
        return (child for child in self.children if isinstance(child, Element))

    def text(self) -> str:
        """The text right below; only that of CDATA sections where there is nothing but blanks around them."""
        texts = [child for child in self.children if isinstance(child, str)]
        sections = [text for text in texts if isinstance(text, CData)]
        # A carriage return that is left can't be layout: it came as a reference (XML 1.0, 2.11).
        if sections and all(isinstance(text, CData) or not text.strip(" \t\n") for text in texts):
            return "".join(sections)
        return "".join(texts)

    def attribute(self, name: str, namespace: str | None = None) -> str | None:
        """The value of an attribute; the one in the namespace before one of the same local name."""
        found = [each for each in self.attributes if each.name == name]
        exact = [each for each in found if each.namespace == (namespace or "")]
        return next((each.value for each in exact or found), None)

    @property
    def nil(self) -> bool:
        """Whether it says that it is null. XML Schema 1, 2.6.2: ``xsi:nil``."""
        return (self._exact("nil", XSI) or "").strip(_BLANK) in {"true", "1"}

    def _exact(self, name: str, namespace: str) -> str | None:
        wanted = (each.value for each in self.attributes if each.name == name and each.namespace == namespace)
        return next(wanted, None)


def text_of(body: bytes, content_type: str) -> str:
    """The text of a document: in the charset of its byte order mark, its Content-Type, or its declaration.

    Raises:
        DecodeError: the charset is not known, or the bytes are not text in it.
    """
    # RFC 7303, 3: a byte order mark goes before a charset parameter, and that before the declaration.
    marked = next((name for mark, name in _FIRST_BYTES if body.startswith(mark)), None)
    declared = _DECLARED.match(body)
    named = charsets.charset(content_type) or (declared.group(1).decode("ascii") if declared else "utf-8")
    return charsets.decode_text(body, marked or named)


def parse(text: str, limits: Limits) -> Element:
    """Read a document.

    Raises:
        DecodeError: it is not well-formed, has a DOCTYPE, or nests deeper than the limit.
    """
    builder = _Builder(limits.body_depth)
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartCdataSectionHandler = builder.start_cdata
    parser.EndCdataSectionHandler = builder.end_cdata
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(charsets.encode_text(text, "utf-8"), True)
    except expat.ExpatError as error:
        fault = expat.ErrorString(error.code)
        message = f"the body is not well-formed XML: {fault} at line {error.lineno}, column {error.offset + 1}"
        raise DecodeError(message, offset=parser.ErrorByteIndex) from None
    return builder.root


def _refuse_doctype(*_: Any) -> None:
    raise DecodeError("the body has a DOCTYPE, which is refused: it could define entities or fetch files")


class _Builder:
    """Makes the tree of what the parser tells, with a stack of its own."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.top = Element("")
        self.stack = [self.top]
        self.text: Callable[[str], str] = str

    @property
    def root(self) -> Element:
        return next(self.top.elements())

    def start(self, name: str, attributes: list[str]) -> None:
        if len(self.stack) > self.depth:
            raise DecodeError(f"the body nests deeper than {self.depth} levels")
        namespace, _, local = name.rpartition(_SEPARATOR)
        element = Element(local, namespace)
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            namespace, _, local = key.rpartition(_SEPARATOR)
            element.attributes.append(Attribute(local, value, namespace))
        self.stack[-1].children.append(element)
        self.stack.append(element)

    def end(self, _: str) -> None:
        self.stack.pop()

    def data(self, text: str) -> None:
        children = self.stack[-1].children
        kind = self.text
        if children and type(children[-1]) is kind:
            text = children.pop() + text  # type: ignore[operator]  # kind is str or CData, so that it is text
        children.append(kind(text))

    def start_cdata(self) -> None:
        self.text = CData

    def end_cdata(self) -> None:
        self.text = str
