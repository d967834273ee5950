"""The proxy between a client and a server, both of which may differ from the document."""

from __future__ import annotations

import json
import re
import socket
from xml.etree import ElementTree as ET

import pytest
import urllib3

from dynclient import testing
from dynclient.testing import reports

REPORT_HEADER = "Dynclient-Differences"
JSON = {"Content-Type": "application/json"}
THING = b'{"name":"ab"}'


@pytest.fixture
def behind(httpserver, things):
    """A proxy in front of a server whose responses a test sets."""
    with testing.proxy(things.mock.api, httpserver.url_for("/")) as server:
        yield server


@pytest.fixture
def before(things):
    """A proxy in front of the mock of its own document."""
    with testing.proxy(things.mock.api, things.url) as server:
        yield server


def report(response):
    return json.loads(response.headers[REPORT_HEADER])


def test_valid_messages_are_passed_on(before, things, http):
    response = http.request(
        "GET", f"{before.url}/choices?x=%2F", headers={"X-Case": "a", "Connection": "x-drop", "X-Drop": "b"}
    )
    assert (response.status, response.json()) == (200, {"n": 1})
    assert REPORT_HEADER not in response.headers
    request = things.requests[-1]
    assert request.url == f"{things.url}/choices?x=%2F"
    assert ("x-case" in request.headers, "x-drop" in request.headers) == (True, False)
    made = http.request("POST", f"{before.url}/v1/things", body=THING, headers=JSON)
    assert (made.status, made.headers["location"]) == (201, f"/things/{made.json()['id']}")
    assert before.proxy.differences == []


# method, target, headers, body; what the server answers: status, headers, body; directions and texts of differences
DIFFERENCES = {
    "a body": ("POST", "/things", JSON, b'{"name":"a"}', 201, JSON, b'{"id":"x","name":"ab"}', ["request", "$.name"]),
    "a path": ("GET", "/nowhere", {}, b"", 200, {}, b"", ["request", "no path for /nowhere"]),
    "a method": ("PUT", "/things", {}, b"", 200, {}, b"", ["request", "has no PUT"]),
    "a credential": ("GET", "/guarded/basic", {}, b"", 204, {}, b"", ["request", "no valid credential"]),
    "an answer": ("GET", "/things/abc", {}, b"", 200, JSON, b'{"id":"x"}', ["response", "$.name: is required"]),
    "no JSON": ("GET", "/things/abc", {}, b"", 200, JSON, b"{", ["response", "JSON"]),
    "a status": ("GET", "/things/abc", {}, b"", 418, {}, b"", ["response", "418"]),
    "a type": ("GET", "/things/abc", {}, b"", 200, {"Content-Type": "text/csv"}, b"a", ["response", "text/csv"]),
    "an error's body": ("GET", "/things/abc", {}, b"", 404, JSON, b'{"code":"x"}', ["response", "$.code"]),
    "a header": ("GET", "/things", {}, b"", 200, {**JSON, "X-Total": "many"}, b"[]", ["response", "X-Total"]),
}


@pytest.mark.parametrize("case", DIFFERENCES.values(), ids=DIFFERENCES)
def test_differences_are_reported_and_change_nothing(behind, httpserver, http, case):
    method, target, headers, body, status, answer_headers, answer, (direction, text) = case
    httpserver.expect_request(target, method=method).respond_with_data(answer, status, answer_headers)
    response = http.request(method, behind.url + target, headers=headers, body=body)
    assert (response.status, response.data) == (status, answer)
    found = report(response)["differences"]
    assert direction in {one["direction"] for one in found}
    assert any(text.lower() in f"{one['path']}: {one['message']}".lower() for one in found)


def test_with_fail_differences_are_refused(httpserver, things, http):
    httpserver.expect_request("/things/abc").respond_with_data("{}", 200, JSON)
    with testing.proxy(things.mock.api, httpserver.url_for(""), fail=True) as server:
        refused = http.request("POST", f"{server.url}/things", headers=JSON, body=b"{}")
        replaced = http.request("GET", f"{server.url}/things/abc")
    assert (refused.status, refused.json()["errors"][0]["path"]) == (400, "$.name")
    assert replaced.status == 502
    assert [request.path for request, _ in httpserver.log] == ["/things/abc"]


