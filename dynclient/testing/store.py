"""What was created: found again by the path that it has, and not found before.

An *item* is a path such as ``/accounts/{accountId}/calls/{callId}`` that can be read, below a *collection* whose POST
answers with the item's id. The store is keyed by the item's concrete path.

Rule 1: a path at or below an item that is not there is 404; one that has no such collection is left alone.
Rule 2: what is known (the path's values, what was sent, what was answered before) is put into an answer property by
property, and only as far as the answer stays valid.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from dynclient import model
from dynclient._records import Record
from dynclient._schemas import shape, typed
from dynclient._validation import validator
from dynclient.exceptions import DocumentError
from dynclient.testing.answers import Answer
from dynclient.testing.checks import Sent
from dynclient.testing.refusals import Refusal
from dynclient.testing.routing import Match, Route, bare

# Beside a list, what says how many there are.
COUNTS = frozenset({"total", "count", "totalCount", "total_count", "totalItems", "total_items", "size"})

_LAST_TEMPLATE = re.compile(r"(?P<collection>/.*)/\{(?P<name>[^{}/]+)\}")


class Item(Record):
    """A kind of item: the templates of it and its collection, and the property of an answer that holds the id."""

    template: str
    collection: str
    id_property: str


class Store:
    """The items of one mock. Its owner sees to it that one thread uses it at a time."""

    def __init__(self, api: model.API, routes: Mapping[str, Route]) -> None:
        """Take the paths; what a collection's POST answers is read when it is first asked for."""
        self._api = api
        self._routes = routes
        self._kinds: dict[str, Item | None] = {}
        self._items: dict[str, dict[str, Any]] = {}
        self._collections: set[str] = set()
        self._made = 0

    def check(self, match: Match) -> None:
        """See that what the path leads through is there.

        Raises:
            Refusal: 404.
        """
        for template, path in _prefixes(match):
            if self._kind(template) is not None and path not in self._items:
                raise Refusal(404, f"there is nothing at {path}")

    def filled(self, match: Match, answer: Answer, sent: Sent) -> Answer:
        """Do what the request does, and put what is known into its answer."""
        template, path = bare(match.row.path), _unquoted(match.path)
        creates = self._created_kind(template) if match.row.method == "POST" else None
        if creates is not None:
            return self._create(creates, match, answer, sent)
        if self._kind(template) is None:
            return self._listed(match, answer) if match.row.method == "GET" else self._of_item(match, answer)
        if match.row.method == "DELETE":
            self._items.pop(path, None)
            return answer
        if match.row.method in {"PUT", "PATCH", "POST"} and isinstance(sent.body, dict):
            self._items[path].update(sent.body)
        return answer._replace(value=_overlaid(answer, {**_path_values(sent), **self._items[path]}))

    def _create(self, kind: Item, match: Match, answer: Answer, sent: Sent) -> Answer:
        known = {**_path_values(sent), **(sent.body if isinstance(sent.body, dict) else {})}
        known.pop(kind.id_property, None)
        value = _overlaid(answer, known)
        if not isinstance(value, dict) or kind.id_property not in value:
            return answer
        collection = _unquoted(match.path)
        old = value[kind.id_property]
        while f"{collection}/{value[kind.id_property]}" in self._items:
            self._made += 1
            fresh = _varied(old, self._made)
            if fresh == value[kind.id_property]:
                break
            value = _renamed(value, value[kind.id_property], fresh)
        path = f"{collection}/{value[kind.id_property]}"
        self._items[path] = {**known, **value}
        self._collections.add(collection)
        # RFC 9110, 10.2.2: with 201, Location is the created resource.
        return answer._replace(value=value, headers={"location": path})

    def _listed(self, match: Match, answer: Answer) -> Answer:
        """A list of what is there, once something has been created here."""
        kind = self._created_kind(bare(match.row.path))
        collection = _unquoted(match.path)
        if kind is None or collection not in self._collections:
            return self._of_item(match, answer)
        items = [item for path, item in self._items.items() if path.rpartition("/")[0] == collection]
        for value in _lists(answer.value, items):
            if not _faults(answer, value):
                return answer._replace(value=value)
        return answer

    def _of_item(self, match: Match, answer: Answer) -> Answer:
        """An answer from below an item that shows the item."""
        kinds = [(self._kind(template), path) for template, path in _prefixes(match)]
        for kind, path in reversed(kinds):
            shows = kind is not None and isinstance(answer.value, dict) and kind.id_property in answer.value
            if shows and path in self._items:
                return answer._replace(value=_overlaid(answer, self._items[path]))
        return answer

    def _created_kind(self, collection: str) -> Item | None:
        templates = (template for template in self._routes if template.rpartition("/")[0] == collection)
        return next((kind for kind in map(self._kind, templates) if kind is not None), None)

    def _kind(self, template: str) -> Item | None:
        if template not in self._kinds:
            self._kinds[template] = self._read_kind(template)
        return self._kinds[template]

    def _read_kind(self, template: str) -> Item | None:
        found = _LAST_TEMPLATE.fullmatch(template)
        route = self._routes.get(template)
        collection = self._routes.get(found["collection"]) if found else None
        if found is None or route is None or collection is None:
            return None
        if "GET" not in route.rows or "POST" not in collection.rows:
            return None
        try:
            answers = _answered_properties(self._api.read(collection.rows["POST"][0]))
        except DocumentError:
            return None
        id_property = _id_property(found["name"], answers)
        return Item(template, found["collection"], id_property) if id_property is not None else None


