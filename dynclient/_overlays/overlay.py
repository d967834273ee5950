"""Read Overlays, and apply them to a document's tree, in sequence, recording the origin of each part.

An Overlay is checked against the schemas of Overlay 1.0 and 1.1. The clarifications of 1.1 apply to both: an array is
concatenated, and a primitive may be a target.

Rule 1: the tree is the caller's own copy, and no two places in it share an object. It is changed in place.
Rule 2: an action selects its nodes first, then changes them. An added value is copied for each node.
Rule 3: nothing recurses over values, so any depth works; the time, the nodes of an action and those of the result are
bounded.
Rule 4: an added member comes from the overlay. An existing object that was merged into does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from dynclient._deferred import expression
from dynclient._overlays.json_path import Location, OutOfTime, PathError, Paths, Selected
from dynclient._records import Record
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument, UnsafeDocument, UnsupportedVersion
from dynclient.json_pointer import MISSING, join
from dynclient.options import Limits

_VERSION = expression(r"(1\.[01])\.[0-9]+")
_TYPES = {"object": Mapping, "array": list, "string": str, "boolean": bool}
_ROOT = {"overlay": "string", "info": "object", "extends": "string", "actions": "array"}
_INFO = {"title": "string", "version": "string", "description": "string"}
_ACTION = {"target": "string", "description": "string", "update": "", "copy": "string", "remove": "boolean"}
_SHOWN = 100
_NEEDED = "an Overlay begins with `overlay: 1.1.0`, and has `info` and `actions`"


class Action(Record):
    """An Action Object. ``kind`` is update, copy, remove, or empty; ``pointer`` its JSON pointer in the Overlay."""

    target: str
    kind: str
    pointer: str
    update: Any = None
    copy: str = ""
    description: str = ""


class Overlay(Record):
    """An Overlay. ``name`` is what errors call it; ``line`` finds the line of a JSON pointer in it, or None."""

    name: str
    title: str
    extends: str
    actions: tuple[Action, ...]
    line: Callable[[str], int | None]

    def location(self, pointer: str) -> DocumentLocation:
        """The location of a JSON pointer, for an error."""
        return DocumentLocation(self.name, pointer, self.line(pointer))


def read_overlay(tree: Any, name: str, line: Callable[[str], int | None], most_actions: int | None) -> Overlay:
    """Read an Overlay from plain data.

    Raises:
        UnsupportedVersion: it is not an Overlay, or has another version.
        InvalidDocument: a field is missing, unknown, or of a wrong type; or a target is not a JSONPath.
        UnsafeDocument: it has too many actions.
        ArgumentError: jsonpath-rfc9535 is not installed.
    """
    overlay = Overlay(name, "", "", (), line)
    version = tree.get("overlay") if isinstance(tree, Mapping) else None
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if found is None:
        says = f"says `overlay: {str(version)[:40]}`, which is not supported" if version else "is not an Overlay"
        raise UnsupportedVersion(f"{name} {says}", hint=_NEEDED)
    _check(overlay, tree, "", _ROOT, ("info", "actions"))
    _check(overlay, tree["info"], "/info", _INFO, ("title", "version"))
    actions = tree["actions"]
    if not actions:
        raise _fault(overlay, "/actions", "has no action")
    if most_actions is not None and len(actions) > most_actions:
        raise UnsafeDocument(
            f"{name} has {len(actions):,} actions, {most_actions:,} are allowed",
            hint="load(..., limits=Limits(overlay_actions=...)) sets this limit",
        )
    paths = Paths(None)
    read = tuple(_action(overlay, action, index, found[1], paths) for index, action in enumerate(actions))
    _check_repeated(overlay, actions)
    return overlay._replace(title=tree["info"]["title"], extends=tree.get("extends", ""), actions=read)


def _action(overlay: Overlay, action: Any, index: int, version: str, paths: Paths) -> Action:
    pointer = f"/actions/{index}"
    known = _ACTION if version != "1.0" else {name: kind for name, kind in _ACTION.items() if name != "copy"}
    _check(overlay, action, pointer, known, ("target",))
    kinds = [kind for kind in ("update", "copy") if kind in action]
    if action.get("remove"):
        kinds = ["remove"]
    if len(kinds) > 1:
        # Overlay 1.1.0, Action Object: each has no impact if the other one has a value.
        raise _fault(overlay, pointer, "has both `update` and `copy`; then neither has an effect")
    for field in ("target", "copy"):
        try:
            paths.read(action.get(field, "$"))
        except PathError as error:
            raise _fault(overlay, f"{pointer}/{field}", f"`{field}: {_short(action[field])}` {error}") from None
    return Action(
        target=action["target"],
        kind=kinds[0] if kinds else "",
        pointer=pointer,
        update=action.get("update"),
        copy=action.get("copy", ""),
        description=action.get("description", ""),
    )


def _check(overlay: Overlay, node: Any, pointer: str, known: Mapping[str, str], required: tuple[str, ...]) -> None:
    """Check the fields of an object, like ``unevaluatedProperties: false`` in the specification's schemas."""
    if not isinstance(node, Mapping):
        raise _fault(overlay, pointer, "must be an object")
    for field in required:
        if field not in node:
            raise _fault(overlay, pointer, f"has no `{field}`")
    for field, value in node.items():
        if field not in known and not field.startswith("x-"):
            message = f"has the unknown field `{_short(field)}`; the fields are {', '.join(known)}"
            raise _fault(overlay, join(pointer, field), message)
        expected = known.get(field)
        if expected and not isinstance(value, _TYPES[expected]):
            raise _fault(overlay, join(pointer, field), f"`{field}` must be of type {expected}")


