"""Results of calls: responses that do not match the document, redirects, files, headers and credentials."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

OBJECT = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def responses(status, schema=None, media_type="application/json"):
    return {str(status): {"description": "", "content": {media_type: {"schema": schema or {}}}}}


BREAKING = {
    "body": (
        responses(200, OBJECT),
        {"response_data": '{"a": "x"}', "content_type": "application/json"},
        '"x"',
        "$.a: must be",
    ),
    "media type": (
        responses(200, OBJECT),
        {"response_data": "hello", "content_type": "text/plain"},
        "hello",
        "is text/plain",
    ),
    "malformed": (
        responses(200, OBJECT),
        {"response_data": '{"a": ', "content_type": "application/json"},
        '{"a":',
        "is not JSON",
    ),
    "status": (
        responses(201, OBJECT),
        {"response_data": '{"b": 1}', "content_type": "application/json"},
        '"b": 1',
        "does not describe",
    ),
}


@pytest.mark.parametrize("case", BREAKING)
def test_a_response_that_breaks_the_document_is_shown_with_the_option_that_takes_it(run, document, httpserver, case):
    documented, sent, shown, fault = BREAKING[case]
    httpserver.expect_request("/a").respond_with_data(**sent)
    words = ("call", document(documented), "look", "--base-url", httpserver.url_for("/"))
    status, out, err = run(*words)
    assert (status, shown in out, fault in err, "--validate warn" in err) == (1, True, True, True)
    assert (len(err.splitlines()) <= 4, shown in err and shown != '"x"') == (True, False)
    status, out, err = run(*words, "--validate", "warn")
    assert (status, shown in out, err.startswith("dynclient: warning: ")) == (0, True, True)


def test_an_undocumented_error_is_shown(run, document, httpserver):
    httpserver.expect_request("/a").respond_with_json({"why": "gone"}, status=410)
    status, out, err = run("call", document(), "look", "--base-url", httpserver.url_for("/"))
    assert (status, json.loads(out), "410" in err, "gone" in err) == (4, {"why": "gone"}, True, False)


@pytest.mark.parametrize(
    ("words", "header"),
    [
        (("-H", "Authorization=env:SECRET"), "hunter2"),
        (("-H", "Authorization:env:SECRET"), "hunter2"),
        (("-H", "Authorization: token env:SECRET"), "token hunter2"),
        (("-H", "Authorization=file:secret"), "hunter3"),
        (("--auth", "env:SECRET"), "Bearer hunter2"),
        (("--auth", "Bearer=env:SECRET"), "Bearer hunter2"),
        (("--auth", "basic=env:PAIR"), "Basic dTpodW50ZXIy"),
        (("--auth", "authorization=env:SECRET"), "hunter2"),
    ],
)
def test_a_credential_where_the_document_names_no_scheme(run, document, httpserver, monkeypatch, words, header):
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("PAIR", "u:hunter2")
    document().with_name("secret").write_text("hunter3\n")
    monkeypatch.chdir(document().parent)
    httpserver.expect_request("/a").respond_with_json({})
    call = ("call", document(), "look", *words, "--base-url", httpserver.url_for("/"))
    assert run(*call)[0] == 0
    assert httpserver.log[-1][0].headers["Authorization"] == header
    assert "Authorization: ***" in run(*call, "--dry-run")[1]
    verbose = run(*call, "-vv")[2]
    assert "> Authorization: ***" in verbose
    assert "hunter" not in verbose + run(*call, "--curl")[1]


def test_a_reference_hides_any_header(run, document, httpserver, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    httpserver.expect_request("/a").respond_with_json({})
    call = ("call", document(), "look", "-H", "X-Own=env:SECRET", "--base-url", httpserver.url_for("/"))
    assert run(*call)[0] == 0
    assert httpserver.log[-1][0].headers["X-Own"] == "hunter2"
    for more in ("--dry-run", "--curl", "-v"):
        _, out, err = run(*call, more)
        assert "hunter" not in out + err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-H", "Authorization: Bearer hunter2"), "Authorization=env:VARIABLE"),
        (("-H", "Authorization=env:NOT_THERE"), "NOT_THERE"),
        (("-H", "Authorization=file:not-there"), "not-there"),
        (("-H", "Authorization=keyring:x"), "SERVICE/USER"),
        (("--auth", "hunter2"), "--auth"),
        (("--auth", "bearer=hunter2"), "never a secret"),
    ],
)
def test_a_credential_that_can_t_be_had_is_wrong_usage(run, document, words, said):
    status, out, err = run("call", document(), "look", *words, "--base-url", "http://127.0.0.1:1")
    assert (status, out, said in err, "hunter" in err) == (2, "", True, False)


@pytest.mark.parametrize("text", ['{"a": 1', "[1,", '"x', "{'a': 1}", '{"a": NaN}', "[" * 50_000])
def test_malformed_json_is_not_sent_as_a_text(run, document, tmp_path, text):
    plain = document(method="post", requestBody={"content": {"application/json": {}}})
    (tmp_path / "body").write_text(text)
    for body in (text, f"@{tmp_path / 'body'}"):
        for more in ((), ("--validate", "warn"), ("--validate", "off")):
            words = ("call", plain, "look", "--body", body, "--base-url", "http://127.0.0.1:1", "--dry-run", *more)
            status, out, err = run(*words)
            assert (status, out, "is malformed JSON: " in err) == (2, "", True)


def test_a_text_is_a_json_body_where_the_schema_has_texts(run, document):
    content = {"application/json": {"schema": {"type": "string"}}}
    path = document(method="post", requestBody={"content": content})
    words = ("call", path, "look", "--body", "{draft} x", "--base-url", "http://127.0.0.1:1", "--dry-run")
    assert run(*words)[1].endswith('"{draft} x"\n')


def test_a_documented_redirect_is_followed_if_asked(run, document, httpserver, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", "hunter2")
    there = httpserver.url_for("/b").replace("localhost", "127.0.0.1")
    httpserver.expect_request("/a").respond_with_data(b"", status=302, headers={"Location": there})
    httpserver.expect_request("/b").respond_with_data(b"\x00data", content_type="application/zip")
    words = ("call", document({"302": {"description": ""}}), "look", "--output", "x.zip")
    words += ("--base-url", httpserver.url_for("/"), "--auth", "env:SECRET")
    status, out, err = run(*words)
    assert (status, out) == (3, "")
    assert err == f"302 leads to {there}\nHint: add --follow to follow it\n"
    assert not (tmp_path / "x.zip").exists()
    assert run(*words[:3], *words[5:]) == (3, "", err)
    assert run(*words, "--follow") == (0, "", "")
    assert (tmp_path / "x.zip").read_bytes() == b"\x00data"
    assert "Authorization" in httpserver.log[-2][0].headers


NAMES = {
    'attachment; filename="a b.zip"': "a b.zip",
    "attachment; filename*=UTF-8''%e2%82%ac.txt": "€.txt",
    'attachment; filename="../../etc/passwd"': "passwd",
    'attachment; filename="..\\\\x.txt"': "x.txt",
    'attachment; filename="/abs/.profile"': "profile",
    'attachment; filename="con.txt"': "look.bin",
    'attachment; filename="com².txt"': "look.bin",
    'attachment; filename="-rf"': "rf",
    f'attachment; filename="{200 * "é"}.tar.gz"': f"{75 * 'é'}.gz",
    'attachment; filename=".."': "look.bin",
    "attachment": "look.bin",
    "inline; filename=": "look.bin",
    'attachment; filename="a\tb\u202ec"': "abc",
}


@pytest.mark.parametrize("disposition", NAMES)
def test_the_server_names_a_file_safely(run, document, httpserver, tmp_path, monkeypatch, disposition):
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    path = document(responses(200, media_type="application/octet-stream"))
    headers = {"Content-Disposition": disposition.encode("utf-8").decode("latin-1")}
    httpserver.expect_request("/a").respond_with_data(b"data", content_type="application/octet-stream", headers=headers)
    words = ("call", path, "look", "--base-url", httpserver.url_for("/"), "--output")
    assert run(*words)[::2] == (0, f"saved as {NAMES[disposition]}\n")
    assert [file.name for file in folder.iterdir()] == [NAMES[disposition]]
    assert run(*words)[0] == 0
    assert len(list(folder.iterdir())) == 2


def test_a_repeated_option_is_wrong_usage(run, document):
    words = ("call", document(), "look", "--base-url", "http://127.0.0.1:1", "--filter", "a", "--filter", "b")
    status, _, err = run(*words)
    assert (status, err.splitlines()[0]) == (2, "dynclient: --filter is given 2 times: it takes a single value")
    assert run("ls", document(), "--tag", "a", "--tag", "b")[0] == 2


def test_filters_find_headers_in_any_case(run, document, httpserver):
    httpserver.expect_request("/a").respond_with_json({}, headers={"X-Total": "3"})
    words = ("call", document(), "look", "--base-url", httpserver.url_for("/"), "-o", "raw", "--filter")
    for name in ("x-total", "X-Total", "X-TOTAL"):
        assert run(*words, f'headers."{name}"')[1] == "3\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--base-url", "127.0.0.1:1"), "--base-url is not an absolute http or https URL: '127.0.0.1:1'"),
        (("--base-url", "http://u:hunter2@x"), "pass it as --auth basic=env:VARIABLE"),
        (("--base-url", "http://x", "--header", "X-A:b", "--auth", "nope"), "there are none; bearer=env:VARIABLE"),
    ],
)
def test_hints_name_options(run, document, words, said):
    status, _, err = run("call", document(), "look", *words)
    assert (status in {1, 2}, said in err, "base_url" in err, "hunter2" in err) == (True, True, False, False), err


def test_verbose_shows_what_is_sent_and_received(run, document, httpserver):
    secret = {"Set-Cookie": "session=hunter2", "X-Auth-Token": "hunter2"}
    httpserver.expect_request("/a").respond_with_json({"a": 1}, headers=secret)
    body = {"content": {"application/json": {}}}
    words = ("call", document(method="post", requestBody=body), "look", "--body", '{"b": 2}')
    words += ("--base-url", httpserver.url_for("/"))
    _, out, err = run(*words, "-v")
    assert json.loads(out) == {"a": 1}
    assert "> POST http://localhost" in err
    assert "< HTTP/1.1 200 OK" in err
    assert ("< Set-Cookie: ***" in err, '"b"' in err, "hunter2" in err) == (True, False, False)
    err = run(*words, "-vv")[2]
    assert '{"b":2}' in err
    assert '"a": 1' in err


def test_a_download_that_broke_off_is_resumed(run, document, httpserver, tmp_path):
    import werkzeug

    data = bytes(range(256)) * 40
    ranges = []

    def answer(request):
        ranges.append(request.headers.get("Range"))
        start = int(ranges[-1][6:-1]) if ranges[-1] else 0
        headers = {"ETag": '"1"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        # The first responses promise more than they have.
        sent = data[start:] if len(ranges) > 2 else data[start : start + 3000]
        response = werkzeug.Response(sent, 206 if start else 200, headers)
        response.automatically_set_content_length = False
        response.headers["Content-Length"] = str(len(data) - start)
        return response

    httpserver.expect_request("/a").respond_with_handler(answer)
    path = document(responses(200, media_type="application/octet-stream"))
    words = ("call", path, "look", "--base-url", httpserver.url_for("/"), "--retries", "0", "--resume")
    assert run(*words)[0] == 2
    for _ in range(3):
        status, _, err = run(*words, "--output", tmp_path / "out")
        assert "Traceback" not in err
        if status == 0:
            break
    assert (tmp_path / "out").read_bytes() == data
    assert "bytes=3000-" in ranges


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_what_is_not_a_regular_file_is_written_to(run, document, httpserver, tmp_path):
    httpserver.expect_request("/a").respond_with_json({"a": 1})
    words = ("call", document(), "look", "--base-url", httpserver.url_for("/"), "--output")
    for more in ((), ("-o", "yaml")):
        assert run(*words, "/dev/null", *more) == (0, "", "")
        assert run(*words, "/dev/full", *more) == (1, "", "dynclient: /dev/full: No space left on device\n")
    assert all(Path(name).is_char_device() for name in ("/dev/null", "/dev/full"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert run(*words, pipe)[0] == 0
    assert json.loads(os.read(reader, 100)) == {"a": 1}
    os.close(reader)
    assert pipe.is_fifo()
    assert run(*words, "/dev/null", "--resume")[0] in {0, 1}
    assert json.loads(run(*words, "-")[1]) == {"a": 1}
