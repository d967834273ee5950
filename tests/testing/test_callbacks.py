"""Callbacks of a mock: sent to loopback and to named origins, and nowhere else."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dynclient import testing
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Request

EVENT = {"type": "object", "required": ["state"], "properties": {"state": {"enum": ["done"]}}}
POST = {
    "parameters": [{"name": "X-Kind", "in": "header", "required": True, "schema": {"const": "event"}}],
    "requestBody": {"content": {"application/json": {"schema": EVENT}}},
    "responses": {"204": {"description": ""}},
}
TEXT = {"type": "string"}


def document(expression="{$request.body#/hook}?id={$response.body#/id}"):
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": {"hook": TEXT}}}}}
    made = {"type": "object", "required": ["id"], "properties": {"id": {"const": 7}}}
    operation = {
        "operationId": "order",
        "requestBody": body,
        "responses": {"201": {"description": "", "content": {"application/json": {"schema": made}}}},
        "callbacks": {"finished": {expression: {"post": POST}}},
    }
    return {"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {"/orders/{n}": {"post": operation}}}


@pytest.fixture
def receiver():
    """A server on loopback; its ``got`` has what came, and ``came`` is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            server.got.append((self.path, self.headers["x-kind"], self.headers["content-type"], json.loads(body)))
            self.send_response(204)
            self.end_headers()
            server.came.set()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.got, server.came = [], threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def ordered(mock, hook):
    body = json.dumps({"hook": hook}).encode()
    return mock.respond(
        Request("POST", "http://mock.test/orders/3", Headers({"Content-Type": "application/json"}), body)
    )


def test_a_callback_is_sent_to_the_url_of_its_expression(receiver):
    mock = testing.app(document(), callbacks=True)
    assert ordered(mock, f"http://127.0.0.1:{receiver.server_port}/done").status == 201
    assert receiver.came.wait(10)
    assert receiver.got == [("/done?id=7", "event", "application/json", {"state": "done"})]


def test_nothing_is_sent_unless_that_is_asked_for(receiver):
    mock = testing.app(document())
    assert ordered(mock, f"http://127.0.0.1:{receiver.server_port}/done").status == 201
    assert receiver.got == mock.callbacks == []


# the URL that the request names, and what the log says
REFUSED = {
    "http://192.0.2.1/": "neither on this machine",
    "http://127.0.0.1.example.com/": "neither on this machine",
    "http://127.0.0.1@192.0.2.1/": "not an http or https URL",
    "file:///etc/passwd": "not an http or https URL",
    "no url": "not an http or https URL",
    "http://[::1/": "",
    "https://hooks.example.com:8443/": "neither on this machine",
}


@pytest.mark.parametrize(("hook", "told"), REFUSED.items())
def test_other_hosts_are_refused_in_one_line_and_the_response_stays(hook, told, caplog):
    mock = testing.app(document(), callbacks=True, callback_origins=["https://hooks.example.com"])
    with caplog.at_level(logging.WARNING, "dynclient.testing"):
        assert ordered(mock, hook).status == 201
    (line,) = caplog.messages
    assert line.startswith("the callback finished of order is not sent: ")
    assert told in line
    assert "\n" not in line


@pytest.mark.parametrize("expression", ["{$request.body#/nothing}", "{$request.header.authorization}", "{$nonsense}"])
def test_an_expression_without_a_value_is_one_line_too(expression, caplog):
    with caplog.at_level(logging.WARNING, "dynclient.testing"):
        assert ordered(testing.app(document(expression), callbacks=True), "http://127.0.0.1/").status == 201
    assert len(caplog.messages) == 1


def test_an_origin_that_is_none_is_refused():
    with pytest.raises(ArgumentError, match=r"is not an origin"):
        testing.app(document(), callback_origins=["hooks"])
