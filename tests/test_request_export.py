"""Requests as command lines and as Python: what is pasted sends the same bytes, and holds no secret."""

from __future__ import annotations

import shlex

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
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("BEARER_CREDENTIALS", SECRET)
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
    assert words[:4] == [
        "http",
        "--ignore-stdin",
        "GET" if body is None else "POST",
        "https://example.com/a?key=$KEY&q=a%20b",
    ]
    assert "Authorization:Bearer $BEARER_CREDENTIALS" in words
    assert "X-Empty;" in words
    assert "X-Sign:\\=@'x\"" in words
    assert body is None or words[-2:] == ["--raw", body.decode()]


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
