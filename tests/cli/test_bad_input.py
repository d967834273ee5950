"""Bad input to every command: a line or two that say what to do, the right exit status, never a traceback."""

from __future__ import annotations

import pytest

DOCUMENTS = {
    "missing": "not-there.yaml",
    "missing folder": "no/where.yaml",
    "a folder": ".",
    "empty": "empty.json",
    "binary": "binary.yaml",
    "not text": "latin.yaml",
    "not a document": "list.json",
    "cut JSON": "cut.json",
    "cut YAML": "cut.yaml",
    "another version": "version.json",
    "deep": "deep.json",
    "no file": "/dev/null",
    "no name": "nothing",
    "an empty word": "",
    "refused": "http://127.0.0.1:1/openapi.json",
    "no host": "http://",
    "bad host": "http://[1",
    "bad port": "http://localhost:x/openapi.json",
    "user information": "http://u:hunter2@127.0.0.1:1/openapi.json",
    "another scheme": "ftp://127.0.0.1/openapi.json",
    "home of nobody": "~nobody-of-this-name/x.yaml",
    "surrogates": "\udcff.yaml",
    "control characters": "a\x1b[2J.yaml",
}
FILES = {
    "empty.json": b"",
    "binary.yaml": bytes(range(256)),
    "latin.yaml": "openapi: 3.1.0 # größe".encode("latin-1"),
    "list.json": b"[1]",
    "cut.json": b'{"openapi": "3.1.0", "info": {',
    "cut.yaml": b'openapi: 3.1.0\ninfo: {title: "x',
    "version.json": b'{"openapi": "9.9.9", "info": {}}',
    "deep.json": b"[" * 200_000,
}
COMMANDS = [
    ("ls", "D"),
    ("ls", "D", "word"),
    ("ls", "D", "--check", "-o", "json"),
    ("show", "D"),
    ("show", "D", "look"),
    ("call", "D", "look"),
    ("call", "D", "look", "--help"),
    ("validate", "D"),
    ("validate", "D", "-o", "json"),
    ("diff", "D", "good.json"),
    ("diff", "good.json", "D"),
    ("compile", "D", "-o", "out.dync"),
    ("mock", "D", "--port", "0"),
    ("proxy", "D", "http://127.0.0.1:1", "--port", "0"),
    ("shell", "D"),
    ("auth", "status", "D"),
    ("auth", "login", "D"),
    ("auth", "logout", "D"),
    ("docs", "D", "--out", "pages"),
    ("stubs", "D", "--out", "hints"),
    ("stubs", "D"),
    ("api", "add", "n", "D"),
]


@pytest.fixture
def folder(tmp_path, monkeypatch, document):
    document(name="good.json")
    body = {"application/json": {"schema": {"properties": {"a": {}}}}}
    document(name="typed.json", method="post", requestBody={"content": body})
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


FEW = ("missing", "empty", "cut JSON", "no name", "control characters")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_refuses_bad_documents(run, folder, words):
    before = sorted(path.name for path in folder.iterdir())
    # All commands read documents by one function, so that one of them meets all.
    for kind in DOCUMENTS if words == ("show", "D", "look") else FEW:
        name = DOCUMENTS[kind]
        status, out, err = run(*[name if word == "D" else word for word in words])
        lines = err.splitlines()
        said = (kind, status, out[:200], err[:400])
        assert status in {1, 2}, said
        assert 1 <= len(lines) <= 4, said
        assert lines[0].startswith(("dynclient: ", f"{name}: 1 fault")) or "fault" in lines[0], said
        assert "a bug in dynclient" not in err, said
        assert "hunter2" not in err, said
        assert "\x1b[2J" not in err, said
        assert out == "" or words[0] == "validate", said
    left = sorted(path.name for path in folder.iterdir() if path.name not in {"config", "data"})
    assert left == before


