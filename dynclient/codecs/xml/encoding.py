"""Plain values -> elements, by the nodes of their schemas; without a schema by the names alone.

What no schema describes has a form of its own, which reading gives back: ``"@name"`` is an attribute and ``"#text"``
the text of a mapping, a list under a name is that element repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynclient import _schemas
from dynclient.codecs import shapes
from dynclient.codecs.xml import nodes, scalars
from dynclient.codecs.xml.nodes import Node
from dynclient.codecs.xml.tree import XSI, Attribute, CData, Element
from dynclient.exceptions import EncodeError
from dynclient.model import Schema

NIL = Attribute("nil", "true", XSI, "xsi")

TYPES: dict[type, frozenset[str]] = {
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number", "integer"}),
    str: frozenset({"string"}),
    list: frozenset({"array"}),
    dict: frozenset({"object"}),
    type(None): frozenset({"null"}),
}


def element(value: Any, schema: Schema) -> Element:
    """The root element of a value.

    Raises:
        EncodeError: the value has no form in XML.
    """
    try:
        return _element(value, nodes.root(schema))
    except RecursionError:
        raise EncodeError("the body nests too deep to be written as XML") from None


def _element(value: Any, node: Node) -> Element:
    result = node.element()
    _fill(result, value, node)
    return result


def _fill(parent: Element, value: Any, node: Node) -> None:
    """Write a value as the contents of an element."""
    if value is None:
        parent.attributes.append(NIL)
    elif isinstance(value, dict):
        _members(parent, value, node)
    elif isinstance(value, list):
        _items(parent, value, node)
    else:
        _text(parent, value)


def _add_element(parent: Element, value: Any, node: Node) -> None:
    parent.children.append(_element(value, node))


def _add_attribute(parent: Element, value: Any, node: Node) -> None:
    # OAS 3.2, XML Object, Handling null Values: an attribute that is null is left out.
    if value is not None:
        parent.attributes.append(Attribute(node.name, scalars.written(value), node.namespace or "", node.prefix))


def _add_text(parent: Element, value: Any, node: Node) -> None:  # noqa: ARG001  # every kind's arguments
    _text(parent, value)


def _add_cdata(parent: Element, value: Any, node: Node) -> None:  # noqa: ARG001  # every kind's arguments
    parent.children.append(CData(scalars.written(value)))


def _add_nothing(parent: Element, value: Any, node: Node) -> None:
    """No node of its own: what is in the value goes right into the parent."""
    if value is None and shapes.is_array(node.shape):
        item = nodes.item(node, node.shape, 0)
        _fill_new(parent, None, item, node.name)
    elif value is not None:
        _fill(parent, value, node)


ADD: dict[str, Callable[[Element, Any, Node], None]] = {
    "element": _add_element,
    "attribute": _add_attribute,
    "text": _add_text,
    "cdata": _add_cdata,
    "none": _add_nothing,
}


def _add(parent: Element, value: Any, node: Node) -> None:
    ADD.get(node.kind, _add_element)(parent, value, node)


def _text(parent: Element, value: Any) -> None:
    text = scalars.written(value)
    if text:
        parent.children.append(text)


def _items(parent: Element, values: list[Any], node: Node) -> None:
    shape = nodes.branch(node.shape, lambda each: fit(each, values), lambda _: None)
    for index, value in enumerate(values):
        _fill_new(parent, value, nodes.item(node, shape, index), node.name)


def _fill_new(parent: Element, value: Any, node: Node | None, name: str) -> None:
    """Add a value by its node, or as an element of a name where it has none."""
    if node is not None:
        _add(parent, value, node)
    else:
        _undescribed(parent, name, value)


def _members(parent: Element, value: Mapping[str, Any], node: Node) -> None:
    shape = nodes.branch(node.shape, lambda each: fit(each, value), value.get)
    described = dict(nodes.property_nodes(shape))
    # The schema's order first, since readers of XML often insist on one.
    for name, each in described.items():
        if name in value:
            _add(parent, value[name], each)
    for name, each in value.items():
        if name not in described:
            _extra(parent, name, each, shape)


def _extra(parent: Element, name: str, value: Any, shape: _schemas.Shape) -> None:
    node = nodes.undescribed(shape, name) if name[:1] not in {"@", "#"} else None
    _fill_new(parent, value, node, name)


def _undescribed(parent: Element, name: str, value: Any) -> None:
    """Add what no schema describes, under a name."""
    if name == "#text":
        _text(parent, value)
        return
    if name.startswith("@"):
        if value is not None:
            parent.attributes.append(Attribute(name[1:], scalars.written(value)))
        return
    for each in value if isinstance(value, list) else [value]:
        child = Element(name)
        parent.children.append(child)
        if each is None:
            child.attributes.append(NIL)
        elif isinstance(each, list):
            _undescribed(child, name, each)
        elif isinstance(each, dict):
            for key, inner in each.items():
                _undescribed(child, key, inner)
        else:
            _text(child, each)


def fit(shape: _schemas.Shape, value: Any) -> float:
    """How well a shape fits a value: below 0 not at all, and else the better the more it describes."""
    types = TYPES.get(type(value), frozenset())
    if shape.types and not shape.types & types:
        return -2
    if not isinstance(value, Mapping):
        return 1 if shape.types else 0
    if any(_differs(_schemas.shape(schema), value[name]) for name, schema in shape.properties.items() if name in value):
        return -1
    described = sum(name in value for name in shape.properties)
    return described - 0.5 * len(value) * (len(shape.required - value.keys()) > 0) + 0.1


def _differs(shape: _schemas.Shape, value: Any) -> bool:
    """Tell whether a constant says that a value is not meant."""
    if shape.const is not _schemas.MISSING:
        return bool(shape.const != value)
    return shape.enum is not None and value not in shape.enum
