"""Elements -> plain values, by the nodes of their schemas; the way back of ``encode``.

Rule 1: nothing that arrived is lost where the schema leaves room for it: an element that no schema describes comes
under its own name, and an element that comes twice though it should come once is a list, for validation to judge.
Rule 2: an element is found by its local name; its namespace decides where two have the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dynclient import _schemas
from dynclient.codecs import shapes
from dynclient.codecs.xml import nodes, scalars
from dynclient.codecs.xml.nodes import Node
from dynclient.codecs.xml.tree import XML, XSI, CData, Element
from dynclient.exceptions import DecodeError
from dynclient.model import Schema

_BLANK = " \t\r\n"
_ABSENT: Any = _schemas.MISSING


def value(root: Element, schema: Schema) -> Any:
    """The value of a document's root element.

    Raises:
        DecodeError: the root has another name than the one that ``xml.name`` gives it.
    """
    node = nodes.root(schema)
    hints = node.shape.xml
    if hints is not None and hints.name and root.name != node.name:
        raise DecodeError(f"the body's root element is {root.name[:80]!r} where {node.name!r} is documented")
    try:
        return _value(root, node)
    except RecursionError:
        raise DecodeError("the body nests too deep") from None


def _value(element: Element, node: Node) -> Any:
    if element.nil:
        return None
    shape = nodes.branch(node.shape, lambda each: _fit(each, element), lambda name: _tag(element, node, name))
    inner = any(element.elements())
    if shapes.is_array(shape) or ("array" in shape.types and inner):
        return _items(_queue(element), node, shape)
    if shapes.is_object(shape) and (inner or shape.types - {"null"} == {"object"} or not shape.types):
        return _members(element, shape)
    if inner or shapes.is_any(shape):
        return undescribed(element)
    return scalars.read(node.schema, shape, element.text())


def undescribed(element: Element) -> Any:
    """What an element says by itself: its text, or a mapping of its elements, attributes and text."""
    if element.nil:
        return None
    found: dict[str, Any] = {
        f"@{each.name}": each.value for each in element.attributes if each.namespace not in {XSI, XML}
    }
    _put(found, [(child.name, undescribed(child)) for child in element.elements()])
    text = element.text()
    if not found:
        return text
    if text.strip(_BLANK):
        found["#text"] = text
    return found


def _put(found: dict[str, Any], values: Iterable[tuple[str, Any]]) -> None:
    """Put values under their names; those that share one make a list."""
    named: dict[str, list[Any]] = {}
    for name, each in values:
        named.setdefault(name, []).append(each)
    for name, several in named.items():
        found[name] = several[0] if len(several) == 1 else several


def _queue(element: Element) -> list[Element | str]:
    return [child for child in element.children if isinstance(child, Element) or child.strip(_BLANK)]


def _items(children: list[Element | str], node: Node, shape: _schemas.Shape) -> list[Any]:
    """The items that an element's children are, in order."""
    found: list[Any] = []
    waiting = list(reversed(children))
    while waiting:
        child = waiting.pop()
        item = nodes.item(node, shape, len(found))
        if isinstance(child, Element):
            if item is not None and item.kind in {"text", "cdata"} and len(found) < len(shape.prefix_items):
                found.append("")  # a text that is empty leaves nothing behind
                waiting.append(child)
            else:
                found.append(_value(child, item) if item is not None else undescribed(child))
        else:
            found.append(scalars.read(item.schema, item.shape, child) if item is not None else child)
    return found


class _Taking:
    """One element whose children are being given to the properties that describe them."""

    def __init__(self, element: Element, shape: _schemas.Shape) -> None:
        self.element = element
        self.shape = shape
        self.described = nodes.property_nodes(shape)
        self.taken: set[int] = set()
        self.attributes: set[str] = set()
        self.text_taken = False
        self.named = {each.name for _, each in self.described if each.kind == "element"}

    def hits(self, node: Node) -> list[Element]:
        """The children that are the node's, by namespace where one is given, else by name, else by the other name."""
        free = [child for child in self.element.elements() if id(child) not in self.taken]
        found = [child for child in free if child.name == node.name]
        if node.namespace is not None:
            found = [child for child in found if child.namespace == node.namespace] or found
        if not found and node.other_name and node.other_name not in self.named:
            found = [child for child in free if child.name == node.other_name]
        return found

    def take(self, node: Node) -> list[Element]:
        found = self.hits(node)
        self.taken.update(map(id, found))
        return found

    def left(self) -> Iterator[Element]:
        return (child for child in self.element.elements() if id(child) not in self.taken)


def _members(element: Element, shape: _schemas.Shape) -> dict[str, Any]:
    taking = _Taking(element, shape)
    found = _described(taking)
    left = [(child, nodes.undescribed(shape, child.name)) for child in taking.left()]
    _put(found, [(child.name, _value(child, node) if node else undescribed(child)) for child, node in left])
    _rest(taking, found)
    return found


def _described(taking: _Taking) -> dict[str, Any]:
    """The properties that the shape names, in its order."""
    # Those with a namespace choose first, for one without would take all of its name.
    order = sorted(taking.described, key=lambda pair: pair[1].namespace is None)
    taken = {name: TAKE.get(node.kind, _take_element)(taking, node, name) for name, node in order}
    return {name: taken[name] for name, _ in taking.described if taken[name] is not _ABSENT}


