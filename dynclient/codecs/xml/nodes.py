"""Schema -> XML node: what a schema's value is in a document, its name there (OAS 3.2, XML Object), and its text.

Rule 1: an explicit ``xml.name`` goes before the inferred name. It may be the schema's own, or that of the component
that a ``$ref`` points to.
Rule 2: the inferred name is the property's, also for the items of an array. 3.2 prefers the component's for a
``$ref``; 3.0 and 3.1 have no such rule, so it is only accepted when reading, if nothing has the first name.
Rule 3: a root without a name gets its component's name, else its title, else ``root``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient import _schemas
from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.codecs import shapes
from dynclient.codecs.text import scalar
from dynclient.codecs.xml.syntax import BLANK, is_name
from dynclient.exceptions import EncodeError
from dynclient.model import Schema

_PLUS = expression(r"^\+(?=[0-9.])")
_BITS = {"1": "true", "0": "false"}
_MOST_BRANCHES = 16


class Node(Record):
    """What a schema's value is in XML. ``kind`` is the nodeType; ``name`` is for elements and attributes only.

    ``other_name`` is the component's name if that is another one.
    """

    kind: str
    name: str
    namespace: str | None
    prefix: str | None
    schema: Schema
    shape: _schemas.Shape
    other_name: str | None = None


def node(schema: Schema, inferred: str) -> Node:
    """The node of a schema; ``inferred`` is its name if the schema gives none."""
    known = _schemas.cache(schema.references, "xml nodes")
    key = (schema.uri, inferred)
    if key not in known:
        known[key] = _node(schema, inferred)
    found: Node = known[key]
    return found


def root(schema: Schema) -> Node:
    """The node of a whole document: always an element."""
    seen = shapes.sole(schema)
    title = seen.title if seen.title and is_name(seen.title) else None
    found = _node(schema, _schemas.shape(schema).name or seen.name or title or "root", wrapped=True)
    return found._replace(kind="element")


def item(owner: Node, shape: _schemas.Shape, index: int) -> Node | None:
    """The node of an array's item; None if the schema does not describe it."""
    schema = shapes.item_schema(shape, index)
    if schema is None:
        return None
    found = node(schema, owner.name)
    # An array in an array, both without an element, could not be told apart when read.
    return found._replace(kind="element") if found.kind == "none" and shapes.is_array(found.shape) else found


def property_nodes(shape: _schemas.Shape) -> list[tuple[str, Node]]:
    """The properties that a shape names, each with its node."""
    return [(name, node(schema, name)) for name, schema in shape.properties.items()]


def undescribed(shape: _schemas.Shape, name: str) -> Node | None:
    """The node of a property that a shape does not name; None if it does not describe it."""
    schema = shapes.property_schema(shape, name)
    return node(schema, name) if schema is not None else None


def branch(
    shape: _schemas.Shape, score: Callable[[_schemas.Shape], float], tag: Callable[[str], Any]
) -> _schemas.Shape:
    """Decide among ``oneOf``, ``anyOf`` and discriminated schemas: the shape merged with the branch that fits best.

    ``score`` says how well a shape fits (below 0: not at all); ``tag`` returns the value of the property that
    discriminates.
    """
    for _ in range(_MOST_BRANCHES):
        tagged = shape.discriminator
        if tagged is not None:
            schema = tagged.mapping.get(str(tag(tagged.property_name)), tagged.default)
            if schema is not None and (picked := _schemas.shape(schema)).schema != shape.schema:
                shape = picked if tagged.inherited else _merged(shape, picked)
                continue
        branches = [_schemas.shape(schema) for schema in (shape.one_of or shape.any_of)]
        if not branches:
            break
        best = max(branches, key=score)
        shape = _merged(shape, best)
    return shape


def _merged(shape: _schemas.Shape, chosen: _schemas.Shape) -> _schemas.Shape:
    return chosen._replace(
        types=chosen.types or shape.types,
        properties={**shape.properties, **chosen.properties},
        required=shape.required | chosen.required,
        additional=chosen.additional if chosen.additional is not True else shape.additional,
        items=chosen.items or shape.items,
        xml=shape.xml or chosen.xml,
    )


def _node(schema: Schema, inferred: str, *, wrapped: bool = False) -> Node:
    seen = shapes.sole(schema)
    hints = seen.xml or _schemas.XMLHints()
    array = shapes.is_array(seen) and not hints.wrapped
    kind = hints.node_type or ("attribute" if hints.attribute else "none" if array else "element")
    # OAS 3.1.1, XML Object: the name of an array that is not wrapped is ignored.
    name = hints.name if hints.name and (kind != "none" or wrapped) else inferred
    prefix, colon, local = name.rpartition(":")
    if colon:
        hints = hints._replace(prefix=hints.prefix or prefix)
    other = seen.name if seen.name not in {None, local} else None
    return Node(kind, local, hints.namespace, hints.prefix, schema, seen, other)


# -- scalars -----------------------------------------------------------------------------------------------------------


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


def read_scalar(schema: Schema, shape: _schemas.Shape, found: str) -> Any:
    """The value of a text by its schema. XML Schema 2: ``1`` is true, ``+5`` is 5, spaces count in strings only."""
    if shapes.is_array(shape):
        words = found.split()
        return [_schemas.typed(shape.items, word) if shape.items is not None else word for word in words]
    types = shape.types - {"null"}
    if types and "string" not in types:
        found = _PLUS.sub("", found.strip(BLANK), count=1)
        if types == {"boolean"}:
            found = _BITS.get(found, found)
    return _schemas.typed(schema, found)
