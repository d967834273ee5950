"""Credentials within calls, with redirects, cancellation, hooks and retries."""

from __future__ import annotations

import logging
import threading

import anyio
import pytest
from authorization_server import CLIENT, error
from pytest_httpserver import HTTPServer
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient.options import OAuth2, Retry


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_leaves_nobody_waiting(authorization, backend):
    authorization.delay = 0.3

    async def run() -> object:
        async with dynclient.AsyncClient.load(authorization.document(**authorization.flows), auth=CLIENT) as things:
            async with anyio.create_task_group() as group:
                group.start_soon(things.get_thing)
                while not authorization.asked:  # noqa: ASYNC110  # a thread of the server sets it
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
            authorization.delay = 0
            with anyio.fail_after(5):
                return await things.get_thing()

    # The server has not yet come to the number of the first request.
    assert anyio.run(run, backend=backend) == {"by": "token-1"}
    assert len(authorization.asked) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_event_loop_goes_on_while_a_browser_is_opened(authorization, backend):
    went_on = threading.Event()

    async def go_on() -> None:
        went_on.set()

    async def run() -> None:
        auth = OAuth2("public", open_browser=lambda _: went_on.wait(10) and False)
        document = authorization.document(**authorization.flows)
        async with dynclient.AsyncClient.load(document, auth=auth) as things, anyio.create_task_group() as group:
            group.start_soon(go_on)
            with pytest.raises(exceptions.AuthorizationError, match="no browser"):
                await things.get_thing()

    anyio.run(run, backend=backend)
    assert went_on.is_set()


def digest_of(realm: str) -> Response:
    return Response(status=401, headers={"WWW-Authenticate": f'Digest realm="{realm}", nonce="n", qop="auth"'})


def document(url: str, scheme: str) -> dict:
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": url}],
        "paths": {
            "/thing": {
                "get": {
                    "operationId": "getThing",
                    "security": [{"Login": []}],
                    "responses": {"204": {"description": ""}, "401": {"description": ""}},
                }
            }
        },
        "components": {"securitySchemes": {"Login": {"type": "http", "scheme": scheme}}},
    }


def test_a_challenge_of_another_origin_is_not_answered(client, httpserver):
    with HTTPServer(port=0) as elsewhere:
        elsewhere.expect_request("/there").respond_with_handler(lambda _: digest_of("evil"))
        httpserver.expect_request("/thing").respond_with_data("", 302, {"Location": elsewhere.url_for("/there")})
        made = client(document(httpserver.url_for(""), "digest"), auth=("ann", "canary"), redirects="any")
        (outcome,) = made.results("get_thing", 1)
        assert isinstance(outcome, exceptions.Unauthorized)
        assert [request.headers.get("Authorization") for request, _ in elsewhere.log] == [None]


def test_a_redirect_within_the_origin_is_answered_for_its_own_url(client, httpserver):
    shown = []

    def there(request) -> Response:
        shown.append(request.headers.get("Authorization", ""))
        right = 'uri="/there"' in shown[-1]
        return Response(status=204) if right else digest_of("r")

    httpserver.expect_request("/thing").respond_with_data("", 302, {"Location": "/there"})
    httpserver.expect_request("/there").respond_with_handler(there)
    made = client(document(httpserver.url_for(""), "digest"), auth=("ann", "pw"))
    assert made.results("get_thing", 1) == [None]
    assert len(shown) == 2


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_401_without_anything_new_to_show_is_given_at_once(client, httpserver, scheme):
    httpserver.expect_request("/thing").respond_with_handler(lambda _: digest_of("r"))
    auth = ("ann", "pw") if scheme == "basic" else "token"
    (outcome,) = client(document(httpserver.url_for(""), scheme), auth=auth).results("get_thing", 1)
    assert isinstance(outcome, exceptions.Unauthorized)
    assert outcome.attempts == len(httpserver.log) == 1


def test_a_throttled_token_server_is_asked_again(client, authorization):
    busy = error("slow_down", 429)
    busy.headers["Retry-After"] = "0"
    authorization.answers.append(busy)
    made = client(authorization.document(**authorization.flows), auth=CLIENT, retry=Retry(base=0))
    assert made.results("get_thing", 1) == [{"by": "token-1"}]
    assert len(authorization.asked) == 2


class Watching:
    """A hook that keeps its events."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_request(self, event) -> None:
        self.seen.append(repr(event))

    on_response = on_request


def test_hooks_and_logs_see_the_requests_for_tokens_and_nothing_secret_in_them(client, authorization, caplog):
    caplog.set_level(logging.DEBUG)
    hook = Watching()
    made = client(authorization.document(**authorization.flows), auth=OAuth2(*CLIENT), hooks=[hook])
    made.results("get_thing", 1)
    assert len(hook.seen) == 4
    assert "/token" in hook.seen[0]
    told = "".join(hook.seen) + caplog.text
    assert not [secret for secret in ("token-1", "Basic Y2", CLIENT[1], "se%3Acret") if secret in told]
