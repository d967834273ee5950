"""Recorder: exchanges over a real socket are replayed without one, from all kinds of files, and without secrets."""

from __future__ import annotations

import base64
import gzip
import json

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient.cli import main
from dynclient.messages import Headers, Response
from dynclient.testing import Recorder, UnexpectedCall, serve

TOKEN = "very-secret-token"
PASSWORD = "p4ssw0rd-of-mine"
SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "pin": {"type": "string", "format": "password", "minLength": 8},
        "photo": {"type": "string"},
    },
}
CONTENT = {"application/json": {"schema": SCHEMA}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Recorded", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/users": {
            "post": {
                "operationId": "add",
                "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}],
                "requestBody": {"content": CONTENT},
                "responses": {"201": {"description": "made", "content": CONTENT}},
            }
        },
        "/users/{id}": {
            "get": {
                "operationId": "get",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "responses": {"200": {"description": "one", "content": CONTENT}},
            }
        },
    },
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}}},
}


@pytest.fixture
def server():
    with serve(DOCUMENT, dynamic=True) as running:
        yield running


def client(recorder, url="http://127.0.0.1:9"):
    return dynclient.load(DOCUMENT, base_url=url, auth=TOKEN, transport=recorder, retry=1)


@pytest.mark.parametrize("document", [None, DOCUMENT], ids=["alone", "with its document"])
@pytest.mark.parametrize("name", ["calls.jsonl", "calls.har"])
def test_what_was_recorded_is_given_again(tmp_path, server, name, document):
    path = tmp_path / "new" / name
    with client(Recorder(path, document=document), server.url) as live:
        recorded = [live.get(1, fields=["a", "b"]), live.add(name="Anna"), live.get(2)]
    if document is not None:  # the schema says that this is secret
        recorded = [{**one, "pin": "YOUR SECRET"} for one in recorded]
    assert len(server.requests) == 3
    # In another order, and from another origin.
    with client(Recorder(path, document=document)) as again:
        assert [again.get(2), again.get(1, fields=["a", "b"]), again.add(name="Anna")] == [
            recorded[2],
            recorded[0],
            recorded[1],
        ]
    assert TOKEN not in path.read_text("utf-8")
    assert server.url in path.read_text("utf-8")


def test_keys_are_compared_by_value(tmp_path, server):
    path = tmp_path / "calls.jsonl"
    body = {"name": "Anna", "photo": "x"}
    with client(Recorder(path, document=DOCUMENT), server.url) as live:
        live.add(body, idempotency_key="one")
    with client(Recorder(path, document=DOCUMENT)) as again:
        again.add(dict(reversed(body.items())), idempotency_key="two")


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_tasks(tmp_path, server, library):
    path = tmp_path / "calls.jsonl"

    async def call(url):
        async with dynclient.AsyncClient.load(
            DOCUMENT, base_url=url, auth=TOKEN, transport=Recorder(path), retry=1
        ) as api:
            result = await api.get(3)
            async with api.get.stream(4) as answer:
                return result, b"".join([chunk async for chunk in answer.iter_bytes()])

    recorded = anyio.run(call, server.url, backend=library)
    assert anyio.run(call, "http://127.0.0.1:9", backend=library) == recorded
    assert len(server.requests) == 2


def test_secrets_by_schema_and_name(tmp_path, server):
    path = tmp_path / "calls.jsonl"
    with client(Recorder(path, document=DOCUMENT), server.url) as live:
        live.add(name="Anna", pin=PASSWORD)
        live.with_options(validate="off").add({"name": "Anna", "password": PASSWORD})
    assert PASSWORD not in path.read_text("utf-8")
    with client(Recorder(path, document=DOCUMENT, mode="none")) as again:
        assert again.add(name="Anna", pin="another password")["name"]


BODIES = {
    "application/xml": {"schema": {"$ref": "#/components/schemas/User"}},
    "application/yaml": {"schema": {"$ref": "#/components/schemas/User"}},
    "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/User"}},
    "multipart/form-data": {"schema": {"$ref": "#/components/schemas/User"}},
    "application/x-ndjson": {"itemSchema": {"$ref": "#/components/schemas/User"}},
}


