"""Detect how an operation's list is paginated, from its model: the first rule that applies, with its evidence.

The rules, in their order: a Link header; a token in headers; a token under matching names; a URL in the answer; names
that are often used together; the last item's id; a page number; an offset; a URL in a list of links. A rule is
``certain`` if the document says so, ``likely`` if the names are unambiguous in other APIs, and ``guess`` if not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dynclient._deferred import expression
from dynclient._paging.answers import Answers, Asked, Field, folded, plain
from dynclient._paging.rules import LINK, Confidence, Evidence, Keys, Pagination, path_text
from dynclient._records import Record
from dynclient._schemas import Shape
from dynclient.exceptions import DocumentError
from dynclient.model import API, Operation

_TABLES = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _words(table: str) -> dict[str, None]:
    """The words of a table, in their order."""
    return dict.fromkeys(_TABLES[table].split())


SIZES = _words("sizes")
PAGES = _words("pages")
OFFSETS = _words("offsets")
TOKENS = _words("tokens")
_STEPPING = TOKENS | PAGES
_PAGING = SIZES | PAGES | TOKENS | OFFSETS
LAST_IDS = _words("last_ids")
GIVEN = _words("given")
MORE = _words("more")
TOTALS = _words("totals")
_LAST_PAGE = _words("last_page")
URLS = _words("urls")
_AROUND = _words("around")
LIST_NAMES = _words("list_names")
_NO_ITEMS = _words("no_items")
LAST = ("islast", "last", "islastpage", "lastpage", "complete", "isdone", "isend", "done")
NUMBERS = ("page", "pagenumber", "currentpage", "pageindex", "number")
"""Members that may repeat the number of the page."""
_DATES = expression(r"(?i)\b(?:date|time|timestamp|iso.?8601|rfc.?3339|datetime|unix|epoch|created|updated|modified)\b")
_LINK_WORDS = expression(r"(?i)\blink[`'\"*]*\s+(?:response\s+)?header|rel=[\\\"'“]*next|header[`'\"*]*\s+`?link\b")
_TOKEN_WORDS = expression(r"(?i)\b(?:(?:cursor|token|opaque|next page|pages?)\b|paginat)")
_IS_TOKEN = expression(r"(?i)\b(?:token|cursor|opaque)\b")
_NEXT_URL = expression(r"next(?:page|records|results)?(?:link|ur[il])$")
_BASED = expression(
    r"(?i)\b(?:(zero|0|one|1)[- ]?(?:based|index(?:ed)?)\b|(zero|0|one|1) (?:is|for|means|returns) the first\b"
    r"|(?:start|begin|count|index|number)(?:s|ing|ed|ning)? (?:at|from|with) (zero|0|one|1)\b"
    r"|first (?:page|item|record|result|row|index)(?: number| index)?(?: is|:| =)"
    r"(?: the)?(?: number| index)? (zero|0|one|1)\b)"
)
_LISTING = expression(r"list|search|query|find|scan|filter|fetch|lookup")
_READS = frozenset({"GET", "HEAD", "QUERY"})
_Found = tuple[str, Confidence, list[Evidence]]


class _Items(Record):
    """Where the items are: the keys of the path, the reason, and the schema of an item."""

    keys: Keys
    why: str
    field: Field


def detect(operation: Operation, api: API, answers: Answers | None = None) -> Pagination | None:
    """Find how an operation's list is paginated; None if it has no pages. ``answers`` has the fields that were read.

    Raises:
        DocumentError: the schemas of its answer are broken.
    """
    if operation.method not in _READS | {"POST"}:
        return None  # operations that change data are never repeated
    looked = _Look(answers or Answers(operation, api))
    for rule in _RULES:
        found = rule(looked)
        if found is not None:
            return looked.pagination(*found)
    return looked.unclear()


class _Look:
    """The state and the lookups that the rules use."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.operation = answers.operation
        self.items = _items(answers)
        self.size = next((one for one in answers.asked if one.name in SIZES and not _is_choice(one)), None)
        names = f"{self.operation.row.operation_id or ''} {self.operation.path}".lower()
        is_listing = _LISTING.search(names) is not None or ("get" in names and names.endswith("s"))
        self.lists = self.operation.method in _READS or (self.operation.method == "POST" and is_listing)

    def said(self, reason: str, *at: Asked | Field) -> list[Evidence]:
        """Evidence, with the location of the first field that it names."""
        pointers = [one.pointer if isinstance(one, Asked) else one.schema.uri for one in at]
        return [Evidence(reason, self.answers.location(pointers[0]) if pointers else None)]

    def repeated(self, one: Asked, field: Field) -> _Found:
        """A token of the answer that the next request repeats."""
        return f"{one.text} <- {field.path}", "likely", self.said(f"{one.target.name} repeats {field.path}", one)

    def asked(self, names: Collection[str]) -> Iterator[Asked]:
        """The request's values with these names, query parameters first."""
        yield from sorted(
            (one for one in self.answers.asked if one.name in names), key=lambda one: one.target.in_ == "body"
        )

    def beside(self, names: Any, *, kind: str = "") -> Iterator[Field]:
        """Members with these names at the top level, or in an object about pages; in the order of the names."""
        found = [
            each
            for each in self.answers.fields
            if each.name in names and (not kind or kind in each.kinds or not each.kinds) and self._tells(each.keys)
        ]
        if len(found) > 1:
            order = {name: index for index, name in enumerate(names)}
            found.sort(key=lambda each: order[each.name])
        yield from found

    def _tells(self, keys: Keys) -> bool:
        around = self.items.keys[:-1] if self.items is not None else ()
        return keys[:-1] == around or all(is_around(folded(str(key))) for key in keys[:-1])

    def pagination(self, next_: str, confidence: Confidence, evidence: list[Evidence]) -> Pagination:
        """The complete rule."""
        items = self.items
        more, counts = self.more(), dict[str, str | None]()
        if " + " in next_:
            counts["total"] = next((each.path for each in self.beside(TOTALS, kind="integer")), None)
            if next_.endswith("+ 1"):
                counts["last"] = next((each.path for each in self.beside(_LAST_PAGE, kind="integer")), None)
        if items is not None:
            evidence = [*evidence, *self.said(f"items: {items.why}", items.field)]
        return Pagination(
            items=path_text(items.keys) if items is not None else None,
            next=next_,
            more=more,
            size=self.size.text if self.size is not None else None,
            start=self.start(next_),
            confidence=confidence,
            evidence=tuple(evidence),
            key=self.operation.row.key,
            **counts,
        )

    def more(self) -> str | None:
        """The member that says whether there is more."""
        found = next((each for each in self.beside(MORE) if "boolean" in each.kinds), None)
        if found is not None:
            return found.path
        found = next((each for each in self.beside(LAST) if "boolean" in each.kinds), None)
        return f"not {found.path}" if found is not None else None

    def start(self, next_: str) -> int | str | None:
        """The number of the first page or item, or the path of it in the answer; None for the usual one."""
        one = next((one for one in self.answers.asked if next_.startswith(f"{one.text} + ")), None)
        if one is None:
            return None
        is_page = next_.endswith("+ 1")
        default = one.shape.default if one.shape is not None else None
        minimum = one.shape.constraints.get("minimum") if one.shape is not None else None
        told = _BASED.search(one.description)
        word = next(filter(None, told.groups())).lower() if told is not None else None
        known = [default, None if word is None else int(word not in {"0", "zero"}), minimum]
        found = next((int(each) for each in known if each in {0, 1} and not isinstance(each, bool)), None)
        if found is None and (is_page or one.name.startswith("start")):
            # Servers count from 0 or 1, and often return the page number.
            repeated = next(self.beside((one.name, *NUMBERS) if is_page else (one.name,), kind="integer"), None)
            return repeated.path if repeated is not None else 1 if is_page else None
        return found if is_page or found else None

    def unclear(self) -> Pagination | None:
        """A Pagination that is unclear: the request has a size, a page or a token, but no rule applies."""
        hints = [*self.asked(SIZES), *self.asked(PAGES), *self.asked(TOKENS)]
        if self.operation.method not in _READS or not hints or not any(each.is_list for each in self.answers.fields):
            return None
        names = ", ".join(dict.fromkeys(one.target.name for one in hints))
        evidence = self.said(f"it takes {names}, but nothing says how the next page is requested", hints[0])
        found = self.pagination("", "unclear", evidence)
        return replace(found, next=None, start=None)


