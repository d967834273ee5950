"""A caller's own Auths: what their flows see, and what they may send, on a real server with both clients."""

from __future__ import annotations

import io
import json
import threading

import anyio
import anyio.lowlevel
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient.messages import Await, Headers, Request, RunBlocking, Sleep
from dynclient.options import Limits, Retry
from dynclient.security import APIKeyAuth, BasicAuth, BearerAuth, CredentialRequest, DigestAuth

KEYS = {"A": "X-A", "B": "X-B"}
SCHEMES = {name: {"type": "apiKey", "in": "header", "name": header} for name, header in KEYS.items()}


def document(url, *security, schemes=SCHEMES):
    responses = {"200": {"description": "", "content": {"application/json": {}}}, "401": {"description": ""}}
    operation = {
        "security": [{name: ["s"] for name in names.split()} for names in security or ["A"]],
        "responses": responses,
    }
    body = {"content": {"application/octet-stream": {}, "application/json": {}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": url}],
        "paths": {
            "/thing": {
                "get": {**operation, "operationId": "getThing"},
                "post": {**operation, "operationId": "postThing", "requestBody": body},
            },
            "/open": {"get": {"operationId": "open", "responses": responses, "security": []}},
            "/old": {"get": {**operation, "operationId": "old"}},
        },
        "components": {"securitySchemes": schemes},
    }


class Server:
    """Answers with what ``answers`` has, else with 200, and keeps what it was sent."""

    def __init__(self, httpserver):
        self.seen = []
        self.answers = {}
        httpserver.expect_request("/thing").respond_with_handler(self.answer)
        httpserver.expect_request("/open").respond_with_handler(self.answer)
        httpserver.expect_request("/token").respond_with_handler(self.answer)
        self.url = httpserver.url_for("")

    def answer(self, request):
        number = sum(one["path"] == request.path for one in self.seen)
        self.seen.append(
            {
                "path": request.path,
                "method": request.method,
                "a": request.headers.get("X-A"),
                "b": request.headers.get("X-B"),
                "body": request.get_data().decode(),
            }
        )
        answers = self.answers.get(request.path, [])
        value, status = answers[number] if number < len(answers) else ("in", 200)
        return Response(json.dumps(value), status, content_type="application/json")


@pytest.fixture
def server(httpserver):
    return Server(httpserver)


def with_header(request, value, name="X-A"):
    return Request(request.method, request.url, request.headers.replace(name, value), request.body)


class Writing:
    """Writes one header, and keeps what its flow was given."""

    def __init__(self, value="mine", name="X-A"):
        self.value, self.name = value, name
        self.given = []
        self.statuses = []

    def flow(self, request, context):
        self.given.append((request, context))
        response = yield with_header(request, self.value, self.name)
        self.statuses.append(response.status)


@pytest.mark.parametrize("by", ["alone", "name", "function"])
def test_a_flow_sees_the_finished_request_and_its_response(client, server, by):
    auth = Writing()
    given = {"alone": auth, "name": {"A": auth}, "function": lambda asked: auth if asked.scheme.name == "A" else None}[
        by
    ]
    assert client(document(server.url), auth=given).each(("post_thing", {"body": {"a": 1}})) == ["in"]
    ((request, context),) = auth.given
    assert (request.method, request.url, request.body) == ("POST", server.url + "thing", b'{"a":1}')
    assert request.headers["Content-Type"] == "application/json"
    assert (context.scheme.name, context.scopes, context.operation_id) == ("A", ("s",), "postThing")
    assert (server.seen[0]["a"], auth.statuses) == ("mine", [200])


def test_it_goes_where_security_requires_it_and_nowhere_else(client, server):
    auth = Writing()
    assert client(document(server.url), auth=auth).each(("open", {}), ("get_thing", {})) == ["in", "in"]
    assert [one["a"] for one in server.seen] == [None, "mine"]
    assert len(auth.given) == 1


def test_it_goes_to_trusted_origins_alone(client, server):
    auth = Writing()
    made = client(document(server.url), auth=auth, base_url="http://api.test")
    (outcome,) = made.each(("get_thing", {}))
    assert isinstance(outcome, exceptions.CredentialScopeError)
    assert auth.given == []


def test_a_document_without_schemes_takes_none(server):
    with pytest.raises(exceptions.ArgumentError, match=r"no security scheme of the document can use Writing\(...\)"):
        dynclient.load(document(server.url, "", schemes={}), auth=Writing())


def test_one_given_for_several_schemes_runs_once(client, server):
    auth = Writing()
    assert client(document(server.url, "A B"), auth=auth).results("get_thing", 1) == ["in"]
    assert len(auth.given) == len(server.seen) == 1


def test_two_are_nested_and_each_sees_what_those_before_it_wrote(client, server):
    signing = Writing("signed")
    made = client(document(server.url, "A B"), auth={"A": signing, "B": "key"})
    assert made.results("get_thing", 1) == ["in"]
    assert signing.given[0][0].headers["X-B"] == "key"
    assert (server.seen[0]["a"], server.seen[0]["b"]) == ("signed", "key")


class Fetching:
    """Fetches a token in httpx's manner, and another one after a 401."""

    def __init__(self, url):
        self.url = url

    def flow(self, request, context):
        for _ in range(2):
            token = yield Request("POST", self.url, body=b"canary-password")
            response = yield with_header(request, json.loads(token.body)["token"])
            if response.status != 401:
                return


def test_a_flow_fetches_what_it_needs(client, server):
    server.answers = {"/token": [({"token": "one"}, 200), ({"token": "two"}, 200)], "/thing": [("no", 401)]}
    assert client(document(server.url), auth=Fetching(server.url + "token")).results("get_thing", 1) == ["in"]
    assert [(one["path"], one["a"]) for one in server.seen] == [
        ("/token", None),
        ("/thing", "one"),
        ("/token", None),
        ("/thing", "two"),
    ]


def test_a_sub_request_is_repeated_by_itself_and_no_attempt_of_the_call(client, server):
    server.answers = {
        "/token": [("busy", 429), ({"token": "one"}, 200), ({"token": "two"}, 200)],
        "/thing": [("no", 401)] * 2,
    }
    auth = Fetching(server.url + "token")
    (outcome,) = client(document(server.url), auth=auth, retry=Retry(base=0, throttle_base=0)).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Unauthorized)
    assert outcome.attempts == 2
    assert "canary" not in f"{outcome} {vars(outcome)!r}"