def test_the_report_header_stays_small(behind, httpserver, http):
    body = json.dumps([{"id": "x" * 100, "name": n} for n in range(2000)])
    httpserver.expect_request("/things").respond_with_data(body, 200, {**JSON, "X-Total": "1"})
    response = http.request("GET", f"{behind.url}/things")
    assert len(response.headers[REPORT_HEADER]) < 8192
    assert report(response)["count"] > 10


def test_an_unreachable_server_is_502(things, http):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        upstream = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with testing.proxy(things.mock.api, upstream) as server:
            response = http.request("GET", f"{server.url}/choices")
    assert (response.status, response.headers["content-type"]) == (502, "application/problem+json")


def test_what_is_missing_is_answered_from_the_document(httpserver, things, http):
    httpserver.expect_request("/choices").respond_with_data("{}", 501)
    httpserver.expect_request("/things/abc").respond_with_data("{}", 500, JSON)
    with testing.proxy(things.mock.api, httpserver.url_for(""), mock_missing=True) as server:
        missing = http.request("GET", f"{server.url}/choices")
        assert (missing.status, missing.json()) == (200, {"n": 1})
        assert http.request("GET", f"{server.url}/things/abc").status == 500
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        upstream = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with testing.proxy(things.mock.api, upstream, mock_missing=True) as server:
            assert http.request("GET", f"{server.url}/choices").status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    {
        "/../x": 400,
        "/a/../../x": 400,
        "/%2e%2E/x": 400,
        "/a%2f..%2f..%2fx": 400,
        "/%252e%252e/x": 400,
        "/..\\x": 400,
        "/a//../../x": 400,
        "/..;v=1/x": 400,
        "/a%2Fb/../../x": 400,
        "/a/../x": 200,
        "/..a/x..?to=/../..": 200,
    }.items(),
)
def test_no_path_leads_out_of_the_base_path(target, status, httpserver, things):
    httpserver.expect_request(re.compile("")).respond_with_data(b"", 200)
    with testing.proxy(things.mock.api, httpserver.url_for("/base/")) as server:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with socket.create_connection(address) as sock:
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert sock.recv(12) == f"HTTP/1.1 {status}".encode()
    assert len(httpserver.log) == (status == 200)


@pytest.fixture
def used(before, http):
    http.request("GET", f"{before.url}/things?limit=3")
    http.request("GET", f"{before.url}/things?limit=x")
    http.request("POST", f"{before.url}/things", body=THING, headers=JSON)
    return before.proxy


def test_coverage(used):
    by_id = {one.operation_id: one for one in used.coverage}
    listed = by_id["listThings"]
    assert (listed.calls, listed.used["statuses"]) == (2, {"200", "4XX"})
    assert listed.missing("parameters") == ["query tag", "query filter", "header X-Trace", "cookie seen", "query where"]
    assert by_id["makeThing"].missing("media types")[:1] == ["request application/xml"]
    assert by_id["getMine"].calls == 0
    assert used.coverage.totals()["operations"] == (2, len(by_id))


def test_the_reports(used):
    text = reports.as_text(used.coverage, used.differences)
    assert "operations: 2 of " in text
    assert "not called: getMine" in text
    assert "request of listThings: query.limit: " in text
    data = json.loads(reports.as_json(used.coverage, used.differences))
    assert data["totals"]["operations"]["used"] == 2
    assert data["differences"][0]["path"] == "query.limit"
    suite = ET.fromstring(reports.as_junit(used.coverage, used.differences))
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert (suite.tag, failed, suite.get("failures")) == ("testsuite", ["listThings"], "1")


POST = b"POST /things HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
# Requests that end before their body does, or whose end could be read in two ways.
CUT = {
    "a length": POST + b"Content-Length: 1000\r\n\r\n" + THING,
    "chunks": POST + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + THING + b"\r\n",
    "a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + THING,
    "two lengths": POST + b"Content-Length: 13\r\nContent-Length: 12\r\n\r\n" + THING,
    "a length and chunks": POST
    + b"Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n"
    + THING
    + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", CUT.values(), ids=CUT)
def test_a_request_that_was_cut_off_is_neither_passed_on_nor_taken(request_bytes, before, things):
    for server in (before, things):
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as sock:
            sock.sendall(request_bytes)
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(12) == b"HTTP/1.1 400"
    assert things.requests == []


def test_garbage_does_not_stop_the_proxy(before, http):
    with urllib3.PoolManager(retries=False) as pool:
        assert pool.request("BREW", f"{before.url}/%00?a=%ff").status == 404
    assert http.request("GET", f"{before.url}/choices").status == 200
