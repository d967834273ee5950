"""``dynclient call`` against the mock: operations, exit statuses, ways to give the body, formats of output."""

from __future__ import annotations

import io
import json
import re

import pytest
import yaml

CREATE = (
    "create-call", "99", "--to", "+19195551234", "--from", "+19195554321",
    "--application-id", "1234-qwer-5679-tyui", "--answer-url", "https://example.com/answer",
)  # fmt: skip


@pytest.fixture
def call_id(voice):
    return json.loads(voice(*CREATE)[1])["callId"]


def test_each_of_the_four_operations(voice, call_id):
    status, out, err = voice("get-call-state", "99", call_id)
    assert (status, json.loads(out)["callId"], err) == (0, call_id, "")
    assert voice("update-call", "99", call_id, "--state", "completed")[0] == 0
    assert voice("update-call-bxml", "99", call_id, "--body", "<Bxml><Hangup/></Bxml>") == (0, "", "")
    assert voice("updateCallBxml", "99", call_id, "--body", "<Bxml><Hangup/></Bxml>")[0] == 0
    assert voice("GET /accounts/{accountId}/calls/{callId}", "99", call_id)[0] == 0


@pytest.mark.parametrize(
    ("status", "body"),
    [(3, None), (4, {"type": "missing"}), (5, {"type": "broken"})],
)
def test_the_status_is_the_class_of_the_servers(run, httpserver, tmp_path, status, body):
    code = f"{status}04"
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"operationId": "a", "responses": {code: {"description": "x"}}}}},
    }
    if body is not None:
        document["paths"]["/a"]["get"]["responses"][code]["content"] = {"application/json": {}}
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    data, kind = (json.dumps(body), "application/json") if body else ("", None)
    httpserver.expect_request("/a").respond_with_data(data, status=int(code), content_type=kind)
    done = run("call", path, "a", "--base-url", httpserver.url_for("/"), "--retries", "0")
    assert done[0] == status
    assert (json.loads(done[1]) if done[1] else None) == body
    assert ("dynclient: a: " in done[2]) == (status > 3)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("get-call-state", "99"), 2, "CALL_ID"),
        (("get-call-stat", "99", "c"), 1, "did you mean get_call_state?"),
        (("create-call", "99", "--to", "+1"), 1, "$.answerUrl: is required"),
        (("create-call", "99", "--body", "{}", "--to", "+1"), 2, "whole body with --body"),
        (("create-call", "99", "--body-field", "to"), 2, "NAME=VALUE"),
        (("create-call", "99", "--body-field", "a=1", "--body-field", "a.b=1"), 2, "contradicts"),
        (("create-call", "99", "--body", "@not-there.json"), 2, "not-there.json"),
        (("get-call-state", "99", "c", "--filter", "body["), 2, "--filter"),
        (("get-call-state", "99", "c", "--auth", "Basic=hunter2"), 2, "never a secret"),
        (("get-call-state", "99", "c", "--auth", "Basik=env:X"), 2, "did you mean Basic?"),
        (("get-call-state", "99", "c", "--auth", "Basic=env:NOT_THERE"), 2, "NOT_THERE"),
        (("get-call-state", "99", "no-such-call"), 4, "404"),
    ],
)
def test_errors_are_short_and_specific(voice, words, status, said):
    done = voice(*words)
    assert done[0] == status
    assert said in done[2]
    assert len(done[2].splitlines()) <= 6
    assert "hunter2" not in done[2]
    assert "Traceback" not in done[2]


