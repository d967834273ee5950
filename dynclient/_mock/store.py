"""Created items: stored under their paths, and found there later.

An *item* is a path such as ``/accounts/{accountId}/calls/{callId}`` that has a GET, below a *collection* whose POST
responds with the item's id. The store is keyed by the item's concrete path.

Rule 1: a path at or below an item that does not exist is 404; a path without such a collection is always found.
Rule 2: the known values (of the path, of the request's body, of the item) are put into a response property by property,
only as long as the response stays valid. Names match without case and punctuation: ``FriendlyName`` is
``friendly_name``.
Rule 3: each id is new, unless the request has one; then it must not exist yet (409).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote, unquote

from dynclient import model
from dynclient._incoming.requests import HTTPError, Match, RequestValues, Route, bare
from dynclient._mock.pages import is_paged, paged
from dynclient._mock.responses import Draft
from dynclient._paging.answers import folded
from dynclient._records import Record
from dynclient._schemas import MISSING, branches, shape, typed
from dynclient.exceptions import DocumentError
from dynclient.options import MiB

# Older items are dropped when a mock has more, or when the bodies of their requests have more characters.
_MOST_ITEMS = 10_000
_MOST_CHARACTERS = 64 * MiB
# Fewer digits at the end of an id are treated as text.
_FEWEST_DIGITS = 4
# A number with fewer digits is not replaced within a URL.
_FEWEST_OF_NUMBER = 3
# The id that is used if neither the request nor the response has one.
_FIRST_ID = "1"
_LAST_TEMPLATE = re.compile(r"(?P<collection>/.*)/\{(?P<name>[^{}/]+)\}(?P<suffix>\.[a-z]+)?/?")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_NUMBERS = frozenset({"integer", "number"})
# If the template's name is not that of a property: ``{customer}`` is the ``id`` of one.
_ID_NAMES = ("id", "uuid", "uid", "sid", "name", "key", "slug")
# Members that may contain the item of a response, in addition to one with the collection's name.
_WRAPPERS = ("data", "result", "item")


class IdPlace(Record):
    """The place of an item's id in a response: ``wrapper`` contains the item, ``keys`` lead to the id in it."""

    keys: tuple[str, ...]
    wrapper: str = ""


class StoredItem(Record):
    """An item, the path of its collection, and the characters of the requests that have created and changed it."""

    collection: str
    value: dict[str, Any]
    size: int = 0