OTHERS = [
    (("call", "good.json", "look", "--output", "no/where", "--base-url", "URL"), 1),
    (("call", "good.json", "look", "--output", ".", "--base-url", "URL"), 2),
    (("call", "good.json", "look", "--timeout", "-1"), 2),
    (("call", "good.json", "look", "--timeout", "x"), 2),
    (("call", "good.json", "look", "--retries", "-1"), 2),
    (("call", "good.json", "look", "--server", "9"), 1),
    (("call", "good.json", "look", "--accept", "x"), 1),
    (("call", "good.json", "look", "--base-url", "ftp://x"), 1),
    (("call", "good.json", "look", "--base-url", "http://[1"), 1),
    (("call", "good.json", "look", "-H", "a\nb: c"), 2),
    (("call", "good.json", "look", "-H", "a: b\nc", "--base-url", "URL"), 1),
    (("call", "good.json", "look", "-H", "a: \udcff", "--base-url", "URL"), 1),
    (("call", "good.json", "look", "-H", "Host: x", "--base-url", "URL"), 1),
    (("call", "good.json", "look", "--filter", "body.[", "--base-url", "URL"), 2),
    (("call", "good.json", "look", "--filter", "sum(body)", "--base-url", "URL"), 1),
    (("call", "good.json", "look", "x=1", "--base-url", "URL"), 2),
    (("call", "good.json", "look", "--body", "{}", "--base-url", "URL"), 1),
    (("request", "good.json", "POST", "/a", "a:=" + "[" * 9999, "--dry-run"), 2),
    (("request", "good.json", "POST", "/a", "a:=NaN", "--dry-run"), 2),
    (("call", "typed.json", "look", "a=" + "[" * 9999, "--dry-run"), 2),
    (("call", "typed.json", "look", "--a", "[" * 9999, "--dry-run"), 2),
    (("call", "good.json", "nothing"), 1),
    (("call", "good.json"), 2),
    (("call", "good.json", "--dry-run", "look"), 2),
    (("call", "good.json", "look", "-5"), 2),
    (("call", "good.json", "look", "--timeout"), 2),
    (("completion",), 2),
    (("show", "good.json", "nothing"), 1),
    (("compile", "good.json", "-o", "out.txt"), 2),
    (("compile", "good.json", "-o", "no/where.dync"), 1),
    (("mock", "good.json", "--port", "99999"), 2),
    (("mock", "good.json", "--host", "256.1.1.1", "--port", "0"), 1),
    (("proxy", "good.json", "nowhere", "--port", "0"), 1),
    (("proxy", "good.json", "http://127.0.0.1:1", "--port", "0", "--report-file", "no/where"), 2),
    (("har", "check", "good.json", "deep.json"), 1),
    (("api", "add", "t", "http://[::1"), 1),
    (("auth", "login", "good.json"), 2),
    (("auth", "login", "good.json", "nothing"), 2),
    (("completion", "tcsh"), 2),
    (("generate",), 2),
    (("generate", "--config", "good.json"), 1),
    (("mock", "good.json", "--port", "0", "--callback-origin", "hooks"), 1),
    (("docs", "good.json", "--out", "good.json"), 2),
    (("stubs", "-", "--out", "hints"), 2),
    (("stubs", "good.json", "--out", "good.json"), 2),
    (("trust",), 1),
    (("trust", "no/where"), 1),
    (("api", "sync", "nothing"), 2),
]


@pytest.mark.parametrize(
    ("words", "expected"), OTHERS, ids=lambda value: str(value)[:60].encode("ascii", "replace").decode()
)
def test_other_bad_input(run, folder, httpserver, words, expected):
    httpserver.expect_request("/a").respond_with_json({"a": 1})
    words = [httpserver.url_for("/") if word == "URL" else word for word in words]
    status, out, err = run(*words)
    assert (status, out) == (expected, ""), err
    assert 1 <= len(err.splitlines()) <= 4, err
    assert err.startswith("dynclient: "), err
    assert "a bug in dynclient" not in err
