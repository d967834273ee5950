"""The cache of GETs: which responses are kept, for whom and how long, with a real server and an adjustable clock."""

from __future__ import annotations

import pickle
import stat
import time
from email.utils import formatdate

import anyio
import pytest
from werkzeug import Response

import dynclient
from dynclient import HTTPCache, exceptions
from dynclient._call.http_cache import StoredResponse
from dynclient.messages import Headers
from dynclient.telemetry import ExchangeSpan

ANY = {"responses": {"200": {"description": "", "content": {"application/json": {}}}}}
NAME = {"name": "name", "in": "query", "schema": {"type": "string"}}
LANGUAGE = {"name": "Accept-Language", "in": "header", "schema": {"type": "string"}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/thing": {
            "get": {"operationId": "look", "parameters": [NAME], **ANY},
            "post": {"operationId": "change", **ANY},
        },
        "/mine": {"get": {"operationId": "mine", "security": [{"bearer": []}], **ANY}},
    },
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
}


class Things:
    """The server: answers with a number that grows with each answer, and these headers."""

    def __init__(self, httpserver):
        self.url = httpserver.url_for("")
        self.headers = {}
        self.status = 200
        self.conditions = []
        self.asked = 0
        self.etag = None
        for path in ("/thing", "/mine"):
            httpserver.expect_request(path).respond_with_handler(self.answer)

    def answer(self, request):
        self.asked += 1
        condition = request.headers.get("If-None-Match") or request.headers.get("If-Modified-Since")
        self.conditions.append(condition)
        headers = {"Content-Type": "application/json", **self.headers}
        if condition is not None and condition in {self.headers.get("ETag"), self.headers.get("Last-Modified")}:
            return Response(status=304, headers=headers)
        return Response(str(self.asked), status=self.status, headers=headers)


@pytest.fixture
def things(httpserver):
    return Things(httpserver)


@pytest.fixture
def clock(monkeypatch):
    """Move the clock on by so many seconds."""
    real, moved = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + moved[0])

    def move(seconds):
        moved[0] += seconds

    return move


@pytest.fixture(params=["memory", "folder"])
def cache(request, tmp_path):
    return HTTPCache(tmp_path / "cache" if request.param == "folder" else None)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def call(request, things, cache):
    """Make a call with a client of its own, which shares the cache: the result."""

    def run(name="look", **options):
        given = {"base_url": things.url, "http_cache": cache, "retry": 1, **options}
        arguments = given.pop("arguments", {})
        if request.param == "sync":
            with dynclient.load(DOCUMENT, **given) as client:
                return getattr(client, name).with_http_info(**arguments)

        async def main():
            async with dynclient.AsyncClient.load(DOCUMENT, **given) as client:
                return await getattr(client, name).with_http_info(**arguments)

        return anyio.run(main, backend=request.param)

    return run


def seen(result):
    return result.data, result.cached, result.attempts


def test_a_fresh_response_is_given_again(call, things, clock):
    things.headers = {"Cache-Control": "max-age=60", "X-A": "b"}
    assert seen(call()) == (1, False, 1)
    clock(30)
    again = call()
    assert seen(again) == (1, True, 0)
    assert (again.status, again.headers["X-A"], again.headers["Age"]) == (200, "b", "30")
    clock(31)
    assert seen(call()) == (2, False, 1)


def test_what_is_stale_is_validated(call, things, clock):
    things.headers = {"Cache-Control": "max-age=60", "ETag": '"a"', "X-A": "b"}
    call()
    clock(61)
    things.headers["X-A"] = "c"
    validated = call()
    assert seen(validated) == (1, True, 1)
    assert (validated.status, validated.headers["X-A"]) == (200, "c")
    assert things.conditions == [None, '"a"']
    assert seen(call()) == (1, True, 0), "it is fresh again"
    clock(61)
    things.headers["ETag"] = '"b"'
    assert seen(call()) == (4 - 1, False, 1)


NOW = time.time()
# Headers of the response, and whether the second call is answered by the cache, and how often the server is asked.
KEPT = {
    "expires": ({"Date": formatdate(usegmt=True), "Expires": formatdate(NOW + 1000, usegmt=True)}, True, 1),
    "expired": ({"Date": formatdate(usegmt=True), "Expires": formatdate(NOW - 10, usegmt=True)}, False, 2),
    "Expires: 0": ({"Expires": "0"}, False, 2),
    "no-store": ({"Cache-Control": "no-store, max-age=60", "ETag": '"a"'}, False, 2),
    "no-cache": ({"Cache-Control": "no-cache", "ETag": '"a"'}, True, 2),
    "private": ({"Cache-Control": "private, max-age=60"}, True, 1),
    "an ETag alone": ({"ETag": '"a"'}, True, 2),
    "a weak ETag": ({"ETag": 'W/"a"'}, True, 2),
    "a date alone is no guess": ({"Last-Modified": "Mon, 23 Nov 2015 10:00:00 GMT"}, True, 2),
    "nothing": ({}, False, 2),
    "aged on the way": ({"Cache-Control": "max-age=60", "Age": "61"}, False, 2),
    "a clock that is fast": (
        {"Cache-Control": "max-age=60", "Date": formatdate(time.time() + 9999, usegmt=True)},
        True,
        1,
    ),
    "a clock that is slow": (
        {"Cache-Control": "max-age=60", "Date": formatdate(NOW - 99, usegmt=True)},
        False,
        2,
    ),
    "varies by anything": ({"Cache-Control": "max-age=60", "Vary": "*"}, False, 2),
    "varies by what is not in the key": ({"Cache-Control": "max-age=60", "Vary": "X-Request-ID"}, False, 2),
    "varies by the language": ({"Cache-Control": "max-age=60", "Vary": "Accept-Language"}, True, 1),
    "garbage": ({"Cache-Control": 'max-age="x', "Expires": "never", "Date": "x", "Age": "-1"}, False, 2),
    "a very long time": ({"Cache-Control": "max-age=99999999999999999999"}, True, 1),
}


