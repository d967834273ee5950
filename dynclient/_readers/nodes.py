"""A value in a document with its location; all readers use it.

Rule 1: a value of a wrong type is an InvalidDocument with its location, never a KeyError, TypeError or AttributeError.
Rule 2: values that shape a call are read strictly (:meth:`Node.text`, :meth:`Node.flag`, :meth:`Node.entries`,
:meth:`Node.members`); texts for people are read leniently (:meth:`Node.note`).
Rule 3: nothing is read in advance: a Node is made on demand.
Rule 4: null instead of an object, an array, a string or a schema counts as missing, since YAML writes null for a key
without a value. It is an error only if all errors of a document are collected.
Rule 5: an error is passed to :meth:`Node.refuse`, which raises it. If all errors of a document are collected, it is
kept instead, and reading continues with a replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dynclient._document.text import DamagedDocument, described
from dynclient._escaping import one_line
from dynclient._records import Record
from dynclient._schemas import cache
from dynclient.dialects import Dialect, with_draft
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument, UnresolvableReference
from dynclient.json_pointer import escape
from dynclient.model import References, Schema

T = TypeVar("T")
N = TypeVar("N")


class Faults:
    """Collects errors. If a node was replaced, further errors in it are not collected."""

    def __init__(self) -> None:
        self.found: list[DocumentError] = []
        self.replaced: set[str] = set()

    def note(self, error: DocumentError, uri: str = "") -> None:
        """Collect the error of a node."""
        if uri not in self.replaced:
            self.found.append(error)


class Source(Record):
    """The document that is read: ``uri`` is that of its root, ``location`` the URL it came from if that is http(s).

    ``faults`` collects errors; if it is None, they are raised.
    """

    references: References
    dialect: Dialect
    uri: str
    location: str | None = None
    faults: Faults | None = None


class Node(Record):
    """A value and its location: ``uri`` is absolute, with the JSON pointer as its fragment."""

    value: Any
    uri: str
    source: Source

    @property
    def dialect(self) -> Dialect:
        """The document's version of OpenAPI."""
        return self.source.dialect

    def since(self, version: str) -> bool:
        """Return whether the document is of this version of OpenAPI (``"3.1"``) or later."""
        return self.dialect.version >= version

    @property
    def pointer(self) -> str:
        """The JSON pointer in the root document, or ``uri#pointer`` in another one."""
        document, uri = self.source.uri, self.uri
        return uri[len(document) + 1 :] if uri.startswith(f"{document}#") else uri

    @property
    def base_url(self) -> str | None:
        """The URL that relative URLs are resolved against; None if the document did not come from a URL."""
        document = self.uri.partition("#")[0]
        if document == self.source.uri:
            return self.source.location
        return document if document.startswith(("http://", "https://")) else None

    @property
    def location(self) -> DocumentLocation:
        """The location, for an error."""
        return DocumentLocation(*self.source.references.location(self.uri))

    def fault(self, message: str, hint: str = "") -> InvalidDocument:
        """Make an error at this location."""
        return InvalidDocument(message, location=self.location, hint=hint)

    def refuse(self, error: DocumentError, instead: T) -> T:
        """Raise an error; if errors are collected, collect it and return ``instead``."""
        faults = self.source.faults
        if faults is None:
            raise error
        faults.note(error, self.uri)
        return instead

    def attempt(self, read: Callable[[], T], instead: Callable[[DocumentError], N]) -> T | N:
        """Read a part that a call can do without; of a broken one, return what is made of the error.

        Raises:
            DocumentError: errors are collected, or the document is damaged, so that other damage can't be known.
        """
        try:
            return read()
        except DocumentError as error:
            if self.source.faults is not None or isinstance(error, DamagedDocument):
                raise
            return instead(error)

    def replaced(self, error: DocumentError) -> Node:
        """Refuse this node as a whole; returns an empty object in its place, if errors are collected."""
        stand_in = self.refuse(error, self._replace(value={}))
        if self.source.faults is not None:
            self.source.faults.replaced.add(self.uri)
        return stand_in

    def child(self, key: str | int, value: Any) -> Node:
        """Return the node under a key; the caller has its value already."""
        if isinstance(key, str) and ("/" in key or "~" in key):
            key = escape(key)
        return Node(value, f"{self.uri}/{key}", self.source)

    def object(self, what: str) -> Node:
        """Return this node if it is an object; ``what`` is its name in the error.

        Raises:
            InvalidDocument: it is not an object.
        """
        if isinstance(self.value, Mapping):
            return self
        if self.value is None and self.source.faults is None:
            return self._replace(value={})
        return self.replaced(self.fault(f"{what} must be an object, not {described(self.value)}"))

    def map(self, what: str) -> Node:
        """Return this object, whose members may have any names, or the target of its ``$ref``.

        No specification allows a ``$ref`` there, but documents in many files have it, and bundlers follow it.

        Raises:
            InvalidDocument: it is not an object.
            UnresolvableReference: the reference can't be resolved, or is circular.
        """
        node = self.object(what)
        return node.followed(what) if isinstance(node.value.get("$ref"), str) else node

    def at(self, key: str) -> Node | None:
        """Return the node under a key of this object, or None if there is no such key, or null."""
        value = self.value.get(key)
        if value is not None:
            return self.child(key, value)
        if key in self.value and self.source.faults is not None:
            node = self.child(key, None)
            node.refuse(node.fault(f"`{key}` has no value"), None)
        return None

    def entries(self, key: str) -> Iterator[tuple[str, Node]]:
        """Yield names and members of the object under a key; nothing if there is no such key."""
        node = self.at(key)
        if node is not None:
            found = node.map(f"`{key}`")
            for name, value in found.value.items():
                yield name, found.child(name, value)

    def members(self, key: str) -> Iterator[Node]:
        """Yield the members of the array under a key; nothing if there is no such key."""
        node = self.at(key)
        if node is None:
            return
        if not isinstance(node.value, list):
            node.refuse(node.fault(f"`{key}` must be an array, not {described(node.value)}"), None)
            return
        for index, value in enumerate(node.value):
            member = node.child(index, value)
            if value is None:
                member.refuse(member.fault(f"a member of `{key}` is null"), None)
            else:
                yield member

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string under a key; a number or a boolean counts as its JSON text.

        Raises:
            InvalidDocument: it is of another type, or it is missing and there is no default.
        """
        node = self.at(key)
        if node is None:
            return self.refuse(self.fault(f"`{key}` is missing"), "") if default is None else default
        text = spelled(node.value)
        if text is None:
            return node.refuse(node.fault(f"`{key}` must be a string, not {described(node.value)}"), default or "")
        return text

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return the boolean under a key; the strings ``true`` and ``false`` count as one."""
        node = self.at(key)
        if node is None:
            return default
        value = node.value
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        return node.refuse(node.fault(f"`{key}` must be a boolean, not {described(value)}"), default)

    def note(self, key: str) -> str:
        """Return a text for people, stripped; empty if it is missing or not a text."""
        return (spelled(self.value.get(key)) or "").strip()

    def extensions(self) -> dict[str, Any]:
        """Return the members under ``x-…``."""
        return {key: value for key, value in self.value.items() if key.startswith("x-")}

    def followed(self, what: str) -> Node:
        """Return this object, or the target of its chain of ``$ref``; ``what`` is its name in errors.

        Raises:
            InvalidDocument: it is not an object.
            UnresolvableReference: a reference can't be resolved, or is circular.
        """
        node = self.object(what)
        seen: set[str] = set()
        while "$ref" in node.value:
            if node.uri in seen:
                message = f"`$ref` is circular, and never reaches a {what.lower()}"
                return self.replaced(UnresolvableReference(message, location=self.location))
            seen.add(node.uri)
            try:
                node = node.target().object(f"the target of `$ref` ({what.lower()})")
            except DocumentError as error:
                return self.replaced(error)
        # OAS 3.1.1, Reference Object: `summary` and `description` next to a `$ref` override those of the component.
        if node is self or not self.since("3.1") or not isinstance(self.value, Mapping):
            return node
        words = {key: self.value[key] for key in ("summary", "description") if key in self.value}
        return node._replace(value={**node.value, **words}) if words else node

    def target(self) -> Node:
        """Return the target of this node's ``$ref``."""
        reference = self.value["$ref"]
        if not isinstance(reference, str):
            raise self.child("$ref", reference).fault(f"`$ref` must be a string, not {described(reference)}")
        uri, value = self.source.references.resolve(reference, self.uri)
        return self._replace(value=value, uri=uri)

    def schema(self) -> Schema:
        """Return this node as a Schema; references in it are kept.

        Raises:
            InvalidDocument: it is neither an object nor a boolean.
        """
        node = self if isinstance(self.value, bool) else self.object("a schema")
        dialect = node.dialect
        if dialect.identifiers and isinstance(node.value, Mapping) and "$schema" in node.value:
            dialect = with_draft(dialect, node.value["$schema"])
        return Schema(node.uri, node.value, dialect, node.source.references)

    def schema_at(self, key: str) -> Schema | None:
        """Return the Schema under a key, or None if there is no such key."""
        node = self.at(key)
        try:
            return None if node is None else node.schema()
        except DocumentError as error:
            return self.refuse(error, None)

    def synthesized(self, suffix: str, value: Mapping[str, Any]) -> Schema:
        """Make a schema that the document implies but doesn't have; its URI is this node's with ``suffix``."""
        return Schema(f"{self.uri}/{suffix}", dict(value), self.dialect, self.source.references)


