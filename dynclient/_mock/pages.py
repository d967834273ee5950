"""Pages of a list: the requested page, and the response's fields about the pages before and after it.

Rule 1: parameters and members are recognized by their names, without case and punctuation, as clients recognize them.
Rule 2: pages end. After the last one there is no next page, no cursor, and no ``rel=next`` in a Link header.
Rule 3: after all changes, the response is still valid; a member that can't be changed so is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from dynclient import model
from dynclient._incoming.requests import RequestValues
from dynclient._mock.responses import Draft
from dynclient._paging import detection
from dynclient._paging.answers import folded
from dynclient._records import Record
from dynclient._schemas import MISSING, shape

# The names of parameters, and of members next to a list, by their meaning. Clients detect pages by most of them.
_PARAMETER_KINDS: Mapping[str, str] = {
    **dict.fromkeys((*detection.TOKENS, *detection.LAST_IDS.keys() - {"since"}), "cursor"),  # it is often a date
    **dict.fromkeys(detection.OFFSETS, "offset"),
    **dict.fromkeys(detection.PAGES, "page"),
    **dict.fromkeys(detection.SIZES, "limit"),
}
_MEMBER_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("limit", "perpage", "pagesize"), "limit"),
    **dict.fromkeys(("offset", "skip", "start"), "offset"),
    **dict.fromkeys((*detection.TOTALS, "count"), "total"),
    **dict.fromkeys((*detection.GIVEN, *detection.URLS), "next"),
    **dict.fromkeys(("prev", "previous", "previouspage", "prevpage", "previouspageuri", "prevcursor"), "previous"),
    **dict.fromkeys(detection.LAST, "last"),
    **dict.fromkeys(set(detection.MORE) - {"next", "nextpage"}, "more"),
    **dict.fromkeys(detection.NUMBERS, "page"),
}
_TOKEN = re.compile(r"(?:cursor-)?([0-9]+)")


class Page(Record):
    """A page of a list: its items, the number on all pages, and its start.

    ``next`` has the values that may name the next page: a token, a URL, a page number, an offset; empty after the last
    page. ``url`` is the URL of the next page, or empty.
    """

    items: list[Any]
    total: int
    start: int
    limit: int | None
    page: int | None
    next: tuple[Any, ...]
    url: str


def paged(
    draft: Draft, items: list[Any] | None, operation: model.Operation, values: RequestValues, url: str, id_name: str
) -> Draft:
    """The response with the requested page of the items; None: of the items that it already has.

    ``id_name`` is the member of an item that a cursor may refer to.
    """
    name = _list_of(draft.value, operation)
    if name is None:
        return draft
    shown: list[Any] = draft.value[name] if name else draft.value
    asked = {
        kind: one
        for one in operation.parameters
        if one.in_ == "query" and (kind := _PARAMETER_KINDS.get(folded(one.name))) is not None
    }
    page = _page(shown if items is None else items, asked, values, url, id_name, has_defaults=items is not None)
    if items is not None or len(page.items) != len(shown):
        draft = draft._replace(value=_filled(draft, name, shown, page.items))
    link = f'<{page.url}>; rel="next"' if page.url else ""
    draft = draft._replace(headers={**draft.headers, "link": link})
    return draft._replace(value=_told(draft, draft.value, page, counted=items is not None))


def _page(
    items: list[Any],
    asked: Mapping[str, model.Parameter],
    values: RequestValues,
    url: str,
    id_name: str,
    *,
    has_defaults: bool,
) -> Page:
    def given(kind: str, *, default: bool = False) -> Any:
        if kind not in asked:
            return None
        value = values.parameters.get(("query", asked[kind].name))
        schema = asked[kind].schema
        if value is None and default and schema is not None and shape(schema).default is not MISSING:
            return shape(schema).default
        return value

    limit, number = _number(given("limit", default=has_defaults)), _number(given("page"))
    first = 0 if _number(_default(asked.get("page"))) == 0 else 1
    start = _number(given("offset")) or 0
    if number is not None:
        start = max(number - first, 0) * (limit or max(len(items), 1))
    if (cursor := given("cursor")) is not None:
        start = _after(cursor, items, id_name)
    rest = items[start:]
    found = rest[:limit] if limit is not None and limit > 0 else rest
    end = start + len(found)
    if end >= len(items):
        return Page(found, len(items), start, limit, number, (), "")
    by_id = "cursor" in asked and folded(asked["cursor"].name) in detection.LAST_IDS
    token = str(_at(found[-1], id_name)) if by_id and found else f"cursor-{end}"
    page = (number if number is not None else first) + 1
    following = {"cursor": token, "page": page, "offset": end}
    kind = next((kind for kind in following if kind in asked), None)
    url = _with_query(url, asked[kind].name, following[kind]) if kind is not None else ""
    return Page(found, len(items), start, limit, number, (token, url, page, end), url)


def _default(parameter: model.Parameter | None) -> Any:
    return shape(parameter.schema).default if parameter is not None and parameter.schema is not None else None


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    return int(value) if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()) else None


def _after(cursor: Any, items: list[Any], id_name: str) -> int:
    """The index of the first item after a cursor: one of our tokens, or the id of an item."""
    for index, item in enumerate(items):
        if str(_at(item, id_name)) == str(cursor):
            return index + 1
    token = _TOKEN.fullmatch(str(cursor))
    return int(token[1]) if token is not None else len(items)


def _at(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else None


def _with_query(url: str, name: str, value: Any) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    return parts._replace(query=urlencode([*kept, (name, value)]), fragment="").geturl()


def _list_of(value: Any, operation: model.Operation) -> str | None:
    """The name of the member that holds a response's list; empty if the response is the list."""
    if isinstance(value, list):
        return ""
    lists = [name for name, member in value.items() if isinstance(member, list)] if isinstance(value, dict) else []
    collection = folded(operation.path.rstrip("/").rpartition("/")[2])
    named = [name for name in lists if folded(name) == collection]
    named += [name for name in lists if folded(name) in detection.LIST_NAMES]
    return lists[0] if len(lists) == 1 else named[0] if named else None