@pytest.mark.parametrize("case", KEPT.values(), ids=KEPT)
def test_what_is_kept(case, things, cache):
    things.headers, from_cache, asked = case
    with dynclient.load(DOCUMENT, base_url=things.url, http_cache=cache) as client:
        client.look()
        assert client.look.with_http_info().cached is from_cache
    assert things.asked == asked


# Options of the second call that keep it from what the first one brought.
APART = {
    "the URL": {"arguments": {"name": "b"}},
    "a language": {"headers": {"Accept-Language": "de"}},
    "a key of the caller's own": {"headers": {"X-Api-Key": "b"}},
    "no-store": {"headers": {"Cache-Control": "no-store"}},
    "no-cache": {"headers": {"Cache-Control": "no-cache"}},
    "a range": {"headers": {"Range": "bytes=0-"}},
    "no cache": {"http_cache": None},
}


@pytest.mark.parametrize("options", APART.values(), ids=APART)
def test_who_does_not_get_it(options, call, things):
    things.headers = {"Cache-Control": "max-age=60"}
    assert seen(call()) == (1, False, 1)
    assert seen(call(**options)) == (2, False, 1)


def test_each_credential_has_its_own(call, things, cache):
    things.headers = {"Cache-Control": "max-age=60"}
    assert [call("mine", auth=auth).data for auth in ("first", "other", "first", "other")] == [1, 2, 1, 2]
    if cache.folder is not None:
        for path in cache.folder.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) in {0o600, 0o700}
            assert path.is_dir() or b"first" not in path.read_bytes()


def test_a_condition_of_the_callers_own_is_answered_by_the_server(call, things):
    things.headers = {"Cache-Control": "max-age=60", "ETag": '"a"'}
    call()
    answer = call(headers={"If-None-Match": '"a"'})
    assert (answer.status, answer.data, answer.cached) == (304, None, False)


def test_a_change_drops_what_was_kept(call, things):
    things.headers = {"Cache-Control": "max-age=60"}
    call()
    things.status = 500
    with pytest.raises(exceptions.ServerError):
        call("change")
    assert call().cached, "nothing was changed"
    things.status = 200
    call("change")
    assert not call().cached


def test_an_error_is_not_kept_and_not_hidden(call, things, clock):
    things.headers = {"Cache-Control": "max-age=60", "ETag": '"a"'}
    call()
    clock(61)
    things.status, things.headers = 503, {"Cache-Control": "max-age=60"}
    for _ in range(2):
        with pytest.raises(exceptions.ServerError):
            call()
    assert things.asked == 3


def test_what_a_hook_adds_is_told_apart_by_vary(things, cache):
    class Tenant:
        def on_exchange(self, event):
            return ExchangeSpan({"X-Tenant": "a"}, lambda end: None)

    things.headers = {"Cache-Control": "max-age=60", "Vary": "X-Tenant"}
    with dynclient.load(DOCUMENT, base_url=things.url, http_cache=cache, hooks=Tenant()) as client:
        assert [client.look(), client.look()] == [1, 2]


def test_streams_go_by_it(things, cache):
    things.headers = {"Cache-Control": "max-age=60"}
    with dynclient.load(DOCUMENT, base_url=things.url, http_cache=cache) as client:
        for number in (1, 2):
            with client.look.stream() as answer:
                assert answer.read() == b"%d" % number


def test_a_folder_is_shared_and_survives(things, tmp_path):
    things.headers = {"Cache-Control": "max-age=60"}
    for _ in range(2):
        with dynclient.load(DOCUMENT, base_url=things.url, http_cache=HTTPCache(tmp_path)) as client:
            client.look()
    assert things.asked == 1
    (path,) = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:-1])
    with dynclient.load(
        DOCUMENT, base_url=things.url, http_cache=pickle.loads(pickle.dumps(HTTPCache(tmp_path)))
    ) as client:
        assert client.look() == 2
        client.with_options(http_cache=HTTPCache(tmp_path)).look()
        assert things.asked == 2
        HTTPCache(tmp_path).clear()
        assert client.look() == 3


@pytest.mark.parametrize("folder", [False, True])
def test_it_is_bounded(folder, tmp_path):
    cache = HTTPCache(tmp_path if folder else None, max_bytes=100_000)
    stored = StoredResponse(200, Headers(), 0.0, b"x" * 9000)
    keys = [("u", str(number)) for number in range(40)]
    for key in keys:
        cache.store.put(key, stored)
    kept = [key for key in keys if cache.store.get(key) is not None]
    assert 5 < len(kept) <= 10
    assert keys[-1] in kept
    cache.clear()
    assert not any(cache.store.get(key) for key in keys)


def test_a_response_that_is_too_large_is_not_kept(things):
    things.headers = {"Cache-Control": "max-age=60"}
    cache = HTTPCache(max_response_bytes=10)
    with dynclient.load(DOCUMENT, base_url=things.url, http_cache=cache) as client:
        assert (client.look(), client.look()) == (1, 2)


def test_what_is_no_cache():
    with pytest.raises(exceptions.ArgumentError, match="http_cache must be"):
        dynclient.load(DOCUMENT, http_cache=True)


def test_a_folder_in_the_home_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert HTTPCache("~/things").folder == tmp_path / "things"
    assert (tmp_path / "things").is_dir()
