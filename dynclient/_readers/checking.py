"""Find all errors in a document's OpenAPI objects, misspelt fields included: each version has a table of fixed fields.

Rule 1: operations are read as for calls, but errors are collected, and reading continues with a replacement. So are
callbacks, webhooks, and unused objects in ``components``.
Rule 2: then the rules are checked whose violation does not prevent calls.
Rule 3: an object has the fixed fields of its version, and extensions, ``x-…``. Any other member is misspelt, or of
another version, and is not read. Since 3.1 a schema may have foreign keywords: there only names that nearly equal a
known one are reported.
Rule 4: at most a thousand errors are reported, since a generator makes the same mistake everywhere.
Rule 5: the author's own data (examples, defaults, enums, extensions) is not checked.

The table of fields is in ``fields.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

from dynclient._document.references import Document
from dynclient._readers import paths
from dynclient._readers.api import OperationReader, root_node, version_of
from dynclient._readers.nodes import Faults, Node, section
from dynclient._records import Record
from dynclient._rows import OperationRow
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument
from dynclient.json_pointer import escape
from dynclient.model import Operation


class Checked(Record):
    """The operations, read as far as possible, with those of callbacks and webhooks; and all errors."""

    operations: tuple[Operation, ...]
    faults: tuple[DocumentError, ...]


class _Location(Record):
    """An operation in the document: its row, its Operation Object, its Path Items."""

    row: OperationRow
    node: Node
    items: Sequence[Node]


def check(document: Document) -> Checked:
    """Find the errors in a document.

    Raises:
        DocumentError: it can't be read at all.
    """
    version, dialect = version_of(document)
    faults = Faults()
    root = root_node(document, dialect)
    root = root._replace(source=root.source._replace(faults=faults))
    locations = list(_locations(root))
    reader = OperationReader(root, version)
    operations: list[Operation] = []
    for location in locations:
        with _noting(faults):
            _responses(location.node)
            operations.append(reader.operation(*location))
    _components(root, version, reader, faults)
    _identifiers(locations)
    return Checked(tuple(operations), tuple(faults.found))


def incoming(document: Document) -> dict[str, Callable[[], Operation]]:
    """Find the operations of webhooks and callbacks, which the server calls, each with a function that reads it.

    The key is the webhook's method and name, or the operation's key with the callback's name and method.
    """
    version, dialect = version_of(document)
    root = root_node(document, dialect)
    reader = OperationReader(root, version)
    found: dict[str, Callable[[], Operation]] = {}
    for path, item in _named(root, "paths"):
        with suppress(DocumentError):  # reading the operation raises it
            for location in _operations(path, item):
                for name, below in _callbacks(location.node):
                    key = f"callback {below.row.method} {name} of {location.row.key}"
                    found[key] = partial(reader.operation, *below)
    for name, item in _named(root, "webhooks") if root.since("3.1") else ():
        with suppress(DocumentError):
            for location in _operations(name, item):
                found[f"webhook {location.row.key}"] = partial(reader.operation, *location)
    return found


def _locations(root: Node) -> Iterator[_Location]:
    """Yield the operations of paths, with their callbacks, and of webhooks (OAS 3.1)."""
    for path, item in _named(root, "paths"):
        paths.check_path(path, item)
        for location in _operations(path, item):
            yield location
            yield from (below for _, below in _callbacks(location.node))
            _parameters(location)
    if root.since("3.1"):
        for name, item in _named(root, "webhooks"):
            for location in _operations(name, item):
                yield location
                yield from (below for _, below in _callbacks(location.node))


def _named(node: Node, key: str) -> Iterator[tuple[str, Node]]:
    return ((name, item) for name, item in node.entries(key) if not name.startswith("x-"))


def _operations(path: str, item: Node) -> Iterator[_Location]:
    items = paths.path_items(item)
    for row, node in paths.operations_at(path, item):
        yield _Location(row, node.followed("an Operation Object"), items)


def _callbacks(operation: Node) -> Iterator[tuple[str, _Location]]:
    # OAS 3.1.1, Callback Object: runtime expressions, each with a Path Item.
    if not operation.since("3.0"):
        return
    for name, callback in _named(operation, "callbacks"):
        for expression, item in _members(callback.followed("a Callback Object")):
            yield from ((name, location) for location in _operations(expression, item))


def _members(section: Node | None) -> Iterator[tuple[str, Node]]:
    if section is not None:
        for name, value in section.value.items():
            if not name.startswith("x-"):
                yield name, section.child(name, value)


@contextmanager
def _noting(faults: Faults) -> Iterator[None]:
    """Collect an error that the block raises."""
    try:
        yield
    except DocumentError as error:
        faults.note(error)


def _components(root: Node, version: paths.Version, reader: OperationReader, faults: Faults) -> None:
    """Read all named objects of the document, used or not."""
    version.servers(root)
    for name in reader.schemes:
        _ = reader.schemes[name]
    section(root, root.dialect.schemas)  # a `$ref` in its place may have no target
    for pointer, read in version.components.items():
        for name, node in _members(section(root, pointer)):
            with _noting(faults):
                read(name, node)


def _identifiers(locations: Iterable[_Location]) -> None:
    # OAS 3.1.1, Operation Object: the id MUST be unique among all operations described in the API.
    seen: dict[str, _Location] = {}
    for location in locations:
        name = location.row.operation_id
        first = seen.setdefault(name, location) if name is not None else location
        if first.node.uri != location.node.uri:
            node = location.node.at("operationId") or location.node
            node.refuse(node.fault(f"`operationId` {name!r} is also that of {first.row.key}"), None)


def _parameters(location: _Location) -> None:
    """Check that the parameters of a path are those of its template."""
    for level in (location.node, *location.items):
        _alike(level)
    names = paths.template_names(location.row.path)
    nodes = [node for node in paths.declared(location.node, location.items, []) if node.value.get("in") == "path"]
    # OAS 3.1.1, Path Templating: each template expression MUST correspond to a path parameter.
    for name in set(names) - {str(node.value.get("name")) for node in nodes}:
        location.node.refuse(
            location.node.fault(f"{{{name}}} in the path is not declared as a parameter `in: path`"), None
        )
    for node in nodes:
        # OAS 3.1.1, Parameter Object: `name` MUST correspond to an expression in the path; `required` MUST be true.
        if isinstance(node.value.get("name"), str) and node.value["name"] not in names:
            node.refuse(node.fault(f"the path {location.row.path} has no {{{node.value['name']}}}"), None)
        if node.value.get("required") is not True:
            node.refuse(node.fault("a parameter `in: path` must have `required: true`"), None)


def _alike(level: Node) -> None:
    # OAS 3.1.1, Operation Object: the list MUST NOT include duplicated parameters.
    members = [member.followed("a Parameter Object") for member in level.members("parameters")]
    keys = Counter((str(node.value.get("in")), str(node.value.get("name"))) for node in members if node.value)
    for (in_, name), count in keys.items():
        if count > 1:
            level.refuse(level.fault(f"there are {count} parameters {name!r} in {in_}"), None)


def _responses(operation: Node) -> None:
    # OAS 3.0.4, Operation Object: `responses` is REQUIRED; 3.1 makes it optional.
    if "responses" not in operation.value and not operation.since("3.1"):
        operation.refuse(operation.fault("`responses` is missing"), None)
    for key, node in operation.entries("responses"):
        if paths.status_of(key) is None and not key.startswith("x-"):
            node.refuse(node.fault(f"{key!r} is not a status: use 200, 2XX or default"), None)
        # OAS 3.1.1, Response Object: `description` is REQUIRED; 3.2 makes it optional.
        found = node.followed("a Response Object")
        if "description" not in found.value and not operation.since("3.2"):
            found.refuse(found.fault("`description` is missing"), None)


Fields = Mapping[str, str]
"""The object of OpenAPI that each field holds; empty for other values."""

_V3 = ("common", "3.0", "3.1", "3.2")
_VERSIONS = {"2.0": ("common", "2.0"), "3.0": _V3[:2], "3.1": _V3[:3], "3.2": _V3}


@lru_cache
def objects(version: str) -> Mapping[str, Fields]:
    """Return the objects of a version of OpenAPI (``"3.1"``) by name, each with its fixed fields."""
    found: dict[str, dict[str, str]] = {}
    texts = tomllib.loads(Path(__file__).with_name("fields.toml").read_text("utf-8"))
    for part in _VERSIONS[version]:
        current: list[dict[str, str]] = []
        for word in texts[part].split():
            if word.endswith(":"):
                current = [found.setdefault(kind, {}) for kind in word[:-1].split(",")]
                continue
            name, _, held = word.removeprefix("-").partition("=")
            for fields in current:
                if word.startswith("-"):
                    del fields[name]
                else:
                    fields[name] = held
    return found


def known_to(kind: str, field: str) -> str:
    """Return the newest version of OpenAPI in which an object has a field; empty if there is none."""
    return next((version for version in reversed(_VERSIONS) if field in objects(version).get(kind, {})), "")


_ALIKE = 0.75
_ALL_BUT_EQUAL = 0.85
_SHORTEST, _LONGEST = 4, 40
_MOST = 1_000
_REFERENCE = "$ref"


class _At(Record):
    """A value, its URI, and the OpenAPI object that it is read as."""

    value: Any
    uri: str
    kind: str


# Keywords whose value may be any JSON.
_MAY_BE_NULL = frozenset({"const", "default", "example"})


def misspelt(document: Document) -> Iterator[DocumentError]:
    """Yield an error for each unknown member of a document's objects, and of those that they refer to.

    Raises:
        DocumentError: the document's version is unknown.
    """
    return islice(_unknown(document), _MOST)


def _unknown(document: Document) -> Iterator[DocumentError]:
    version = version_of(document)[1].version
    known = objects(version)
    waiting = [_At(document.root, f"{document.uri}#", "OpenAPI")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        at = waiting.pop()
        if not isinstance(at.value, Mapping) or (at.uri, at.kind) in seen:
            continue
        seen.add((at.uri, at.kind))
        target = _target(document, at)
        if target is not None:
            waiting.append(target)
        # OAS 3.1.1, Reference Object: other members are ignored; Path Items and the schemas of 3.1 may have more.
        if _REFERENCE in at.value and _REFERENCE not in known[at.kind]:
            continue
        fields = known[at.kind]
        for name, value in at.value.items():
            held = fields.get(name, fields.get("*"))
            if name.startswith("x-"):
                continue
            if held is not None and value is None and at.kind == "Schema" and name not in _MAY_BE_NULL:
                message = f"`{name}` has no value" + (", which counts as the type null" if name == "type" else "")
                yield InvalidDocument(message, location=DocumentLocation(*document.location(f"{at.uri}/{name}")))
            elif held is not None:
                waiting += _held(at, name, value, held)
            elif message := _described(at.kind, name, fields, version):
                uri = f"{at.uri}/{escape(name)}"
                yield InvalidDocument(message, location=DocumentLocation(*document.location(uri)))


def _target(document: Document, at: _At) -> _At | None:
    """Return the target of a Reference Object; None if it can't be resolved, which is reported elsewhere."""
    reference = at.value.get(_REFERENCE)
    if not isinstance(reference, str):
        return None
    try:
        uri, value = document.resolve(reference, at.uri)
    except DocumentError:
        return None
    return _At(value, uri, at.kind)


