"""The fields of an operation's request, and of its first successful response, that pagination may use."""

from __future__ import annotations

from collections.abc import Iterator

from dynclient._deferred import expression
from dynclient._paging.rules import Keys, Pagination, Target, path_keys, path_text
from dynclient._records import Record
from dynclient._schemas import Shape, cache, follow, shape
from dynclient.exceptions import DocumentError, DocumentLocation
from dynclient.media_types import find
from dynclient.model import API, Header, MediaType, Operation, Response, Schema

_PUNCTUATION = expression(r"[^a-z0-9]")
_DEPTH = 4
_MOST_FIELDS = 400


def folded(name: str) -> str:
    """A name without case and punctuation."""
    return _PUNCTUATION.sub("", name.lower())


class Asked(Record):
    """A value that a request may have: its target, its folded name, its schema as a shape, and its description."""

    target: Target
    name: str
    shape: Shape | None
    description: str
    pointer: str

    @property
    def kinds(self) -> frozenset[str]:
        """Its types, null left out; empty if they are unknown."""
        return kinds(self.shape) if self.shape is not None else frozenset()

    @property
    def is_number(self) -> bool:
        """Whether it is an integer, or a number."""
        return bool(self.kinds & {"integer", "number"})

    @property
    def is_text(self) -> bool:
        """Whether it is a string, or of unknown type."""
        return not self.kinds or "string" in self.kinds

    @property
    def text(self) -> str:
        """The target as a rule writes it."""
        return f"{self.target.in_} {self.target.name}"


class Field(Record):
    """A member of an answer: the keys of its path, its name folded, its shape, its schema, and its types but null."""

    keys: Keys
    name: str
    shape: Shape
    schema: Schema
    kinds: frozenset[str]

    @property
    def path(self) -> str:
        """Its path as a rule writes it."""
        return path_text(self.keys)

    @property
    def is_list(self) -> bool:
        """Whether it is an array."""
        return "array" in self.kinds or (not self.kinds and self.shape.items is not None)


def kinds(seen: Shape) -> frozenset[str]:
    """The types of a schema without null; for a schema that is only a choice, those of its branches."""
    found = seen.types
    for branch in () if found - {"null"} else (*seen.one_of, *seen.any_of):
        found |= shape(branch).types
    return found - {"null"}


def plain(schema: Schema) -> Shape:
    """The shape of a schema; of a choice between one schema and null, that of the one."""
    seen = shape(schema)
    if not seen.properties and seen.items is None:
        branches = [shape(each) for each in (*seen.one_of, *seen.any_of)]
        branches = [each for each in branches if each.types != {"null"}]
        if len(branches) == 1:
            return branches[0]
    return seen


class Answers:
    """An operation, its request's values and the fields of its success, computed once."""

    def __init__(self, operation: Operation, api: API) -> None:
        self.operation, self._api = operation, api
        self.response = _success(operation)
        self.media_type = _media_type(self.response)
        self.root = self.media_type.schema if self.media_type is not None else None
        self.fields: tuple[Field, ...] = _fields_of(self.root) if self.root is not None else ()
        self.asked: tuple[Asked, ...] = tuple(_asked(operation))

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers of the success."""
        return tuple(self.response.headers.values()) if self.response is not None else ()

    def location(self, uri: str) -> DocumentLocation | None:
        """The location in the document of a pointer or of the URI of a schema."""
        if self._api.references is None or not uri:
            return None
        uri = uri if "#" in uri else f"{self._api.document_uri}#{uri}"
        try:
            return DocumentLocation(*self._api.references.location(uri))
        except DocumentError:
            return None

    def below(self, keys: Keys) -> list[Field]:
        """The fields of one object."""
        return [each for each in self.fields if each.keys[:-1] == keys]

    def at(self, keys: Keys) -> Field | None:
        """The field at a path."""
        return next((each for each in self.fields if each.keys == keys), None)


def items_schema(operation: Operation, rule: Pagination) -> Schema | None:
    """The schema of the items of a list; None if that is unclear or undocumented.

    Raises:
        DocumentError: it is broken.
    """
    media_type = _media_type(_success(operation))
    here = media_type.schema if media_type is not None and rule.items is not None else None
    for key in path_keys(rule.items or "$"):
        if here is not None:
            here = plain(here).properties.get(key) if isinstance(key, str) else plain(here).items
    return plain(here).items if here is not None else None


def lacks_items(operation: Operation, rule: Pagination) -> bool:
    """Whether the document describes the response's members, but has no list where the rule expects the items."""
    media_type = _media_type(_success(operation))
    try:
        schema = media_type.schema if media_type is not None else None
        return schema is not None and bool(plain(schema).properties) and items_schema(operation, rule) is None
    except DocumentError:
        return False


def _success(operation: Operation) -> Response | None:
    """The response of a list: 200, or the first success, or ``default``."""
    responses = operation.responses
    codes = ["200", *(status for status in responses if status[:1] == "2"), "default"]
    return next((responses[status] for status in codes if status in responses), None)


def _media_type(response: Response | None) -> MediaType | None:
    found = [each for each in response.content.values() if each.schema is not None] if response is not None else []
    return min(found, key=lambda each: find(each.media_range).name != "json", default=None)


def _fields_of(root: Schema) -> tuple[Field, ...]:
    """The fields of a response; many operations share one."""
    root = follow(root)
    known = cache(root.references, "paging")
    if root.uri not in known:
        known[root.uri] = tuple(_fields(root))
    return known[root.uri]  # type: ignore[no-any-return]  # the fields


def _fields(root: Schema) -> Iterator[Field]:
    """The answer itself, and its members down to the fourth level, outside of arrays; breadth first."""
    waiting: list[tuple[Keys, Schema]] = [((), root)]
    count = 0
    while waiting and count < _MOST_FIELDS:
        keys, schema = waiting.pop(0)
        count += 1
        try:
            seen = plain(schema)
            known = kinds(seen)
        except DocumentError:
            continue
        yield Field(keys, folded(str(keys[-1])) if keys else "", seen, schema, known)
        if len(keys) < _DEPTH and "array" not in seen.types:
            children = dict(seen.properties)
            # In a union of pages, the common fields describe the pagination.
            for branch in (*seen.one_of, *seen.any_of) if not children else ():
                try:
                    children |= {name: one for name, one in shape(branch).properties.items() if name not in children}
                except DocumentError:
                    continue
            waiting += [((*keys, name), child) for name, child in children.items()]


def _asked(operation: Operation) -> Iterator[Asked]:
    for one in operation.parameters:
        schema = one.schema or (one.media_type.schema if one.media_type is not None else None)
        seen = _shape(schema)
        described = " ".join(filter(None, (one.description, seen.description if seen is not None else "")))
        name = folded(one.name.lower().replace("page[offset]", "offset"))  # not a page number
        yield Asked(Target(one.in_, one.name), name, seen, described, one.pointer)
    body = operation.body.content.values() if operation.body is not None else ()
    schema = min(
        (each for each in body if each.schema is not None),
        key=lambda each: find(each.media_range).name != "json",
        default=MediaType(""),
    ).schema
    if schema is None:
        return
    for field in _fields_of(schema):
        if 0 < len(field.keys) < _DEPTH and not (field.is_list or field.shape.properties):
            name = str(field.keys[0]) if len(field.keys) == 1 else field.path
            target = Target("body", name, field.keys)
            yield Asked(target, field.name, field.shape, field.shape.description or "", field.schema.uri)


def _shape(schema: Schema | None) -> Shape | None:
    try:
        return plain(schema) if schema is not None else None
    except DocumentError:
        return None