def _check_repeated(overlay: Overlay, actions: list[Any]) -> None:
    # Overlay 1.0 and 1.1, schema: `uniqueItems`.
    seen: set[str] = set()
    for index, action in enumerate(actions):
        written = json.dumps(action, sort_keys=True)
        if written in seen:
            raise _fault(overlay, f"/actions/{index}", "is given twice")
        seen.add(written)


def _fault(overlay: Overlay, pointer: str, message: str) -> InvalidDocument:
    if pointer.startswith("/actions/"):
        message = f"action {int(pointer.split('/')[2]) + 1} {message}"
    return InvalidDocument(f"{overlay.name}: {message}", location=overlay.location(pointer))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


Origin = tuple[int, str]
"""The origin of a value: 0 for the document or the number of the overlay, from 1, and the JSON pointer there."""


class ActionResult(Record):
    """The result of an action: the number of nodes that its target has selected."""

    overlay: Overlay
    action: Action
    selected: int

    @property
    def warning(self) -> str:
        """Why the action has changed nothing; empty if it has changed something."""
        if not self.selected:
            return f"the target {self.action.target[:_SHOWN]} selects nothing"
        return "" if self.action.kind else "the action has neither `update` nor `copy` nor `remove`"


class Applied(Record):
    """A tree with its overlays applied.

    ``origins`` has the JSON pointers of added or moved members; values below them moved along. ``warnings`` are about
    actions that changed nothing, and overlays that were made for another document.
    """

    tree: dict[str, Any]
    origins: dict[str, Origin]
    results: tuple[ActionResult, ...]
    warnings: tuple[str, ...] = ()


def apply(tree: dict[str, Any], overlays: Sequence[Overlay], limits: Limits) -> Applied:
    """Apply overlays to a tree of plain data, which is changed.

    Raises:
        InvalidDocument: an action does not fit the nodes that its target selects.
        UnsafeDocument: an action, or all actions together, exceed the limits.
        ArgumentError: jsonpath-rfc9535 is not installed.
    """
    application = _Application(tree, limits)
    results = [
        ActionResult(overlay, action, application.act(overlay, number, action))
        for number, overlay in enumerate(overlays, 1)
        for action in overlay.actions
    ]
    return Applied(tree, dict(application.moved()), tuple(results))


class _Refused(Exception):
    """An action does not fit its target; the text is the reason."""


class _TooMuch(Exception):
    """A limit is exceeded: the reason, and the name of the limit."""


