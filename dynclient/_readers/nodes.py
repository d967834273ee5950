"""A place in a document, and what may be asked of it.

Rule 1: whoever reads a document reads it through a :class:`Node`. What is not of the type that OpenAPI wants there is
an InvalidDocument with its place, never a KeyError, TypeError or AttributeError.
Rule 2: what shapes a call is asked strictly (:meth:`Node.text`, :meth:`Node.flag`, :meth:`Node.entries`,
:meth:`Node.members`); what only tells people something is asked leniently (:meth:`Node.note`).
Rule 3: nothing is read ahead: a Node is made when it is asked for.
Rule 4: what is wrong is refused (:meth:`Node.refuse`): that raises, unless every fault of a document is wanted. Then it
is noted, and reading goes on with a stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from dynclient._records import Record
from dynclient.dialects import Dialect, with_draft
from dynclient.exceptions import DocumentError, InvalidDocument, Place, UnresolvableReference
from dynclient.json_pointer import escape
from dynclient.model import References, Schema

T = TypeVar("T")

_TYPES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def described(value: Any) -> str:
    """The JSON type of a value, as a person says it."""
    # Parts of a document are a dict of their own type.
    return _TYPES.get(dict if isinstance(value, Mapping) else type(value), type(value).__name__)


class Faults:
    """What has been found wrong. Of a place that a stand-in is for, nothing more is said."""

    def __init__(self) -> None:
        self.found: list[DocumentError] = []
        self.replaced: set[str] = set()

    def note(self, error: DocumentError, uri: str = "") -> None:
        """Take what is wrong at a place."""
        if uri not in self.replaced:
            self.found.append(error)


class Source(Record):
    """The document that is read: ``uri`` is that of its root, ``location`` the URL it came from if that is http(s).

    ``faults`` takes what is wrong with it, where that is not to be raised.
    """

    references: References
    dialect: Dialect
    uri: str
    location: str | None = None
    faults: Faults | None = None


class Node(Record):
    """A value of a document, and where it stands: ``uri`` is absolute, with the JSON pointer as its fragment."""

    value: Any
    uri: str
    source: Source

    @property
    def dialect(self) -> Dialect:
        """The version of OpenAPI that the document is written in."""
        return self.source.dialect

    def since(self, version: str) -> bool:
        """Whether the document is of this version of OpenAPI (``"3.1"``), or of a later one."""
        return self.dialect.version >= version

    @property
    def pointer(self) -> str:
        """The JSON pointer in the root document, or ``uri#pointer`` in another one."""
        document, uri = self.source.uri, self.uri
        return uri[len(document) + 1 :] if uri.startswith(f"{document}#") else uri

    @property
    def base_url(self) -> str | None:
        """What a relative URL of a server is resolved against, or None where the document came from no URL."""
        document = self.uri.partition("#")[0]
        if document == self.source.uri:
            return self.source.location
        return document if document.startswith(("http://", "https://")) else None

    @property
    def place(self) -> Place:
        """Where this stands, for an error."""
        return Place(*self.source.references.place(self.uri))

    def fault(self, message: str, hint: str = "") -> InvalidDocument:
        """The error that says what is wrong here."""
        return InvalidDocument(message, place=self.place, hint=hint)

    def refuse(self, error: DocumentError, instead: T) -> T:
        """Raise an error; or note it, and go on with something else instead."""
        faults = self.source.faults
        if faults is None:
            raise error
        faults.note(error, self.uri)
        return instead

    def replaced(self, error: DocumentError) -> Node:
        """Refuse this node as a whole; what stands in for it is an empty object."""
        stand_in = self.refuse(error, self._replace(value={}))
        if self.source.faults is not None:
            self.source.faults.replaced.add(self.uri)
        return stand_in

    def child(self, key: str | int, value: Any) -> Node:
        """The node under a key, whose value is known already."""
        if isinstance(key, str) and ("/" in key or "~" in key):
            key = escape(key)
        return Node(value, f"{self.uri}/{key}", self.source)

    def object(self, what: str) -> Node:
        """This node, which has to be an object.

        Raises:
            InvalidDocument: it is something else.
        """
        if not isinstance(self.value, Mapping):
            return self.replaced(self.fault(f"{what} must be an object, not {described(self.value)}"))
        return self

    def at(self, key: str) -> Node | None:
        """The node under a key of this object, or None where there is no such key."""
        return self.child(key, self.value[key]) if key in self.value else None

    def entries(self, key: str) -> Iterator[tuple[str, Node]]:
        """The members of the object under a key, with their names; none where there is no such key."""
        node = self.at(key)
        if node is not None:
            for name, value in node.object(f"`{key}`").value.items():
                yield name, node.child(name, value)

    def members(self, key: str) -> Iterator[Node]:
        """The members of the array under a key; none where there is no such key."""
        node = self.at(key)
        if node is None:
            return
        if not isinstance(node.value, list):
            node.refuse(node.fault(f"`{key}` must be an array, not {described(node.value)}"), None)
            return
        for index, value in enumerate(node.value):
            yield node.child(index, value)

    def text(self, key: str, default: str | None = None) -> str:
        """The string under a key; a number or a boolean is taken as it is spelled in JSON.

        Raises:
            InvalidDocument: it is neither, or it is missing and there is no default.
        """
        node = self.at(key)
        if node is None:
            return self.refuse(self.fault(f"`{key}` is missing"), "") if default is None else default
        text = spelled(node.value)
        if text is None:
            return node.refuse(node.fault(f"`{key}` must be a string, not {described(node.value)}"), default or "")
        return text

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The boolean under a key; the strings ``true`` and ``false`` pass for one."""
        value = self.value.get(key, default)
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        node = self.child(key, value)
        return node.refuse(node.fault(f"`{key}` must be a boolean, not {described(value)}"), default)

    def note(self, key: str) -> str:
        """A text for people, without the white space around it; empty where there is none that can be read."""
        return (spelled(self.value.get(key)) or "").strip()

    def extensions(self) -> dict[str, Any]:
        """What stands under ``x-…``."""
        return {key: value for key, value in self.value.items() if key.startswith("x-")}

    def followed(self, what: str) -> Node:
        """The object that this node is, or that its ``$ref`` leads to, over as many references as there are.

        Raises:
            InvalidDocument: no object is there.
            UnresolvableReference: the reference leads nowhere, or in a circle.
        """
        node = self.object(what)
        seen: set[str] = set()
        while "$ref" in node.value:
            if node.uri in seen:
                message = f"`$ref` leads in a circle, and to no {what.lower()}"
                return self.replaced(UnresolvableReference(message, place=self.place))
            seen.add(node.uri)
            try:
                node = node.target().object(f"what `$ref` leads to ({what.lower()})")
            except DocumentError as error:
                return self.replaced(error)
        return self._with_words_of_the_reference(node)

    def target(self) -> Node:
        """The node that this one's ``$ref`` leads to."""
        reference = self.value["$ref"]
        if not isinstance(reference, str):
            raise self.child("$ref", reference).fault(f"`$ref` must be a string, not {described(reference)}")
        uri, value = self.source.references.resolve(reference, self.uri)
        return self._replace(value=value, uri=uri)

    def _with_words_of_the_reference(self, target: Node) -> Node:
        # OAS 3.1.1, Reference Object: `summary` and `description` beside a `$ref` override those of the component.
        if target is self or not self.since("3.1") or not isinstance(self.value, Mapping):
            return target
        words = {key: self.value[key] for key in ("summary", "description") if key in self.value}
        return target._replace(value={**target.value, **words}) if words else target

    def schema(self) -> Schema:
        """The Schema Object that stands here; its references are kept.

        Raises:
            InvalidDocument: it is neither an object nor a boolean.
        """
        if not isinstance(self.value, (Mapping, bool)):
            raise self.fault(f"a schema must be an object, not {described(self.value)}")
        dialect = self.dialect
        if dialect.identifiers and isinstance(self.value, Mapping) and "$schema" in self.value:
            dialect = with_draft(dialect, self.value["$schema"])
        return Schema(self.uri, self.value, dialect, self.source.references)

    def schema_at(self, key: str) -> Schema | None:
        """The Schema Object under a key, or None where there is no such key."""
        node = self.at(key)
        try:
            return None if node is None else node.schema()
        except DocumentError as error:
            return self.refuse(error, None)

    def synthesized(self, suffix: str, value: Mapping[str, Any]) -> Schema:
        """A schema that the document implies but doesn't write; ``suffix`` makes its URI of this node's."""
        return Schema(f"{self.uri}/{suffix}", dict(value), self.dialect, self.source.references)


def spelled(value: Any) -> str | None:
    """A scalar as text, a boolean as in JSON; None for anything that is no text."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None
