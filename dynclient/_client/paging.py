"""``operation.paginate(...)``: iterate over a list's items and pages, with a driver for threads and one for tasks.

A keyword of ``paginate`` is an argument of the call where the operation has one of that name; the option of that name
is then written with an underscore after it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import copy_context
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dynclient._client.shown_methods import shortened, split_options
from dynclient._client.state import LoadedDocument
from dynclient._deferred import cached_property, expression
from dynclient._paging.answers import lacks_items
from dynclient._paging.declared import pagination
from dynclient._paging.rules import (
    Evidence,
    Pagination,
    Target,
    changed,
    checked,
    path_keys,
    read_next,
    read_target,
    value_at,
)
from dynclient._paging.stepping import Page, Paging, Steps, steps
from dynclient._request import Bound, CallOptions, Plan, query_fields
from dynclient._request.options import Check, check_options
from dynclient._schemas import shape
from dynclient.exceptions import ArgumentError, DynclientError, PaginationError, PaginationUnclear
from dynclient.inspection.arguments import Argument
from dynclient.messages import HTTPResult, Request
from dynclient.model import OperationRow, Schema

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")

OPTIONS = ("by", "page_size", "max_items", "resume", "prefetch", "unique", "on_repeat")
_MAXIMUM = expression(
    r"(?i)\bmax(?:imum)?\b[^0-9.;]{0,30}([0-9]{1,6})|\b(?:at most|up to|no more than|between 1 and)\s+([0-9]{1,6})"
)


def rule_of(document: LoadedDocument, row: OperationRow, options: CallOptions) -> Pagination | None:
    """How an operation pages, with the client's options applied."""
    found = document.once("pagination", row, lambda: pagination(document.operation(row), document.api))
    if not options.paginate:
        return found
    names = (row.operation_id or "", row.name, row.key, *(f"{tag}.{name}" for tag, name in row.names_by_tag))
    rule = next((options.paginate[name] for name in names if name in options.paginate), None)
    if rule is not None:
        return changed(found or Pagination(key=row.key), rule, Evidence("the option paginate= says so"))
    rule = options.paginate.get("*")
    return (
        changed(found, rule, Evidence('paginate={"*": ...} says so'))
        if rule is not None and found is not None
        else found
    )


def pages_of(  # noqa: PLR0917  # each is one part of the call
    document: LoadedDocument,
    row: OperationRow,
    options: CallOptions,
    send: Callable[[Plan, Request, CallOptions], Any],
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    kind: type[_Pages[Any]],
) -> Any:
    """The pages of a call, of a class of this module; ``send`` makes a call, and returns its HTTPResult.

    Raises:
        ArgumentError: an argument or an option is wrong.
        PaginationUnclear: the document does not say clearly enough how the list pages, nor does ``by=``.
    """
    plan = document.plan(row)
    given, arguments = split_options(plan, args, keywords, OPTIONS)
    rule = rule_of(document, row, options) or Pagination(key=row.key)
    if given.get("by") is not None:
        rule = changed(rule, checked(given["by"], "by"), Evidence("by= says so"))
    _check(rule)
    check_options(given, _CHECKS)
    call = _Call(plan, plan.binder.bind(args, arguments, options.defaults), options)
    size = read_target(rule.size) if rule.size is not None else None
    if given.get("page_size") is not None:
        call.set_size(size, given["page_size"])
    plan.binder.check_complete(call.bound, options.validate.requests)
    counted = read_next(rule.next or "link")
    schemes = document.api.security_schemes.values()
    paging = Paging(
        rule=rule,
        request=call.request,
        hidden=frozenset(each.parameter for each in schemes if each.type == "apiKey" and each.in_ == "query"),
        size=call.number(size),
        usual_size=call.default(size),
        first_number=call.number(counted.targets[0]) if counted.kind in {"page", "offset"} else None,
        max_items=given.get("max_items"),
        resume=given.get("resume"),
        unique=path_keys(given["unique"]) if given.get("unique") is not None else None,
        on_repeat=given.get("on_repeat", "error"),
        lacks_items=bool(given.get("by") or options.paginate) and lacks_items(plan.operation, rule),
    )
    return kind(lambda request: send(plan, request, options), paging, prefetch=bool(given.get("prefetch")))