class _Application:
    def __init__(self, tree: dict[str, Any], limits: Limits) -> None:
        self._tree = tree
        self._limits = limits
        self._paths = Paths(limits.overlay_seconds)
        # Of the objects and arrays that were changed, by their id: the origins of members, for arrays those of all
        # items. An object in this mapping must not be deleted, since its id could be reused.
        self._origins: dict[int, Any] = {}
        self._alive: list[Any] = []
        self._touched = 0
        self._added = 0

    def act(self, overlay: Overlay, number: int, action: Action) -> int:
        """Carry out one action; returns the number of nodes that its target has selected."""
        self._touched = 0
        try:
            selected = []
            for found in self._paths.select(action.target, self._tree):
                self._count(1)
                selected.append(found)
            if action.kind == "remove":
                self._remove(selected)
            elif action.kind and selected:
                _check_alike(selected)
                value, origin = self._value(action, number)
                for found in selected:
                    self._update(found, value, origin)
        except _Refused as refused:
            raise self._fault(InvalidDocument, overlay, action, str(refused)) from None
        except PathError as error:
            raise self._fault(InvalidDocument, overlay, action, f"its path {error}") from None
        except _TooMuch as error:
            raise self._fault(UnsafeDocument, overlay, action, *error.args) from None
        except OutOfTime:
            seconds = f"{self._limits.overlay_seconds:g}"
            what = f"the overlays take longer than {seconds} seconds", "overlay_seconds"
            raise self._fault(UnsafeDocument, overlay, action, *what) from None
        return len(selected)

    def _fault(
        self, kind: type[DocumentError], overlay: Overlay, action: Action, reason: str, limit: str = ""
    ) -> DocumentError:
        index = int(action.pointer.rpartition("/")[2]) + 1
        hint = f"load(..., limits=Limits({limit}=...)) sets this limit" if limit else ""
        message = f"{overlay.name}: action {index} can't be applied to {_short(action.target)}: {reason}"
        return kind(message, location=overlay.location(action.pointer), hint=hint)

    # The actions.

    def _value(self, action: Action, number: int) -> tuple[Any, Origin]:
        """The value that an action adds, and its origin. A copied value may contain its own target."""
        if action.kind == "update":
            return action.update, (number, f"{action.pointer}/update")
        sources = []
        for found in self._paths.select(action.copy, self._tree):
            sources.append(found)
            if len(sources) > 1:
                break
        if len(sources) != 1:
            # Overlay 1.1.0, Action Object: `copy` selects a single node.
            raise _Refused(
                f"`copy: {action.copy[:_SHOWN]}` selects {'several nodes' if sources else 'no node'}, not one"
            )
        origin = self._origin(sources[0].location)
        return self._copied(sources[0].value, len(sources[0].location)), origin

    def _update(self, found: Selected, value: Any, origin: Origin) -> None:
        """Merge a value into an object, append it to an array, or replace a primitive with it."""
        target, own = found.value, self._origin(found.location)
        if isinstance(target, dict) and isinstance(value, dict):
            self._merge(target, own, value, origin, len(found.location))
        elif isinstance(target, list):
            if isinstance(value, list):
                self._extend(target, own, value, origin, len(found.location))
            else:
                self._extend(target, own, [value], origin, len(found.location), whole=True)
        elif not isinstance(target, dict | list) and not isinstance(value, dict | list):
            self._put(found.parent, self._origin(found.location[:-1]), found.location[-1], value, origin)
        else:
            raise _Refused(f"{_named(target)} at {_pointer(found.location)} can't take {_named(value)}")

    def _merge(self, target: dict[str, Any], own: Origin, value: dict[str, Any], origin: Origin, depth: int) -> None:
        pending = [(target, own, value, origin, depth)]
        while pending:
            into, own, source, origin, depth = pending.pop()
            for key, new in source.items():
                old, place = into.get(key, MISSING), self._child(source, origin, key)
                if old is MISSING:
                    self._put(into, own, key, self._copied(new, depth + 1), place)
                elif isinstance(old, dict) and isinstance(new, dict):
                    pending.append((old, self._child(into, own, key), new, place, depth + 1))
                elif isinstance(old, list) and isinstance(new, list):
                    self._extend(old, self._child(into, own, key), new, place, depth + 1)
                elif isinstance(old, dict | list) or isinstance(new, dict | list):
                    raise _Refused(
                        f"the member {key[:_SHOWN]!r} is {_named(old)}, and the new value {_named(new)}; "
                        "an earlier action has to remove it"
                    )
                else:
                    self._put(into, own, key, new, place)

    def _extend(
        self, target: list[Any], own: Origin, values: list[Any], origin: Origin, depth: int, *, whole: bool = False
    ) -> None:
        """Append values to an array; with ``whole`` the origin belongs to the single value itself."""
        origins = self._members(target, own)
        for index, value in enumerate(list(values)):
            origins.append(origin if whole else self._child(values, origin, index))
            target.append(self._copied(value, depth + 1))

    def _put(self, parent: Any, own: Origin, key: Any, value: Any, origin: Origin) -> None:
        self._count(1)
        self._members(parent, own)[key] = origin
        parent[key] = value

    def _remove(self, selected: list[Selected]) -> None:
        # From the end, so that the remaining indices stay valid.
        for found in sorted(selected, key=_order, reverse=True):
            if found.parent is None:
                raise _Refused("the document itself can't be removed")
            key = found.location[-1]
            self._alive.append(found.value)
            if isinstance(found.parent, list):
                del self._members(found.parent, self._origin(found.location[:-1]))[key]
            del found.parent[key]

    # Bounds.

    def _count(self, nodes: int) -> None:
        self._touched += nodes
        self._added += nodes
        most, limits = self._limits.overlay_nodes, self._limits
        if most is not None and self._touched > most:
            raise _TooMuch(f"it selects or adds more than {most:,} nodes", "overlay_nodes")
        if limits.document_nodes is not None and self._added > limits.document_nodes:
            raise _TooMuch(f"the overlays add more than {limits.document_nodes:,} nodes", "document_nodes")
        self._paths.look()

    def _copied(self, value: Any, depth: int) -> Any:
        """Copy a value at this depth of the document, and note the same origins for its members."""
        if not isinstance(value, dict | list):
            return value
        made: Any = [] if isinstance(value, list) else {}
        pending = [(value, made, depth)]
        while pending:
            node, copy, depth = pending.pop()
            self._count(len(node))
            if depth >= self._limits.document_depth:
                raise _TooMuch(f"the result nests deeper than {self._limits.document_depth} levels", "document_depth")
            if id(node) in self._origins:
                self._origins[id(copy)] = self._origins[id(node)].copy()
            self._alive.append(copy)
            for key, child in enumerate(node) if isinstance(node, list) else node.items():
                below: Any = child
                if isinstance(child, dict | list):
                    below = [] if isinstance(child, list) else {}
                    pending.append((child, below, depth + 1))
                if isinstance(copy, list):
                    copy.append(below)
                else:
                    copy[key] = below
        return made

    # Origins.

    def _members(self, node: Any, own: Origin) -> Any:
        """The origins of the members of an object, or of all elements of an array; ``own`` is its own origin."""
        found = self._origins.get(id(node))
        if found is None:
            number, pointer = own
            elements = [(number, f"{pointer}/{index}") for index in range(len(node))] if isinstance(node, list) else {}
            found = self._origins[id(node)] = elements
            self._alive.append(node)
        return found

    def _child(self, node: Any, own: Origin, key: Any) -> Origin:
        found = self._origins.get(id(node))
        if found is not None and (isinstance(node, list) or key in found):
            origin: Origin = found[key]
            return origin
        return own[0], join(own[1], key)

    def _origin(self, location: Location) -> Origin:
        node: Any = self._tree
        origin: Origin = (0, "")
        for key in location:
            origin = self._child(node, origin, key)
            node = node[key]
        return origin

    def moved(self) -> Iterator[tuple[str, Origin]]:
        """Yield the members of the tree that are not at their original position in the document."""
        pending: list[tuple[Any, str, Origin]] = [(self._tree, "", (0, ""))] if self._origins else []
        while pending:
            node, pointer, own = pending.pop()
            known = id(node) in self._origins
            for key, child in enumerate(node) if isinstance(node, list) else node.items():
                is_leaf = not isinstance(child, dict | list)
                if is_leaf and not known:
                    continue
                place = join(pointer, key)
                origin = self._child(node, own, key) if known else (own[0], join(own[1], key))
                if known and origin != (own[0], join(own[1], key)):
                    yield place, origin
                if not is_leaf:
                    pending.append((child, place, origin))


def _check_alike(selected: list[Selected]) -> None:
    # Overlay 1.1.0, Action Object: the selected nodes are either all objects or all arrays or all primitives.
    first = selected[0]
    for other in selected:
        if _kind(other.value) != _kind(first.value):
            places = f"{_named(first.value)} at {_pointer(first.location)}", f"{_named(other.value)} at"
            raise _Refused(
                f"it selects {places[0]} and {places[1]} {_pointer(other.location)}; "
                "they must be all objects, all arrays or all primitives"
            )


def _kind(value: Any) -> str:
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "primitive"


def _named(value: Any) -> str:
    return {"object": "an object", "array": "an array"}.get(_kind(value), "a primitive")


def _pointer(location: Location) -> str:
    return f"#{join('', *location)}"


def _order(found: Selected) -> tuple[int, int]:
    key = found.location[-1] if found.location else 0
    return len(found.location), key if isinstance(key, int) else 0