def is_around(name: str) -> bool:
    """Whether an object with this name is about pages."""
    return name in _AROUND or name.endswith(("next", "paging", "pagination", "pageinfo", "links", "cursors"))


def _is_choice(one: Asked) -> bool:
    """Whether a value can't be a count: a string, a boolean, an array."""
    return not one.is_text and not one.is_number


# The items.


def _items(answers: Answers) -> _Items | None:
    """Where the items are; None if that is unclear."""
    root = answers.at(())
    if root is None:
        return None
    if root.is_list:
        return _Items((), "the answer is an array", root)
    found = _items_in(answers, answers.below(()))
    if found is not None:
        return found
    # One level down: where a single object contains a list (and its metadata).
    outer = (each for each in answers.below(()) if each.shape.properties and each.name not in _NO_ITEMS)
    inner = [one for each in outer if (one := _items_in(answers, answers.below(each.keys))) is not None]
    return inner[0] if len(inner) == 1 else None


def _items_in(answers: Answers, fields: list[Field]) -> _Items | None:
    every = [each for each in fields if each.is_list]
    if not every:
        return None
    words = {folded(part) for part in answers.operation.path.split("/") if part and "{" not in part}
    words.add(folded(answers.operation.row.operation_id or ""))
    lists = [each for each in every if each.name not in _NO_ITEMS]
    # An array that may be notes about a list counts as the list if it has that name, or if its members are objects.
    if not lists:
        lists = [each for each in every if any(word.endswith(each.name) for word in words) or _is_mail(each)]
    named = [each for name in LIST_NAMES for each in lists if each.name == name]
    ways = (
        (lists, "is the only array"),
        (named[:1], "has the name of a list"),
        (
            [each for each in lists if any(word.endswith(each.name) for word in words)],
            "is named as the path or the operation",
        ),
        ([each for each in lists if _is_object(each.shape)], "is the only array of objects"),
    )
    found = next(((one[0], why) for one, why in ways if len(one) == 1), None)
    return _Items(found[0].keys, f"{found[0].path} {found[1]}", found[0]) if found is not None else None


