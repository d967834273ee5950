"""The requests of the explorer's pages: arguments as text, faults by field, the call, its response, and the history."""

from __future__ import annotations

import json

import pytest

import dynclient
from dynclient import explorer
from dynclient.exceptions import ArgumentError
from dynclient.messages import Headers, Response
from dynclient.testing import MockTransport

INFO = {"title": "Things", "version": "1"}
SECRET = "c2VjcmV0LXRva2VuLTEyMzQ1"


def described(operation: dict, path: str = "/x", method: str = "get", **more: object) -> dict:
    operation = {
        "operationId": "go",
        "responses": {"200": {"description": "d", "content": {"application/json": {}}}},
        **operation,
    }
    servers = [{"url": "http://127.0.0.1:9"}]
    return {"openapi": "3.1.0", "info": INFO, "servers": servers, "paths": {path: {method: operation}}, **more}


def parameter(name: str, schema: dict, in_: str = "query", *, required: bool = False) -> dict:
    return {"name": name, "in": in_, "schema": schema, "required": required}


PARAMETERS = [
    parameter("id", {"type": "integer"}, "path", required=True),
    parameter("limit", {"type": "integer", "maximum": 10}),
    parameter("tags", {"type": "array", "items": {"type": "string"}}),
    parameter("X-Mode", {"enum": ["a", "b"]}, "header"),
]
WITH_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["n"],
                    "properties": {"n": {"type": "integer"}, "more": {"type": "array", "items": {"type": "string"}}},
                }
            }
        },
    }
}
CHECKED = [
    ({"id": "1"}, None, {}),
    ({}, None, {"path.id": "is required"}),
    ({"id": "a"}, None, {"path.id": "integer"}),
    ({"id": "1", "limit": "11"}, None, {"query.limit": "at most 10"}),
    ({"id": "1", "limit": ""}, None, {}),
    ({"id": "1", "tags": "[1"}, None, {"query.tags": "not JSON"}),
    ({"id": "1", "x_mode": "c"}, None, {"header.X-Mode": ""}),
]
BODIES = [
    ('{"n": 1}', {}),
    ("", {"$": "is required"}),
    ("{", {"$": "line 1, column 2"}),
    ('{"n": "1"}', {"$.n": "integer"}),
    ('{"n": 1, "more": [1]}', {"$.more[0]": "string"}),
    ("[" * 100_000, {"$": ""}),
]


def faults_of(answer: dict) -> dict[str, str]:
    return {fault["path"]: fault["message"] for fault in answer["faults"]}


@pytest.fixture(scope="module")
def things(explored):
    return explored(described({"parameters": PARAMETERS}, "/x/{id}"))


@pytest.mark.parametrize(("given", "body", "faults"), CHECKED)
def test_a_fault_names_its_field(things, given, body, faults):
    found = faults_of(things.post("/check/go", {"arguments": given, "body": body}))
    assert found.keys() == faults.keys()
    assert all(text in found[path] for path, text in faults.items())


@pytest.mark.parametrize(("body", "faults"), BODIES)
def test_a_fault_names_its_place_in_the_body(explored, body, faults):
    found = faults_of(explored(described(WITH_BODY, method="post")).post("/check/go", {"body": body}))
    assert found.keys() == faults.keys()
    assert all(text in found[path] for path, text in faults.items())


def test_a_valid_call_is_shown_in_other_languages(things):
    shown = things.post("/check/go", {"arguments": {"id": "1", "limit": "3"}})
    assert shown["exports"]["dynclient"] == "mapping.go(id=1, limit=3)"
    assert "curl" in shown["exports"]["curl"]
    assert ["query limit", "limit=3"] in [row[:2] for row in shown["where"]]


def test_a_call_and_what_came(site):
    made = site.post("/send/create_todo", {"body": '{"title": "Buy milk"}', "confirmed": True})
    assert (made["status"], made["line"], made["json"]) == (201, "201 Created", True)
    assert '"title": "Buy milk"' in made["text"]
    assert made["request"]["line"].startswith("POST ")
    missing = site.post("/send/get_todo", {"arguments": {"id": "99"}})
    assert (missing["status"], missing["error"]["kind"]) == (404, "NotFound")
    refused = site.post("/send/create_todo", {"body": '{"title": 1}', "confirmed": True})
    assert "status" not in refused
    assert (refused["error"]["unsent"], faults_of(refused).keys()) == (True, {"$.title"})


def test_the_history_has_calls_and_makes_tests_of_them(explored):
    site = explored()
    site.post("/send/create_todo", {"body": '{"title": "Buy \\"milk\\""}', "confirmed": True})
    site.post("/send/list_todos", {})
    calls = site.ask("GET", "/history").data
    assert [(call["name"], call["status"]) for call in calls] == [("list_todos", 200), ("create_todo", 201)]
    text = site.ask("GET", f"/history/{calls[1]['id']}").data["text"]
    names: dict = {}
    exec(compile(text, "test_call.py", "exec"), names)  # as pytest would
    names["test_create_todo"]()
    assert "assert result.status == 201" in text


