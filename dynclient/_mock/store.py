"""Items that requests created: found by their paths afterwards, and not found before.

An *item* is a path such as ``/accounts/{accountId}/calls/{callId}`` that has a GET, below a *collection* whose POST
responds with the item's id. The store is keyed by the item's concrete path.

Rule 1: a path at or below an item that does not exist is 404; a path without such a collection is always found.
Rule 2: the known values (of the path, of the request's body, of the item) are put into a response property by property,
and only as far as the response stays valid.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

from dynclient import model
from dynclient._mock.checks import RequestValues
from dynclient._mock.responses import Draft, HTTPError
from dynclient._mock.routing import Match, Route, bare
from dynclient._schemas import shape, typed
from dynclient.exceptions import DocumentError
from dynclient.options import MiB

# Members beside a list that hold its length.
COUNT_NAMES = frozenset({"total", "count", "totalCount", "total_count", "totalItems", "total_items", "size"})

# Older items go when a mock has more, or when what requests said of them has more characters.
_MOST_ITEMS = 10_000
_MOST_CHARACTERS = 64 * MiB
# Fewer digits at the end of an id are counted on as text.
_FEWEST_DIGITS = 4
_LAST_TEMPLATE = re.compile(r"(?P<collection>/.*)/\{(?P<name>[^{}/]+)\}")


class Store:
    """The items of one mock. The caller holds a lock: it is not safe for threads."""

    def __init__(self, api: model.API, routes: Mapping[str, Route]) -> None:
        """Take the paths; the response of a collection's POST is read when it is first needed."""
        self._api = api
        self._routes = routes
        self._id_property = cache(self._read_id_property)
        self._items: dict[str, dict[str, Any]] = {}
        self._collections: set[str] = set()
        self._count = 0
        self._sizes: dict[str, int] = {}
        self._size = 0

    def check(self, match: Match) -> None:
        """Check that every item in the path exists.

        Raises:
            HTTPError: 404.
        """
        for template, path in _prefixes(match):
            if self._id_property(template) is not None and path not in self._items:
                raise HTTPError(404, f"there is nothing at {path}")

    def apply(self, match: Match, draft: Draft, values: RequestValues) -> Draft:
        """Create, change or delete as the request says, and fill its response with the known values."""
        template, path = bare(match.row.path), _unquoted(match.path)
        created = self._created_id(template) if match.row.method == "POST" else None
        if created is not None:
            return self._create(created, match, draft, values)
        if self._id_property(template) is None:
            return self._listed(match, draft) if match.row.method == "GET" else self._of_item(match, draft)
        if match.row.method == "DELETE":
            self._remove(path)
            return draft
        if match.row.method in {"PUT", "PATCH", "POST"} and isinstance(values.body, dict):
            self._keep(path, {**self._items[path], **values.body}, values)
        return draft._replace(value=_overlaid(draft, {**_path_values(values), **self._items[path]}))

    def _create(self, id_property: str, match: Match, draft: Draft, values: RequestValues) -> Draft:
        known = {**_path_values(values), **(values.body if isinstance(values.body, dict) else {})}
        known.pop(id_property, None)
        value = _overlaid(draft, known)
        if not isinstance(value, dict) or id_property not in value:
            return draft
        collection = _unquoted(match.path)
        first = identifier = value[id_property]
        while f"{collection}/{identifier}" in self._items and type(first) in {int, str}:
            self._count += 1
            identifier = _varied(first, self._count)
        value = _renamed(value, first, identifier)
        path = f"{collection}/{identifier}"
        self._keep(path, {**known, **value}, values)
        self._collections.add(collection)
        # RFC 9110, 10.2.2: with 201, Location is the created resource.
        return draft._replace(value=value, headers={"location": path})

    def _keep(self, path: str, item: dict[str, Any], values: RequestValues) -> None:
        added = len(str(values.body))
        self._items[path] = item
        self._sizes[path] = self._sizes.get(path, 0) + added
        self._size += added
        while (len(self._items) > _MOST_ITEMS or self._size > _MOST_CHARACTERS) and len(self._items) > 1:
            self._remove(next(each for each in self._items if each != path))

    def _remove(self, path: str) -> None:
        if self._items.pop(path, None) is not None:
            self._size -= self._sizes.pop(path)

    def _listed(self, match: Match, draft: Draft) -> Draft:
        """The response with the existing items, once one has been created in the collection."""
        collection = _unquoted(match.path)
        if collection not in self._collections:
            return self._of_item(match, draft)
        items = [item for path, item in self._items.items() if path.rpartition("/")[0] == collection]
        valid = (value for value in _lists(draft.value, items) if _is_valid(draft, value))
        return draft._replace(value=next(valid, draft.value))

    def _of_item(self, match: Match, draft: Draft) -> Draft:
        """The response of a path below an item, with the item's values where it shows that item."""
        for template, path in reversed(list(_prefixes(match))):
            shows = isinstance(draft.value, dict) and self._id_property(template) in draft.value
            if shows and path in self._items:
                return draft._replace(value=_overlaid(draft, self._items[path]))
        return draft

    def _created_id(self, collection: str) -> str | None:
        """The property that holds the id in a response of a collection's POST; None if it creates no items."""
        templates = (template for template in self._routes if template.rpartition("/")[0] == collection)
        return next((name for name in map(self._id_property, templates) if name is not None), None)

    def _read_id_property(self, template: str) -> str | None:
        """The property that holds the id of the item at a path; None if it is not the path of an item."""
        found = _LAST_TEMPLATE.fullmatch(template)
        collection = self._routes.get(found["collection"]) if found else None
        if found is None or collection is None or "POST" not in collection.rows:
            return None
        if template not in self._routes or "GET" not in self._routes[template].rows:
            return None
        try:
            properties = _response_properties(self._api.read(collection.rows["POST"][0]))
        except DocumentError:
            return None
        return _id_property(found["name"], properties)