def _check(rule: Pagination) -> None:
    """Refuse a rule that leaves something unclear."""
    if rule.next is None and not rule.evidence:
        raise PaginationUnclear(
            "the document does not show that the operation has pages",
            pagination=rule,
            hint="a plain call returns the whole response; by={...} says how the list continues",
        )
    if not rule.is_usable:
        what = "a guess" if rule.confidence == "guess" else "unclear"
        items = rule.items or "$.NAME"
        following = rule.next or "query PARAMETER <- $.MEMBER"
        raise PaginationUnclear(
            f"how to request the next page is {what}",
            pagination=rule,
            hint=f'pass by={{"items": "{items}", "next": "{following}"}}, or write x-pagination in the document',
        )
    if rule.items is None and " + " in (rule.next or ""):
        raise PaginationUnclear(
            "it is unclear where the items of a page are, so the last page can't be recognized",
            pagination=rule,
            hint='pass by={"items": "$.NAME"}',
        )


def _is_number(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


_CHECKS: Mapping[str, Check] = {
    "page_size": (lambda value: value == "max" or _is_number(value, 1), 'a number from 1, or "max"'),
    "max_items": (_is_number, "a number from 0"),
    "resume": (lambda value: isinstance(value, str), "the text that a page gave"),
    "prefetch": (lambda value: value in {0, 1}, "0 or 1 (pages)"),
    "unique": (lambda value: path_keys(value) or value == "$", "a member of the items, such as 'id'"),
    "on_repeat": (lambda value: value in {"error", "stop"}, '"error" or "stop"'),
}
"""Options of ``paginate``: the check of a value, and a description of valid ones."""


class _Call:
    """A call whose pages are requested."""

    def __init__(self, plan: Plan, bound: Bound, options: CallOptions) -> None:
        self.plan, self.bound, self.options = plan, bound, options
        self._known: dict[Target, Argument | None] = {}

    def request(self, values: Mapping[Target, Any]) -> Request:
        """The request of a page: that of the call, with new values for the rule's targets."""
        return self.plan.request(*self._changed(values))

    def _changed(self, values: Mapping[Target, Any]) -> tuple[Bound, CallOptions]:
        """The call's arguments with changed ones; values of undocumented parameters are passed as options."""
        parameters, body, options = dict(self.bound.parameters), self.bound.body, self.options
        for target, value in values.items():
            argument = self._argument(target)
            if target.in_ == "body":
                body = _with_member(body, target, value) if value is not None else body
            elif argument is not None:
                parameters[target.in_, target.name] = fitted(value, argument.schema)
                if target.in_ == "query" and target.name in options.query:
                    query = {name: field for name, field in options.query.items() if name != target.name}
                    options = options._replace(query=query)
            elif target.in_ == "header":
                options = options._replace(headers={**options.headers, target.name: str(value)})
            elif target.in_ == "query":
                options = options._replace(query={**options.query, **query_fields({target.name: value})})
            else:
                raise ArgumentError(f"it has no {target.in_} {target.name}", argument="by")
        return Bound({key: value for key, value in parameters.items() if value is not None}, body), options

    def _argument(self, target: Target) -> Argument | None:
        """The argument of the operation that is a target."""
        if target not in self._known:
            wire = target.keys[0] if target.keys else target.name
            found = (each for each in self.plan.arguments if (each.in_, each.wire) == (target.in_, wire))
            self._known[target] = next(found, None)
        return self._known[target]

    def set_size(self, target: Target | None, size: Any) -> None:
        """Set the number of items on a page; ``"max"`` is the largest that the document allows."""
        if target is None:
            raise ArgumentError(
                "it is unclear which parameter sets the page size",
                argument="page_size",
                hint='by={"size": "query NAME"} names it, or pass the parameter itself',
            )
        size = self._maximum(target) if size == "max" else size
        self.bound, self.options = self._changed({target: size})

    def _maximum(self, target: Target) -> int:
        """The largest size of a page that the document allows."""
        argument, found = self._argument(target), None
        if argument is not None and argument.schema is not None:
            seen = shape(argument.schema)
            found = seen.constraints.get("maximum")
            if found is None and (below := seen.constraints.get("exclusiveMaximum")) is not None:
                found = below - 1
            said = _MAXIMUM.search(" ".join(filter(None, (argument.description, seen.description))))
            if found is None and said is not None:
                found = said[1] or said[2]
        if found is None:
            raise ArgumentError(
                f"the document has no maximum of {target.name}",
                argument="page_size",
                hint="give a number, page_size=100",
            )
        return int(found)

    def number(self, target: Target | None) -> int | None:
        """The value of a target in the call; None if it is not an integer."""
        if target is None:
            return None
        value = self.bound.parameters.get((target.in_, target.name))
        if target.in_ == "body":
            value = value_at(self.bound.body, target.keys)
        return value if _is_number(value) else None

    def default(self, target: Target | None) -> int | None:
        """The default of a target in the document; None if it is not an integer."""
        argument = self._argument(target) if target is not None else None
        value = shape(argument.schema).default if argument is not None and argument.schema is not None else None
        return value if _is_number(value) else None


def fitted(value: Any, schema: Schema | None) -> Any:
    """Convert a value to the type of its parameter: servers send numbers as strings, and strings as numbers."""
    if schema is None:
        return str(value) if value is not None else None
    types = shape(schema).types - {"null"}
    if isinstance(value, str) and types and "string" not in types and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if not isinstance(value, str) and value is not None and types and not types & {"integer", "number", "object"}:
        return str(value)
    return value


def _with_member(body: Any, target: Target, value: Any) -> Any:
    """A copy of a body with another member; the caller's object stays as it is."""
    from dynclient._plain_values import plain_value

    copied = plain_value(body) if body is not ... else {}
    if not isinstance(copied, dict):
        raise ArgumentError(f"the body has no member {target.name}, since it is not an object", argument="body")
    root = here = dict(copied)
    for key in target.keys[:-1]:
        inner = here.get(str(key))
        here[str(key)] = dict(inner) if isinstance(inner, Mapping) else {}
        here = here[str(key)]
    here[str(target.keys[-1])] = value
    return root


class _Pages(Generic[T]):
    """The common part of the pages of threads and of tasks."""

    def __init__(self, send: Callable[[Request], Any], paging: Paging, *, prefetch: bool = False) -> None:
        self._send, self._paging, self._prefetch = send, paging, prefetch

    @property
    def pagination(self) -> Pagination:
        """How the list is paginated."""
        return self._paging.rule

    def prepare(self) -> Request:
        """The request of the first page, without credentials."""
        return self._paging.request({})

    def goes_on(self, result: HTTPResult) -> bool:
        """Whether the result of a plain call says that there are more pages.

        Raises:
            PaginationError: it names a next page that can't be requested.
        """
        walk = steps(self._paging)
        next(walk)
        page, following = walk.send(result)
        if isinstance(following, PaginationError):
            raise following
        rule, usual = self.pagination, self._paging.size or self._paging.usual_size
        is_known = " + " not in (rule.next or "") or rule.more or rule.total or rule.last
        return following is not None and bool(is_known or (usual is not None and page and len(page.items) >= usual))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.pagination.key}: {self.pagination.next}>"

    def _limited(self, most: int) -> Any:
        """The same pages, limited to a number of items."""
        if not _is_number(most):
            raise ArgumentError(f"the number of items must be an integer from 0, not {most!r}", argument="max_items")
        own = self._paging.max_items
        paging = self._paging._replace(max_items=most if own is None else min(own, most))
        return type(self)(self._send, paging, prefetch=self._prefetch)

    def _need_items(self) -> None:
        if self.pagination.items is None:
            raise PaginationUnclear(
                "it is unclear where the items of a page are",
                pagination=self.pagination,
                hint='by={"items": "$.NAME"} names them; .pages() gives whole pages',
            )


