"""Requests as command lines and as Python: what is pasted sends the same bytes, and holds no secret."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import subprocess
from dataclasses import replace
from urllib.parse import quote

import pytest

from dynclient.messages import Headers, Request

SECRET = "hunter2"


def request(url, body=None, **headers):
    return Request(
        "POST" if body is not None else "GET",
        f"{url}?key={SECRET}&q=a%20b",
        Headers({"Authorization": f"Bearer {SECRET}", "X-Empty": "", "X-Sign": "=@'x\"", **headers}),
        body,
        secrets=frozenset({("query", "key")}),
    )


BODIES = [None, b'{"a": "it\'s"}', "ünï $HOME `x` \\".encode(), bytes(range(256))]


@pytest.mark.parametrize("body", BODIES)
def test_python_sends_what_the_request_is(httpserver, monkeypatch, capsys, body):
    monkeypatch.setenv("YOUR_KEY", SECRET)
    monkeypatch.setenv("YOUR_BEARER_CREDENTIALS", SECRET)
    made = request(httpserver.url_for("/a"), body, **{"Content-Type": "application/octet-stream"})
    code = made.to_python()
    assert SECRET not in code
    httpserver.expect_request("/a").respond_with_data("good")
    exec(code, {})
    assert capsys.readouterr().out == "200 b'good'\n"
    sent = httpserver.log[0][0]
    assert sent.data == (body or b"")
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert (sent.headers["x-empty"], sent.headers["x-sign"]) == ("", "=@'x\"")
    assert sent.query_string.decode() == f"key={SECRET}&q=a%20b"


@pytest.mark.parametrize("body", BODIES[:3])
def test_httpie_is_given_words(body):
    line = request("https://example.com/a", body).to_httpie()
    assert SECRET not in line
    words = shlex.split(line)
    raw = [] if body is None else [f"--raw={body.decode()}"]
    method = "GET" if body is None else "POST"
    assert words[: 4 + len(raw)] == [
        "http",
        "--ignore-stdin",
        *raw,
        method,
        "https://example.com/a?key=$YOUR_KEY&q=a%20b",
    ]
    assert "Authorization:Bearer $YOUR_BEARER_CREDENTIALS" in words
    assert "X-Empty;" in words
    assert "X-Sign:\\=@'x\"" in words


def test_httpie_is_piped_what_no_text_can_hold():
    line = request("https://example.com/a", BODIES[3]).to_httpie()
    assert line.startswith("printf '")
    assert "| http POST" in line
    assert "--ignore-stdin" not in line


def test_a_stream_is_named_only():
    made = request("https://example.com/a", iter([b"x"]))
    assert 'open("body", "rb")' in made.to_python()
    assert made.to_httpie().startswith("http POST")
    assert made.to_curl().endswith("--data-binary @-")


SHELLS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
    for name in ("bash", "fish", "sh", "zsh")
]
HOSTILE = [
    "$(touch ran)", "`touch ran`", "'; touch ran; '", '"; touch ran; "', "\\'; touch ran; #", "a\\\\b\\", "''", "\\",
    "!!", "!touch", "${IFS}", "$YOUR_KEY", "~", "*", "{a,b}", "(touch ran)", "<(touch ran)", "a & touch ran", "%s",
    "-o", "--output=x", "@/etc/passwd", "=x", "ünï 😀", "a\tb", "|touch ran", ";touch ran", "# x",
]  # fmt: skip


IN_URL = "'\"\\$`(){}!;&|<>~*=^%@:-"


def hostile_requests():
    """Requests whose every part holds a text of others, and the words that curl has to be given for each."""
    chance = random.Random(7)
    texts = [*HOSTILE, *("".join(chance.choices("'\"\\$`(){}!;&|<>~*?#= \t^%@:-abc\n", k=8)) for _ in range(150))]
    for text in texts:
        line, url = text.replace("\n", "").strip(), f"https://example.com/{quote(text, safe=IN_URL)}/{SECRET}"
        made = Request(
            "PURGE'$(touch${IFS}ran)'",
            f"{url}?key={SECRET}&q={quote(text, safe=IN_URL)}",
            Headers({"X-Text": line, "Authorization": f"{line} {SECRET}", "X-Key": line}),
            text.replace("\t", "").encode(),
            secrets=frozenset({("query", "key"), ("path", "-1"), ("header", "x-key")}),
        )
        yield made, line


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_exactly_the_arguments(shell, tmp_path):
    program = tmp_path / "curl"
    program.write_text("#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done; printf 'END OF CALL\\0'\n")
    program.chmod(0o700)
    made = list(hostile_requests())
    lines = [request.to_curl() for request, _ in made]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "YOUR_KEY": "given",
        "YOUR_X_KEY": "$(touch ran)",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [shell, "-c", "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    ran = [words.split("\0")[:-1] for words in done.stdout.decode().split("END OF CALL\0")[:-1]]
    assert done.stderr == b""
    assert not (tmp_path / "ran").exists()
    for words, (request, line) in zip(ran, made, strict=True):
        assert words[:2] == ["-X", request.method]
        url = request.url.replace(f"key={SECRET}", "key=given").replace(f"/{SECRET}?", "/?")
        assert words[2 + ("--globoff" in words)] == url
        assert f"X-Text: {line}" in words or ("X-Text;" in words and not line)
        assert "Authorization: " in words
        assert "X-Key: $(touch ran)" in words or not line
        assert words[words.index("--data-raw") + 1] == request.body.decode()
        # HTTPie's line is made of the same words.
        assert not request.method.isalpha()
        assert shlex.split(request.to_httpie()) == ["echo", f"HTTPie can not send the method {request.method}"]
        posted = shlex.split(replace(request, method="POST").to_httpie())
        assert f"--raw={request.body.decode()}" in posted
        assert "Authorization:$YOUR_AUTHORIZATION" in posted


@pytest.mark.parametrize(
    "secret", ["$CANARY", "canary second", "Bearer $CANARY_2", "basic canary", "$canary", "'canary"]
)
def test_a_secret_is_a_variable_whatever_it_looks_like(secret):
    fields = {"Authorization": secret, "X-Key": secret, "Cookie": f"a={secret}", "Proxy-Authorization": secret}
    url = f"https://u:{secret}@example.com/{secret}?k={secret}"
    secrets = frozenset({("query", "k"), ("path", "-1"), ("header", "x-key")})
    made = Request("GET", url, Headers(fields), secrets=secrets)
    for text in (made.to_curl(), made.to_httpie(), made.to_python(), repr(made)):
        assert "canary" not in text.lower()


def test_a_document_names_no_variable_of_the_environment():
    """A key with the name of another program's secret must not receive that secret."""
    secrets = frozenset({("header", "aws_secret_access_key")})
    made = Request("GET", "https://example.com/", Headers({"AWS_SECRET_ACCESS_KEY": "x"}), secrets=secrets)
    assert '"$YOUR_AWS_SECRET_ACCESS_KEY"' in made.to_curl()
    assert "environ['YOUR_AWS_SECRET_ACCESS_KEY']" in made.to_python()
