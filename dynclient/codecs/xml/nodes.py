"""Schema -> XML node: what a schema's value is in a document, and how it is called there (OAS 3.2, XML Object).

Rule 1: an explicit ``xml.name`` goes before the name inferred, be it the schema's own or that of the component that a
``$ref`` leads to.
Rule 2: the inferred name is the property's, for the items of an array too. 3.2 would rather have the component's for a
``$ref``; 3.0 and 3.1 know no such rule, so that it is only taken while reading, where nothing has the first name.
Rule 3: a root that has no name is called by its component, else by its title, else ``root``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient import _schemas
from dynclient._records import Record
from dynclient.codecs import shapes
from dynclient.codecs.xml.tree import Element
from dynclient.codecs.xml.writing import is_name
from dynclient.model import Schema

_MOST_BRANCHES = 16


class Node(Record):
    """What a schema's value is in XML. ``kind`` is the nodeType; ``name`` counts for elements and attributes only.

    ``other_name`` is the component's, where that is another.
    """

    kind: str
    name: str
    namespace: str | None
    prefix: str | None
    schema: Schema
    shape: _schemas.Shape
    other_name: str | None = None

    def names(self, element: Element) -> bool:
        """Tell whether an element has this name, whatever its namespace."""
        return element.name == self.name

    def element(self) -> Element:
        """An empty element of this name."""
        return Element(self.name, self.namespace, self.prefix)


def node(schema: Schema, inferred: str) -> Node:
    """The node of a schema that would be called so by where it stands."""
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
    """The node of an array's item; None where the schema says nothing of it."""
    schema = shapes.item_schema(shape, index)
    if schema is None:
        return None
    found = node(schema, owner.name)
    # An array in an array, both without an element, could not be told apart again.
    return found._replace(kind="element") if found.kind == "none" and shapes.is_array(found.shape) else found


def property_nodes(shape: _schemas.Shape) -> list[tuple[str, Node]]:
    """Each property that a shape names, with its node."""
    return [(name, node(schema, name)) for name, schema in shape.properties.items()]


def undescribed(shape: _schemas.Shape, name: str) -> Node | None:
    """The node of a property that a shape does not name; None where it says nothing of it."""
    schema = shapes.property_schema(shape, name)
    return node(schema, name) if schema is not None else None


def branch(
    shape: _schemas.Shape, score: Callable[[_schemas.Shape], float], tag: Callable[[str], Any]
) -> _schemas.Shape:
    """Decide among ``oneOf``, ``anyOf`` and discriminated schemas: the shape merged with the branch that fits best.

    ``score`` tells how well a shape fits (below 0: not at all), ``tag`` gives the value of the discriminating property.
    """
    for _ in range(_MOST_BRANCHES):
        picked = _picked(shape, tag)
        if picked is not None and picked.schema != shape.schema:
            shape = picked if shape.discriminator and shape.discriminator.inherited else _merged(shape, picked)
            continue
        branches = [_schemas.shape(schema) for schema in (shape.one_of or shape.any_of)]
        if not branches:
            break
        best = max(branches, key=score)
        shape = _merged(shape, best)
    return shape


def _picked(shape: _schemas.Shape, tag: Callable[[str], Any]) -> _schemas.Shape | None:
    if shape.discriminator is None:
        return None
    schema = shape.discriminator.mapping.get(str(tag(shape.discriminator.property_name)), shape.discriminator.default)
    return _schemas.shape(schema) if schema is not None else None


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
