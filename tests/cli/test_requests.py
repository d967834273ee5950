"""``dynclient request``: undocumented requests with the API's server, credentials and settings."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def call(run, document, httpserver):
    path = document(security=[{"K": []}])
    value = json.loads(path.read_text())
    value["components"] = {"securitySchemes": {"K": {"type": "http", "scheme": "bearer"}}}
    path.write_text(json.dumps(value))

    def call(*words):
        return run("request", path, *words, "--base-url", httpserver.url_for("/v1"))

    return call


def test_a_request_past_the_document(call, httpserver, monkeypatch):
    monkeypatch.setenv("DYNCLIENT_T_K", "hunter2")
    httpserver.expect_request("/v1/new", method="POST").respond_with_json({"id": 7}, status=201)
    words = (
        "post",
        "/new",
        "title=x",
        "count:=3",
        "-q",
        "a=1",
        "--query",
        "a=2",
        "-H",
        "X-A: b",
        "--filter",
        "body.id",
    )
    assert call(*words) == (0, "7\n", "")
    sent = httpserver.log[-1][0]
    assert (sent.json, sent.query_string) == ({"title": "x", "count": 3}, b"a=1&a=2")
    assert (sent.headers["Authorization"], sent.headers["X-A"]) == ("Bearer hunter2", "b")


def test_errors_shorthand_files_and_dry_runs(call, httpserver, tmp_path):
    httpserver.expect_request("/v1/gone").respond_with_json({"why": 1}, status=410)
    status, out, err = call("GET", "gone?x=y", "--auth", "env:HOME")
    assert (status, json.loads(out), err.count("\n") <= 2) == (4, {"why": 1}, True)
    httpserver.expect_request("/v1/file").respond_with_data(b"\x00", content_type="image/png")
    assert call("GET", "/file", "--anonymous", "--output", tmp_path / "x.png") == (0, "", "")
    assert (tmp_path / "x.png").read_bytes() == b"\x00"
    httpserver.expect_request("/v1/x", method="PURGE").respond_with_json({"purged": True})
    assert json.loads(call("purge", "/x", "--anonymous")[1]) == {"purged": True}
    status, _, err = call("GET", "/x", "--anonymous", "--retries", "0", "--proxy", "http://u:hunter2@127.0.0.1:1")
    assert (status, "through the proxy" in err, "hunter2" in err) == (1, True, False)
    shown = call("PATCH", "/x", "a.b: 1, c[]: d", "--dry-run", "--anonymous")[1]
    assert shown.endswith('\n\n{"a":{"b":1},"c":["d"]}\n')
    assert call("PUT", "/x", "a=1", "--curl", "--anonymous")[1].startswith("curl -X PUT ")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("/x", "a=1"), 1, "'/x' is not an HTTP method"),
        (("GET", "https://else.test/x", "--anonymous"), 1, "--base-url https://else.test sends it there"),
        (("GET", "/x", "-q", "a"), 2, "NAME=VALUE"),
        (("GET", "/x", "a=1", "--body", "{}"), 2, "in only one of these ways"),
    ],
)
def test_wrong_requests(call, words, status, said):
    done = call(*words)
    assert (done[0], done[1], said in done[2]) == (status, "", True), done
