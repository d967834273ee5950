"""An Overlay document as a value, checked against the schemas of Overlay 1.0 and 1.1.

The clarifications of 1.1 apply to both: an array is concatenated, and a primitive may be a target.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dynclient._deferred import expression
from dynclient._overlays.json_path import PathError, Paths
from dynclient._records import Record
from dynclient.exceptions import DocumentLocation, InvalidDocument, UnsafeDocument, UnsupportedVersion
from dynclient.json_pointer import join

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