def test_nothing_of_a_sub_request_is_shown(client, server, caplog):
    caplog.set_level("DEBUG")

    class Secretive:
        def flow(self, request, _):
            headers = Headers({"X-Client": "canary-client", "Content-Type": "text/plain"})
            yield Request("POST", server.url + "token?key=canary-key", headers, b"canary-body")
            yield request

    seen = []

    class Hook:
        def on_request(self, event):
            seen.append(repr(event))

    made = client(document(server.url), auth=Secretive(), hooks=[Hook()], limits=Limits(response_bytes=1))
    (outcome,) = made.results("get_thing", 1)
    assert isinstance(outcome, exceptions.ResponseTooLarge)
    logged = [record.getMessage() for record in caplog.records if record.name == "dynclient"]
    assert len(logged) > 1
    assert "canary" not in f"{outcome} {vars(outcome)!r} {outcome.request!r} {seen} {logged}"
    assert outcome.request.body is None


def test_a_sub_request_that_fails_leaves_no_doubt_about_the_call(client, server):
    auth = Fetching("http://127.0.0.1:9/token")
    made = client(document(server.url), auth=auth, allow_origins=["http://127.0.0.1:9"], retry=Retry(base=0))
    (outcome,) = made.each(("post_thing", {"body": {"a": 1}}))
    assert isinstance(outcome, exceptions.ConnectError)
    assert not outcome.outcome_unknown
    assert server.seen == []


