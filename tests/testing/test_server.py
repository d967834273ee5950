"""The mock behind a real socket."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import urllib3

from dynclient import testing


def raw(server, data: bytes) -> bytes:
    """Send bytes, and read until the server closes."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_a_request_over_http(things, http):
    response = http.request("GET", f"{things.url}/choices?x=%2F", headers={"X-Case": "a", "x_low": "b"})
    assert (response.status, response.json()) == (200, {"n": 1})
    request = things.requests[-1]
    assert request.url == f"{things.url}/choices?x=%2F"
    assert (request.method, request.operation_id) == ("GET", "getChoices")
    assert ("X-Case", "a") in request.headers.pairs()
    assert ("x_low", "b") in request.headers.pairs()


def test_head_has_the_length_and_no_body(things, http):
    got = http.request("GET", f"{things.url}/choices")
    head = http.request("HEAD", f"{things.url}/choices")
    assert (head.status, head.data) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


def test_no_content_has_no_length(things, http):
    response = http.request("GET", f"{things.url}/guarded/optional")
    assert response.status == 204
    assert "content-length" not in response.headers


def test_a_chunked_body_is_read(things, http):
    response = http.request(
        "POST",
        f"{things.url}/things",
        body=iter([b'{"name":', b'"in pieces"}']),
        headers={"Content-Type": "application/json"},
        chunked=True,
    )
    assert (response.status, response.json()["name"]) == (201, "in pieces")


def test_one_connection_serves_many_requests(things):
    with urllib3.HTTPConnectionPool("127.0.0.1", urlsplit(things.url).port, maxsize=1) as pool:
        assert {pool.request("GET", "/choices").status for _ in range(5)} == {200}
        assert pool.num_connections == 1


def test_threads_share_it(things, http):
    def make(number):
        body = json.dumps({"name": f"thing {number}"}).encode()
        return http.request("POST", f"{things.url}/things", body=body, headers={"Content-Type": "application/json"})

    with ThreadPoolExecutor(4) as threads:
        ids = [response.json()["id"] for response in threads.map(make, range(20))]
    assert len(set(ids)) == 20


@pytest.mark.parametrize(
    "data",
    [b"garbage\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"GET /things HTTP/9.9\r\n\r\n", b""],
)
def test_garbage_is_answered_or_dropped_and_the_next_one_served(things, http, data):
    assert b"Traceback" not in raw(things, data)
    assert http.request("GET", f"{things.url}/choices").status == 200


# Host, status: loopback in every form, the host that the server is bound to, and names that are allowed.
HOSTS = {
    "localhost": 200,
    "LocalHost.:80": 200,
    "api.localhost": 200,
    "127.0.0.1:4010": 200,
    "127.9.9.9": 200,
    "[::1]:80": 200,
    "mock.test:4010": 200,
    "evil.test": 421,
    "localhost.evil.test": 421,
    "127.0.0.1.evil.test": 421,
    "evil-localhost": 421,
    "192.0.2.1": 421,
    "localhost@evil.test": 421,
}


@pytest.mark.parametrize(("host", "status"), HOSTS.items())
def test_only_hosts_that_are_its_own_are_answered(things, host, status):
    mock = testing.serve(things.mock.api, allow_hosts=["Mock.Test"])
    proxy = testing.proxy(things.mock.api, things.url, allow_hosts=["Mock.Test"])
    with mock, proxy:
        for server in (mock, proxy):
            answer = raw(server, f"GET /choices HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())
            assert status == 200 or b"allow_hosts" in answer
    assert len(things.requests) == (status == 200)


def test_any_host_can_be_allowed(things):
    with testing.serve(things.mock.api, allow_hosts=["*"]) as server:
        answer = raw(server, b"GET /choices HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_invalid_content_length_is_refused(things):
    answer = raw(things, b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_body_over_the_limit_is_refused_unread(things):
    answer = raw(
        things, b"POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_closing_frees_port_threads_and_connections(http):
    before = threading.active_count()
    with testing.serve({"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {}}) as server:
        assert http.request("GET", server.url).status == 404
        assert threading.active_count() > before
    assert threading.active_count() == before
    with pytest.raises(urllib3.exceptions.HTTPError):
        http.request("GET", server.url)
    server.close()


def test_a_port_can_be_named_and_is_taken_once(things):
    with pytest.raises(OSError, match=r"already in use: '127\.0\.0\.1:\d+'"):
        testing.serve(things.mock.api, port=urlsplit(things.url).port)


def test_an_observer_sees_each_exchange(http):
    seen = []
    with testing.serve(
        {"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {}}, observer=seen.append
    ) as server:
        http.request("GET", f"{server.url}/x")
    assert [(one.status, one.request.method) for one in seen] == [(404, "GET")]


def test_it_is_a_wsgi_application_for_any_server(things):
    from werkzeug.test import Client

    client = Client(things.mock)
    assert client.get("/v1/choices").json == {"n": 1}
    assert client.get("/things/a%2Fb/picture").status_code == 404
    assert client.post("/things", json={"name": "by werkzeug"}).json["name"] == "by werkzeug"