def _prefixes(match: Match) -> Iterator[tuple[str, str]]:
    templates, segments = bare(match.row.path).split("/"), match.path.split("/")
    for length in range(2, len(templates) + 1):
        if templates[length - 1].startswith("{"):
            yield "/".join(templates[:length]), _unquoted("/".join(segments[:length]))


def _unquoted(path: str) -> str:
    # One spelling for each path; an encoded slash stays what it is.
    return "/".join(quote(unquote(segment), safe="") for segment in path.split("/"))


def _path_values(sent: Sent) -> dict[str, Any]:
    return {name: value for (in_, name), value in sent.parameters.items() if in_ == "path"}


def _answered_properties(operation: model.Operation) -> tuple[str, ...]:
    """The properties of what a successful POST answers."""
    for status in sorted(operation.responses):
        if status[0] == "2":
            schemas = [media_type.schema for media_type in operation.responses[status].content.values()]
            return tuple(dict.fromkeys(name for schema in schemas if schema for name in shape(schema).properties))
    return ()


def _id_property(template: str, properties: tuple[str, ...]) -> str | None:
    """The property that a path's ``{callId}`` is: ``callId``, ``call_id``, ``id``."""

    def folded(name: str) -> str:
        return re.sub(r"[^a-z0-9]", "", name.lower())

    by_name = {folded(name): name for name in reversed(properties)}
    return by_name.get(folded(template)) or (by_name.get("id") if folded(template).endswith("id") else None)


def _faults(answer: Answer, value: Any) -> bool:
    schema = answer.offer.media_type.schema if answer.offer is not None else None
    return schema is not None and bool(validator(schema, "response").faults(value))


def _overlaid(answer: Answer, known: Mapping[str, Any]) -> Any:
    """The answer's value with what is known in it, as far as it is valid."""
    schema = answer.offer.media_type.schema if answer.offer is not None else None
    if not isinstance(answer.value, dict) or schema is None:
        return answer.value
    properties = shape(schema).properties
    value = copy.deepcopy(answer.value)
    for name, member in known.items():
        # OAS 3.1.1, Schema Object: what is writeOnly is not in a response.
        hidden = name in properties and shape(properties[name]).write_only
        if (name in properties or name in value) and not hidden:
            fitting = typed(properties[name], member) if name in properties else member
            changed = {**value, name: fitting}
            if isinstance(fitting, str) and isinstance(value.get(name), str):
                changed = _renamed(changed, value[name], fitting)
            if not _faults(answer, changed):
                value = changed
    return value


def _renamed(value: Any, old: Any, new: Any) -> Any:
    """The value in which an id is another one, also within links."""
    if value == old and type(value) is type(old):
        return new
    if isinstance(value, dict):
        return {key: _renamed(member, old, new) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, old, new) for member in value]
    if isinstance(value, str) and isinstance(old, str) and isinstance(new, str) and "/" in value and old:
        return "/".join(new if part == old else part for part in value.split("/"))
    return value


def _varied(old: Any, count: int) -> Any:
    """Another id of the same form."""
    if isinstance(old, int) and not isinstance(old, bool):
        return old + count
    if not isinstance(old, str):
        return old
    digits = re.search(r"[0-9a-f]{4,}$", old)
    if digits is None:
        return f"{old}-{count}"
    width = len(digits[0])
    return old[: digits.start()] + f"{(int(digits[0], 16) + count) % 16**width:0{width}x}"


def _lists(value: Any, items: list[dict[str, Any]]) -> Iterator[Any]:
    """The answer with its list replaced: whole items, or as much of them as the list's own example shows."""
    if isinstance(value, list):
        yield items
        yield [_like(value, item) for item in items]
    elif isinstance(value, dict):
        lists = [name for name, member in value.items() if isinstance(member, list)]
        if len(lists) == 1:
            counts = {name: len(items) for name, member in value.items() if type(member) is int and name in COUNTS}
            for members in _lists(value[lists[0]], items):
                yield {**value, **counts, lists[0]: members}


def _like(listed: list[Any], item: dict[str, Any]) -> Any:
    sample = listed[0] if listed and isinstance(listed[0], dict) else {}
    return {**sample, **{name: member for name, member in item.items() if name in sample}}