class Store:
    """The items of one mock. The caller holds a lock: it is not safe for threads."""

    def __init__(self, api: model.API, routes: Mapping[str, Route]) -> None:
        """Take the paths; the response of a collection's POST is read at its first use."""
        self._api = api
        self._routes = routes
        self._id_place = cache(self._read_id_place)
        self._items: dict[str, StoredItem] = {}
        # The number of items of each collection, including deleted ones, so that ids are not reused.
        self._created: dict[str, int] = {}
        self._size = 0

    def collections(self) -> tuple[list[str], list[str]]:
        """The collections that store created items, and those that do not."""
        found: dict[str, bool] = {}
        for template in self._routes:
            collection = self._collection(template)
            if collection is not None:
                found[collection] = found.get(collection, False) or self._id_place(template) is not None
        return [path for path in found if found[path]], [path for path in found if not found[path]]

    def check(self, match: Match) -> None:
        """Check that every item in the path exists.

        Raises:
            HTTPError: 404.
        """
        for template, path in _prefixes(match):
            if self._id_place(template) is not None and path not in self._items:
                raise HTTPError(404, f"there is nothing at {path}")

    def apply(self, match: Match, draft: Draft, values: RequestValues, operation: model.Operation, url: str) -> Draft:
        """Create, change or delete an item for the request, and fill its response with the known values.

        Raises:
            HTTPError: 409 if the item to create exists.
        """
        template, path = bare(match.row.path), _unquoted(match.path)
        created = self._created_item(template) if match.row.method == "POST" else None
        if created is not None:
            return self._create(created, match, draft, values)
        place = self._id_place(template)
        if place is None:
            return self._listed(match, draft, values, operation, url)
        if match.row.method == "DELETE":
            item = self._items[path].value
            self._remove(path)
            return draft._replace(value=_overlaid(draft, _only_id(item, place), place.wrapper))
        stored = self._items[path]
        if match.row.method in {"PUT", "PATCH", "POST"} and isinstance(values.body, dict):
            sent = _sent(values, place)
            _put_id(sent, place, _at(stored.value, place.keys))
            self._keep(path, stored._replace(value=_merged(stored.value, sent, place)), values)
        known = {**_path_values(values), **self._items[path].value}
        return draft._replace(value=_overlaid(draft, known, place.wrapper))

    def _create(self, item_template: str, match: Match, draft: Draft, values: RequestValues) -> Draft:
        place = self._id_place(item_template)
        found = _LAST_TEMPLATE.fullmatch(item_template)
        if place is None or found is None:
            return draft
        suffix, collection = found["suffix"] or "", _unquoted(match.path)
        base = collection.rstrip("/").removesuffix(suffix)
        sent = _sent(values, place)
        named = _at(sent, place.keys)
        if not _is_id(named):
            _put_id(sent, place, MISSING)
        path_values = _path_values(values)
        _put_path_values(sent, path_values, place, draft.value)
        value = _overlaid(draft, {**path_values, **sent}, place.wrapper)
        item = value.get(place.wrapper) if isinstance(value, dict) and place.wrapper else value
        if not isinstance(item, dict):
            item = {**path_values, **sent}
        first = _at(item, place.keys)
        if first is MISSING:
            # The example does not show the id; if the response can't, the request may name it.
            items = [_renumbered(item, place, "", one, 0) for one in (named, _FIRST_ID, int(_FIRST_ID)) if _is_id(one)]
            shown = (one for one in items if draft.is_valid(_whole(value, place, one)))
            item = next(shown, items[0] if _is_id(named) else item)
            first = _at(item, place.keys)
        if not _is_id(first):
            return draft
        count = self._created.get(collection, 0)
        identifier = first
        if _is_id(named) and str(named) == str(first):
            if f"{base}/{first}{suffix}" in self._items:
                raise HTTPError(409, f"{base}/{first}{suffix} exists")
        else:
            identifier, count = self._new_id(draft, place, value, item, count, f"{base}/%s{suffix}")
        path = f"{base}/{quote(str(identifier), safe='')}{suffix}"
        item = _renumbered(item, place, first, identifier, count)
        if len(self._created) > _MOST_ITEMS:
            self._created.clear()
        self._created[collection] = count + 1
        self._keep(path, StoredItem(collection, _merged(sent, item, place)), values)
        if draft.offer is not None and isinstance(value, dict):
            value = next(filter(draft.is_valid, [_whole(value, place, item)]), value)
        # RFC 9110, 10.2.2: with 201, Location is the created resource.
        return draft._replace(value=value, headers={"location": path})

    def _new_id(
        self, draft: Draft, place: IdPlace, value: Any, item: dict[str, Any], count: int, path: str
    ) -> tuple[Any, int]:
        """A new id for the collection, and the number of earlier ones."""
        first = _at(item, place.keys)
        for number in range(count, count + _MOST_ITEMS):
            for identifier in _varied(first, number):
                changed = _renumbered(item, place, first, identifier, number)
                whole = _whole(value, place, changed)
                taken = path.replace("%s", quote(str(identifier), safe="")) in self._items
                if not taken and draft.is_valid(whole):
                    return identifier, number
        return first, count

    def _keep(self, path: str, item: StoredItem, values: RequestValues) -> None:
        added = len(str(values.body))
        self._items[path] = item._replace(size=item.size + added)
        self._size += added
        while (len(self._items) > _MOST_ITEMS or self._size > _MOST_CHARACTERS) and len(self._items) > 1:
            self._remove(next(each for each in self._items if each != path))

    def _remove(self, path: str) -> None:
        item = self._items.pop(path, None)
        self._size -= item.size if item is not None else 0

    def _listed(self, match: Match, draft: Draft, values: RequestValues, operation: model.Operation, url: str) -> Draft:
        """The response with the existing items, once one has been created in the collection."""
        collection = _unquoted(match.path)
        if match.row.method != "GET" or collection not in self._created:
            draft = self._of_item(match, draft)
            is_list = match.row.method == "GET" and is_paged(draft, operation)
            return paged(draft, None, operation, values, url, "id") if is_list else draft
        items = [item.value for item in self._items.values() if item.collection == collection]
        template = self._created_item(bare(match.row.path))
        place = self._id_place(template) if template is not None else None
        return paged(draft, items, operation, values, url, place.keys[-1] if place is not None else "id")

    def _of_item(self, match: Match, draft: Draft) -> Draft:
        """The response of a path below an item, with the item's values if it shows that item."""
        for template, path in reversed(list(_prefixes(match))):
            place = self._id_place(template)
            shows = place is not None and isinstance(draft.value, dict) and place.keys[0] in draft.value
            if shows and path in self._items:
                return draft._replace(value=_overlaid(draft, self._items[path].value))
        return draft

    def _created_item(self, collection: str) -> str | None:
        """The template of the items that a collection's POST creates; None if it creates none."""
        items = (template for template in self._routes if self._collection(template) == collection)
        return next((template for template in items if self._id_place(template) is not None), None)

    def _collection(self, template: str) -> str | None:
        """The path of an item's collection, which has a POST."""
        found = _LAST_TEMPLATE.fullmatch(template)
        if found is None:
            return None
        base = found["collection"]
        for path in (f"{base}{found['suffix'] or ''}", base, f"{base}/"):
            if path in self._routes and "POST" in self._routes[path].rows:
                return path
        return None

    def _read_id_place(self, template: str) -> IdPlace | None:
        """The place of an item's id in the response of a collection's POST; None if it is not the path of an item."""
        found, collection = _LAST_TEMPLATE.fullmatch(template), self._collection(template)
        route = self._routes.get(template)
        if found is None or collection is None or route is None or "GET" not in route.rows:
            return None
        name, segment = found["name"], found["collection"].rpartition("/")[2]
        made, sent, _ = self._facts(self._routes[collection].rows["POST"][0], name)
        shown, _, in_path = self._facts(route.rows["GET"][0], name)
        for is_number in (True, False) if in_path else (False,):
            for schemas in (made, shown):
                found_places = (_id_place(name, segment, schema, is_number=is_number) for schema in schemas)
                place = next(filter(None, found_places), None)
                # A POST whose response does not show the item creates one if the request may name it.
                if place is not None and (schemas is made or not made or place.keys[0] in sent):
                    return place
        return None

    def _facts(self, row: model.OperationRow, name: str) -> tuple[list[model.Schema], set[str], bool]:
        """The schemas of an operation's success, the properties of its body, and whether a path's value is a number."""
        try:
            operation = self._api.read(row)
            bodies = operation.body.content.values() if operation.body is not None else ()
            sent = {member for one in bodies if one.schema is not None for member in _properties(one.schema)}
            types = [shape(one.schema).types for one in operation.parameters if one.name == name and one.schema]
            return _response_schemas(operation), sent, any(one and one <= _NUMBERS for one in types)
        except DocumentError:
            return [], set(), False


