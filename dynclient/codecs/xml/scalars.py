"""Scalars <-> the text of an element or attribute."""

from __future__ import annotations

from typing import Any

from dynclient import _schemas
from dynclient._expressions import expression
from dynclient.codecs import shapes, text
from dynclient.exceptions import EncodeError
from dynclient.model import Schema

_BLANK = " \t\r\n"
_PLUS = expression(r"\+(?=[0-9.])")
_BITS = {"1": "true", "0": "false"}


def written(value: Any) -> str:
    """A scalar's text; a list of scalars is parted by blanks, as an xs:list is.

    Raises:
        EncodeError: the value has no such form.
    """
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(each, (list, dict)) for each in value):
        return " ".join(map(written, value))
    if isinstance(value, (list, dict)):
        raise EncodeError(f"a {type(value).__name__} can't be an XML attribute or text")
    return text.scalar(value)


def read(schema: Schema, shape: _schemas.Shape, found: str) -> Any:
    """A text's value by its schema. XML Schema 2: ``1`` is true, ``+5`` is 5, and blanks count in strings only."""
    if shapes.is_array(shape):
        words = found.split()
        return [_schemas.typed(shape.items, word) if shape.items is not None else word for word in words]
    types = shape.types - {"null"}
    if types and "string" not in types:
        found = (
            _PLUS.sub("", found.strip(_BLANK), count=1) if found.strip(_BLANK).startswith("+") else found.strip(_BLANK)
        )
        if types == {"boolean"}:
            found = _BITS.get(found, found)
    return _schemas.typed(schema, found)