def _is_mail(field: Field) -> bool:
    return field.name == "messages" and _is_object(field.shape)


def _is_object(seen: Shape) -> bool:
    try:
        item = plain(seen.items) if seen.items is not None else None
    except DocumentError:
        return False
    return item is not None and ("object" in item.types or bool(item.properties or item.one_of or item.any_of))


# The rules.


def _link_header(look: _Look) -> _Found | None:
    """RFC 8288: a response header Link, documented or described."""
    if look.operation.method not in _READS:
        return None
    if any(header.name.lower() == "link" for header in look.answers.headers) and look.items is not None:
        pointer = next(header.pointer for header in look.answers.headers if header.name.lower() == "link")
        return LINK, "certain", [Evidence("the response has a Link header", look.answers.location(pointer))]
    for one in look.asked(_PAGING):
        if _LINK_WORDS.search(one.description):
            return LINK, "certain", look.said(f"{one.target.name}: its description names the Link header", one)
    if _LINK_WORDS.search(look.operation.description) and look.items is not None:
        return LINK, "certain", [Evidence("the description names the Link header")]
    return None


def _header_token(look: _Look) -> _Found | None:
    """A token in a response header that a request repeats."""
    for header in look.answers.headers:
        name = folded(header.name).removeprefix("x")
        for one in look.answers.asked:
            short = one.name.removeprefix("x")
            pair = name == short and one.target.in_ == "header" and short.endswith(tuple(TOKENS))
            is_token = short in TOKENS and short.endswith("token") and name.endswith(short)
            is_cursor = name.endswith("nextcursor") and short in {"cursor", "after"}
            if pair or is_token or is_cursor or name.endswith(f"next{short}"):
                if one.is_number and short in PAGES:
                    reason = f"the response header {header.name} gives the next {one.target.name}"
                    return f"{one.text} <- header {header.name}", "likely", look.said(reason, one)
                reason = f"{one.target.name} repeats the response header {header.name}"
                return f"{one.text} <- header {header.name}", "certain", look.said(reason, one)
    return None


