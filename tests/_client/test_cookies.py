"""Cookies: kept and sent back if requested, and only where credentials may go."""

from __future__ import annotations

import logging
import pickle
from http.cookiejar import CookieJar

import anyio
import pytest
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient._request.cookies import Cookies
from dynclient.messages import Headers, Request
from dynclient.messages import Response as Answer

ANY = {"responses": {"200": {"description": ""}}}
KEY = {"type": "apiKey", "in": "cookie", "name": "key"}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Sessions", "version": "1"},
    "paths": {
        "/login": {"post": {"operationId": "login", **ANY}},
        "/me": {"get": {"operationId": "me", **ANY}},
        "/keyed": {
            "get": {
                "operationId": "keyed",
                "parameters": [{"name": "session", "in": "cookie", "schema": {"type": "string"}}],
                "security": [{"key": []}],
                **ANY,
            }
        },
    },
    "components": {"securitySchemes": {"key": KEY}},
}


@pytest.fixture
def server(httpserver):
    """Sets a cookie at the login, and returns the cookies that it received."""
    httpserver.expect_request("/login").respond_with_handler(
        lambda _: Response(headers=[("Set-Cookie", "session=abcdefghij; Path=/; HttpOnly"), ("Set-Cookie", "lang=de")])
    )
    httpserver.expect_request("/me").respond_with_handler(
        lambda request: Response(request.headers.get("Cookie", "none"))
    )
    httpserver.expect_request("/keyed").respond_with_handler(lambda request: Response(request.headers.get("Cookie")))
    return httpserver


@pytest.fixture(params=["sync", "asyncio", "trio"])
def calls(request, server):
    """Make calls one after the other, each a name with its arguments, with one client."""

    def run(*calls, **options):
        options = {"base_url": server.url_for(""), **options}
        if request.param == "sync":
            with dynclient.load(DOCUMENT, **options) as client:
                return [getattr(client, name)(**given) for name, given in calls]

        async def main():
            async with dynclient.AsyncClient.load(DOCUMENT, **options) as client:
                return [await getattr(client, name)(**given) for name, given in calls]

        return anyio.run(main, backend=request.param)

    return run


LOGIN, ME = ("login", {}), ("me", {})


def test_cookies_are_kept_and_sent_back(calls):
    assert calls(ME, LOGIN, ME, cookies=True)[2] == "session=abcdefghij; lang=de"


def test_without_the_option_they_are_dropped_and_that_is_logged(calls, caplog):
    caplog.set_level(logging.DEBUG, "dynclient")
    assert calls(LOGIN, ME)[1] == "none"
    assert "login: the cookies of the response are dropped; cookies=True keeps them" in caplog.text
    assert "abcdefghij" not in caplog.text


def test_a_jar_of_the_callers_own(calls):
    jar = CookieJar()
    calls(LOGIN, cookies=jar)
    assert {cookie.name for cookie in jar} == {"session", "lang"}
    assert calls(ME, cookies=jar) == ["session=abcdefghij; lang=de"]


def test_what_the_request_has_is_not_replaced(calls):
    made = calls(LOGIN, ("keyed", {"session": "mine"}), cookies=True, auth="secret")
    assert made[1] == "session=mine; key=secret; lang=de"


def test_cookies_do_not_go_to_servers_that_are_not_trusted(server, calls, caplog):
    jar = CookieJar()
    calls(LOGIN, cookies=jar)
    # RFC 6265, 8.5: to a browser it is the same server.
    foreign = {**DOCUMENT, "servers": [{"url": server.url_for("")}]}
    with dynclient.load(DOCUMENT, base_url="http://127.0.0.1:1", cookies=jar) as client:
        assert client.with_options(base_url=server.url_for("")).me() == "session=abcdefghij; lang=de"
    source = server.url_for("/document").replace("localhost", "127.0.0.1")
    server.expect_request("/document").respond_with_json(foreign)
    with dynclient.load(source, cookies=jar) as client:
        caplog.set_level(logging.DEBUG, "dynclient")
        assert client.me() == "none"
        client.login()
    assert "cookies of the response are dropped" in caplog.text


def test_another_login_has_cookies_of_its_own(server):
    with dynclient.load(DOCUMENT, base_url=server.url_for(""), auth="a", cookies=True) as client:
        client.login()
        assert client.with_options(timeout=5).me() == "session=abcdefghij; lang=de"
        assert client.with_options(auth="b").me() == "none"
        assert client.with_options(cookies=False).me() == "none"
        with pickle.loads(pickle.dumps(client)) as copy:
            assert copy.me() == "none"
            copy.login()
            assert copy.me() == "session=abcdefghij; lang=de"


def test_no_cookie_is_shown(server):
    server.expect_request("/me", query_string="x").respond_with_data("abcdefghij")
    with dynclient.load(DOCUMENT, base_url=server.url_for(""), cookies=True) as client:
        client.login()
        server.clear()
        server.expect_request("/me").respond_with_data("no session abcdefghij", status=403)
        with pytest.raises(exceptions.Forbidden) as caught:
            client.me()
    assert "abcdefghij" not in str(caught.value)
    assert "abcdefghij" not in repr(caught.value.request)
    assert "abcdefghij" not in repr(client._dispatcher.options)


@pytest.mark.parametrize("value", ["yes", 1, {"a": "b"}])
def test_what_is_no_jar(value):
    with pytest.raises(exceptions.ArgumentError, match="cookies must be"):
        dynclient.load(DOCUMENT, cookies=value)


# Set by http://a.test/x/y, and the URLs that get it and do not.
RULES = {
    "a=1": (["http://a.test/x/y", "http://a.test/x/z", "https://a.test/x/"], ["http://a.test/", "http://b.a.test/x/y"]),
    "a=1; Path=/": (["http://a.test/", "http://a.test:8080/"], ["http://xa.test/"]),
    "a=1; Path=/x": (["http://a.test/x/y"], ["http://a.test/xy"]),
    "a=1; Domain=a.test; Path=/": (["http://b.a.test/", "http://a.test/"], ["http://aa.test/"]),
    "a=1; Domain=other.test": ([], ["http://other.test/x/y", "http://a.test/x/y"]),
    "a=1; Domain=test; Path=/": ([], ["http://b.test/"]),
    "a=1; Secure; Path=/": (["https://a.test/"], ["http://a.test/"]),
    "a=1; Max-Age=0; Path=/": ([], ["http://a.test/"]),
    "a=1; Expires=Mon, 23 Nov 2015 10:00:00 GMT": ([], ["http://a.test/x/y"]),
    "a=" + "x" * 5000: ([], ["http://a.test/x/y"]),
    "=": ([], ["http://a.test/x/y"]),
}


@pytest.mark.parametrize("line", RULES, ids=lambda line: line[:40])
def test_where_a_cookie_goes(line):
    to, not_to = RULES[line]
    cookies = Cookies()
    cookies.keep(Answer(200, Headers([("Set-Cookie", line)])), Request("GET", "http://a.test/x/y"))
    sent = {url: "cookie" in cookies.added(Request("GET", url)).headers for url in (*to, *not_to)}
    assert sent == {**dict.fromkeys(to, True), **dict.fromkeys(not_to, False)}


def test_the_jar_is_bounded():
    cookies = Cookies()
    for start in range(0, 4000, 100):
        lines = Headers([("Set-Cookie", f"c{start + number}=1") for number in range(100)])
        cookies.keep(Answer(200, lines), Request("GET", "http://a.test/"))
    names = {cookie.name for cookie in cookies.jar}
    assert len(names) == 3000
    assert "c3999" in names
    assert "c0" not in names