def _held(at: _At, name: str, value: Any, held: str) -> Iterator[_At]:
    """Yield the objects in a field."""
    uri, kind = f"{at.uri}/{escape(name)}", held.strip("[]{}<>")
    if not kind:
        return
    if held == kind:
        # A JSON Schema's `items` and `dependencies` of older drafts may be an array.
        yield _At(value, uri, kind)
    elif held.startswith("["):
        for index, member in enumerate(value if isinstance(value, list) else ()):
            yield _At(member, f"{uri}/{index}", kind)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if held.startswith("{") or not key.startswith("x-"):
                yield _At(member, f"{uri}/{escape(key)}", kind)


def _described(kind: str, name: str, fields: Fields, version: str) -> str:
    """Describe a member that is not one of the fields; empty if it is not to be reported."""
    if (kind, name) == ("Schema", "nullable"):
        return "`nullable` was removed in OpenAPI 3.1; it is read as in 3.0. Write `null` into `type` instead"
    other = known_to(kind, name)
    may_be_foreign = kind == "Schema" and version >= "3.1" and not other
    meant = _meant(name, fields, _ALL_BUT_EQUAL if may_be_foreign else _ALIKE)
    if may_be_foreign and (not meant or len(name) < _SHORTEST):
        return ""
    if other:
        hint = f"it exists in OpenAPI {other}"
    elif meant:
        hint = f"did you mean `{meant}`?"
    else:
        hint = "names of extensions begin with `x-`"
    article = "an" if kind[0] in "AEIOU" else "a"
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", kind)
    return f"`{name[:_LONGEST]}` is not a field of {article} {spaced} Object; {hint}"


def _meant(name: str, fields: Iterable[str], likeness: float) -> str:
    """Return the field most similar to a name, if its similarity (0 to 1) suffices; case-insensitive."""
    if len(name) > _LONGEST:
        return ""
    known = {field.lower(): field for field in fields}
    found = get_close_matches(name.lower(), known, 1, likeness)
    return known[found[0]] if found else ""