def _rest(taking: _Taking, found: dict[str, Any]) -> None:
    """Keep text and attributes that the schema does not describe, where it allows for more."""
    text = taking.element.text()
    if not taking.text_taken and text.strip(_BLANK):
        found["#text"] = text
    if taking.shape.additional is True:
        for each in taking.element.attributes:
            if each.name not in taking.attributes and each.namespace not in {XSI, XML}:
                found[f"@{each.name}"] = each.value


def _take_element(taking: _Taking, node: Node, name: str) -> Any:  # noqa: ARG001  # every kind's arguments
    hits = taking.take(node)
    values = [_value(child, node) for child in hits]
    return values[0] if len(values) == 1 else values or _ABSENT


def _take_attribute(taking: _Taking, node: Node, name: str) -> Any:  # noqa: ARG001  # every kind's arguments
    text = taking.element.attribute(node.name, node.namespace)
    taking.attributes.add(node.name)
    if text is not None:
        return scalars.read(node.schema, node.shape, text)
    # OAS 3.2, XML Object, Handling null Values: an attribute left out is null where the schema allows for that.
    return None if "null" in node.shape.types else _ABSENT


def _take_text(taking: _Taking, node: Node, name: str) -> Any:
    taking.text_taken = True
    text = taking.element.text()
    if any(taking.element.elements()) and not any(isinstance(child, CData) for child in taking.element.children):
        text = text.strip(_BLANK)
    if not text and name not in taking.shape.required:
        return _ABSENT
    return scalars.read(node.schema, node.shape, text)


def _take_nothing(taking: _Taking, node: Node, name: str) -> Any:
    """A value that has no node of its own: its nodes stand among those of the element."""
    if shapes.is_array(node.shape):
        return _take_items(taking, node, name)
    if not shapes.is_object(node.shape):
        return _take_text(taking, node, name)
    inner = _Taking(taking.element, node.shape)
    inner.taken, inner.attributes = taking.taken, taking.attributes
    found = _described(inner)
    taking.text_taken = taking.text_taken or inner.text_taken
    return found if found or name in taking.shape.required else _ABSENT


def _take_items(taking: _Taking, node: Node, name: str) -> Any:
    """The items of an array that no element encloses: all children that an item's node names."""
    item = nodes.item(node, node.shape, 0) or node._replace(kind="element", other_name=None)
    described = nodes.item(node, node.shape, 0) is not None
    if item.kind in {"text", "cdata"}:
        taking.text_taken = True
        return [
            scalars.read(item.schema, item.shape, child) for child in taking.element.children if isinstance(child, str)
        ]
    hits = taking.take(item)
    if len(hits) == 1 and hits[0].nil and "null" in node.shape.types and "null" not in item.shape.types:
        return None
    if not hits:
        # XML can't tell an empty list from none.
        return [] if name in taking.shape.required else _ABSENT
    return [_value(child, item) if described else undescribed(child) for child in hits]


TAKE: dict[str, Callable[[_Taking, Node, str], Any]] = {
    "element": _take_element,
    "attribute": _take_attribute,
    "text": _take_text,
    "cdata": _take_text,
    "none": _take_nothing,
}


def _tag(element: Element, node: Node, name: str) -> Any:
    """The value of a discriminating property, before it is known which schema describes it."""
    schema = node.shape.properties.get(name)
    tag = nodes.node(schema, name) if schema is not None else None
    if tag is not None and tag.kind == "attribute":
        return element.attribute(tag.name, tag.namespace)
    wanted = {name, tag.name} if tag is not None else {name}
    inner = next((child.text() for child in element.elements() if child.name in wanted), None)
    return inner if inner is not None else element.attribute(name)


def _fit(shape: _schemas.Shape, element: Element) -> float:
    """How well a shape fits an element: below 0 not at all, and else the better the more it describes."""
    names = {child.name for child in element.elements()}
    if element.nil:
        return 1 if "null" in shape.types else 0
    if not shapes.is_object(shape):
        return _fit_other(shape, element, inner=bool(names))
    described = 0
    for name, node in nodes.property_nodes(shape):
        present = _text_at(element, node)
        if present is None:
            described -= 2 * (name in shape.required and not shapes.is_array(node.shape))
        elif _differs(node.shape, present):
            return -1
        else:
            described += 1
    return described + (0.5 if names else 0)


def _fit_other(shape: _schemas.Shape, element: Element, *, inner: bool) -> float:
    if shapes.is_array(shape):
        return 0.5 if inner else 0.1
    if inner:
        return -2 if shape.types else 0
    text = element.text()
    read = scalars.read(shape.schema, shape, text)
    if shape.enum is not None:
        return 2 if read in shape.enum else -1
    # A number or boolean that could be read says more than a text.
    return 1 if not isinstance(read, str) else 0.6 if "string" in shape.types else -1


def _text_at(element: Element, node: Node) -> str | None:
    """The text of the element or attribute that a node would be, or None where there is none."""
    if node.kind == "attribute":
        return element.attribute(node.name, node.namespace)
    if node.kind in {"text", "cdata"}:
        return element.text() or None
    name = node.name
    if shapes.is_array(node.shape) and node.kind == "none":
        item = nodes.item(node, node.shape, 0)
        name = item.name if item is not None else name
    return next((child.text() for child in element.elements() if child.name == name), None)


def _differs(shape: _schemas.Shape, text: str) -> bool:
    allowed = shape.enum if shape.enum is not None else (shape.const,) if shape.const is not _ABSENT else None
    return allowed is not None and all(
        scalars.written(each) != text for each in allowed if not isinstance(each, (list, dict))
    )