class Canned:
    """A server that answers with one response, and repeats the credential."""

    def __init__(self, body: bytes, media_type: str) -> None:
        self.response = Response(200, Headers({"Content-Type": media_type, "Set-Cookie": f"s={SECRET}"}), body)

    def send(self, send):
        return Response(200, self.response.headers, self.response.body, send.request)

    def close(self):
        """Do nothing: there are no connections."""


BEARER = {"components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}}, "security": [{"b": []}]}
ECHOES = [
    (f'{{"Authorization": "Bearer {SECRET}"}}'.encode(), "application/json"),
    (f"you sent Bearer {SECRET}".encode(), "text/plain"),
    (f"{SECRET}\xff".encode("latin-1"), "application/octet-stream"),
    (b'["' + "".join(f"\\u{ord(letter):04x}" for letter in SECRET).encode() + b'"]', "application/json"),
    (b'{"a": 1', "application/json"),
]


@pytest.mark.parametrize(("body", "media_type"), ECHOES)
def test_no_answer_shows_the_credential(explored, body, media_type):
    site = explored(described({}, **BEARER), auth=SECRET, transport=Canned(body, media_type))
    shown = [site.ask("POST", path, {}).text for path in ("/send/go", "/check/go", "/items/go")]
    shown += [site.ask("GET", path).text for path in ("/", "/o/go", "/o/go?part=1", "/history", "/list")]
    assert not [text for text in shown if SECRET in text]
    assert "has a credential" in shown[5]


def test_a_missing_credential_is_told(explored):
    site = explored(described({}, **BEARER))
    assert "no credential: b" in site.ask("GET", "/o/go").text
    assert site.post("/send/go", {})["error"]["kind"] == "MissingCredential"


def test_an_answer_that_breaks_the_document_is_shown_with_its_faults(explored):
    schema = {"type": "object", "required": ["id"]}
    operation = {"responses": {"200": {"description": "d", "content": {"application/json": {"schema": schema}}}}}
    site = explored(described(operation), transport=Canned(b'{"name": "x"}', "application/json"))
    shown = site.post("/send/go", {})
    assert (shown["status"], shown["error"]["kind"], list(faults_of(shown))) == (
        200,
        "ResponseValidationError",
        ["$.id"],
    )
    assert '"name": "x"' in shown["text"]


PNG = b"\x89PNG\r\n\x1a\n\xff\xfe"


@pytest.mark.parametrize(
    ("body", "media_type", "expected"),
    [
        (b"", "text/plain", {"text": "", "empty": True}),
        (PNG, "image/png", {"bytes": len(PNG)}),
        (b"<svg onload=alert(1)>", "image/svg+xml", {"text": "<svg onload=alert(1)>", "cut": 0}),
        (b"x" * 1_000_001, "text/plain", {"cut": 1}),
    ],
)
def test_other_bodies(explored, body, media_type, expected):
    operation = {"responses": {"200": {"description": "d", "content": {media_type: {}}}}}
    shown = explored(described(operation), transport=Canned(body, media_type)).post("/send/go", {})
    assert {name: shown.get(name) for name in expected} == expected
    assert shown.get("picture", "").startswith("data:image/png;base64,") is (media_type == "image/png")


def test_a_body_of_any_media_type_is_written_as_json(explored):
    content = {"*/*": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}}
    site = explored(described({"requestBody": {"required": True, "content": content}}, method="post"))
    text = site.ask("GET", "/o/go").text
    assert "<textarea" in text
    assert "&#34;n&#34;: 1" in text
    shown = site.post("/check/go", {"body": '{"n": 2}'})
    assert (shown["faults"], "application/json" in shown["exports"]["curl"]) == ([], True)
    assert "text/plain" in site.post("/check/go", {"body": "{n"})["exports"]["curl"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<p>A <strong>b</strong></p><ul><li>c</li></ul>", "<ul>\n<li>c</li>\n</ul>"),
        ('<a href="http://b.test/">c</a>', '<a href="http://b.test/" rel="noopener noreferrer nofollow"'),
        ('<a href="javascript:alert(1)">c</a>', "[c](javascript:alert(1))"),
        ("<script>a</script>", "&lt;script&gt;a&lt;/script&gt;"),
        ("<b onclick=a>", "&lt;b onclick=a&gt;"),
    ],
)
def test_descriptions_in_simple_html_are_read(explored, text, html):
    assert html in explored(described({"description": text})).ask("GET", "/o/go").text


