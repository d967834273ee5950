"""Arguments that the document marks as secret are sent, but shown in no text."""

from __future__ import annotations

import pickle
import traceback

import pytest

import dynclient
from dynclient.exceptions import ArgumentError, ConnectError, DynclientError
from dynclient.testing import Recorder

SECRET = "hunter2"
PASSWORD = {"type": "string", "format": "password"}
PARAMETERS = [
    {"name": "pass word", "in": "query", "schema": PASSWORD},
    {"name": "X-Pin", "in": "header", "schema": {"type": "string", "writeOnly": True}},
    {"name": "plain", "in": "query", "schema": {"type": "string"}},
]
OPERATION = {"operationId": "one", "parameters": PARAMETERS, "responses": {"200": {"description": "d"}}}
DOCUMENT = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": OPERATION}}}


@pytest.fixture
def client():
    with dynclient.load(DOCUMENT, base_url="http://127.0.0.1:1", retry=1) as client:
        yield client


def test_a_request_has_them_and_shows_them_nowhere(client):
    request = client.one.prepare(pass_word=SECRET, x_pin=SECRET, plain="seen")
    assert request.url.endswith(f"?pass%20word={SECRET}&plain=seen")
    assert request.headers["x-pin"] == SECRET
    for shown in (repr(request), request.to_curl(), request.to_python(), request.shown_url):
        assert SECRET not in shown
        assert "seen" in shown


def test_an_error_has_none(client):
    with pytest.raises(ConnectError) as raised:
        client.one(pass_word=SECRET, x_pin=SECRET, plain="seen")
    error = raised.value
    for shown in (str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))):
        assert SECRET not in shown


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Auth-Token", "Authorization", "Cookie", "X-Key"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_header_of_the_caller_that_carries_a_credential(name, status, httpserver, tmp_path, caplog):
    caplog.set_level("DEBUG", "dynclient")
    secret = "canary of the caller"
    httpserver.expect_request("/a").respond_with_data(f"you sent {secret}", status)
    document = {
        **DOCUMENT,
        "components": {"securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    }
    cassette = tmp_path / "calls.jsonl"
    options = {"base_url": httpserver.url_for(""), "headers": {name: secret, "X-Plain": "seen"}, "validate": "off"}
    with dynclient.load(document, transport=Recorder(cassette), **options) as client:
        prepared = client.one.prepare()
        shown = [repr(prepared), prepared.to_curl()]
        try:
            shown.append(repr(client.one.with_http_info().request))
        except DynclientError as error:
            shown += [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error)), repr(error.data)]
    assert httpserver.log[0][0].headers[name] == prepared.headers[name] == secret
    assert secret not in "".join([*shown, caplog.text, cassette.read_text()])
    assert "seen" in prepared.to_curl()
    assert "X-Plain" in cassette.read_text()


def test_a_traceback_with_local_variables_can_be_made_of_a_refused_credential(monkeypatch):
    monkeypatch.setenv("DYNCLIENT_TRACEBACK", "full")
    schemes = {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    with pytest.raises(ArgumentError) as raised:
        dynclient.load({**DOCUMENT, "components": {"securitySchemes": schemes}}, auth={"k": [SECRET]})
    made = [repr(value) for frame, _ in traceback.walk_tb(raised.tb) for value in frame.f_locals.values()]
    assert any("Security" in text for text in made)


@pytest.mark.parametrize(
    ("path", "style"),
    [
        ("/v1/{pin}", {}), ("/{pin}/x/", {}), ("/x/{pin}.json", {}), ("/{id}-{pin}", {}),
        ("/{pin}", {"style": "matrix"}), ("/{pin}", {"style": "label"})],
)  # fmt: skip
def test_a_secret_in_the_path_is_shown_nowhere(path, style, caplog):
    caplog.set_level("DEBUG", "dynclient")
    secret = "correct horse/battery"
    parameters = [{"name": "pin", "in": "path", "required": True, "schema": PASSWORD, **style}]
    parameters += [{"name": "id", "in": "path", "required": True, "schema": {}}] if "{id}" in path else []
    operation = {"operationId": "one", "parameters": parameters, "responses": {"200": {"description": "d"}}}
    seen = []

    class Hook:
        def on_request(self, event):
            seen.append(event.url)

    with dynclient.load(
        {**DOCUMENT, "paths": {path: {"get": operation}}}, base_url="http://127.0.0.1:1/base", retry=1, hooks=[Hook()]
    ) as client:
        arguments = {"pin": secret, **({"id": "7"} if "{id}" in path else {})}
        request = client.one.prepare(**arguments)
        assert "correct%20horse%2Fbattery" in request.url
        with pytest.raises(ConnectError) as raised:
            client.one(**arguments)
        shown = [repr(request), request.to_curl(), request.to_python(), str(client.one.explain(**arguments))]
    error = raised.value
    shown += [str(error), repr(vars(error)), repr(pickle.dumps(error)), caplog.text, *seen]
    for text in shown:
        assert "horse" not in text
    assert request.shown_url.startswith("http://127.0.0.1:1/base/")
    assert "***" in request.shown_url
    assert "***" in caplog.text
    assert secret in request.secret_values()