def test_a_sub_request_goes_to_trusted_origins_alone(client, server):
    with HTTPServer(port=0) as elsewhere:
        elsewhere.expect_request("/token").respond_with_json({"token": "one"})
        url, origin = elsewhere.url_for("/token"), elsewhere.url_for("").rstrip("/")
        (outcome,) = client(document(server.url), auth=Fetching(url)).results("get_thing", 1)
        assert isinstance(outcome, exceptions.CredentialScopeError)
        assert origin in str(outcome)
        assert elsewhere.log == server.seen == []
        assert client(document(server.url), auth=Fetching(url), allow_origins=[origin]).results("get_thing", 1) == [
            "in"
        ]


@pytest.mark.parametrize("status", [200, 500])
def test_after_another_answer_than_4xx_nothing_is_sent_again(client, server, status):
    class Again:
        def flow(self, request, _):
            yield with_header(request, "first")
            yield with_header(request, "second")

    server.answers = {"/thing": [("x", status)]}
    client(document(server.url), auth=Again(), retry=1).each(("post_thing", {"body": {"a": 1}}))
    assert [one["a"] for one in server.seen] == ["first"]


def test_a_stream_is_not_sent_twice(client, server):
    server.answers = {"/thing": [("no", 401)]}

    class Again:
        def flow(self, request, _):
            yield with_header(request, "first")
            yield with_header(request, "second")

    (outcome,) = client(document(server.url), auth=Again()).each(("post_thing", {"body": io.BytesIO(b"once")}))
    assert isinstance(outcome, exceptions.Unauthorized)
    assert len(server.seen) == 1


def test_each_attempt_runs_the_flow_again_and_a_function_is_asked_once(client, server):
    server.answers = {"/thing": [("busy", 503)] * 2}
    auth, asked = Writing(), []

    def ask(wanted: CredentialRequest):
        asked.append(wanted)
        return auth

    made = client(document(server.url), auth={"A": ask}, retry=Retry(base=0, throttle_base=0))
    assert made.results("get_thing", 1) == ["in"]
    assert (len(auth.given), auth.statuses, len(asked)) == (3, [503, 503, 200], 1)


def test_redirects_run_it_again_within_the_origin_alone(client, server, httpserver):
    auth = Writing()
    httpserver.expect_request("/old").respond_with_data("", 302, {"Location": "/thing"})
    assert client(document(server.url), auth=auth).each(("old", {})) == ["in"]
    assert [request.url for request, _ in auth.given] == [server.url + "old", server.url + "thing"]
    assert "X-A" not in auth.given[1][0].headers
    with HTTPServer(port=0) as elsewhere:
        elsewhere.expect_request("/there").respond_with_json("in")
        httpserver.clear()
        httpserver.expect_request("/old").respond_with_data("", 302, {"Location": elsewhere.url_for("/there")})
        assert client(document(server.url), auth=auth, redirects="any").each(("old", {})) == ["in"]
        assert "X-A" not in elsewhere.log[0][0].headers
    assert len(auth.given) == 3


def test_what_it_adds_is_masked_wherever_it_is_shown(client, server):
    class Adding:
        def flow(self, request, _):
            headers = request.headers.replace("X-Other", "canary-header").replace("Cookie", "c=canary-cookie")
            yield Request(request.method, request.url + "?mine=canary-query", headers)

    server.answers = {"/thing": [({"echo": "canary-query canary-header"}, 401)]}
    seen = []

    class Hook:
        def on_request(self, event):
            seen.append(repr(event))

    (outcome,) = client(document(server.url), auth=Adding(), hooks=[Hook()]).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Unauthorized)
    assert outcome.request.url.endswith("?mine=***")
    assert "canary" not in f"{outcome} {vars(outcome)!r} {outcome.response.body!r} {seen}"


def test_a_flow_may_wait_and_run_what_blocks(client, server):
    threads = []

    class Waiting:
        def flow(self, request, _):
            yield Sleep(0.001)
            value = yield RunBlocking(lambda: threads.append(threading.get_ident()) or "from a thread")
            yield with_header(request, value)

    assert client(document(server.url), auth=Waiting()).results("get_thing", 1) == ["in"]
    assert server.seen[0]["a"] == "from a thread"


