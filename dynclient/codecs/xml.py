"""XML (``application/xml``, ``text/xml`` and the suffix ``+xml``), by the XML Object of OpenAPI.

Values are the same plain values as in JSON. If the schema is a string without its own ``xml`` object, the value is the
document's text. Text that begins with ``<``, bytes and elements of ElementTree or lxml are documents already, which are
checked for well-formedness and sent unchanged.

Rule 1: an explicit ``xml.name`` takes precedence over the inferred name. It may be the schema's own, or that of the
component that a ``$ref`` points to.
Rule 2: the inferred name is the property's, also for the items of an array. 3.2 prefers the component's for a
``$ref``; 3.0 and 3.1 have no such rule, so it is only accepted when reading, if nothing has the first name.
Rule 3: a root without a name gets its component's name, else its title, else ``root``.
Rule 4: a value that no schema describes is written so that it can be read again: ``"@name"`` is an attribute,
``"#text"`` the text of a mapping, a list under a name is that element repeated.
Rule 5: received elements are not lost if the schema allows additional ones: an element that no schema describes is
under its own name, and an element that occurs more often than it should is a list, which validation reports.
Rule 6: an element is found by its local name; its namespace decides between two of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dynclient import _schemas
from dynclient._deferred import expression
from dynclient._json_types import TYPES
from dynclient._negotiation import encode_text
from dynclient._records import Record
from dynclient._schemas import shapes
from dynclient.codecs import xml_syntax as syntax
from dynclient.codecs.codec import Codec, Encoded
from dynclient.codecs.xml_syntax import BLANK, XML, XSI, Attribute, CData, Element, is_name, write_scalar
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of
from dynclient.model import MediaType, Schema
from dynclient.options import Limits
from dynclient.transports.clock import look


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a value as a document: in UTF-8 with a declaration, or in the content type's own charset.

    Raises:
        EncodeError: the value can't be written in XML, or is a document that is not well-formed.
    """
    schema = media_type.schema
    # The value is a document although the schema describes a node; then the value of the node can't be a string.
    is_document = syntax.is_document(value) and schema is not None and "string" not in _schemas.shape(schema).types
    if syntax.is_element(value) or schema is None or is_text(schema) or is_document:
        if not (syntax.is_element(value) or isinstance(value, (str, bytes, bytearray))):
            raise EncodeError(f"a {type(value).__name__} is not an XML document, and no schema says how to write one")
        return Encoded(syntax.document_body(value, content_type), content_type)
    text = syntax.render(encoded(value, schema))
    charset = charset_of(content_type) or "UTF-8"
    return Encoded(encode_text(f'<?xml version="1.0" encoding="{charset}"?>\n{text}', charset), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a document: a plain value, or its text if the schema is a string or does not describe it.

    Raises:
        DecodeError: it is not well-formed, has a DOCTYPE, is nested too deeply, or has another root than documented.
    """
    text = syntax.text_of(body, content_type)
    if not text.strip():
        raise DecodeError("the body is empty where XML is documented", offset=0)
    if media_type is None or media_type.schema is None or is_text(media_type.schema):
        syntax.check(text, limits)
        return text
    return decoded(syntax.parse(text, limits), media_type.schema)


def value_of(document: Any, media_type: MediaType, content_type: str, limits: Limits) -> Any:
    """The plain value of a caller's document (text, bytes or an element), for validation.

    Raises:
        EncodeError: it is not well-formed, or has a DOCTYPE.
    """
    encoded = syntax.document_body(document, content_type)
    try:
        return decode(encoded, media_type, content_type, limits)
    except DecodeError as error:
        raise EncodeError(error.message) from None


def is_text(schema: Schema) -> bool:
    """Whether a schema's value is a document's text: a string without an ``xml`` object, an enum or a const."""
    shape = _schemas.shape(schema)
    if shape.xml is not None or shape.fixed is not None:
        return False
    if shape.types:
        return shape.types <= {"string", "null"}
    return not (shape.properties or shape.required or shape.items or shape.prefix_items or shape.one_of or shape.any_of)


CODEC = Codec("xml", encode, decode)


_PLUS = expression(r"^\+(?=[0-9.])")
_BITS = {"1": "true", "0": "false"}
_MOST_BRANCHES = 16


class Node(Record):
    """The XML node of a schema's value. ``kind`` is the nodeType; ``name`` is for elements and attributes only.

    ``other_name`` is the component's name if that is another one.
    """

    kind: str
    name: str
    namespace: str | None
    prefix: str | None
    schema: Schema
    shape: _schemas.Shape
    other_name: str | None = None


def node_of(schema: Schema, inferred: str) -> Node:
    """The node of a schema; ``inferred`` is its name if the schema gives none."""
    known = _schemas.cache(schema.references, "xml nodes")
    key = (schema.uri, inferred)
    if key not in known:
        known[key] = _node(schema, inferred)
    found: Node = known[key]
    return found


def root_node(schema: Schema) -> Node:
    """The node of a whole document: always an element."""
    seen = shapes.sole(schema)
    title = seen.title if seen.title and is_name(seen.title) else None
    found = _node(schema, _schemas.shape(schema).name or seen.name or title or "root", wrapped=True)
    return found._replace(kind="element")


def item_node(owner: Node, shape: _schemas.Shape, index: int) -> Node | None:
    """The node of an array's item; None if the schema does not describe it."""
    schema = shapes.item_schema(shape, index)
    if schema is None:
        return None
    found = node_of(schema, owner.name)
    # Two nested arrays without elements of their own could not be distinguished when read.
    return found._replace(kind="element") if found.kind == "none" and shapes.is_array(found.shape) else found


def property_nodes(shape: _schemas.Shape) -> list[tuple[str, Node]]:
    """The properties that a shape names, each with its node."""
    return [(name, node_of(schema, name)) for name, schema in shape.properties.items()]


def undescribed_node(shape: _schemas.Shape, name: str) -> Node | None:
    """The node of a property that a shape does not name; None if it does not describe it."""
    schema = shapes.property_schema(shape, name)
    return node_of(schema, name) if schema is not None else None


def branch(
    shape: _schemas.Shape, score: Callable[[_schemas.Shape], float], tag: Callable[[str], Any]
) -> _schemas.Shape:
    """Decide among ``oneOf``, ``anyOf`` and discriminated schemas: the shape merged with the branch that fits best.

    ``score`` says how well a shape fits (below 0: not at all); ``tag`` returns the value of the discriminator's
    property.
    """
    for _ in range(_MOST_BRANCHES):
        tagged = shape.discriminator
        if tagged is not None:
            schema = tagged.mapping.get(str(tag(tagged.property_name)), tagged.default)
            if schema is not None and (picked := _schemas.shape(schema)).schema != shape.schema:
                shape = picked if tagged.inherited else shapes.with_branch(shape, picked)
                continue
        branches = [_schemas.shape(schema) for schema in (shape.one_of or shape.any_of)]
        if not branches:
            break
        best = max(branches, key=score)
        shape = shapes.with_branch(shape, best)
    return shape


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


NIL = Attribute("nil", "true", XSI, "xsi")


def encoded(value: Any, schema: Schema) -> Element:
    """The root element of a value.

    Raises:
        EncodeError: the value can't be written in XML.
    """
    try:
        return _element(value, root_node(schema))
    except RecursionError:
        raise EncodeError("the body is nested too deeply to be written as XML") from None


def _element(value: Any, node: Node) -> Element:
    result = Element(node.name, node.namespace, node.prefix)
    _fill(result, value, node)
    return result


def _fill(parent: Element, value: Any, node: Node) -> None:
    """Write a value as the contents of an element."""
    if value is None:
        parent.attributes.append(NIL)
    elif isinstance(value, dict):
        _add_members(parent, value, node)
    elif isinstance(value, list):
        _add_items(parent, value, node)
    else:
        _add_text(parent, value)


def _add_text(parent: Element, value: Any) -> None:
    text = write_scalar(value)
    if text:
        parent.children.append(text)


def _add_items(parent: Element, values: list[Any], node: Node) -> None:
    shape = branch(node.shape, lambda each: _fit_of_value(each, values), lambda _: None)
    for index, value in enumerate(values):
        _add(parent, value, item_node(node, shape, index), node.name)


def _add(parent: Element, value: Any, node: Node | None, name: str) -> None:
    """Add a value by its node, or under a name if no schema describes it."""
    if node is None:
        _add_undescribed(parent, name, value)
    elif node.kind == "attribute":
        # OAS 3.2, XML Object, Handling null Values: an attribute that is null is left out.
        if value is not None:
            parent.attributes.append(Attribute(node.name, write_scalar(value), node.namespace or "", node.prefix))
    elif node.kind == "text":
        _add_text(parent, value)
    elif node.kind == "cdata":
        parent.children.append(CData(write_scalar(value)))
    elif node.kind != "none":
        parent.children.append(_element(value, node))
    # A value without a node: its content is added to the parent.
    elif value is not None:
        _fill(parent, value, node)
    elif shapes.is_array(node.shape):
        _add(parent, None, item_node(node, node.shape, 0), node.name)


def _add_members(parent: Element, value: Mapping[str, Any], node: Node) -> None:
    shape = branch(node.shape, lambda each: _fit_of_value(each, value), value.get)
    described = dict(property_nodes(shape))
    # In the schema's order, since readers of XML often require it.
    for name, each in described.items():
        if name in value:
            _add(parent, value[name], each, name)
    for name in (name for name in value if name not in described):
        _add(parent, value[name], None if name[:1] in {"@", "#"} else undescribed_node(shape, name), name)


def _add_undescribed(parent: Element, name: str, value: Any) -> None:
    """Add a value that no schema describes, under a name."""
    if name == "#text":
        _add_text(parent, value)
        return
    if name.startswith("@"):
        if value is not None:
            parent.attributes.append(Attribute(name[1:], write_scalar(value)))
        return
    for each in value if isinstance(value, list) else [value]:
        child = Element(name)
        parent.children.append(child)
        if each is None:
            child.attributes.append(NIL)
        elif isinstance(each, (list, dict)):
            for key, inner in each.items() if isinstance(each, dict) else [(name, each)]:
                _add_undescribed(child, key, inner)
        else:
            _add_text(child, each)


def _fit_of_value(shape: _schemas.Shape, value: Any) -> float:
    """How well a shape fits a value: below 0 not at all; else the more it describes the better."""
    if shape.types and not any(TYPES[name](value) for name in shape.types):
        return -2
    if not isinstance(value, Mapping):
        return 1 if shape.types else 0
    described = shape.properties.keys() & value.keys()
    fixed = ((_schemas.shape(shape.properties[name]).fixed, value[name]) for name in described)
    if any(allowed is not None and each not in allowed for allowed, each in fixed):
        return -1
    return len(described) - 0.5 * len(value) * (len(shape.required - value.keys()) > 0) + 0.1


# -- reading -----------------------------------------------------------------------------------------------------------


def decoded(root: Element, schema: Schema) -> Any:
    """The value of a document's root element.

    Raises:
        DecodeError: the root's name is not the one in ``xml.name``.
    """
    node = root_node(schema)
    hints = node.shape.xml
    if hints is not None and hints.name and root.name != node.name:
        raise DecodeError(f"the body's root element is {root.name[:80]!r} where {node.name!r} is documented")
    try:
        return _value(root, node)
    except RecursionError:
        raise DecodeError("the body is nested too deeply") from None


def _value(element: Element, node: Node | None) -> Any:
    look()
    if node is None:
        return undescribed(element)
    if element.nil:
        return None
    shape = branch(node.shape, lambda each: _fit(each, element), lambda name: _tag(element, node, name))
    inner = any(element.elements())
    if shapes.is_array(shape) or ("array" in shape.types and inner):
        return _items(element, node, shape)
    if shapes.is_object(shape) and (inner or shape.types - {"null"} == {"object"} or not shape.types):
        return _members(element, shape)
    if inner or shapes.is_any(shape):
        return undescribed(element)
    return read_scalar(node.schema, shape, element.text())


def undescribed(element: Element) -> Any:
    """An element that no schema describes: its text, or a mapping of its elements, attributes and text."""
    look()
    if element.nil:
        return None
    found: dict[str, Any] = {
        f"@{each.name}": each.value for each in element.attributes if each.namespace not in {XSI, XML}
    }
    _put(found, [(child.name, undescribed(child)) for child in element.elements()])
    text = element.text()
    if not found:
        return text
    if text.strip(BLANK):
        found["#text"] = text
    return found


def _put(found: dict[str, Any], values: Iterable[tuple[str, Any]]) -> None:
    """Put values under their names; several values of one name become a list."""
    named: dict[str, list[Any]] = {}
    for name, each in values:
        named.setdefault(name, []).append(each)
    for name, several in named.items():
        found[name] = several[0] if len(several) == 1 else several


def _items(element: Element, node: Node, shape: _schemas.Shape) -> list[Any]:
    """The children of an element as items, in order."""
    found: list[Any] = []
    for child in element.children:
        item = item_node(node, shape, len(found))
        if isinstance(child, Element):
            while item is not None and item.kind in {"text", "cdata"} and len(found) < len(shape.prefix_items):
                found.append("")  # an empty text is not in the document
                item = item_node(node, shape, len(found))
            found.append(_value(child, item))
        elif child.strip(BLANK):
            found.append(read_scalar(item.schema, item.shape, child) if item is not None else child)
    return found


class _Taking:
    """Assigns the children and attributes of one element to the properties that describe them."""

    def __init__(self, element: Element, shape: _schemas.Shape) -> None:
        self.element = element
        self.shape = shape
        self.described = property_nodes(shape)
        self.taken: set[int] = set()
        self.attributes: set[str] = set()
        self.text_taken = False
        self.named = {each.name for _, each in self.described if each.kind == "element"}

    def left(self) -> list[Element]:
        return [child for child in self.element.elements() if id(child) not in self.taken]

    def take(self, node: Node) -> list[Element]:
        """Take the node's children: by namespace if it has one, else by name, else by the other name."""
        look()
        free = self.left()
        found = [child for child in free if child.name == node.name]
        if node.namespace is not None:
            found = [child for child in found if child.namespace == node.namespace] or found
        if not found and node.other_name and node.other_name not in self.named:
            found = [child for child in free if child.name == node.other_name]
        self.taken.update(map(id, found))
        return found


def _members(element: Element, shape: _schemas.Shape) -> dict[str, Any]:
    taking = _Taking(element, shape)
    found = _described(taking)
    _put(found, [(child.name, _value(child, undescribed_node(shape, child.name))) for child in taking.left()])
    # Text and attributes that the schema does not describe are kept if it allows more.
    text = element.text()
    if not taking.text_taken and text.strip(BLANK):
        found["#text"] = text
    if shape.additional is True:
        for each in element.attributes:
            if each.name not in taking.attributes and each.namespace not in {XSI, XML}:
                found[f"@{each.name}"] = each.value
    return found


def _described(taking: _Taking) -> dict[str, Any]:
    """The properties that the shape names, in its order."""
    # Those with a namespace come first, since one without a namespace takes all elements of its name.
    order = sorted(taking.described, key=lambda pair: pair[1].namespace is None)
    taken = {name: _take(taking, node, name) for name, node in order}
    return {name: taken[name] for name, _ in taking.described if taken[name] is not _schemas.MISSING}


def _take(taking: _Taking, node: Node, name: str) -> Any:
    """The value of a property, whose parts of the element are taken; ``_schemas.MISSING`` if there are none."""
    if node.kind in {"text", "cdata"}:
        return _take_text(taking, node, name)
    if node.kind == "none":
        return _take_nothing(taking, node, name)
    if node.kind == "attribute":
        text = taking.element.attribute(node.name, node.namespace)
        taking.attributes.add(node.name)
        if text is not None:
            return read_scalar(node.schema, node.shape, text)
        # OAS 3.2, XML Object, Handling null Values: a missing attribute is null if the schema allows null.
        return None if "null" in node.shape.types else _schemas.MISSING
    values = [_value(child, node) for child in taking.take(node)]
    return values[0] if len(values) == 1 else values or _schemas.MISSING


def _take_text(taking: _Taking, node: Node, name: str) -> Any:
    taking.text_taken = True
    text = taking.element.text()
    if any(taking.element.elements()) and not any(isinstance(child, CData) for child in taking.element.children):
        text = text.strip(BLANK)
    if not text and name not in taking.shape.required:
        return _schemas.MISSING
    return read_scalar(node.schema, node.shape, text)


def _take_nothing(taking: _Taking, node: Node, name: str) -> Any:
    """A value without a node: its nodes are among those of the element."""
    if shapes.is_array(node.shape):
        return _take_items(taking, node, name)
    if not shapes.is_object(node.shape):
        return _take_text(taking, node, name)
    inner = _Taking(taking.element, node.shape)
    inner.taken, inner.attributes = taking.taken, taking.attributes
    found = _described(inner)
    taking.text_taken = taking.text_taken or inner.text_taken
    return found if found or name in taking.shape.required else _schemas.MISSING


def _take_items(taking: _Taking, node: Node, name: str) -> Any:
    """The items of an array without an element around them: all children with the item's name."""
    described = item_node(node, node.shape, 0)
    item = described or node._replace(kind="element", other_name=None)
    if item.kind in {"text", "cdata"}:
        taking.text_taken = True
        return [
            read_scalar(item.schema, item.shape, child) for child in taking.element.children if isinstance(child, str)
        ]
    hits = taking.take(item)
    if len(hits) == 1 and hits[0].nil and "null" in node.shape.types and "null" not in item.shape.types:
        return None
    if not hits:
        # In XML an empty list and a missing one are the same.
        return [] if name in taking.shape.required else _schemas.MISSING
    return [_value(child, described) for child in hits]


def _tag(element: Element, node: Node, name: str) -> Any:
    """The value of the discriminator's property, before its schema is known."""
    schema = node.shape.properties.get(name)
    tag = node_of(schema, name) if schema is not None else None
    if tag is not None and tag.kind == "attribute":
        return element.attribute(tag.name, tag.namespace)
    wanted = {name, tag.name} if tag is not None else {name}
    inner = next((child.text() for child in element.elements() if child.name in wanted), None)
    return inner if inner is not None else element.attribute(name)


def _fit(shape: _schemas.Shape, element: Element) -> float:
    """How well a shape fits an element: below 0 not at all; else the more it describes the better."""
    names = {child.name for child in element.elements()}
    if element.nil:
        return 1 if "null" in shape.types else 0
    if not shapes.is_object(shape):
        return _fit_other(shape, element, inner=bool(names))
    described = 0
    for name, node in property_nodes(shape):
        present = _text_at(element, node)
        if present is None:
            described -= 2 * (name in shape.required and not shapes.is_array(node.shape))
        elif node.shape.fixed is not None and not any(
            write_scalar(each) == present for each in node.shape.fixed if not isinstance(each, (list, dict))
        ):
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
    read = read_scalar(shape.schema, shape, text)
    if shape.enum is not None:
        return 2 if read in shape.enum else -1
    # A number or boolean that could be read is a better fit than a text.
    return 1 if not isinstance(read, str) else 0.6 if "string" in shape.types else -1


def _text_at(element: Element, node: Node) -> str | None:
    """The text of the element or attribute for a node, or None if there is none."""
    if node.kind == "attribute":
        return element.attribute(node.name, node.namespace)
    if node.kind in {"text", "cdata"}:
        return element.text() or None
    name = node.name
    if shapes.is_array(node.shape) and node.kind == "none":
        item = item_node(node, node.shape, 0)
        name = item.name if item is not None else name
    return next((child.text() for child in element.elements() if child.name == name), None)
