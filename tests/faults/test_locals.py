"""Tracebacks that print local variables, as rich's and pytest's do, show no secret in any frame of ours."""

from __future__ import annotations

import traceback

import anyio
import pytest
from calling import CANARIES, run
from case import AUTH, HEADER_KEY, PASSWORD, USER, Case, Place, things
from table import CASES

import dynclient
from dynclient.transports import AsyncHTTPTransport

FAILURES = (
    "reset_before_response", "reset_before_response_post", "truncated_content_length", "garbage", "never_answers_post",
    "refused", "status_503_of_a_post", "query_key_in_an_error", "query_key_in_a_redirect",
    "missing_credential", "plain_http_elsewhere", "header_param_crlf", "trailing_garbage", "redirect_to_itself",
    "many_headers", "undocumented_success", "no_redirects", "truncated_gzip_csv", "html_for_json", "endless_body",
    "never_reads_upload",
)  # fmt: skip  # one of each kind
KEPT = [case for case in CASES if case.name in FAILURES]


@pytest.fixture(autouse=True)
def full_tracebacks(monkeypatch):
    """Frames of ours are left out by default; they must show no secret either."""
    monkeypatch.setenv("DYNCLIENT_TRACEBACK", "full")


def shown(error: BaseException | None):
    """Every local variable of our frames, with the frame's and the variable's name, causes and contexts included."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        waiting += [one.__cause__, one.__context__]
        stack = traceback.TracebackException(type(one), one, one.__traceback__, capture_locals=True).stack
        for frame in stack:
            if "/dynclient/" in frame.filename:
                yield from ((f"{frame.name}.{name}", text) for name, text in (frame.locals or {}).items())


@pytest.mark.parametrize("way", ["sync", "asyncio"])
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.id, marks=[pytest.mark.large] * (case.name == "never_reads_upload")) for case in KEPT],
)
def test_no_local_variable_shows_a_secret(case: Case, way: str, serve, tmp_path):
    server, other = serve(*case.scripts or (("until_closed",),)), serve(*case.others or (("until_closed",),))
    outcome = run(way, case, Place(server.url, other.url, tmp_path))
    variables = dict(shown(outcome.error))
    assert variables
    assert {name: text for name, text in variables.items() if any(canary in text for canary in CANARIES)} == {}


def test_there_are_failures_of_each_kind():
    assert {case.name for case in KEPT} == set(FAILURES)


def test_what_loading_was_given_is_not_shown(tmp_path):
    try:
        dynclient.load(tmp_path / "nothing.json", auth=AUTH, headers={"Authorization": HEADER_KEY})
    except dynclient.DocumentError as error:
        # Not this function's own variables.
        variables = dict(shown(error))
    assert {name: text for name, text in variables.items() if any(canary in text for canary in CANARIES)} == {}


def behind(place: str) -> str:
    return f"http://{USER}:{PASSWORD}@{place}"


def refused_at(step: str, proxy: str, folder):
    """Fail in a call through a proxy whose URL has a password."""
    document = things(Place("http://other.example", "", folder))
    if step == "load":
        dynclient.load(folder / "nothing.json", proxy=proxy)
    elif step == "fetch":
        dynclient.load("http://other.example/openapi.json", proxy=proxy, retry=1)
    elif step == "tunnel":
        dynclient.load(document, proxy=proxy, base_url="https://other.example", auth=AUTH, retry=1).get_thing()
    elif step == "call":
        dynclient.load(document, proxy=proxy, auth=AUTH, retry=1, allow_origins=["http://other.example"]).get_thing()
    elif step == "block":
        dynclient.load(document, proxy=proxy, block_private=True)
    elif step == "transport":
        AsyncHTTPTransport(proxy=f"{proxy}:port")
    else:
        anyio.run(async_call, document, proxy)


async def async_call(document, proxy):
    client = dynclient.AsyncClient.load(document, proxy=proxy, auth=AUTH, retry=1)
    await client.with_options(base_url="https://other.example").get_thing()


@pytest.mark.parametrize("answer", ["refused", "denied", "garbage"])
@pytest.mark.parametrize("step", ["load", "fetch", "tunnel", "call", "async", "block", "transport"])
def test_no_local_variable_shows_a_proxy_s_password(step, answer, serve, tmp_path):
    said = {"denied": b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "garbage": b"garbage\r\n\r\n"}
    server = serve(("ask", said[answer])) if answer in said else None
    proxy = behind(f"127.0.0.1:{server.port}" if server is not None else "127.0.0.1:9")
    variables: dict[str, str] = {}
    try:
        refused_at(step, proxy, tmp_path)
    except dynclient.DynclientError as error:
        variables = dict(shown(error))
    assert variables
    assert {name: text for name, text in variables.items() if any(canary in text for canary in CANARIES)} == {}