FORMATS = {
    "json": json.loads,
    "yaml": yaml.safe_load,
    "raw": json.loads,
    "ndjson": lambda text: json.loads(text) if text.count("\n") == 1 else None,
    "table": lambda text: {"callId": re.search(r"^callId +(\S+)$", text, re.MULTILINE)[1]},
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(voice, call_id, name):
    status, out, err = voice("get-call-state", "99", call_id, "-o", name)
    assert (status, err) == (0, "")
    assert FORMATS[name](out)["callId"] == call_id


def test_filters_see_status_headers_and_body(voice, call_id):
    expression = '[status, headers."content-type", body.callId]'
    assert json.loads(voice("get-call-state", "99", call_id, "--filter", expression)[1]) == [
        200,
        "application/json",
        call_id,
    ]
    assert voice("get-call-state", "99", call_id, "--filter", "body.nothing")[1] == "null\n"


def test_additional_headers(voice, voice_server, call_id):
    words = ("get-call-state", "99", call_id, "--header", "X-Trace: a: b", "-H", "X-Empty:")
    assert voice(*words)[0] == 0
    sent = voice_server.requests[-1].headers
    assert (sent["x-trace"], sent["x-empty"]) == ("a: b", "")


@pytest.mark.parametrize("word", ["Authorization: Bearer hunter2", "cookie: hunter2", "hunter2", ": x"])
def test_a_header_option_may_not_hold_a_secret(voice, word):
    status, out, err = voice("get-call-state", "99", "c", "--header", word)
    assert (status, out) == (2, "")
    assert "--header" in err
    assert "hunter2" not in err


def test_a_header_option_may_not_hold_a_scheme_s_key(run, root):
    words = ("call", root / "tests" / "cases" / "things.yaml", "guarded-header", "--base-url", "http://127.0.0.1:1")
    status, _, err = run(*words, "--header", "X-Key: hunter2")
    assert (status, "--auth" in err, "hunter2" in err) == (2, True, False)


def test_a_selected_text_is_printed_raw(voice, call_id):
    assert voice("get-call-state", "99", call_id, "--filter", "body.callId", "-o", "raw") == (0, f"{call_id}\n", "")
    assert voice("get-call-state", "99", call_id, "--filter", "[status]", "-o", "raw")[1] == "[\n  200\n]\n"


def test_an_error_is_two_lines_and_its_data_is_printed_once(voice):
    status, out, err = voice("get-call-state", "99", "nothing")
    assert status == 4
    assert json.loads(out)["type"] == "not-found"
    assert len(err.splitlines()) == 2
    assert "not-found" not in err


def test_lists_in_a_table_and_as_lines(run, voice_server, tmp_path, httpserver):
    document = tmp_path / "list.json"
    operation = {"operationId": "a", "responses": {"200": {"description": "x", "content": {"application/json": {}}}}}
    document.write_text(
        json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}})
    )
    httpserver.expect_request("/a").respond_with_json([{"a": 1, "b": "x\x1b[31m"}, {"a": 22, "c": [1]}])
    words = ("call", document, "a", "--base-url", httpserver.url_for("/"))
    assert run(*words, "-o", "table")[1].splitlines() == [
        "a   b          c",
        "1   x\\x1b[31m",
        "22             [1]",
    ]
    assert [json.loads(line) for line in run(*words, "-o", "ndjson")[1].splitlines()] == [
        {"a": 1, "b": "x\x1b[31m"},
        {"a": 22, "c": [1]},
    ]


