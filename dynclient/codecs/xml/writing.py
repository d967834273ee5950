"""A tree of elements -> the text of a document.

Names and characters are checked here, since they come from values: what XML 1.0 can't hold is an EncodeError, and
nothing that a value says can end its own element.
"""

from __future__ import annotations

from collections.abc import Mapping

from dynclient._expressions import expression
from dynclient.codecs.xml.tree import XML, Attribute, CData, Element
from dynclient.exceptions import EncodeError

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

Scope = Mapping[str, str]
"""Prefix to namespace, as far as declared; the prefix ``""`` is the default namespace."""


def render(root: Element) -> str:
    """Write a document, without a declaration.

    Raises:
        EncodeError: a name is none in XML, or a text holds a character that XML can't.
    """
    pieces: list[str] = []
    try:
        _write(root, {"xml": XML}, pieces)
    except RecursionError:
        raise EncodeError("the body nests too deep to be written as XML") from None
    return "".join(pieces)


def declaration(charset: str) -> str:
    """The XML declaration of a document in a charset."""
    return f'<?xml version="1.0" encoding="{charset}"?>\n'


def is_name(text: str) -> bool:
    """Tell whether a text can be the name of an element or attribute."""
    return _NAME.fullmatch(text) is not None


def _write(element: Element, scope: Scope, pieces: list[str]) -> None:
    inner = dict(scope)
    name = _qualified(element.name, element.namespace, element.prefix, inner, attribute=False)
    attributes = [(_attribute_name(each, inner), each.value) for each in element.attributes]
    declared = [
        (f"xmlns:{prefix}" if prefix else "xmlns", namespace)
        for prefix, namespace in inner.items()
        if scope.get(prefix) != namespace
    ]
    start = "".join(f' {key}="{_checked(value).translate(_IN_VALUE)}"' for key, value in (*declared, *attributes))
    if not element.children:
        pieces.append(f"<{name}{start}/>")
        return
    pieces.append(f"<{name}{start}>")
    for child in element.children:
        if isinstance(child, Element):
            _write(child, inner, pieces)
        else:
            pieces.append(_text(child))
    pieces.append(f"</{name}>")


def _attribute_name(attribute: Attribute, scope: dict[str, str]) -> str:
    return _qualified(attribute.name, attribute.namespace or None, attribute.prefix, scope, attribute=True)


def _qualified(name: str, namespace: str | None, prefix: str | None, scope: dict[str, str], *, attribute: bool) -> str:
    """A name with its prefix; a prefix that is not declared yet is put in the scope."""
    _check_name(name)
    if prefix is not None:
        _check_name(prefix)
    if namespace is None:
        # A prefix that nothing declares can't be written: namespace-aware readers refuse the document.
        return f"{prefix}:{name}" if prefix in scope else name
    if prefix is None and attribute:
        # Namespaces in XML 1.0, 6.2: the default namespace does not apply to attributes.
        prefix = next((known for known, value in scope.items() if known and value == namespace), None) or _unused(scope)
    scope[prefix or ""] = namespace
    return f"{prefix}:{name}" if prefix else name


def _unused(scope: Scope) -> str:
    return next(prefix for prefix in (f"ns{number}" for number in range(1, len(scope) + 2)) if prefix not in scope)


def _check_name(name: str) -> None:
    if not is_name(name):
        raise EncodeError(f"{name[:80]!r} can't be the name of an XML element or attribute")


def _checked(text: str) -> str:
    fault = _NO_CHARACTER.search(text)
    if fault is not None:
        raise EncodeError(f"XML can't hold the character U+{ord(fault.group()):04X}")
    return text


def _text(text: str) -> str:
    if isinstance(text, CData):
        # XML 1.0, 2.7 and 2.11: a section ends at its first "]]>", and a carriage return in it would be read as a line
        # feed: both go between two sections.
        inner = _checked(text).replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[")
        return f"<![CDATA[{inner}]]>"
    return _checked(text).translate(_IN_TEXT)
