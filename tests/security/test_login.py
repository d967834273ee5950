"""The authorization code grant: the URL that the browser opens, and the responses that it may return with."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authorization_server import CLIENT

from dynclient import exceptions
from dynclient.options import OAuth2
from dynclient.security.login import Listener


def get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


class Person:
    """Goes to the address in a thread, as a browser does, and comes back with other answers than the server's."""

    def __init__(self, **back: str) -> None:
        self.back = back
        self.sent: dict[str, str] = {}
        self.statuses: list[int] = []
        self.threads: list[threading.Thread] = []

    def __call__(self, url: str) -> None:
        self.sent = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.url = url
        thread = threading.Thread(target=self.browse)
        self.threads.append(thread)
        thread.start()

    def browse(self) -> None:
        query = urlencode({"state": self.sent["state"], **self.back})
        self.statuses.append(get(f"{self.sent['redirect_uri']}?{query}"))


def test_what_the_browser_is_sent_off_with(client, authorization):
    person = Person(error="access_denied")
    auth = OAuth2("public", open_browser=person, scopes="a b", parameters={"audience": "x"})
    document = authorization.document(**authorization.flows)
    flow = document["components"]["securitySchemes"]["Login"]["flows"]["authorizationCode"]
    flow["authorizationUrl"] += "?tenant=1"
    client(document, auth=auth).results("get_thing", 1)
    sent = dict(person.sent)
    assert len(sent.pop("state")) == len(sent.pop("code_challenge")) == 43
    redirect = urlsplit(sent.pop("redirect_uri"))
    assert (redirect.scheme, redirect.hostname, redirect.path) == ("http", "127.0.0.1", "/")
    assert sent == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "public",
        "scope": "a b",
        "code_challenge_method": "S256",
        "audience": "x",
    }


REFUSALS = {
    "denied": ({"error": "access_denied", "error_description": "not\x1b today"}, "access_denied", "not\\x1b today"),
    "no code": ({}, "", "no reason"),
    "another server": ({"code": "code-1", "iss": "https://evil.test"}, "", "another authorization server"),
    "a code that is none": ({"code": "stolen"}, "invalid_grant", "invalid_grant"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(client, authorization, case):
    back, error, text = case
    auth = OAuth2("public", open_browser=Person(**back))
    (outcome,) = client(authorization.document(), auth=auth).results("get_thing", 1)
    assert isinstance(outcome, exceptions.AuthorizationError)
    assert outcome.error == error
    assert text in str(outcome)
    assert authorization.things == []


def test_nobody_comes_back(client, authorization):
    auth = OAuth2("public", open_browser=lambda _: None, login_timeout=0.2)
    (outcome,) = client(authorization.document(), auth=auth).results("get_thing", 1)
    assert isinstance(outcome, exceptions.AuthorizationError)
    assert "nobody logged in within 0.2 seconds" in str(outcome)
    assert no_listeners()


def test_no_browser(client, authorization):
    auth = OAuth2("public", open_browser=lambda _: False)
    (outcome,) = client(authorization.document(), auth=auth).results("get_thing", 1)
    assert "no browser" in str(outcome)
    assert no_listeners()


def test_a_browser_that_waits_for_the_end_of_the_login(client, authorization):
    auth = OAuth2(*CLIENT, open_browser=get)
    assert client(authorization.document(), auth=auth).results("get_thing", 1) == [{"by": "token-1"}]


def test_fifty_at_once_make_one_login(client, authorization):
    logins = []
    auth = OAuth2("public", open_browser=lambda url: logins.append(get(url)))
    document = authorization.document(**authorization.flows)
    assert client(document, auth=auth).at_once("get_thing", 50) == [{"by": "token-1"}] * 50
    assert logins == [200]


def test_the_time_of_a_person_is_not_the_call_s(client, authorization):
    auth = OAuth2("public", open_browser=lambda url: threading.Timer(0.6, get, (url,)).start())
    document = authorization.document(**authorization.flows)
    assert client(document, auth=auth, timeout=0.5).results("get_thing", 1) == [{"by": "token-1"}]


def no_listeners() -> bool:
    return not any(thread.name == "dynclient-login" for thread in threading.enumerate())


@pytest.mark.parametrize(
    "uri",
    ["https://127.0.0.1/", "http://0.0.0.0/", "http://example.com/", "http://[", "", "http://127.0.0.1:99999/"],
)
def test_a_redirect_uri_that_is_not_here(uri):
    with pytest.raises(exceptions.ArgumentError, match="redirect_uri"):
        Listener(uri, "s")


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(exceptions.ArgumentError, match="listen"):
        Listener(f"http://127.0.0.1:{taken.getsockname()[1]}/back", "s")


@pytest.fixture
def listener():
    made = Listener("http://localhost/back", "right")
    yield made
    made.close()
    assert no_listeners()


REQUESTS = [
    ("/back?state=wrong&code=evil", 400, None),
    ("/back?code=evil", 400, None),
    ("/back?state=right&state=wrong&code=evil", 400, None),
    ("/favicon.ico?state=right", 404, None),
    ("/back?state=right&code=1", 200, "state=right&code=1"),
]


@pytest.mark.parametrize(("target", "status", "query"), REQUESTS)
def test_the_listener_takes_the_right_state_alone(listener, target, status, query):
    assert get(listener.redirect_uri.removesuffix("/back") + target) == status
    assert listener.query == query


def test_the_first_answer_counts_and_nothing_is_said_back(listener):
    for code in ("1", "<script>2"):
        with urllib.request.urlopen(listener.redirect_uri + "?" + urlencode({"state": "right", "code": code})) as page:
            assert b"script" not in page.read()
            assert page.headers["Cache-Control"] == "no-store"
    assert listener.query == "state=right&code=1"


def test_silent_and_endless_connections_hold_up_nobody(listener):
    address = ("127.0.0.1", urlsplit(listener.redirect_uri).port)
    silent = [socket.create_connection(address) for _ in range(3)]
    silent[1].sendall(b"GET /back?state=ri")
    silent[2].sendall(b"x" * 100_000)
    assert get(listener.redirect_uri + "?state=right") == 200
    silent[1].sendall(b"ght HTTP/1.1\r\n\r\n")
    assert silent[1].recv(12) == b"HTTP/1.1 200"
    for connection in silent:
        connection.close()


def test_hundreds_of_silent_connections_end_each_other(listener):
    address = ("127.0.0.1", urlsplit(listener.redirect_uri).port)
    silent = [socket.create_connection(address) for _ in range(200)]
    assert get(listener.redirect_uri + "?state=right") == 200
    assert silent[0].recv(1) == b""
    for connection in silent:
        connection.close()


def test_a_port_is_free_again_after_a_login():
    first = Listener("http://127.0.0.1/", "s")
    uri = first.redirect_uri
    get(uri + "?state=s")
    first.close()
    second = Listener(uri, "s")
    assert second.redirect_uri == uri
    second.close()
