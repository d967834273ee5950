"""``dynclient explore`` as a process: the link that it prints, its options, and its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from dynclient.testing import DEMO

COMMAND = [sys.executable, "-m", "dynclient", "explore"]


@contextmanager
def started(*words: str, **environment: str):
    """The process, the URL, and the token of the link that it prints."""
    process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        line = process.stderr.readline()
        url, token = re.search(r"(http://\S+?)/#(\S+)", line).groups()
        yield process, url, token
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def post(url: str, path: str, value: object, cookie: str = "") -> tuple[int, str, str]:
    headers = {"Content-Type": "application/json", "Origin": url, "X-Dynclient-Explorer": "1", "Cookie": cookie}
    request = urllib.request.Request(url + path, json.dumps(value).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers.get("Set-Cookie", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_link_the_mock_and_the_end(number, status):
    with started(str(DEMO), "--mock", "--read-only", "--auth", "bearer=env:KEY", KEY="k-secret-k") as (
        process,
        url,
        token,
    ):
        assert post(url, "/send/list_todos", {"mock": True})[0] == 401
        cookie = post(url, "/session", {"token": token})[2].partition(";")[0]
        code, text, _ = post(url, "/send/list_todos", {"mock": True}, cookie)
        assert (code, json.loads(text)["status"], "k-secret-k" in text) == (200, 200, False)
        form = {"mock": True, "arguments": {}, "body": '{"title": "x"}'}
        shown = json.loads(post(url, "/check/create_todo", form, cookie)[1])["exports"]
        assert shown["shell"].startswith("dynclient call ")
        assert post(url, "/send/create_todo", {**form, "mock": False, "confirmed": True}, cookie)[0] == 403
        process.send_signal(number)
        assert process.wait(20) == status
        assert "Traceback" not in process.stderr.read()


REFUSED = [
    (["nowhere.yaml"], 1, "nowhere.yaml"),
    ([str(DEMO), "--host", "no.such.invalid"], 1, "--host"),
    ([str(DEMO), "--port", "70000"], 2, "--port"),
    ([str(DEMO), "--auth", "bearer=env:NOT_SET_AT_ALL"], 2, "NOT_SET_AT_ALL"),
]


@pytest.mark.parametrize(("words", "status", "said"), REFUSED)
def test_a_refusal_is_a_line(words, status, said):
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (status, "", False)
    assert said in done.stderr


def test_a_port_in_use_is_told():
    with started(str(DEMO)) as (_, url, _):
        port = url.rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, str(DEMO), "--port", port], capture_output=True, text=True, check=False, timeout=30
        )
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "in use" in done.stderr
