"""Answer one GET with the cache: hishel's state machine of RFC 9111 decides, this module carries out its steps.

Rule 1: a request that a cache can't answer bypasses it: one with a body, a condition or a range of its own, or
``no-store``. Any other ``Cache-Control`` of a request has the response validated.
Rule 2: only responses that the server declares fresh are fresh. RFC 9111, 4.2.2 allows guesses, but for an API they
would return stale data.
Rule 3: ages are computed with this machine's clock, and the Age header of caches on the way (RFC 9111, 4.2.3).
Rule 4: a request that may change something drops the responses of its URL (RFC 9111, 4.4).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from email.utils import formatdate
from functools import partial
from typing import Any

import hishel

from dynclient._call.http_cache import UNKEYED, HTTPCache, StoredResponse
from dynclient._call.retry import date_of
from dynclient.http_grammar import SAFE
from dynclient.messages import Headers, Request, Response, RunBlocking

_OPTIONS = hishel.CacheOptions(shared=False, supported_methods=["GET"], allow_stale=False)
_CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range", "range")
_STORABLE = frozenset({200, 203, 204, 300, 301, 308, 404, 410})
# RFC 9111, 3.2: these describe the body, which a 304 does not have.
_OF_THE_BODY = frozenset({"content-encoding", "content-type", "content-range", "content-length"})
_ERROR = 400

Sending = Generator[Any, Any, Any]


def cached(cache: HTTPCache, request: Request, send: Callable[[Request], Sending]) -> Sending:
    """Answer a request from the cache, or send it with ``send`` and store its response."""
    if request.method not in SAFE:
        outcome = yield from send(request)
        # If the outcome of the request is unknown, it may have changed something.
        if outcome.status < _ERROR if isinstance(outcome, Response) else getattr(outcome, "outcome_unknown", True):
            yield from _done(cache, partial(cache.forget, request.url))
        return outcome
    wish = request.headers.get("cache-control", "").lower()
    is_plain = request.method == "GET" and request.body is None and "no-store" not in wish
    if not is_plain or any(name in request.headers for name in _CONDITIONS):
        return (yield from send(request))
    return (yield from _Lookup(cache, request, send).run())


def _done(cache: HTTPCache, work: Callable[[], Any]) -> Sending:
    """Run an action on the cache, in a thread if the cache has files."""
    if cache.folder is None:
        return work()
    return (yield RunBlocking(work))


class _Lookup:
    """One GET."""

    def __init__(self, cache: HTTPCache, request: Request, send: Callable[[Request], Sending]) -> None:
        self._cache = cache
        self._request = request
        self._send = send
        self._key = cache.key(request)
        self._stored: StoredResponse | None = None
        self._came, self._sent = Response(0), request

    def run(self) -> Sending:
        """Carry out the steps of the state machine."""
        stored = self._stored = yield from _done(self._cache, partial(self._cache.store.get, self._key))
        given = self._request.headers
        wish = {"cache-control": "no-cache"} if "cache-control" in given or "pragma" in given else {}
        asked = hishel.Request("GET", self._request.url, hishel.Headers(wish))
        # The entry's id is not used: there is at most one entry.
        entries = [hishel.Entry(None, asked, _for_machine(stored))] if stored is not None else []  # type: ignore[arg-type]
        state: Any = hishel.IdleClient(options=_OPTIONS).next(asked, entries)
        while not isinstance(state, hishel.FromCache):
            if isinstance(state, hishel.CacheMiss | hishel.NeedRevalidation):
                outcome = yield from self._send(self._conditional(state.request.headers))
                if not isinstance(outcome, Response):
                    return outcome
                self._sent = outcome.request or self._request
                self._came = replace(outcome, request=self._request)
                state = state.next(_for_machine(_stored(outcome)))
            elif isinstance(state, hishel.NeedToBeUpdated):
                yield from self._refresh()
                state = state.next()
            elif isinstance(state, hishel.InvalidateEntries):
                yield from _done(self._cache, partial(self._cache.store.remove, *self._key))
                state = state.next()
            else:
                if isinstance(state, hishel.StoreAndUse):
                    yield from self._keep(state.response.headers)
                return self._came
        return self._answer()

    def _conditional(self, headers: Any) -> Request:
        """The request, with the conditions that the state machine adds."""
        fields = self._request.headers
        for name in ("If-None-Match", "If-Modified-Since"):
            if name in headers:
                fields = fields.replace(name, headers[name])
        return self._request if fields is self._request.headers else replace(self._request, headers=fields)

    def _keep(self, storable: Any) -> Sending:
        """Store the response with the headers that may be stored, or drop the one that it replaces."""
        came, stored = self._came, _stored(self._came)
        vary = {name.strip().lower() for name in came.headers.get("vary", "").split(",")}
        # A response that no later request could use is not stored.
        is_usable = _is_explicit(came.headers) or "etag" in came.headers or "last-modified" in came.headers
        is_small = isinstance(came.body, bytes) and stored.size <= self._cache.max_response_bytes
        given, sent = self._request.headers, self._sent.headers
        is_told_apart = not vary & (UNKEYED | {"*"}) and all(given.get(name) == sent.get(name) for name in vary)
        if came.status in _STORABLE and is_usable and is_small and is_told_apart:
            headers = Headers(pair for pair in came.headers.pairs() if pair[0].lower() in storable)
            work = partial(self._cache.store.put, self._key, stored._replace(headers=headers))
        else:
            work = partial(self._cache.store.remove, *self._key)
        yield from _done(self._cache, work)

    def _refresh(self) -> Sending:
        """Take over the headers of a 304 (RFC 9111, 3.2)."""
        stored, fresh = self._stored, _stored(self._came)
        if stored is None:
            return
        pairs = [pair for pair in fresh.headers.pairs() if pair[0].lower() not in _OF_THE_BODY]
        names = {name.lower() for name, _ in pairs}
        kept = [pair for pair in stored.headers.pairs() if pair[0].lower() not in names]
        stored = self._stored = stored._replace(headers=Headers([*kept, *pairs]), made=fresh.made)
        yield from _done(self._cache, partial(self._cache.store.put, self._key, stored))

    def _answer(self) -> Response:
        """The stored response."""
        stored = self._stored
        if stored is None:
            raise RuntimeError("the cache has no such response")
        headers = stored.headers.replace("Age", str(max(int(time.time() - stored.made), 0)))
        return Response(stored.status, headers, stored.body, self._request, 0.0, 0, cached=True)


def _stored(response: Response) -> StoredResponse:
    """The stored form of a response, with the time when it was made."""
    now = time.time()
    date, age = _date(response.headers), response.headers.get("age", "").strip()
    seconds = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0  # noqa: PLR2004  # 30 years
    apparent = max(now - date, 0.0) if date is not None else 0.0
    body = response.body if isinstance(response.body, bytes) else b""
    return StoredResponse(response.status, response.headers, now - max(apparent, seconds), body)


def _for_machine(stored: StoredResponse) -> hishel.Response:
    """The response for the state machine: its Date by our clock, and stale at once if the server gave no freshness."""
    fields: dict[str, list[str]] = {}
    for name, value in stored.headers.pairs():
        fields.setdefault(name.lower(), []).append(value)
    date, expires = _date(stored.headers), _moment(stored.headers.get("expires"))
    if date is not None and expires is not None:
        fields["expires"] = [formatdate(stored.made + expires - date, usegmt=True)]
    fields["date"] = [formatdate(stored.made, usegmt=True)]
    if not _is_explicit(stored.headers):
        fields.setdefault("cache-control", []).append("max-age=0")
    return hishel.Response(stored.status, hishel.Headers(fields))


def _is_explicit(headers: Headers) -> bool:
    """Whether the server says how long the response is fresh."""
    return "max-age" in headers.get("cache-control", "").lower() or "expires" in headers


def _date(headers: Headers) -> float | None:
    """The time in the Date header; of several, the earliest."""
    return min((moment for text in headers.get_list("date") if (moment := _moment(text)) is not None), default=None)


def _moment(text: str | None) -> float | None:
    moment = date_of(text or "")
    return moment.timestamp() if moment is not None else None