def _prefixes(match: Match) -> Iterator[tuple[str, str]]:
    templates, segments = bare(match.row.path).split("/"), match.path.split("/")
    for length in range(2, len(templates) + 1):
        if templates[length - 1].startswith("{"):
            yield "/".join(templates[:length]), _unquoted("/".join(segments[:length]))


def _unquoted(path: str) -> str:
    # One spelling for each path; an encoded slash is kept.
    return "/".join(quote(unquote(segment), safe="") for segment in path.split("/"))


def _path_values(values: RequestValues) -> dict[str, Any]:
    return {name: value for (in_, name), value in values.parameters.items() if in_ == "path"}


def _response_schemas(operation: model.Operation) -> list[model.Schema]:
    """The schemas of a successful response."""
    for status in sorted(operation.responses):
        if status[0] == "2":
            return [one.schema for one in operation.responses[status].content.values() if one.schema is not None]
    return []


def _id_place(template: str, segment: str, schema: model.Schema, *, is_number: bool) -> IdPlace | None:
    """The place of a template's value: in the item itself, in its ``metadata``, or in a wrapped item."""
    found = _id_property(template, segment, _properties(schema, is_number=is_number))
    if found is not None:
        return IdPlace((found,))
    properties = _properties(schema)
    for name, member in properties.items():
        is_wrapper = folded(name) in _WRAPPERS or _is_singular(name, segment) or len(properties) == 1
        wraps = is_wrapper or name == "metadata"
        inner = _id_property(template, segment, _properties(member, is_number=is_number)) if wraps else None
        if inner is not None:
            return IdPlace((name, inner)) if name == "metadata" else IdPlace((inner,), name)
    return None