def _named_token(look: _Look) -> _Found | None:
    """A token in the answer with the request's name, or with that name after "next"."""
    pairs: list[tuple[Asked, Field]] = []
    for one in look.answers.asked:
        if not _may_be_token(one):
            continue
        likely = [f"next{one.name}", f"nextpage{one.name}"]
        if one.name.startswith("exclusivestart"):
            likely = [one.name.replace("exclusivestart", "lastevaluated")]
        given = [each for each in look.beside(likely) if _is_token(each)]
        if given and not (one.name in PAGES and one.is_number and not given[0].kinds & {"integer", "number"}):
            pairs.append((one, given[0]))
    if pairs and not (len(pairs) == 1 and pairs[0][1].shape.format in {"uri", "url"}):
        # Of two with one name: that of the query, and the first one.
        best: dict[str, tuple[Asked, Field]] = {}
        for pair in sorted(pairs, key=lambda pair: pair[0].target.in_ == "body"):
            best.setdefault(pair[0].name, pair)
        pairs = [pair for pair in pairs if best[pair[0].name] == pair]
        text = "; ".join(f"{one.text} <- {field.path}" for one, field in pairs)
        names = " and ".join(f"{one.target.name} repeats {field.path}" for one, field in pairs)
        return text, "certain" if pairs[0][0].is_text else "likely", look.said(names, pairs[0][0])
    for one in look.asked({*TOKENS, "offset"}):
        for field in look.beside((one.name,)) if _may_be_token(one) else ():
            # An offset that is a string is a token, not a number of items.
            is_text = one.name in TOKENS or (look.items and not one.is_number and field.kinds == {"string"})
            if _is_token(field) and field.name != "after" and is_text:
                reason = f"{one.target.name} is in the request and in the answer"
                return f"{one.text} <- {field.path}", "certain", look.said(reason, one)
    return None


def _may_be_token(one: Asked) -> bool:
    """Whether a request's value can repeat a token: not a boolean, list or date."""
    if one.target.in_ in {"path", "cookie"} or one.name in SIZES or (one.shape is not None and one.shape.enum):
        return False
    if one.shape is not None and (one.shape.format or "") in {"date", "date-time", "time", "uri"}:
        return False
    return one.is_text or one.is_number or "object" in one.kinds


def _is_token(field: Field) -> bool:
    if field.is_list:
        return False
    return (
        not field.kinds or bool(field.kinds & {"string", "integer", "number"}) or field.name.startswith("lastevaluated")
    )


def _url(look: _Look) -> _Found | None:
    """A URL in the answer; an undeclared one counts only if the request has no token."""
    if not look.lists:
        return None
    for field in _url_fields(look):
        declared = field.shape.format in {"uri", "url", "uri-reference"}
        names_url = _NEXT_URL.search(field.name) is not None
        description = field.shape.description or ""
        described = expression(r"(?i)\bur[il]\b|\blink\b").search(description) is not None
        is_linked = any(folded(str(key)) in {"links", "link"} for key in field.keys[:-1])
        loose = not (declared or names_url or described or is_linked) and (
            field.name == "nextpage"
            or _IS_TOKEN.search(description) is not None
            or any(_may_be_token(one) for one in look.asked(TOKENS))
        )
        if not loose:
            sure: Confidence = "certain" if declared or names_url or described else "likely"
            return f"url <- {field.path}", sure, look.said(f"{field.path} is the URL of the next page", field)
    return None


def _url_fields(look: _Look) -> Iterator[Field]:
    for field in look.beside(URLS):
        if "string" in field.kinds or (not field.kinds and not field.shape.properties):
            yield field
        for inner in look.answers.below(field.keys):
            if inner.name in {"href", "url", "uri"}:
                yield inner


