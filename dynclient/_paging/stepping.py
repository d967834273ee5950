"""The pages of a list one after another, as a generator without I/O: it yields requests and receives results.

Rule 1: the first request is that of the call. A later one is the same with one value replaced, or with the URL that the
server named, whose query replaces the whole query; method, body and headers stay.
Rule 2: the server's response decides: a ``Link: rel=next`` is followed under any rule, and a token that is a URL is
followed as a URL. A missing, null, empty or false token is the end.
Rule 3: no page is requested at another origin, and no page twice. Items are never lost: an error of the next page is
raised after the items of this one.
Rule 4: fewer items than usual do not end the list: servers leave out items that a caller may not see.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote_plus, urlsplit

from dynclient._deferred import expression
from dynclient._paging.rules import Keys, Next, Pagination, Target, path_keys, path_text, read_next, value_at
from dynclient._records import Record
from dynclient.exceptions import ArgumentError, DynclientError, PaginationError, PaginationUnclear
from dynclient.http_grammar import web_links
from dynclient.json_pointer import MISSING
from dynclient.messages import Headers, HTTPResult, Request, joined_url, origin

_Item = TypeVar("_Item")

OnRepeat = Literal["error", "stop"]

_URL = expression(r"(?i)https?://")
_LONGEST_IN_HEAD = 32_768
_LONGEST = 1024 * 1024
_REMEMBERED = 100_000
_EMPTY_PAGES = 1_000
"""The number of consecutive pages without items above which a list counts as a loop."""
_DIGEST = 16
_AROUND = frozenset({"first", "last", "prev", "previous"})
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class Position(Record):
    """The position of a page: values of the rule's targets, or a URL; neither for the first page.

    ``number`` is the page number, from 1. ``before`` counts the items of the previous pages; ``skip`` the items of this
    page that were already read. ``by_link``: a link header led here.
    """

    values: tuple[Any, ...] = ()
    url: str = ""
    number: int = 1
    before: int = 0
    skip: int = 0
    by_link: bool = False


class Paging(Record):
    """How the pages of one call are requested.

    ``request`` makes a request with other values of targets. ``hidden`` are the query fields of credentials, which are
    neither followed nor kept. ``size`` is the requested page size, ``usual_size`` the document's default, and
    ``first_number`` the number of the first page or item in the call; any may be None. ``lacks_items``: the document
    has no list where the caller's rule says that the items are.
    """

    rule: Pagination
    request: Callable[[Mapping[Target, Any]], Request]
    hidden: frozenset[str] = frozenset()
    size: int | None = None
    usual_size: int | None = None
    first_number: int | None = None
    max_items: int | None = None
    resume: str | None = None
    unique: Keys | None = None
    on_repeat: OnRepeat = "error"
    lacks_items: bool = False


@dataclass(frozen=True, slots=True)
class Page(Iterable[_Item]):
    """A page of a list: its items, and the whole answer.

    ``data`` is the whole answer. ``number`` counts from 1. ``dropped`` counts the items that ``unique=`` has left out.
    """

    data: Any
    status: int
    headers: Headers
    number: int
    dropped: int = 0
    request: Request | None = None
    _items: tuple[_Item, ...] | None = field(default=None, repr=False)
    _here: Callable[[int], str] | None = field(default=None, repr=False, compare=False)
    _after: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    @property
    def resume(self) -> str | None:
        """The text to continue after this page; None after the last one."""
        return self._after() if self._after is not None else None

    @property
    def has_items(self) -> bool:
        """Whether it is known where the items are."""
        return self._items is not None

    @property
    def items(self) -> tuple[_Item, ...]:
        """The items.

        Raises:
            PaginationUnclear: it is unclear where they are; pass ``by={"items": PATH}``.
        """
        if self._items is None:
            raise PaginationUnclear(
                "it is unclear where the items of a page are", hint='by={"items": "$.NAME"} names them'
            )
        return self._items

    def __iter__(self) -> Any:
        return iter(self.items)

    def resume_at(self, index: int) -> str:
        """The text to continue at an item of this page, by its index."""
        return self._here(index) if self._here is not None else ""


Steps = Generator[tuple["Page[Any] | None", "Request | PaginationError | None"], HTTPResult, None]


def steps(paging: Paging) -> Steps:
    """Yield the page of a result with the request of the next one, and receive that one's result.

    The next one is None after the last page, and an error to raise if it can't be requested. An error of the request
    that is thrown in is raised with the number of its page and the text to resume there.

    Raises:
        ArgumentError: ``resume`` belongs to another call.
    """
    walk = _Walk(paging)
    position = walk.resumed()
    page: Page[Any] | None = None
    request: Request | PaginationError | None = None if paging.max_items == 0 else walk.request(position)
    while isinstance(request, Request):
        try:
            result = yield page, request
        except DynclientError as error:
            error.page_number, error.resume = position.number, walk.token(position)
            raise
        page, request, position = walk.received(result, request, position)
    yield page, request


class _Walk:
    """The state that is kept from page to page."""

    def __init__(self, paging: Paging) -> None:
        self.paging, self.rule = paging, paging.rule
        self.next: Next = read_next(self.rule.next or "link")
        self.is_scroll = self.rule.items is not None and any("scroll" in one.name.lower() for one in self.next.targets)
        usual = 0 if self.next.kind == "offset" else 1
        self.start = self.rule.start if isinstance(self.rule.start, int) else usual
        self.first = paging.request({})
        self.seen: dict[bytes, None] = {}
        self.known: set[bytes] = set()
        self.last_items: Any = None
        self.full = self.empty = 0
        self.taken = 0
        secrets = {name for in_, name in self.first.secrets if in_ == "query"}
        self.hidden = paging.hidden | secrets
        fields = urlsplit(self.first.url).query.split("&")
        self.secret_fields = [part for part in fields if _name(part) in secrets]
        self.home = "//"  # no URL begins with this text
        plain_url = self._absolute(self.first.url, self.first.url)
        self.home = "{0.scheme}://{0.netloc}/".format(urlsplit(plain_url))
        self._remember(plain_url)
        if not (self.first.body is None or isinstance(self.first.body, bytes)):
            raise ArgumentError(
                "the body is a stream, which can be sent only once, but each page needs it",
                argument="body",
                hint="pass bytes",
            )
        self.fingerprint = hashlib.blake2b(
            repr((self.first.method, self._relative(plain_url), self.first.body, self.rule.next)).encode(),
            digest_size=_DIGEST,
        ).hexdigest()

    # Requests.

    def request(self, position: Position) -> Request:
        """The request of a page."""
        url, first = position.url, self.first
        if url:
            if self.secret_fields:
                # The caller's secrets are kept, whether the server repeats them or not.
                url += ("&" if "?" in url else "?") + "&".join(self.secret_fields)
            return Request(first.method, url, first.headers, first.body, first.operation_id, first.secrets)
        if not position.values:
            return first
        return self.paging.request(dict(zip(self.next.targets, position.values, strict=True)))

    def _absolute(self, target: str, base: str) -> str:
        """The URL of a page, which must have the same origin; credentials in its query are left out.

        RFC 3986, 5: it is resolved against the URL of the request.
        """
        url = quote(target.strip(), safe=_PRINTABLE)
        if url.startswith("/") and not url.startswith("//") and "/." not in url:
            url = self.home + url[1:]
        elif not url.startswith(self.home):
            url = self._joined(url, base)
        url = url.partition("#")[0]
        head, mark, query = url.partition("?")
        query = "&".join([part for part in query.split("&") if _name(part) not in self.hidden])
        return head + mark * bool(query) + query

    def _joined(self, target: str, base: str) -> str:
        """Resolve a URL that is neither a path nor begins like that of the first page."""
        url = joined_url(base, target)
        if url is None:
            raise PaginationError("the next page has no valid http or https URL")
        there = origin(url)
        if there != self.first.origin:
            scheme, host, port = there
            raise PaginationError(
                f"the next page is at another origin, {scheme}://{host}:{port}; nothing was sent there",
                hint="base_url= sets another server for all calls",
            )
        return url

    @staticmethod
    def _relative(url: str) -> str:
        parts = urlsplit(url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    # Resuming.

    def token(self, position: Position) -> str:
        """A position as a text without credentials."""
        url = self._relative(position.url) if position.url else ""
        said = [self.fingerprint, *position._replace(url=url)]
        return base64.urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).decode().rstrip("=")

    def resumed(self) -> Position:
        """The position of ``resume``, or the first page.

        Raises:
            ArgumentError: it comes from a call with other arguments, or is damaged.
        """
        text = self.paging.resume
        if text is None:
            return Position()
        try:
            fingerprint, values, *rest = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            position = Position(tuple(values), *rest)
            is_whole = tuple(map(type, position[1:])) == (str, int, int, int, bool) and position.skip >= 0
        except (ValueError, TypeError):
            is_whole = False
        if not is_whole or (values and len(values) != len(self.next.targets)):
            raise ArgumentError("resume is not a text that a page gave", argument="resume")
        if fingerprint != self.fingerprint:
            raise ArgumentError(
                "resume belongs to a call with other arguments",
                argument="resume",
                hint="repeat the call with the same arguments",
            )
        if position.url:
            position = position._replace(url=self._absolute(position.url, self.first.url))
        said = position.values[0] if len(position.values) == 1 else list(position.values)
        self._remember(position.url or said)
        return position

    # Results.

    def received(
        self, result: HTTPResult, request: Request, here: Position
    ) -> tuple[Page[Any], Request | PaginationError | None, Position]:
        """The page of a result, and the next position."""
        following: Request | PaginationError | None = None
        there, items, is_read = here, None, False
        try:
            items = self._items(result.data)
            is_read = True
            found = self._following(result, items, request, here)
            self.empty = 0 if items or items is None else self.empty + 1
            if found is not None:
                if self.empty > _EMPTY_PAGES:
                    raise PaginationError(f"{self.empty:,} pages in a row have no items")
                after = found._replace(number=here.number + 1, before=here.before + len(items or ()))
                following, there = self.request(after), after
        except DynclientError as error:
            if is_read:  # the next page is unknown: the list continues at the end of this one
                there = here._replace(skip=len(items or ()))
            following = self._at(error, there, request, here.number + is_read)
        page, is_full = self._page(result, items, here, there if following is not None else None)
        return page, None if is_full else following, there

    def _at(self, error: DynclientError, position: Position, request: Request, number: int) -> PaginationError:
        """Add the page number and the resume text to an error."""
        if not isinstance(error, PaginationError):
            cause = error
            error = PaginationError(f"the next page can't be requested: {cause.message}")
            error.__cause__ = cause
        error.page_number, error.resume = number, self.token(position)
        error.operation_id = request.operation_id
        return error

    def _items(self, data: Any) -> Any:
        """The items as received; None if it is unclear where they are."""
        if self.rule.items is None:
            return None
        found = _value(data, self.rule.items)
        if found is MISSING and isinstance(data, (str, bytes, int, float)):
            found = data
        if found is MISSING and self.paging.lacks_items:
            raise PaginationError(
                f"neither the answer nor the document has {self.rule.items}", hint='by={"items": PATH} names the items'
            )
        if found is MISSING or found is None:
            return []
        if not isinstance(found, (list, tuple)):
            raise PaginationError(
                f"{self.rule.items} of the answer is not a list of items but a {type(found).__name__}",
                hint='by={"items": PATH} names them',
            )
        unique = self.paging.unique
        if unique is not None and found and all(value_at(item, unique) is MISSING for item in found):
            hint = "unique= names a member that each item has"
            raise PaginationError(f"no item of the page has {path_text(unique)}", hint=hint)
        return found

    def _page(
        self, result: HTTPResult, items: Any, position: Position, after: Position | None
    ) -> tuple[Page[Any], bool]:
        """The page, without the items that were read before or exceed the limit.

        And whether no further item is needed.
        """
        dropped, is_full = 0, False
        kept: tuple[Any, ...] | None = None
        if items is not None:
            kept = tuple(items[position.skip :] if position.skip else items)
            if self.paging.unique is not None:
                unique = [item for item in kept if self._is_new(item, self.paging.unique)]
                dropped, kept = len(kept) - len(unique), tuple(unique)
            left = self.paging.max_items
            if left is not None and self.taken + len(kept) >= left:
                is_full, left = True, left - self.taken
                if left < len(kept):
                    after, kept = position._replace(skip=position.skip + left), kept[:left]
            self.taken += len(kept)
        token = self.token
        return Page(
            result.data,
            result.status,
            result.headers,
            position.number,
            dropped,
            result.request,
            kept,
            lambda index: token(position._replace(skip=position.skip + index)),
            (lambda: token(after)) if after is not None else None,
        ), is_full

    def _is_new(self, item: Any, keys: Keys) -> bool:
        value = value_at(item, keys)
        if value is MISSING:
            return True
        digest = _digest(value)
        is_new = digest not in self.known
        self.known.add(digest)
        return is_new

    def _following(self, result: HTTPResult, items: Any, request: Request, here: Position) -> Position | None:
        """The values or the URL of the next page; None after the last one."""
        # RFC 3986, 5.1.3: a reference is relative to the URL that was requested last, after redirects.
        request = result.request or request
        links = web_links(result.headers["link"]) if "link" in result.headers else ()
        # Some servers always send the link, and say by results="false" that nothing follows.
        nexts = [link for link in links if "next" in link.relations]
        linked = next((link.target for link in nexts if link.parameters.get("results") != "false"), None)
        if linked is not None:
            return self._to_url(linked, request, here, by_link=True)
        kind = self.next.kind
        if kind == "link" or here.by_link or nexts:
            return None
        if links and kind in {"page", "offset"} and not _AROUND.isdisjoint(n for link in links for n in link.relations):
            return None
        more = self._more(result.data)
        if more is False:
            return None
        if kind in {"page", "offset"}:
            return self._counted(result.data, items, here, more=more)
        return self._tokens(result, items, request, here, more=more)

    def _more(self, data: Any) -> bool | None:
        """Whether the answer says that there is more; None if it does not say."""
        path = self.rule.more
        if path is None:
            return None
        value = _value(data, path.removeprefix("not "))
        return None if not isinstance(value, bool) else value is not path.startswith("not ")

    def _tokens(
        self, result: HTTPResult, items: Any, request: Request, here: Position, *, more: bool | None
    ) -> Position | None:
        """The next page by a token or a URL of the answer."""
        headers, data = result.headers, result.data
        found = tuple(
            [headers.get(source) if isinstance(source, str) else value_at(data, source) for source in self.next.sources]
        )
        if all(value is None or value is False or value is MISSING or value == "" for value in found):
            if more:
                shown = " and ".join(each if isinstance(each, str) else path_text(each) for each in self.next.sources)
                raise PaginationError(
                    f"the answer says that there is more, but has no {shown}, which the next page needs"
                )
            return None
        first = found[0]
        if len(found) == 1 and isinstance(first, str) and (self.next.kind == "url" or self._is_url(first, request)):
            return self._to_url(first, request, here)
        if self.next.kind == "url":
            raise PaginationError("the URL of the next page is not a string")
        if MISSING in found:
            found = tuple(None if value is MISSING else value for value in found)
        for target, value in zip(self.next.targets, found, strict=True):
            _check_token(target, value)
        if self.is_scroll:
            # A scroll has the same token from the first page to the empty last one.
            is_same, self.last_items = items == self.last_items, items
            is_new = self._remember(first) or not is_same
            return Position(found) if items and (is_new or not self._ends(first, here)) else None
        if self._ends(first if len(found) == 1 else found, here):
            return None
        return Position(found)

    def _is_url(self, text: str, request: Request) -> bool:
        """Whether a token is a URL.

        A base64 token may begin with a slash too: a path counts if it resembles the request's.
        """
        if text.startswith("/") and "?" not in text:
            return text.split("/")[1] == urlsplit(request.url).path.split("/")[1]
        return text.startswith(("/", "?")) or _URL.match(text) is not None

    def _to_url(self, target: str, request: Request, here: Position, *, by_link: bool = False) -> Position | None:
        if len(target) > _LONGEST_IN_HEAD:
            raise PaginationError(f"the URL of the next page has {len(target):,} characters")
        url = self._absolute(target, request.url)
        return None if self._ends(url, here) else Position(url=url, by_link=by_link)

    def _counted(self, data: Any, items: Any, here: Position, *, more: bool | None) -> Position | None:
        """The next page by its number, or by the number of items before it."""
        is_same, self.last_items = items == self.last_items, items
        name, kind = self.next.targets[0].name, self.next.kind
        if isinstance(self.rule.start, str) and here.number == 1:
            told = _value(data, self.rule.start)
            self.start = told if type(told) is int and told in {0, 1} else self.start
        if not items:
            pages = _integer(data, self.rule.last)
            if not more and (pages is None or kind == "offset" or self._number(here) - self.start + 1 >= pages):
                return None
            if kind == "offset":
                raise PaginationError(f"the answer says that there is more, but has no items, which {name} counts")
        elif is_same:
            if here.before and self.paging.on_repeat == "stop":
                return None
            raise PaginationError(f"the server ignores {name}: page {here.number} is the same as the one before")
        elif more is None and self._is_last(data, len(items), here):
            return None
        self.full = max(self.full, len(items))
        now = self._number(here)
        return Position((now + (1 if kind == "page" else len(items)),))

    def _number(self, here: Position) -> int:
        """The number of a page, or of its first item."""
        found = here.values[0] if here.values else self.paging.first_number
        return self.start if found is None else found

    def _is_last(self, data: Any, count: int, here: Position) -> bool:
        """Whether this page is the last one, by the totals, or else because it is shorter than requested.

        A total may be that of the page, so it counts only if it was reached over several pages, or by a short page.
        """
        total, pages = _integer(data, self.rule.total), _integer(data, self.rule.last)
        size = self.paging.size
        if pages is not None:
            return pages >= 0 and self._number(here) - self.start + 1 == max(pages, 1)
        if total is not None:
            usual = size or self.paging.usual_size
            return here.before + count == total and (here.before > 0 or (usual is not None and count < usual))
        # A server may send fewer items than requested: its page size is known after a page.
        return size is not None and count < size and here.before > 0 and count < self.full

    # Loops.

    def _remember(self, value: Any) -> bool:
        """Remember a token or a URL; whether it is new."""
        digest = _digest(value)
        if digest in self.seen:
            return False
        if len(self.seen) >= _REMEMBERED:
            del self.seen[next(iter(self.seen))]
        self.seen[digest] = None
        return True

    def _ends(self, value: Any, here: Position) -> bool:
        """Remember a token or a URL; return whether it occurred before, which ends the list."""
        if self._remember(value):
            return False
        if self.paging.on_repeat == "error":
            raise PaginationError(
                f"the server repeats the position of the next page: page {here.number + 1} would be one "
                "that came before",
                hint='on_repeat="stop" treats that as the end of the list',
            )
        return True


def _name(part: str) -> str:
    """The name of a field of a query."""
    return unquote_plus(part.partition("=")[0])


def _check_token(target: Target, value: Any) -> None:
    if isinstance(value, (bool, list)) or (isinstance(value, dict) and target.in_ != "body"):
        raise PaginationError(f"the answer's token for {target.name} is a {type(value).__name__}")
    limit = _LONGEST if target.in_ == "body" else _LONGEST_IN_HEAD
    if isinstance(value, str) and len(value) > limit:
        raise PaginationError(f"the token for {target.name} has {len(value):,} characters, more than {limit:,}")


def _value(data: Any, path: str) -> Any:
    return value_at(data, path_keys(path))


def _integer(data: Any, path: str | None) -> int | None:
    value = _value(data, path) if path is not None else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _digest(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
