"""The options of a mock, and their effects."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import Counter

import pytest

from dynclient import testing

JSON = {"Content-Type": "application/json"}
ORIGIN = {"Origin": "https://page.example"}

# options, method, target, headers, body, status
OPTIONS = {
    "credentials are asked for": ({}, "GET", "/guarded/basic", {}, b"", 401),
    "unless not": ({"authenticate": False}, "GET", "/guarded/basic", {}, b"", 204),
    "requests are checked": ({}, "POST", "/things", JSON, b'{"name":"a"}', 422),
    "unless not, a body": ({"validate": False}, "POST", "/things", JSON, b'{"name":"a"}', 201),
    "a parameter": ({"validate": False}, "GET", "/things?limit=x", {}, b"", 200),
    "a media type": ({"validate": False}, "POST", "/things", {"Content-Type": "text/csv"}, b"name", 201),
    "no body": ({"validate": False}, "POST", "/things", {}, b"", 201),
    "but not a path": ({"validate": False}, "GET", "/nothing", {}, b"", 404),
    "always chaos": ({"chaos": 1.0}, "GET", "/choices", {}, b"", 503),
    "chaos with an undocumented status": ({"chaos": 1.0}, "GET", "/things/mine", {}, b"", 503),
    "chaos leaves 404 alone": ({"chaos": 1.0}, "GET", "/nothing", {}, b"", 404),
}


@pytest.mark.parametrize("case", OPTIONS.values(), ids=OPTIONS)
def test_options(ask_with, case):
    options, method, target, headers, body, status = case
    response = ask_with(**options)(method, target, headers, body)
    assert response.status == status, response.body


def test_without_validation_readable_values_are_stored(ask_with):
    ask = ask_with(validate=False, stateful=True)
    made = json.loads(ask("POST", "/things", JSON, b'{"name":"no size","size":"x"}').body)
    assert (made["name"], made["size"]) == ("no size", 3)


def test_chaos_has_its_rate_and_its_seed(ask_with):
    def run(seed):
        ask = ask_with(chaos=0.25, seed=seed)
        return [ask("GET", "/choices").status for _ in range(200)]

    first = run(1)
    assert first == run(1) != run(2)
    assert 30 < Counter(first)[503] < 70


def test_chaos_is_a_rate_from_0_to_1():
    with pytest.raises(ValueError, match="from 0 to 1"):
        testing.app({"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {}}, chaos=2)


def test_a_delay_comes_before_each_response(ask_with):
    ask = ask_with(delay=0.05)
    started = time.monotonic()
    assert [ask("GET", "/choices").status for _ in range(2)] == [200, 200]
    assert time.monotonic() - started >= 0.1


def test_dynamic_responses_come_from_the_schema(ask_with):
    shown = json.loads(ask_with()("GET", "/things/abc").body)
    made = json.loads(ask_with(dynamic=True)("GET", "/things/abc").body)
    assert shown["name"] == "First" != made["name"]
    assert len(made["name"]) >= 2
    assert "secret" not in made
    assert ask_with(dynamic=True)("GET", "/choices").body == b"{}"


def test_cors_is_off_by_default(ask_with):
    assert "access-control-allow-origin" not in ask_with()("GET", "/choices", ORIGIN).headers
    response = ask_with(cors=True)("GET", "/things", ORIGIN)
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert "X-Total" in response.headers["access-control-expose-headers"]


def test_a_preflight_request_is_answered(ask_with):
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    response = ask_with(cors=True)("OPTIONS", "/things", {**ORIGIN, **asks})
    assert (response.status, response.headers["access-control-allow-methods"]) == (204, "PUT")
    assert response.headers["access-control-allow-headers"] == "authorization"
    assert response.request.operation_id is None


def document(path):
    operation = {"responses": {"204": {"description": ""}}}
    return json.dumps({"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {path: {"get": operation}}})


def test_a_document_that_changes_is_read_again(ask_with, tmp_path, caplog):
    path = tmp_path / "api.json"

    def write(text, stamp):
        path.write_text(text, encoding="utf-8")
        os.utime(path, (stamp, stamp))

    write(document("/a"), 1)
    ask = ask_with(path, watch=True)
    assert [ask("GET", "/a").status, ask("GET", "/b").status] == [204, 404]
    write(document("/b"), 2)
    assert [ask("GET", "/a").status, ask("GET", "/b").status] == [404, 204]
    with caplog.at_level(logging.ERROR, "dynclient.testing"):
        write("{", 3)
        assert ask("GET", "/b").status == 204
    assert "the old one is used" in caplog.text