def _named_below_next(look: _Look) -> _Found | None:
    """A token with the request's name in an object about the next page."""
    for one in look.answers.asked:
        for field in look.beside((one.name,)) if _may_be_token(one) and not _is_date(one) else ():
            if len(field.keys) > 1 and folded(str(field.keys[-2])) in {"next", "nextpage"} and _is_token(field):
                return look.repeated(one, field)
    return None


def _used_together(look: _Look) -> _Found | None:
    """A token by names in the request and in the response that are often used together."""
    for one in look.asked(_STEPPING):
        if not _may_be_token(one) or _is_date(one):
            continue
        for field in sorted(look.beside(GIVEN), key=lambda field: field.name != one.name):
            if not _is_token(field) or (field.name in {"lastid", "next"} and one.is_number):
                continue
            if one.name in PAGES and (one.is_number != bool(field.kinds & {"integer", "number"})):
                continue  # an integer page is not a token
            if one.name in PAGES and not field.name.startswith("next"):
                continue
            if field.name == one.name and field.keys[:-1] == () and one.name == "after":
                continue
            return look.repeated(one, field)
    return None


def _is_date(one: Asked) -> bool:
    """Whether ``after`` or ``since`` is a date, not a cursor."""
    words = one.description
    return _DATES.search(words) is not None and _TOKEN_WORDS.search(words) is None


def _last_id(look: _Look) -> _Found | None:
    """The id of the last item."""
    items = look.items
    if items is None or not look.lists or items.field.shape.items is None:
        return None
    identity = next((name for name in plain(items.field.shape.items).properties if folded(name) == "id"), None)
    more = look.more()
    for name in LAST_IDS:
        for one in look.asked((name,)):
            if one.target.in_ == "path" or _is_date(one) or not _may_be_token(one) or identity is None:
                continue
            sure: Confidence = "guess"
            if more is not None:
                sure = "certain" if name.startswith("start") else "likely" if name in {"after", "afterid"} else "guess"
            elif name == "startingafter":
                sure = "likely"
            path = path_text((*items.keys, -1, identity))
            verb = "may be" if sure == "guess" else "is"
            return f"{one.text} <- {path}", sure, look.said(f"{one.target.name} {verb} the id of the last item", one)
    return None


def _page_number(look: _Look) -> _Found | None:
    for one in look.asked(PAGES):
        if one.is_number and look.lists and (look.items is not None or _has_list(look)):
            return f"{one.text} + 1", "likely", look.said(f"{one.target.name} is the number of a page", one)
    return None


def _offset(look: _Look) -> _Found | None:
    for one in look.asked(OFFSETS):
        if one.is_number and look.lists and (look.items is not None or _has_list(look)) and not _is_date(one):
            total = next(look.beside(TOTALS), None)
            sure: Confidence = "likely" if look.size is not None or total is not None else "guess"
            if one.name in {"start", "from"} and look.size is None:
                sure = "guess"
            return f"{one.text} + items", sure, look.said(f"{one.target.name} is the number of items before", one)
    return None


def _link_of_many(look: _Look) -> _Found | None:
    """A URL in a list of links, each with its relation."""
    for field in look.beside(("links", "link")) if look.lists else ():
        item = plain(field.shape.items).properties if field.is_list and field.shape.items is not None else {}
        relation = next((name for name in ("rel", "relation") if name in item), None)
        url = next((name for name in ("href", "url", "uri") if name in item), None)
        if relation is not None and url is not None and (look.size is not None or look.more() is not None):
            path = path_text((*field.keys, (relation, "next"), url))
            return f"url <- {path}", "likely", look.said(f"{path} is the URL of the next page", field)
    return None


def _has_list(look: _Look) -> bool:
    return any(each.is_list for each in look.answers.fields)


_RULES: tuple[Callable[[_Look], _Found | None], ...] = (
    _link_header,
    _header_token,
    _named_token,
    _url,
    _named_below_next,
    _used_together,
    _last_id,
    _page_number,
    _offset,
    _link_of_many,
)