class _Walk:
    """One iteration over the pages: the next request, and the pages so far."""

    def __init__(self, send: Callable[[Request], Any], paging: Paging, *, prefetch: bool) -> None:
        self._send, self._prefetch = send, prefetch
        self._steps: Steps = steps(paging)
        self._next: Request | PaginationError | None = None
        self._is_begun = False
        self._pending: Any = None

    def _request(self) -> Request | None:
        """The request of the next page; None after the last one."""
        if not self._is_begun:
            self._is_begun = True
            _, self._next = next(self._steps)
        if isinstance(self._next, PaginationError):
            error, self._next = self._next, None
            raise error
        return self._next

    def _page(self, result: HTTPResult) -> Page[Any]:
        page, self._next = self._steps.send(result)
        if page is None:
            raise AssertionError("a result is a page")
        return page

    def _failed(self, error: DynclientError) -> DynclientError:
        """The error of a request, with the number of its page. The iteration is over."""
        self._next = None
        try:
            self._steps.throw(error)
        except DynclientError as known:
            return shortened(known)
        return error


class _PageIterator(_Walk, Iterator[Page[T]]):
    def __next__(self) -> Page[T]:
        try:
            request = self._request()
            if request is None:
                raise StopIteration
            pending, self._pending = self._pending, None
            result = pending.result() if pending is not None else self._send(request)
        except DynclientError as error:
            raise self._failed(error)  # noqa: B904  # it is the same error
        page = self._page(result)
        if self._prefetch and isinstance(self._next, Request):
            self._pending = self._pool.submit(copy_context().run, self._send, self._next)
        return page

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """One thread, which fetches the next page while the current one is used."""
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(1, thread_name_prefix="dynclient-prefetch")