@pytest.mark.parametrize("known", [True, False], ids=["with its document", "alone"])
@pytest.mark.parametrize("content_type", BODIES)
def test_secrets_in_any_syntax(tmp_path, content_type, known):
    """In the bodies of both directions, and in the URL that a redirect leads to."""
    content = {content_type: BODIES[content_type]}
    user = {"name": {"type": "string"}, "password": {"type": "string"}, "pin": {"type": "string", "format": "password"}}
    document = {
        "openapi": "3.2.0",
        "info": {"title": "Users", "version": "1"},
        "servers": [{"url": "http://users.test"}],
        "paths": {
            "/x": {
                "post": {
                    "operationId": "add",
                    "requestBody": {"content": content},
                    "responses": {"200": {"description": "", "content": content}},
                }
            }
        },
        "components": {"schemas": {"User": {"type": "object", "properties": user, "xml": {"name": "User"}}}},
    }
    body = {"name": "Anna", "password": PASSWORD, **({"pin": "1-pin-1"} if known else {})}
    sent = [body] if "ndjson" in content_type else body

    class Echo:
        def send(self, step):
            headers = [
                ("Content-Type", step.request.headers["content-type"]),
                ("Location", f"/a?sig={TOKEN}#id_token=x"),
            ]
            return Response(200, Headers(headers), step.request.body or b"", step.request)

        def close(self):
            pass

    path = tmp_path / "calls.har"
    for mode in ("once", "none"):
        recorder = Recorder(path, mode=mode, document=document if known else None, transport=Echo())
        with dynclient.load(document, transport=recorder) as api:
            api.add(sent)
            api.request("GET", "/y", query={"access_token": TOKEN}, headers={"Content-Type": "text/plain"})
    written = path.read_text("utf-8")
    assert [secret for secret in (PASSWORD, "1-pin-1", TOKEN) if secret in written] == []
    assert "Anna" in written


def test_modes(tmp_path, server):
    path = tmp_path / "calls.jsonl"
    with client(Recorder(path, mode="none"), server.url) as none, pytest.raises(UnexpectedCall, match="new_episodes"):
        none.get(1)
    assert not path.exists()
    for mode, expected in (("once", 1), ("new_episodes", 1), ("all", 2)):
        with client(Recorder(path, mode=mode), server.url) as live:
            live.get(1)
        assert len(server.requests) == expected
    with client(Recorder(path, mode="new_episodes"), server.url) as live:
        live.get(1)
        live.get(1)
    assert len(server.requests) == 3
    assert len(path.read_text().splitlines()) == 2
    with client(Recorder(path)) as again:
        again.get(1)
        again.get(1)
        with pytest.raises(UnexpectedCall, match="recorded 2 times"):
            again.get(1)
        with pytest.raises(UnexpectedCall, match="it has others"):
            again.get(1, fields=["c"])
    with pytest.raises(exceptions.ArgumentError, match="once or new_episodes or none or all"):
        Recorder(path, mode="twice")


def test_several_transports_add_lines_to_one_file(tmp_path, server):
    """As several processes do. Characters that Python takes for the end of a line are none."""
    path = tmp_path / "calls.jsonl"
    body = {"name": "a\u2028b\x85c"}
    with client(Recorder(path), server.url) as first, client(Recorder(path), server.url) as second:
        first.get(1)
        second.add(body)
    with client(Recorder(path)) as again:
        again.add(body)
        again.get(1)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(exceptions.ArgumentError, match=r"(?s)line 2, column \d+: .*mode='all'"):
        Recorder(path)