def _filled(draft: Draft, name: str, shown: list[Any], items: list[Any]) -> Any:
    """The response with its list replaced: by whole items, or by as much of them as the list's own example shows."""

    def with_list(members: list[Any]) -> Any:
        return {**draft.value, name: members} if name else members

    if draft.is_valid(with_list(items)):
        return with_list(items)
    sample = shown[0] if shown and isinstance(shown[0], dict) else {}
    like: list[Any] = []
    for item in items:
        like.append(sample if isinstance(item, dict) else item)
        for member in [name for name in sample if isinstance(item, dict) and name in item]:
            changed = {**like[-1], member: item[member]}
            if draft.is_valid(with_list([changed])):
                like[-1] = changed
    return with_list(like) if draft.is_valid(with_list(like)) else draft.value


def _told(draft: Draft, value: Any, page: Page, *, counted: bool) -> Any:
    """Set the members next to the list, at the top level and one level below, so that they describe this page."""
    if not isinstance(value, dict):
        return value
    schema = draft.offer.media_type.schema if draft.offer is not None else None
    more = {name: MISSING for name in (shape(schema).properties if schema is not None else ()) if name not in value}
    found: list[tuple[tuple[str, ...], Any]] = [((name,), member) for name, member in [*value.items(), *more.items()]]
    for name, around in value.items():
        if isinstance(around, dict) and detection.is_around(folded(name)):
            found += [((name, inner), member) for inner, member in around.items()]
    for keys, member in found:
        kind = _MEMBER_KINDS.get(folded(keys[-1]))
        if kind is not None and (counted or kind != "total"):
            value = _changed(draft, value, keys, kind, member, page)
    return value


def _changed(draft: Draft, value: Any, keys: tuple[str, ...], kind: str, member: Any, page: Page) -> Any:
    for said in _sayings(kind, keys[-1], member, page):
        owner = dict(value[keys[0]] if len(keys) > 1 else value)
        if said is MISSING:
            owner.pop(keys[-1], None)
        else:
            owner[keys[-1]] = said
        changed = {**value, keys[0]: owner} if len(keys) > 1 else owner
        if draft.is_valid(changed):
            return changed
    return value


def _sayings(kind: str, name: str, member: Any, page: Page) -> list[Any]:
    """The values that a member with this meaning may have for a page, best first; MISSING removes the member."""
    more = bool(page.next)
    if kind in {"more", "last"}:
        is_flag = isinstance(member, bool) or member is MISSING
        return [more == (kind == "more")] if is_flag else []
    if kind == "next" or (kind == "previous" and page.start == 0):
        if not more or kind == "previous":
            return [None, MISSING, ""] if member is not MISSING else []
        token, url, *numbers = page.next
        if isinstance(member, dict):
            return [{**member, "href": url}] if url else []
        if isinstance(member, int):
            return list(numbers)
        is_url = any(word in folded(name) for word in ("url", "uri", "link")) or "/" in str(member)
        return [text for text in ((url, token) if is_url else (token, url)) if text] + list(numbers)
    number = {"total": page.total, "page": page.page, "limit": page.limit, "offset": page.start}.get(kind)
    return [number] if type(member) is int and number is not None else []


def is_paged(draft: Draft, operation: model.Operation) -> bool:
    """Whether an operation's response is a page of a list: by its parameters, its headers or its members."""
    if _list_of(draft.value, operation) is None:
        return False
    names = [*draft.value] if isinstance(draft.value, dict) else []
    around = [inner for name in names if detection.is_around(folded(name)) for inner in _members(draft.value[name])]
    return (
        any(one.in_ == "query" and folded(one.name) in _PARAMETER_KINDS for one in operation.parameters)
        or any(name.lower() == "link" for name in draft.response.headers)
        or any(_MEMBER_KINDS.get(folded(name)) in {"more", "next"} for name in (*names, *around))
    )


def _members(value: Any) -> list[str]:
    return list(value) if isinstance(value, dict) else []