def test_items_come_line_by_line(explored):
    operation = {"responses": {"200": {"description": "d", "content": {"application/jsonl": {}}}}}
    site = explored(described(operation), transport=Canned(b'{"a": 1}\n{"a": 2}\n', "application/jsonl"))
    lines = site.ask("POST", "/items/go", {}).text.splitlines()
    assert [line[:9] for line in lines] == ['{"status"', '{"item": ', '{"item": ', '{"end": t']


@pytest.mark.parametrize("name", ["by_cursor", "by_link"])
def test_a_list_goes_on_page_by_page(lists, name):
    assert "next page: " in lists.ask("GET", f"/o/{name}").text
    seen, resume = [], None
    for number in (1, 2, 3):
        shown = lists.post(f"/send/{name}", {} if resume is None else {"resume": resume})
        assert (shown["page"], SECRET in str(shown)) == (number, False)
        data = json.loads(shown["text"])
        seen += [one["id"] for one in (data if name == "by_link" else data["data"])]
        resume = shown["next"]
    assert (seen, resume) == ([0, 1, 2, 3, 4], None)
    assert lists.post(f"/send/{name}", {"resume": "damaged"})["error"]["kind"] == "ArgumentError"


class Job(Canned):
    def __init__(self) -> None:
        self.asked = 0

    def send(self, send):
        self.asked += 1
        done = self.asked == 3
        headers = {"Content-Type": "application/json", "Retry-After": "0"}
        place = {} if done else {"Location": "/x/1"}
        body = json.dumps({"n": self.asked, "echo": SECRET}).encode()
        return Response(200 if done else 202, Headers({**headers, **place}), body, send.request)


def test_what_goes_on_is_waited_for(explored):
    located = {"headers": {"Location": {"schema": {"type": "string"}}}, "description": "d"}
    operation = {"responses": {"202": {**located, "content": {"application/json": {}}}}}
    source = described(operation, method="post", **BEARER)
    source["paths"]["/x/{id}"] = described({"operationId": "look", "parameters": PARAMETERS[:1]})["paths"]["/x"]
    site = explored(source, auth=SECRET, transport=Job())
    text = site.ask("POST", "/items/go", {"wait": True, "confirmed": True}).text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [json.loads(line["item"])["n"] for line in lines[:-1]] == [1, 2, 3]
    assert (lines[-1], SECRET in text) == ({"end": True}, False)


def test_files_are_sent(explored):
    binary = {"type": "string", "contentMediaType": "image/png"}
    content = {
        "multipart/form-data": {"schema": {"type": "object", "properties": {"file": binary, "n": {"type": "string"}}}}
    }
    sent = []

    class Kept(Canned):
        def send(self, send):
            body = send.request.body
            sent.append(body if isinstance(body, bytes) else b"".join(body))
            return super().send(send)

    source = described({"requestBody": {"content": content}}, method="post")
    site = explored(source, transport=Kept(b"{}", "application/json"))
    form = {"body": '{"n": "1"}', "files": {"file": "iVBORw0K"}, "confirmed": True}
    assert site.post("/send/go", form)["status"] == 200
    assert b"\x89PNG\r\n" in sent[0]
    assert faults_of(site.post("/send/go", {**form, "files": {"file": "!"}})).keys() == {"$"}


def test_the_mock_answers_for_the_switch(explored):
    site = explored(mock=True, transport=Canned(b"{", "application/json"))
    assert site.post("/send/list_todos", {"mock": True})["status"] == 200
    assert site.post("/send/list_todos", {})["error"]["kind"] == "DecodeError"


def test_a_broken_operation_is_shown(explored):
    source = described({"requestBody": {"$ref": "#/nowhere"}}, method="post")
    source["paths"]["/y"] = {"get": {"operationId": "fine", "responses": {"200": {"description": "d"}}}}
    site = explored(source)
    assert "nowhere" in site.ask("GET", "/o/go").text
    assert site.ask("GET", "/o/fine").status == 200
    assert "nowhere" in str(site.post("/check/go", {}))
    assert "nowhere" in str(site.post("/send/go", {}))


@pytest.mark.parametrize("path", ["/o/nope", "/o/nope?part=1", "/static/../pages.py", "/static/", "/x", "/history/77"])
def test_what_there_is_not(site, path):
    assert site.ask("GET", path).status in {400, 404}


@pytest.mark.parametrize(
    "value", [b"{", b"[]", b"1", b"\xff", b'{"arguments": [], "files": []}', b'{"body": 1, "files": {"": 1}}']
)
def test_a_damaged_form_is_refused(site, value):
    for path in ("/check/create_todo", "/send/create_todo", "/items/create_todo"):
        answer = site.ask("POST", path, value)
        assert answer.status < 500
        assert "Traceback" not in answer.text


def test_an_async_client_is_refused():
    client = dynclient.AsyncClient.load(described({}), transport=MockTransport(described({})))
    with pytest.raises(ArgumentError, match="takes a Client"):
        explorer.app(client)  # type: ignore[arg-type]