def test_a_changed_document_is_noticed(tmp_path, server):
    path = tmp_path / "calls.jsonl"
    with client(Recorder(path), server.url) as live:
        live.get(1)
    changed = json.loads(json.dumps(DOCUMENT).replace('"name": {"type": "string"}', '"name": {"type": "integer"}'))
    later = dynclient.load(changed, base_url="http://127.0.0.1:9", auth=TOKEN, transport=Recorder(path))
    with later, pytest.raises(exceptions.ResponseValidationError):
        later.get(1)


ANSWER = json.dumps({"name": "Anna"})
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
BROWSER = {
    "log": {
        "entries": [
            {
                "request": {
                    "method": "GET",
                    "url": "https://shop.example/users/5?key=abc",
                    "headers": [{"name": ":authority", "value": "shop.example"}],
                },
                "response": {
                    "status": 200,
                    "headers": [{"name": name, "value": value} for name, value in HEADERS.items()],
                    "content": {"encoding": "base64", "text": base64.b64encode(ANSWER.encode()).decode()},
                },
            },
            {"request": {"method": "GET", "url": "https://other.example/", "headers": []}, "response": {"status": 0}},
            {"request": {"method": "GET", "url": "https://shop.example/", "headers": []}, "response": {"status": 304}},
            {
                "request": {"method": "GET", "url": "data:image/png;base64,", "headers": []},
                "response": {"status": 200, "headers": [], "content": {}},
            },
            {
                "request": {
                    "method": "POST",
                    "url": "https://shop.example/pictures",
                    "headers": [],
                    "postData": {
                        "mimeType": "multipart/form-data; boundary=x",
                        "params": [{"name": "a", "value": "1"}, {"name": "b", "fileName": "b.png"}],
                    },
                },
                "response": {"status": 204, "headers": [], "content": {}},
            },
        ]
    }
}
VCR = {
    "version": 1,
    "interactions": [
        {
            "request": {"method": "GET", "uri": "https://shop.example/users/5?key=abc", "body": None, "headers": {}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {name: [value] for name, value in HEADERS.items()},
                "body": {"string": gzip.compress(ANSWER.encode())},
            },
        }
    ],
}


@pytest.fixture
def others(tmp_path):
    import yaml

    (tmp_path / "browser.har").write_text("\ufeff" + json.dumps(BROWSER), "utf-8")
    (tmp_path / "vcr.yaml").write_text(yaml.safe_dump(VCR), "utf-8")
    (tmp_path / "document.json").write_text(json.dumps(DOCUMENT), "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["browser.har", "vcr.yaml"])
def test_files_of_others(others, name):
    with client(Recorder(others / name, document=DOCUMENT)) as again:
        assert again.get(5) == {"name": "Anna"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.har", "{"),
        ("a.har", '{"log": {}}'),
        ("a.yaml", "a: 1"),
        ("a.yaml", "- ]"),
        ("a.jsonl", "[]"),
        ("a.har", "[]"),
        ("a.har", '{"log": {"entries": [1]}}'),
    ],
)
def test_files_that_are_something_else(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(exceptions.ArgumentError, match="can't be read"):
        Recorder(tmp_path / name)


def test_fields_of_a_browser_are_a_body(others):
    (*_, posted) = Recorder(others / "browser.har").recordings
    assert posted.request.headers["content-type"] == "multipart/form-data; boundary=x"
    assert posted.request.body.count(b"--x") == 3


def test_the_command(others, capsys):
    assert main(["har", "check", str(others / "document.json"), str(others / "browser.har")]) == 0
    told = capsys.readouterr().out
    assert "operations: 1 of 2" in told
    assert "not called: add" in told
    wrong = json.loads(json.dumps(BROWSER).replace("/users/5", "/users/five"))
    (others / "browser.har").write_text(json.dumps(wrong))
    files = [str(others / "browser.har"), str(others / "vcr.yaml")]
    assert main(["har", "check", str(others / "document.json"), *files, "--fail"]) == 1
    assert "path.id" in capsys.readouterr().out
    (others / "browser.har").write_text("{")
    assert main(["har", "check", str(others / "document.json"), files[0]]) == 1
    assert capsys.readouterr().err.startswith("dynclient: ")