def _properties(schema: model.Schema, *, is_number: bool = False) -> Mapping[str, model.Schema]:
    """The properties of a schema, those of its branches too; with ``is_number`` without texts."""
    found = {name: child for one in reversed(branches(schema)) for name, child in one.properties.items()}
    return {name: child for name, child in found.items() if not is_number or shape(child).types != {"string"}}


def _id_property(template: str, segment: str, properties: Mapping[str, Any]) -> str | None:
    """The property of a path's template: ``callId`` of ``{callId}``, ``number`` of ``{issue_number}``.

    If its name is that of the thing (``{customer}``), or ends with ``id``, it is the usual id property.
    """
    by_name = {folded(name): name for name in reversed(list(properties))}
    words = [word.lower() for word in _WORD.findall(template)]
    for start in range(len(words)):
        found = by_name.get("".join(words[start:]))
        if found is not None:
            return found
    is_thing = _is_singular(template, segment) or words[-1:] in (["id"], ["sid"], ["name"], ["key"])
    if is_thing or (segment and folded(segment).endswith((folded(template), f"{folded(template)}s"))):
        return next((by_name[name] for name in _ID_NAMES if name in by_name), None)
    return by_name.get("id")


def _is_singular(name: str, segment: str) -> bool:
    """Whether a name is the singular of a collection's name: ``company`` of ``companies``."""
    one, many = folded(name), folded(segment)
    return bool(one) and many in {one, f"{one}s", f"{one}es", f"{one.removesuffix('y')}ies"}


def _is_id(value: Any) -> bool:
    return (isinstance(value, str) and bool(value)) or type(value) is int


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def _sent(values: RequestValues, place: IdPlace) -> dict[str, Any]:
    """The item in a request's body; the body may wrap it as the response does."""
    body = values.body if isinstance(values.body, dict) else {}
    # Files are not in responses.
    body = {name: value for name, value in body.items() if not _holds_bytes(value)}
    inner = body.get(place.wrapper) if place.wrapper else None
    return copy.deepcopy(inner if isinstance(inner, dict) else body)


def _holds_bytes(value: Any) -> bool:
    return isinstance(value, bytes) or (isinstance(value, list) and any(map(_holds_bytes, value)))


def _whole(value: Any, place: IdPlace, item: dict[str, Any]) -> Any:
    """A response with its item replaced."""
    return {**value, place.wrapper: item} if place.wrapper and isinstance(value, dict) else item


def _put_id(item: dict[str, Any], place: IdPlace, value: Any) -> None:
    """Put an id into an item, in place; MISSING removes it."""
    owner: Any = _at(item, place.keys[:-1])
    if isinstance(owner, dict) and value is MISSING:
        owner.pop(place.keys[-1], None)
    elif isinstance(owner, dict):
        owner[place.keys[-1]] = value


def _put_path_values(sent: dict[str, Any], path_values: Mapping[str, Any], place: IdPlace, shown: Any) -> None:
    """Put the other values of a path next to the id, in place, if the response has such members there."""
    around, known = _at(sent, place.keys[:-1]), _at(shown, place.keys[:-1])
    if len(place.keys) > 1 and isinstance(around, dict) and isinstance(known, dict):
        around.update({name: value for name, value in path_values.items() if name in known and name not in around})


def _only_id(item: dict[str, Any], place: IdPlace) -> dict[str, Any]:
    identifier = _at(item, place.keys)
    return {place.keys[0]: identifier} if len(place.keys) == 1 and identifier is not MISSING else {}


