"""Drift: count the differences of responses from a document, and write an overlay that allows them.

::

    client = dynclient.load("vendor.yaml", validate="record")
    ...                                         # calls; differing responses are returned
    report = dynclient.drift.report(client)     # prints as a table
    overlay = report.to_overlay()               # review it
    client = dynclient.load("vendor.yaml", overlays=[overlay])

Rule 1: differences are counted by operation, place in the document, and kind. At most MOST of them are kept.
Rule 2: an overlay relaxes responses only. A schema that requests use too is copied for the responses that need it.
Rule 3: values that a server sent get into an overlay only as members of an ``enum``, and not if the name looks secret.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dynclient import model
from dynclient._deferred import expression
from dynclient._escaping import counted, escaped
from dynclient._paging.rules import value_at
from dynclient._response import match_status
from dynclient._secrets import names_credential
from dynclient.dialects import DIALECTS, OAS32
from dynclient.exceptions import ArgumentError, DocumentLocation, Fault
from dynclient.inspection.tables import aligned
from dynclient.json_pointer import MISSING, join, of_fragment, split, walk
from dynclient.media_types import essence
from dynclient.messages import Response

MOST = 1_000
"""The largest number of different deviations; later ones are only counted."""

_MOST_VALUES = 50
_UNKNOWN = "…"
"""The detail instead of a value that is not shown."""
_LONGEST = 100
_KEYS = expression(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]", re.ASCII)
_NAME = expression(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_INDEX = expression(r"\[\d+\]")
_CHOICES = frozenset({"anyOf", "oneOf"})


@dataclass(frozen=True, slots=True)
class Deviation:
    """A kind of difference of responses from the document, with its count.

    ``kind`` is the violated keyword of the schema, or ``status``, ``content-type`` or ``decode``. ``detail`` is the
    unknown value, the other type, the missing name, the status or the media type. ``uri`` is that of the keyword in the
    document, and ``path`` the place in the first value that broke it.
    """

    operation: str
    status: int
    kind: str
    detail: Any
    path: str
    message: str
    uri: str
    location: DocumentLocation | None
    count: int


class Recorder:
    """Counts deviations. Threads may share it."""

    def __init__(self, api: model.API) -> None:
        """Take the API of the responses."""
        self.api = api
        self.lost = 0
        self._found: dict[tuple[Any, ...], list[Any]] = {}
        self._lock = threading.Lock()

    def note(self, operation: model.Operation, response: Response, faults: Sequence[Fault], data: Any) -> None:
        """Count the faults of one response; ``data`` is its decoded body, if it is known."""
        for fault in faults:
            kind, detail = fault.keyword or "other", _detail(fault, response, data)
            place = fault.uri or _INDEX.sub("[*]", fault.path)
            head = (operation.row.key, response.status, place, kind)
            with self._lock:
                key = (*head, type(detail), detail)
                entry = self._found.get(key)
                if entry is None and kind == "enum" and sum(one[:4] == head for one in self._found) >= _MOST_VALUES:
                    key, detail = (*head, str, _UNKNOWN), _UNKNOWN
                    entry = self._found.get(key)
                if entry is not None:
                    entry[1] += 1
                elif len(self._found) < MOST:
                    self._found[key] = [(operation, response.status, kind, detail, fault), 1]
                else:
                    self.lost += 1

    def report(self) -> Report:
        """Return the counts so far, the most frequent first."""
        with self._lock:
            found = sorted(self._found.values(), key=lambda entry: -entry[1])
            lost = self.lost
        deviations = tuple(
            Deviation(operation.id, status, kind, detail, fault.path, fault.message, fault.uri, fault.location, count)
            for (operation, status, kind, detail, fault), count in found
        )
        return Report(deviations, lost, self.api)

    def clear(self) -> None:
        """Restart the counts."""
        with self._lock:
            self._found.clear()
            self.lost = 0


def _detail(fault: Fault, response: Response, data: Any) -> Any:
    """The detail that distinguishes faults of the same keyword: an unknown value, a type, a name."""
    if fault.keyword == "status":
        return response.status
    if fault.keyword == "content-type":
        return essence(response.content_type or "")
    keys = _keys(fault.path)
    if fault.keyword == "required":
        return keys[-1] if keys else ""
    if fault.keyword == "enum":
        name = next((key for key in reversed(keys) if isinstance(key, str)), "")
        value = value_at(data, tuple(keys)) if fault.path.startswith("$") else MISSING
        is_short = value is None or (isinstance(value, str | int | float) and len(str(value)) <= _LONGEST)
        return value if is_short and not names_credential(name) else _UNKNOWN
    return fault.value_type if fault.keyword == "type" or fault.keyword in _CHOICES else ""


def _keys(path: str) -> list[str | int]:
    """The keys of a path such as ``$.a[0]['odd key']``."""
    found: list[str | int] = []
    for name, index, quoted in _KEYS.findall(path.partition("$")[2] or path):
        found.append(name or (int(index) if index else re.sub(r"\\(.)", r"\1", quoted)))
    return found


def report(source: Any) -> Report:
    """Report the differences of responses from the document.

    ``source`` is a client that was loaded with ``validate="record"`` (or one of its copies), a proxy of
    ``dynclient.testing``, or a running proxy server. Clients that ``with_options`` made share their counts;
    ``reload()`` restarts them if the document has changed.

    Raises:
        ArgumentError: it is something else.
    """
    state = getattr(source, "_state", None)
    recorder = (
        state.document.recorder if state is not None else getattr(getattr(source, "proxy", source), "drift", None)
    )
    if not isinstance(recorder, Recorder):
        raise ArgumentError(f"a report needs a client or a proxy, not a {type(source).__name__}")
    return recorder.report()


@dataclass(frozen=True, slots=True)
class Report:
    """Deviations, the most frequent first; ``lost`` counts those beyond the limit. It prints as a table."""

    deviations: tuple[Deviation, ...]
    lost: int
    api: model.API

    def __iter__(self) -> Iterator[Deviation]:
        return iter(self.deviations)

    def __len__(self) -> int:
        return len(self.deviations)

    def __str__(self) -> str:
        rows = [["COUNT", "OPERATION", "STATUS", "KIND", "PLACE", "FAULT"]]
        for one in self.deviations:
            place = ":".join(str(part) for part in (one.location or ())[::2] if part is not None)
            what = f"{one.path}: {one.message}" if one.path else one.message
            detail = f" ({one.detail!r})" if one.kind == "enum" else ""
            rows.append([str(one.count), one.operation, str(one.status), one.kind, place, f"{what}{detail}"])
        lines = [aligned([[escaped(cell) for cell in row] for row in rows])] if self.deviations else []
        lines += [f"and {counted(self.lost, 'fault')} of further kinds"] if self.lost else []
        return "\n".join(lines) or "all responses matched the document"

    def __repr__(self) -> str:
        return str(self)

    def to_overlay(self) -> dict[str, Any]:
        """Return an Overlay 1.1 that relaxes the document so that these responses are valid.

        Each action has its count as ``x-evidence``. Some differences can't be allowed by an overlay: bodies that can't
        be decoded, and parts in other files. A relaxation may uncover further faults, which another recording finds.

        Raises:
            ArgumentError: there is nothing to relax.
        """
        actions = _Relaxation(self).actions()
        if not actions:
            raise ArgumentError("no overlay is needed: there is nothing to relax")
        title = f"Drift of {self.api.title} {self.api.version}".strip()
        return {"overlay": "1.1.0", "info": {"title": title, "version": "1"}, "actions": actions}


class _Relaxation:
    """The actions that relax a document. Places are JSON pointers in it."""

    def __init__(self, report: Report) -> None:
        self._deviations = report.deviations
        self._api = report.api
        document: Any = report.api.references
        self._uri: str = document.uri
        self._root: Mapping[str, Any] = document.root
        self._dialect = DIALECTS["2.0" if "swagger" in self._root else str(self._root.get("openapi"))[:3]]
        # Schemas that requests use too -> their copies for responses.
        self._copies: dict[str, str] = {}
        self._references: dict[str, list[tuple[str, str]]] = {}

    def actions(self) -> list[dict[str, Any]]:
        groups: dict[tuple[str, str], list[Deviation]] = {}
        for one in self._deviations:
            place = one.uri.partition("#")[2] if one.uri.startswith(f"{self._uri}#/") else ""
            groups.setdefault((place or f"{one.operation} {one.status} {one.path}", one.kind), []).append(one)
        found = list(self._separated(groups))
        for (place, kind), deviations in groups.items():
            if place.startswith("/"):
                made = self._of_keyword(place, kind, deviations)
            else:
                made = self._OF_RESPONSES[kind](self, deviations) if kind in self._OF_RESPONSES else ()
            operations = ", ".join(sorted({one.operation for one in deviations})[:5])
            text = f"{operations}: {deviations[0].path} {deviations[0].message}"
            more = {"description": escaped(text)[:500], "x-evidence": sum(one.count for one in deviations)}
            found += [{**action, **more} for action in made]
        return list({repr(action): action for action in found}.values())

    # Relaxations.

    def _of_keyword(self, place: str, kind: str, deviations: list[Deviation]) -> Iterable[dict[str, Any]]:
        """Relax a keyword of a schema."""
        parent, _ = walk(self._root, split(place.rpartition("/")[0]))
        if place.endswith("/discriminator") and isinstance(parent, Mapping):
            # Without this keyword, a value may fit several branches, so the choice is relaxed too.
            above = self._path(place.rpartition("/")[0])
            names = [name for name in ("discriminator", "anyOf", "oneOf") if name in parent]
            return [{"target": f"{above}.{name}", "remove": True} for name in names]
        if not isinstance(parent, Mapping) or kind not in parent:
            return []
        details = list(dict.fromkeys(one.detail for one in deviations))
        path, above = self._path(place), self._path(place.rpartition("/")[0])
        removed = {"target": path, "remove": True}
        if kind == "enum" and _UNKNOWN not in details:
            return [{"target": path, "update": details}]
        if kind == "required" and set(parent[kind]) > set(details):
            return [{"target": f"{path}[?@ == {_quoted(name)}]", "remove": True} for name in details]
        if kind == "type":
            return self._of_type(parent, details, path, above)
        if kind in _CHOICES and all(one.message.startswith("must be ") for one in deviations):
            return [{"target": path, "update": [self._only(name) for name in details]}]
        return [removed]

    def _of_type(self, parent: Mapping[str, Any], names: list[str], path: str, above: str) -> list[dict[str, Any]]:
        before, others = parent["type"], [name for name in names if name != "null"]
        removed = {"target": path, "remove": True}
        if isinstance(before, list):
            return [{"target": path, "update": names}]
        if self._dialect.version >= "3.1":
            return [removed, {"target": above, "update": {"type": [before, *names]}}]
        # OAS 3.0.4, Schema Object: `type` is a single one, and null is allowed by `nullable` next to it.
        found = [{"target": above, "update": {self._dialect.nullable: True}}] if "null" in names else []
        if others == ["number"] and before == "integer":
            return [*found, {"target": path, "update": "number"}]
        return [*found, removed] if others else found

    def _only(self, name: str) -> dict[str, Any]:
        """A schema of one type."""
        if name == "null" and self._dialect.version < "3.1":
            return {"enum": [None], self._dialect.nullable or "nullable": True}
        return {"type": name}

    def _of_status(self, deviations: list[Deviation]) -> Iterable[dict[str, Any]]:
        """Document a status."""
        operation = self._operation(deviations[0])
        added = {str(deviations[0].status): {"description": "Sent by the server."}}
        yield from self._in(operation.row.pointer, "", {"responses": added})

    def _of_content_type(self, deviations: list[Deviation]) -> Iterable[dict[str, Any]]:
        """Document media types, of any value."""
        operation, status = self._operation(deviations[0]), deviations[0].status
        names = [one.detail for one in deviations if one.detail]
        documented = match_status(operation, status)
        if documented is None or not names:
            return
        if self._dialect.version == "2.0":
            here, _ = walk(self._root, split(operation.row.pointer))
            before = [] if isinstance(here, Mapping) and "produces" in here else self._root.get("produces", [])
            yield from self._in(operation.row.pointer, "", {"produces": [*before, *names]})
        else:
            yield from self._in(documented.pointer, "", {"content": {name: {} for name in names}})

    def _of_header(self, deviations: list[Deviation]) -> Iterable[dict[str, Any]]:
        """Make a header optional."""
        documented = match_status(self._operation(deviations[0]), deviations[0].status)
        for name, header in documented.headers.items() if documented is not None else ():
            if deviations[0].path == f"header.{name}":
                yield from self._in(header.pointer, "/required", False)

    # By kind, if the fault does not come from a schema.
    _OF_RESPONSES: ClassVar[Mapping[str, Callable[..., Iterable[dict[str, Any]]]]] = {
        "status": _of_status,
        "content-type": _of_content_type,
        "required": _of_header,
    }

    def _in(self, pointer: str, member: str, value: Any) -> Iterator[dict[str, Any]]:
        """An update, unless it is in another file."""
        if pointer.startswith("/"):
            yield {"target": self._path(pointer + member), "update": value}

    def _operation(self, deviation: Deviation) -> model.Operation:
        names = (row for row in self._api.rows if deviation.operation in (row.operation_id, row.key, row.name))
        return self._api.read(next(names))

    def _path(self, pointer: str) -> str:
        """The JSONPath of a place; within a schema that was copied, that of the copy."""
        node: Any = self._root
        segments = ["$"]
        above = ""
        for key in split(pointer):
            above = join(above, key)
            is_index = isinstance(node, list)
            node, _ = walk(node, [key])
            segments.append(f"[{key}]" if is_index else f".{key}" if _NAME.fullmatch(key) else f"[{_quoted(key)}]")
            if above in self._copies:
                segments = [self._path(self._copies[above])]
        return "".join(segments)

    # Schemas that requests use too.

    def _separated(self, groups: Mapping[tuple[str, str], list[Deviation]]) -> Iterator[dict[str, Any]]:
        """Copy schemas that requests use too, and make the responses refer to the copies."""
        requested = self._requested()
        count = 0
        links: dict[str, str] = {}
        for (place, _), deviations in groups.items():
            for one in deviations if place.startswith("/") else ():
                documented = match_status(self._operation(one), one.status)
                if documented is None or not documented.pointer.startswith("/"):
                    continue
                start = documented.pointer
                edges = self._edges(start)
                target = _nearest(place, edges)
                if not target or target == start or target not in requested:
                    continue
                count += one.count
                on_way = _leading(edges, target)
                links |= {at: to for node in on_way for at, to in edges[node] if to in on_way and to in requested}
        self._name_copies(links.values())
        schemas = self._path(self._dialect.schemas)
        if self._copies:
            new: dict[str, Any] = {split(copy)[-1]: {} for copy in self._copies.values()}
            yield {"target": schemas, "update": new, "x-evidence": count}
        copies, self._copies = self._copies, {}
        for pointer, copy in copies.items():
            yield {"target": self._path(copy), "copy": self._path(pointer), "x-evidence": count}
        self._copies = copies
        for at, to in links.items():
            yield {"target": self._path(at), "update": f"#{copies[to]}", "x-evidence": count}

    def _name_copies(self, pointers: Iterable[str]) -> None:
        there, _ = walk(self._root, split(self._dialect.schemas))
        taken = set(there) if isinstance(there, Mapping) else set()
        for pointer in dict.fromkeys(pointers):
            name = start = f"{split(pointer)[-1]}Response"
            number = 1
            while name in taken:
                number += 1
                name = f"{start}{number}"
            taken.add(name)
            self._copies[pointer] = join(self._dialect.schemas, name)

    def _requested(self) -> set[str]:
        """The targets of all references that requests reach."""
        found: set[str] = set()
        paths = self._root.get("paths")
        for path, item in paths.items() if isinstance(paths, Mapping) else ():
            for key, member in item.items() if isinstance(item, Mapping) else ():
                base = join("/paths", path, key)
                if key == "parameters":
                    found |= set(self._edges(base))
                elif isinstance(member, Mapping) and key in OAS32.methods:
                    for name in ("parameters", "requestBody"):
                        found |= set(self._edges(f"{base}/{name}")) if name in member else set()
        return found

    def _edges(self, start: str) -> dict[str, list[tuple[str, str]]]:
        """Each place that references lead to from a place on, with the references in it and their targets."""
        found: dict[str, list[tuple[str, str]]] = {}
        pending = [start]
        while pending:
            pointer = pending.pop()
            if pointer not in found:
                found[pointer] = self._references.setdefault(pointer, list(self._read_references(pointer)))
                pending += [target for _, target in found[pointer]]
        return found

    def _read_references(self, pointer: str) -> Iterator[tuple[str, str]]:
        node, _ = walk(self._root, split(pointer))
        pending = [(node, pointer)]
        while pending:
            node, at = pending.pop()
            if isinstance(node, list):
                pending += [(below, f"{at}/{index}") for index, below in enumerate(node)]
            elif isinstance(node, Mapping):
                texts = {"$ref": node.get("$ref")}
                if at.endswith("/discriminator/mapping"):
                    texts = dict(node)
                for key, text in texts.items():
                    if isinstance(text, str) and text.startswith("#/"):
                        yield join(at, key), of_fragment(self._root, text[1:])[0]
                pending += [(below, join(at, key)) for key, below in node.items()]


def _nearest(place: str, targets: Iterable[str]) -> str:
    """The innermost of some places that a place is in; empty if it is in none."""
    known = set(targets)
    while place and place not in known:
        place = place.rpartition("/")[0]
    return place


def _leading(edges: Mapping[str, list[tuple[str, str]]], target: str) -> set[str]:
    """The places from which references lead to a target, and itself."""
    found = {target}
    size = 0
    while size != len(found):
        size = len(found)
        found |= {node for node, links in edges.items() if any(to in found for _, to in links)}
    return found


def _quoted(text: str) -> str:
    """A name, or a text to compare with, quoted as in RFC 9535."""
    return "'" + json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