def test_a_sequence_is_printed_item_by_item(run, tmp_path, httpserver):
    content = {"application/jsonl": {"itemSchema": {"type": "object"}}}
    operation = {"operationId": "a", "responses": {"200": {"description": "x", "content": content}}}
    document = tmp_path / "sequence.json"
    document.write_text(
        json.dumps({"openapi": "3.2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}})
    )
    httpserver.expect_request("/a").respond_with_data('{"n":1}\n{"n":2}\n', content_type="application/jsonl")
    done = run("call", document, "a", "--base-url", httpserver.url_for("/"), "-o", "ndjson")
    assert done == (0, '{"n": 1}\n{"n": 2}\n', "")


def test_output_to_a_file(voice, call_id, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert voice("get-call-state", "99", call_id, "--output", whole) == (0, "", "")
    assert json.loads(whole.read_bytes())["callId"] == call_id
    assert voice("get-call-state", "99", call_id, "--output", part, "--filter", "body.callId")[0] == 0
    assert part.read_text() == f'"{call_id}"\n'
    assert voice("get-call-state", "99", "nothing", "--output", tmp_path / "none")[0] == 4
    assert not (tmp_path / "none").exists()


def test_include_shows_status_and_headers_first(voice, call_id):
    head, _, body = voice("get-call-state", "99", call_id, "--include")[1].partition("\n\n")
    assert head.splitlines()[0] == "HTTP/1.1 200 OK"
    assert "content-type: application/json" in head.lower()
    assert json.loads(body)["callId"] == call_id


@pytest.mark.parametrize("flag", ["--dry-run", "--curl"])
def test_a_dry_run_sends_nothing_and_shows_no_secret(voice, voice_server, flag):
    before = len(voice_server.requests)
    status, out, err = voice(*CREATE, flag)
    assert (status, err, len(voice_server.requests)) == (0, "", before)
    assert '"to":"+19195551234"' in out
    assert "password" not in out
    assert "dXNlcjpwYXNzd29yZA" not in out


def test_bodies_by_field_from_files_and_from_standard_input(voice, tmp_path, monkeypatch):
    body = tmp_path / "body.json"
    body.write_text('{"to": "+19195551234"}')
    tag = tmp_path / "tag.txt"
    tag.write_text("from a file")
    fields = ("machineDetection.mode=async", "priority=3", f"tag=@{tag}", "uui=@@x")
    words = [word for field in fields for word in ("--body-field", field)]
    sent = voice(*CREATE, *words, "--dry-run")[1].partition("\n\n")[2]
    assert json.loads(sent) == {
        "to": "+19195551234",
        "from": "+19195554321",
        "applicationId": "1234-qwer-5679-tyui",
        "answerUrl": "https://example.com/answer",
        "machineDetection": {"mode": "async"},
        "priority": 3,
        "tag": "from a file",
        "uui": "@x",
    }
    assert "$.answerUrl" in voice("create-call", "99", "--body", f"@{body}")[2]
    stdin = io.TextIOWrapper(io.BytesIO(b'{"to": 5}'))
    monkeypatch.setattr("sys.stdin", stdin)
    assert "$.to" in voice("create-call", "99", "--body", "-")[2]


def test_fields_of_lists(run, tmp_path):
    document = tmp_path / "any.json"
    operation = {
        "operationId": "put",
        "requestBody": {"content": {"application/json": {}}},
        "responses": {"204": {"description": "x"}},
    }
    info = {"title": "t", "version": "1"}
    document.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": {"/": {"put": operation}}}))
    fields = ["a[]=1", "a[]=x", "b[0].c=true", "b[0].d=2", "b[1]=null", "e.f.g=@@h"]
    words = [word for field in fields for word in ("--body-field", field)]
    status, out, _ = run("call", document, "put", *words, "--base-url", "http://localhost", "--dry-run")
    assert status == 0
    assert json.loads(out.partition("\n\n")[2]) == {
        "a": [1, "x"],
        "b": [{"c": True, "d": 2}, None],
        "e": {"f": {"g": "@h"}},
    }


def test_a_binary_file_is_sent_unchanged(run, tmp_path, httpserver):
    document = tmp_path / "upload.json"
    operation = {
        "operationId": "put",
        "requestBody": {"content": {"application/octet-stream": {}}},
        "responses": {"204": {"description": "x"}},
    }
    document.write_text(
        json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"put": operation}}})
    )
    data = bytes(range(256)) * 8192
    (tmp_path / "data").write_bytes(data)
    httpserver.expect_request("/a", method="PUT").respond_with_data(b"", status=204)
    words = ("call", document, "put", "--body", f"@{tmp_path / 'data'}", "--base-url", httpserver.url_for("/"))
    assert run(*words) == (0, "", "")
    assert httpserver.log[0][0].data == data


def test_documents_have_short_names_in_pyproject(run, voice_path, tmp_path, monkeypatch):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "voice.yaml").write_bytes(voice_path.read_bytes())
    (tmp_path / "pyproject.toml").write_text('[tool.dynclient]\nvoice = "voice.yaml"\ndocs = "docs"\n')
    monkeypatch.chdir(below)
    assert run("ls", "voice", "-o", "names")[1].splitlines()[0] == "create_call"
    status, _, err = run("ls", "voices")
    assert status == 1
    assert "did you mean voice?" in err
    (tmp_path / "pyproject.toml").write_text("[tool.dynclient\n")
    assert run("ls", "voice")[0] == 1


