"""HTTP digest authentication: the examples of RFC 7616, headers as servers write them, and a server on a socket."""

from __future__ import annotations

import hashlib
import io
import itertools
import re

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from dynclient import exceptions
from dynclient._secrets import Secret
from dynclient.messages import Request
from dynclient.security import signing as digest

MUFASA = ("Mufasa", Secret("Circle of Life"))
CHALLENGE = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def fields(answer: Secret) -> dict[str, str]:
    return dict(re.findall(r'([\w*]+)=("[^"]*"|[^,]+)', answer.reveal()))


def begin(*lines: str, cnonce: str = CNONCE) -> digest.Session | None:
    begun = digest.session(digest.challenges(lines), bytes)
    return begun._replace(cnonce=cnonce) if begun is not None else None


# RFC 7616, 3.9.1
EXAMPLES = [
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
]


@pytest.mark.parametrize(("algorithm", "response"), EXAMPLES)
def test_example(algorithm, response):
    begun = begin(CHALLENGE.format(algorithm))
    assert fields(digest.answer(begun, *MUFASA, Request("GET", "http://www.example.org/dir/index.html"))) == {
        "username": '"Mufasa"',
        "realm": '"http-auth@example.org"',
        "uri": '"/dir/index.html"',
        "algorithm": algorithm,
        "nonce": '"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"',
        "nc": "00000001",
        "cnonce": f'"{CNONCE}"',
        "qop": "auth",
        "response": f'"{response}"',
        "opaque": '"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    }


def test_example_with_a_hashed_name():
    # RFC 7616, 3.9.2, as its erratum 4897 and the name's hash have it
    begun = begin(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
    )
    user = ("J\u00e4s\u00f8n Doe", Secret("Secret, or not?"))
    shown = fields(digest.answer(begun, *user, Request("GET", "http://api.example.org/doe.json")))
    assert shown["username"] == '"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"'
    assert shown["userhash"] == "true"


NAMES = [
    ("a b", {"username": '"a b"'}),
    ("J\u00e4s", {"username*": "UTF-8''J%C3%A4s"}),
]


@pytest.mark.parametrize(("user", "shown"), NAMES)
def test_name(user, shown):
    answered = fields(digest.answer(begin(CHALLENGE.format("MD5")), user, Secret("x"), Request("GET", "http://h/")))
    assert {name: value for name, value in answered.items() if name.startswith("username")} == shown


CHOICES = [
    ([CHALLENGE.format("MD5"), CHALLENGE.format("SHA-256")], "SHA-256"),
    ([CHALLENGE.format("MD5") + ", " + CHALLENGE.format("SHA-256")], "SHA-256"),
    ([CHALLENGE.format("SHA-256-sess") + ", Basic realm=x"], "SHA-256-SESS"),
    ([CHALLENGE.format("md5")], "MD5"),
    (['Digest nonce="n", realm="r"'], "MD5"),
    ([CHALLENGE.format("SHA3")], None),
    (['Digest realm="r", qop="auth-int", nonce="n"'], None),
    (['Digest realm="r", qop="auth"'], None),
    (['Digest realm="r\x01", nonce="n"'], None),
    (["Basic realm=x"], None),
    ([], None),
]


@pytest.mark.parametrize(("lines", "algorithm"), CHOICES)
def test_choice(lines, algorithm):
    begun = begin(*lines)
    assert (begun.algorithm if begun else None) == algorithm


HEADERS = [
    ("Basic", [("basic", {})]),
    ('Basic realm="a, b=c", charset="UTF-8"', [("basic", {"realm": "a, b=c", "charset": "UTF-8"})]),
    ("Negotiate dGVzdA==, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
    ('Newauth realm="apps", type=1, title="Say \\"hi\\"", Basic realm="s"', [
        ("newauth", {"realm": "apps", "type": "1", "title": 'Say \\"hi\\"'}), ("basic", {"realm": "s"})]),
    (",, Basic ,, realm = x ,", [("basic", {"realm": "x"})]),
    ('Digest REALM="a", realm="b"', [("digest", {"realm": "a"})]),
    ('Digest realm="unended', [("digest", {}), ("realm", {})]),
    ("=", []),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("line", "found"), HEADERS)
def test_header(line, found):
    assert [tuple(one) for one in digest.challenges([line])] == found


class Server:
    """Asks for a digest as RFC 7616 has it: a nonce is good for ``uses`` requests whose counts grow."""

    def __init__(self, server: HTTPServer, algorithm: str, *, qop: bool = True) -> None:
        self.algorithm, self.qop, self.uses = algorithm, qop, 1000
        self.names_next = False
        self.shown: list[dict[str, str]] = []
        self.nonces = itertools.count(1)
        self.counts: dict[str, int] = {}
        self.user = ("ann", "hunter2")
        server.expect_request("/thing").respond_with_handler(self.answer)
        self.url = server.url_for("")

    def answer(self, request) -> Response:
        word, _, rest = request.headers.get("Authorization", "").partition(" ")
        request.get_data()
        shown = {name: value.strip('"') for name, value in re.findall(r'([\w*]+)=("[^"]*"|[^,\s]+)', rest)}
        self.shown.append(shown)
        if word == "Digest" and self.is_right(shown, request.method, request.full_path.rstrip("?")):
            info = {"Authentication-Info": f'qop=auth, nextnonce="{self.nonce()}"'} if self.names_next else {}
            return Response('"in"', content_type="application/json", headers=info)
        nonce = self.nonce()
        line = f'Digest realm="r", nonce="{nonce}", algorithm={self.algorithm}, opaque="o"'
        stale = ", stale=true" if shown.get("nonce") in self.counts and self.counts[shown["nonce"]] >= self.uses else ""
        return Response(status=401, headers={"WWW-Authenticate": line + (', qop="auth"' if self.qop else "") + stale})

    def nonce(self) -> str:
        nonce = f"nonce-{next(self.nonces)}"
        self.counts[nonce] = 0
        return nonce

    def is_right(self, shown: dict[str, str], method: str, uri: str) -> bool:
        def hashed(text: str) -> str:
            name = self.algorithm.removesuffix("-sess").replace("-", "")
            return hashlib.new(name, text.encode()).hexdigest()

        nonce = shown["nonce"]
        if nonce not in self.counts or shown["uri"] != uri or self.counts[nonce] >= self.uses:
            return False
        key = hashed(f"{self.user[0]}:r:{self.user[1]}")
        if self.algorithm.endswith("-sess"):
            key = hashed(f"{key}:{'nonce-1' if self.names_next else nonce}:{shown['cnonce']}")
        middle = f"{shown['nc']}:{shown['cnonce']}:auth:" if self.qop else ""
        right = hashed(f"{key}:{nonce}:{middle}{hashed(f'{method}:{uri}')}") == shown["response"]
        fresh = not self.qop or int(shown["nc"], 16) > self.counts[nonce]
        self.counts[nonce] = int(shown.get("nc", "0"), 16)
        return right and fresh

    def document(self) -> dict:
        operation = {
            "security": [{"Login": []}],
            "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
            "responses": {
                "200": {"description": "", "content": {"application/json": {}}},
                "401": {"description": ""},
            },
        }
        get = {**operation, "operationId": "getThing"}
        post = {**operation, "operationId": "postThing", "requestBody": {"content": {"application/octet-stream": {}}}}
        return {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "servers": [{"url": self.url}],
            "paths": {"/thing": {"get": get, "post": post}},
            "components": {"securitySchemes": {"Login": {"type": "http", "scheme": "digest"}}},
        }


@pytest.mark.parametrize("qop", [True, False])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
def test_a_challenge_is_answered_and_remembered(client, httpserver, algorithm, qop):
    server = Server(httpserver, algorithm, qop=qop)
    made = client(server.document(), auth=server.user)
    assert made.each(("get_thing", {}), ("get_thing", {"q": "a b&c"}), ("post_thing", {"body": b"x"})) == ["in"] * 3
    assert [shown.get("nc") for shown in server.shown] == [
        None,
        *(["00000001", "00000002", "00000003"] if qop else [None] * 3),
    ]


def test_a_stale_nonce_is_replaced_within_the_call(client, httpserver):
    server = Server(httpserver, "SHA-256")
    server.uses = 2
    assert client(server.document(), auth=server.user).results("get_thing", 4) == ["in"] * 4
    assert [shown.get("nonce") for shown in server.shown] == [
        None,
        "nonce-1",
        "nonce-1",
        "nonce-1",
        "nonce-2",
        "nonce-2",
    ]


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5-sess"])
def test_the_next_nonce_is_used(client, httpserver, algorithm):
    server = Server(httpserver, algorithm)
    server.uses, server.names_next = 1, True
    assert client(server.document(), auth=server.user).results("get_thing", 3) == ["in"] * 3
    assert [shown.get("nonce") for shown in server.shown] == [None, "nonce-1", "nonce-2", "nonce-3"]


def test_a_wrong_password_is_tried_once(client, httpserver):
    server = Server(httpserver, "SHA-256")
    first, second = client(server.document(), auth=("ann", "canary")).results("get_thing", 2)
    assert isinstance(first, exceptions.Unauthorized)
    assert isinstance(second, exceptions.Unauthorized)
    assert (first.attempts, len(server.shown)) == (2, 4)
    assert "canary" not in str(first) + repr(vars(first))


def test_a_stream_waits_for_the_next_call(client, httpserver):
    server = Server(httpserver, "SHA-256")
    stream = ("post_thing", {"body": io.BytesIO(b"once")})
    refused, passed = client(server.document(), auth=server.user).each(stream, ("post_thing", {"body": b"x"}))
    assert isinstance(refused, exceptions.Unauthorized)
    assert passed == "in"
    assert len(server.shown) == 2


def test_other_challenges_are_not_answered(client, httpserver):
    server = Server(httpserver, "SHA3")
    (outcome,) = client(server.document(), auth=server.user).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Unauthorized)
    assert len(server.shown) == 1


def test_fifty_at_once(client, httpserver):
    server = Server(httpserver, "SHA-256", qop=False)
    assert client(server.document(), auth=server.user).at_once("get_thing", 50) == ["in"] * 50