def shared(read: Callable[..., T]) -> Callable[..., T]:
    """Read an object once, to which many others may refer: the node, the last argument, decides with the others."""

    def once(*arguments: Any) -> T:
        node: Node = arguments[-1]
        if node.source.faults is not None:
            return read(*arguments)
        known = cache(node.source.references, read.__name__)
        key = (*arguments[:-1], node.uri)
        value, found = known.get(key, (None, None))
        if value is not node.value:  # also if words next to a `$ref` have replaced those of the object
            found = read(*arguments)
            known[key] = node.value, found
        return found  # type: ignore[no-any-return]  # the result of `read`

    return once


def spelled(value: Any) -> str | None:
    """Return a scalar as its JSON text; None for any other value."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


class Components(Mapping[str, T]):
    """The named objects in one object of a document, each read at its first use.

    The names are known at once. Getting a broken object raises its DocumentError.
    """

    __slots__ = ("_names", "_read", "_section", "_seen")

    def __init__(self, section: Node | None, read: Callable[[str, Node], T]) -> None:
        """``section`` is the object that has them, if there is one; ``read`` reads one of them."""
        self._section = section
        self._names: Mapping[str, Any] = section.value if section is not None else {}
        self._read = read
        self._seen: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._seen:
            if self._section is None or name not in self._names:
                raise KeyError(name)
            self._seen[name] = self._read(name, self._section.child(name, self._names[name]))
        return self._seen[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return one_line(f"<{len(self)} names: {', '.join(list(self)[:10])}>")


def section(root: Node, pointer: str) -> Node | None:
    """Return the object at a pointer in the root document; None if it does not exist, or its ``$ref`` has no target."""
    node = root
    for key in pointer.split("/")[1:]:
        value: Any = node.value.get(key)
        if not isinstance(value, Mapping):
            return None
        try:
            node = node.child(key, value).map(f"`{key}`")
        except DocumentError:
            return None
    return node


def schemas(root: Node) -> Components[Schema]:
    """Return the named schemas of a document."""
    return Components(section(root, root.dialect.schemas), lambda _, node: node.schema())