def test_credentials_are_named_and_prompted_for(run, voice_path, voice_server, monkeypatch):
    assert "DYNCLIENT_VOICE_BASIC (user:password)" in " ".join(
        run("call", voice_path, "get-call-state", "--help")[1].split()
    )
    words = ("call", voice_path, "get-call-state", "99", "c", "--base-url", voice_server.url)
    monkeypatch.setenv("MINE", "me:too")
    assert run(*words, "--auth", "Basic=env:MINE")[0] == 4
    assert voice_server.requests[-1].headers["authorization"] == "Basic bWU6dG9v"
    assert run(*words)[0] == 1
    assert run(*words, "--anonymous")[0] == 4
    assert "authorization" not in voice_server.requests[-1].headers


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("--title", "t", "--body", "It broke"), {"title": "t", "body": "It broke"}),
        (("--property-body", "5"), {"body": "5"}),
        (("--body", "5"), {"body": "5"}),
        (("--body", '{"body": "whole"}'), {"body": "whole"}),
    ],
)
def test_a_text_for_a_property_called_body_is_that_property(run, tmp_path, words, sent):
    text = {"type": "string"}
    schema = {"type": "object", "properties": {"title": text, "body": text}}
    operation = {"operationId": "a", "requestBody": {"content": {"application/json": {"schema": schema}}}}
    path = tmp_path / "document.json"
    info = {"title": "t", "version": "1"}
    path.write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": {"/a": {"post": operation}}}))
    status, out, err = run("call", path, "a", "--base-url", "https://a.example", "--dry-run", *words)
    assert (status, json.loads(out.split("\n\n")[1]), err) == (0, sent, "")


@pytest.mark.parametrize("words", [(), ("-o", "raw"), ("-o", "ndjson")])
def test_a_null_that_is_optional_is_sent_in_all_formats(run, httpserver, tmp_path, words):
    body = {"content": {"application/json": {"schema": {"type": ["object", "null"]}}}}
    content = {"application/x-ndjson": {"itemSchema": {}}}
    operation = {"operationId": "a", "requestBody": body, "responses": {"200": {"description": "", "content": content}}}
    path = tmp_path / "document.json"
    info = {"title": "t", "version": "1"}
    path.write_text(json.dumps({"openapi": "3.2.0", "info": info, "paths": {"/a": {"post": operation}}}))
    httpserver.expect_request("/a", data="null").respond_with_data("1\n", content_type="application/x-ndjson")
    status, out, err = run("call", path, "a", "--body", "null", "--base-url", httpserver.url_for("/"), *words)
    assert (status, out.strip("[] \n"), err) == (0, "1", "")
    shown = run("call", path, "a", "--body", "null", "--base-url", httpserver.url_for("/"), "--dry-run")[1]
    assert shown.rstrip().endswith("\n\nnull")


def test_a_rate_of_the_command_line_and_of_the_settings(run, document, httpserver, tmp_path, monkeypatch):
    httpserver.expect_request("/a").respond_with_json({"n": 1})
    path = document({"200": {"description": "", "content": {"application/json": {}}}, "default": {"description": ""}})
    call = ("call", path, "look", "--base-url", httpserver.url_for(""))
    assert run(*call, "--rate", "50/s")[0] == 0
    status, _, err = run(*call, "--rate", "50/x")
    assert (status, "--rate" in err, "such as '50/s' or '600/m'" in err) == (1, True, True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        f"[tool.dynclient.apis.t]\ndocument = '{path}'\nrate = {{ limit = '1/x', burst = 2 }}\n"
    )
    status, _, err = run("call", "t", "look", "--base-url", httpserver.url_for(""))
    assert (status, "not '1/x'" in err) == (1, True)
    assert run("call", "t", "look", "--base-url", httpserver.url_for(""), "--rate", "auto")[0] == 0