class Nothing:
    def flow(self, request, context):
        yield from ()


class Plain:
    def flow(self, request, context):
        return request


class Coroutine:
    async def flow(self, request, context):
        return request


class Text:
    def flow(self, request, context):
        yield "Bearer token"


class Async:
    async def flow(self, request, context):
        yield request


@pytest.mark.parametrize(
    ("auth", "text"),
    [
        (Nothing, "without yielding"),
        (Plain, "not a generator"),
        (Async, "not a generator"),
        (Coroutine, "not a generator"),
        (Text, "yielded a str"),
    ],
)
def test_a_flow_that_is_wrong_says_so(client, server, auth, text):
    (outcome,) = client(document(server.url), auth=auth()).results("get_thing", 1)
    assert isinstance(outcome, exceptions.ArgumentError)
    assert text in str(outcome)
    assert server.seen == []


def test_prepare_runs_no_flow(server):
    auth = Writing()
    with dynclient.load(document(server.url), auth=auth) as things:
        assert things.get_thing.prepare().headers["X-A"] == "$YOUR_X_A"
    assert auth.given == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("form", ["token", "pair", "auth", "none"])
def test_an_async_function_is_awaited(server, backend, form):
    schemes = {"A": SCHEMES["A"], "Login": {"type": "http", "scheme": "basic"}}
    answers = {"token": "key", "pair": ("me", "pass"), "auth": Writing("own"), "none": None}
    asked = []

    async def ask(wanted: CredentialRequest):
        await anyio.sleep(0.001)
        asked.append(wanted.scheme.name)
        return answers[form]

    async def run():
        security = "Login" if form == "pair" else "A"
        async with dynclient.AsyncClient.load(document(server.url, security, schemes=schemes), auth=ask) as things:
            return await things.get_thing()

    if form == "none":
        with pytest.raises(exceptions.MissingCredential):
            anyio.run(run, backend=backend)
        return
    assert anyio.run(run, backend=backend) == "in"
    assert len(asked) == 1
    assert form == "pair" or server.seen[0]["a"] == {"token": "key", "auth": "own"}[form]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_flow_may_await(server, backend):
    async def value():
        await anyio.lowlevel.checkpoint()
        return "awaited"

    class Awaiting:
        def flow(self, request, _):
            yield with_header(request, (yield Await(value())))

    async def run():
        async with dynclient.AsyncClient.load(document(server.url), auth=Awaiting()) as things:
            return await things.get_thing()

    assert anyio.run(run, backend=backend) == "in"
    assert server.seen[0]["a"] == "awaited"


def test_a_client_of_threads_says_what_to_do_with_an_async_function(server):
    async def ask(_):
        return "key"

    with (
        dynclient.load(document(server.url), auth=ask) as things,
        pytest.raises(exceptions.ArgumentError, match="AsyncClient") as caught,
    ):
        things.get_thing()
    assert caught.value.argument == "auth"
    assert server.seen == []


BUILT_IN = [
    (APIKeyAuth("key"), "key"),
    (BearerAuth("key"), "Bearer key"),
    (BasicAuth("me", "pass"), "Basic bWU6cGFzcw=="),
]


@pytest.mark.parametrize(("auth", "written"), BUILT_IN)
def test_a_built_in_auth_replaces_a_scheme_s_own(client, server, auth, written):
    assert client(document(server.url), auth={"A": auth}).results("get_thing", 1) == ["in"]
    assert server.seen[0]["a"] == written
    assert "pass" not in repr(auth)


def test_digest_where_the_document_says_something_else(client, httpserver):
    answers = iter([Response(status=401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})])
    httpserver.expect_request("/thing").respond_with_handler(
        lambda _: next(answers, Response('"in"', content_type="application/json"))
    )
    schemes = {"A": {"type": "http", "scheme": "bearer"}}
    made = client(document(httpserver.url_for(""), schemes=schemes), auth={"A": DigestAuth("me", "pass")})
    assert made.results("get_thing", 1) == ["in"]
    assert httpserver.log[-1][0].headers["Authorization"].startswith('Digest username="me"')