def _prefixes(match: Match) -> Iterator[tuple[str, str]]:
    templates, segments = bare(match.row.path).split("/"), match.path.split("/")
    for length in range(2, len(templates) + 1):
        if templates[length - 1].startswith("{"):
            yield "/".join(templates[:length]), _unquoted("/".join(segments[:length]))


def _unquoted(path: str) -> str:
    # One spelling for each path; an encoded slash stays what it is.
    return "/".join(quote(unquote(segment), safe="") for segment in path.split("/"))


def _path_values(values: RequestValues) -> dict[str, Any]:
    return {name: value for (in_, name), value in values.parameters.items() if in_ == "path"}


def _response_properties(operation: model.Operation) -> tuple[str, ...]:
    """The properties of the response of a successful POST."""
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


def _is_valid(draft: Draft, value: Any) -> bool:
    return draft.offer is None or draft.offer.is_valid(value)


def _overlaid(draft: Draft, known: Mapping[str, Any]) -> Any:
    """The draft's value with the known values put into it, as far as it stays valid."""
    schema = draft.offer.media_type.schema if draft.offer is not None else None
    if not isinstance(draft.value, dict) or schema is None:
        return draft.value
    properties = shape(schema).properties
    value = copy.deepcopy(draft.value)
    for name, member in known.items():
        # OAS 3.1.1, Schema Object: writeOnly properties are not in a response.
        hidden = name in properties and shape(properties[name]).write_only
        if (name in properties or name in value) and not hidden:
            fitting = typed(properties[name], member) if name in properties else member
            changed = {**value, name: fitting}
            if isinstance(fitting, str) and isinstance(value.get(name), str):
                changed = _renamed(changed, value[name], fitting)
            if _is_valid(draft, changed):
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
    """Another id, a text or a number, of the same form."""
    if isinstance(old, int):
        return old + count
    stem = old.rstrip("0123456789abcdef")
    width = len(old) - len(stem)
    if width < _FEWEST_DIGITS:
        return f"{old}-{count}"
    return stem + f"{(int(old[len(stem) :], 16) + count) % 16**width:0{width}x}"


def _lists(value: Any, items: list[dict[str, Any]]) -> Iterator[Any]:
    """The draft with its list replaced: whole items, or as much of them as the list's own example shows."""
    if isinstance(value, list):
        yield items
        yield [_like(value, item) for item in items]
    elif isinstance(value, dict):
        lists = [name for name, member in value.items() if isinstance(member, list)]
        if len(lists) == 1:
            counts = {name: len(items) for name, member in value.items() if type(member) is int and name in COUNT_NAMES}
            for members in _lists(value[lists[0]], items):
                yield {**value, **counts, lists[0]: members}


def _like(listed: list[Any], item: dict[str, Any]) -> Any:
    sample = listed[0] if listed and isinstance(listed[0], dict) else {}
    return {**sample, **{name: member for name, member in item.items() if name in sample}}