def _merged(item: dict[str, Any], more: dict[str, Any], place: IdPlace) -> dict[str, Any]:
    """An item with further values; objects around its id are merged with the existing ones."""
    merged = {**item, **more}
    if len(place.keys) > 1 and isinstance(item.get(place.keys[0]), dict) and isinstance(more.get(place.keys[0]), dict):
        merged[place.keys[0]] = {**item[place.keys[0]], **more[place.keys[0]]}
    return merged


def _overlaid(draft: Draft, known: Mapping[str, Any], wrapper: str = "") -> Any:
    """The draft's value with the known values put into it, or into its wrapped item, as long as it stays valid."""
    schema = draft.offer.media_type.schema if draft.offer is not None else None
    if not isinstance(draft.value, dict) or schema is None:
        return draft.value
    properties = _properties(schema)
    value = copy.deepcopy(draft.value)
    if wrapper:
        if not isinstance(value.get(wrapper), dict) or wrapper not in properties:
            return value
        value, properties = value[wrapper], _properties(properties[wrapper])
    names = {folded(name): name for name in (*value, *properties)}
    for sent, member in known.items():
        name = sent if sent in properties or sent in value else names.get(folded(sent))
        # OAS 3.1.1, Schema Object: writeOnly properties are not in a response.
        if name is None or (name in properties and shape(properties[name]).write_only):
            continue
        fitting = typed(properties[name], member) if name in properties else member
        if isinstance(fitting, dict) and isinstance(value.get(name), dict) and name == "metadata":
            fitting = {**value[name], **fitting}
        changed = {**value, name: fitting}
        if isinstance(fitting, str) and isinstance(value.get(name), str):
            changed = {**_renamed(changed, value[name], fitting, links_only=True), name: fitting}
        if draft.is_valid({**draft.value, wrapper: changed} if wrapper else changed):
            value = changed
    return {**draft.value, wrapper: value} if wrapper else value


def _renumbered(item: dict[str, Any], place: IdPlace, first: Any, identifier: Any, count: int) -> dict[str, Any]:
    """The item with its new id, also within links, and with another ``id`` if that is a different member."""
    changed: dict[str, Any] = copy.deepcopy(_renamed(item, first, identifier))
    _put_id(changed, place, identifier)
    if place.keys != ("id",) and type(changed.get("id")) is int:
        changed["id"] += count
    return changed


def _renamed(value: Any, old: Any, new: Any, *, links_only: bool = False) -> Any:
    """The value with an id replaced, also within links. Words and short numbers may occur by chance."""
    texts = str(old), str(new)
    if not any(map(str.isdigit, texts[0])) or (type(old) is int and len(texts[0]) < _FEWEST_OF_NUMBER):
        return value
    if value == old and isinstance(value, str) and not links_only:
        return new
    if isinstance(value, dict):
        return {key: _renamed(member, old, new, links_only=links_only) for key, member in value.items()}
    if isinstance(value, list):
        return [_renamed(member, old, new, links_only=links_only) for member in value]
    if isinstance(value, str) and "/" in value:
        return "/".join(texts[1] if part == texts[0] else part for part in value.split("/"))
    return value


def _varied(old: Any, count: int) -> Iterator[Any]:
    """Other ids, texts or numbers, of the same form."""
    if isinstance(old, int):
        yield old + count
        return
    if not any(map(str.isdigit, old)):
        # A word is never used as a generated id, and the same requests get the same ids.
        yield Random(f"{old}:{count}").randbytes(12).hex()  # noqa: S311  # not for secrets
    if not count:
        yield old
        return
    if old.isdecimal():
        yield str(int(old) + count).zfill(len(old))
    stem = old.rstrip("0123456789abcdef")
    width = len(old) - len(stem)
    if width >= _FEWEST_DIGITS:
        yield stem + f"{(int(old[len(stem) :], 16) + count) % 16**width:0{width}x}"
    yield f"{old}-{count}"
    digits = str(count)
    yield old[: -len(digits)] + digits
    yield f"{old}{count}"