class Pages(_Pages[T]):
    """The items of a list, page by page; each page is requested when its first item is needed.

    It can be iterated over again, which restarts at the first page. :meth:`pages` gives the pages themselves.
    """

    def __iter__(self) -> Iterator[T]:
        self._need_items()
        return chain.from_iterable(page.items for page in self.pages() if page.has_items)

    def pages(self) -> Iterator[Page[T]]:
        """The pages, each with its items, answer, number, and the text to resume after it.

        Raises:
            PaginationError: while iterating: the server repeats a page, or names one that can't be asked for.
            DynclientError: while iterating: as the call, with ``page_number`` and ``resume``.
        """
        return _PageIterator(self._send, self._paging, prefetch=self._prefetch)

    def first(self, n: int) -> list[T]:
        """Return the first items, without requesting more pages than needed."""
        return list(self._limited(n))

    def to_list(self, *, max_items: int) -> list[T]:
        """At most this many items as a list."""
        return list(self._limited(max_items))


class _AsyncPageIterator(_Walk, AsyncIterator[Page[T]]):
    async def __anext__(self) -> Page[T]:
        try:
            request = self._request()
            if request is None:
                raise StopAsyncIteration
            pending, self._pending = self._pending, None
            result = await (pending if pending is not None else self._send(request))
        except DynclientError as error:
            raise self._failed(error)  # noqa: B904  # it is the same error
        page = self._page(result)
        if self._prefetch and isinstance(self._next, Request):
            self._pending = _AsyncAhead(self._send(self._next))
        return page


class _AsyncItems(AsyncIterator[T]):
    """Not an async generator, since those have to be closed explicitly on trio."""

    def __init__(self, pages: AsyncIterator[Page[T]]) -> None:
        self._pages = pages
        self._items: Iterator[T] = iter(())

    async def __anext__(self) -> T:
        while True:
            for item in self._items:
                return item
            page = await anext(self._pages)
            self._items = iter(page.items if page.has_items else ())


class AsyncPages(_Pages[T]):
    """The items of a list, for ``async for``; each page is requested when its first item is needed."""

    def __aiter__(self) -> AsyncIterator[T]:
        self._need_items()
        return _AsyncItems(self.pages())

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages, as :meth:`Pages.pages` gives them."""
        return _AsyncPageIterator(self._send, self._paging, prefetch=self._prefetch)

    async def first(self, n: int) -> list[T]:
        """Return the first items, without requesting more pages than needed."""
        return [item async for item in self._limited(n)]

    async def to_list(self, *, max_items: int) -> list[T]:
        """At most this many items as a list."""
        return [item async for item in self._limited(max_items)]


class _AsyncAhead:
    """A page that is fetched in a separate task while the current one is used; on asyncio and trio."""

    def __init__(self, coroutine: Any) -> None:
        import asyncio

        import anyio

        self._done = anyio.Event()
        self._result: Any = None
        self._error: Exception | None = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            import trio

            trio.lowlevel.spawn_system_task(self._run, coroutine, context=copy_context())
        else:
            self._task = loop.create_task(self._run(coroutine))  # an event loop keeps only weak references to tasks

    async def _run(self, coroutine: Any) -> None:
        try:
            self._result = await coroutine
        except Exception as error:  # noqa: BLE001  # raised where the page is awaited
            self._error = error
        self._done.set()

    def __await__(self) -> Any:
        yield from self._done.wait().__await__()
        if self._error is not None:
            raise self._error
        return self._result
