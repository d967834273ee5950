"""The process: standard streams that are closed, full or without a reader, signals, and faults of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import werkzeug

from dynclient import cli

THINGS = str(Path(__file__).parents[1] / "cases" / "things.yaml")
PAGE = {"name": "page", "in": "query", "schema": {"type": "integer"}}
INFO = {"title": "T", "version": "1"}
COMMANDS = [
    ["--help"],
    ["--version"],
    ["ls", THINGS],
    ["ls", THINGS, "-o", "json"],
    ["show", THINGS, "getThing"],
    ["call", THINGS, "getThing", "--help"],
    ["call", THINGS, "getChoices", "--dry-run", "--base-url", "http://127.0.0.1:1"],
    ["diff", THINGS, THINGS, "-o", "markdown"],
    ["validate", THINGS],
    ["completion", "bash"],
]


def shell(line, *words):
    """Run a line of bash in which ``"$@"`` is the command line."""
    command = ["bash", "-c", line, "bash", sys.executable, "-m", "dynclient", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_output_that_can_t_be_written_is_one_line_and_1(words):
    for where, reason in ((">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")):
        done = shell(f'"$@" {where}', *words)
        lines = [line for line in done.stderr.splitlines() if "dynclient: " in line]
        assert (done.returncode, lines) == (1, [f"dynclient: standard output can't be written: {reason}"])
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr


def test_a_list_that_nobody_reads_on_is_no_error(httpserver, document):
    pages = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "array", "items": {}}}}}}
    url = httpserver.url_for("/a")

    def answer(request):
        following = f'<{url}?p={int(request.args.get("p", 1)) + 1}>; rel="next"'
        return werkzeug.Response("[1]", content_type="application/json", headers={"Link": following})

    httpserver.expect_request("/a").respond_with_handler(answer)
    words = [
        "call",
        str(document(pages, parameters=[PAGE])),
        "look",
        "--base-url",
        httpserver.url_for("/"),
        "--all",
        "--max-pages",
        "1000000",
    ]
    done = shell('"$@" | head -1; echo ${PIPESTATUS[0]}', *words)
    assert done.stdout == "1\n0\n", done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_is_no_error(words):
    done = shell('"$@" | (exec 0<&-; sleep 0.01); echo ${PIPESTATUS[0]}', *words)
    assert done.stdout in {"0\n", "1\n"}  # 1: validate has found faults
    assert "Traceback" not in done.stderr
    assert "rror" not in done.stderr.replace("error-", "")


def test_errors_need_no_standard_error():
    assert shell('"$@" 2>&-', "ls", "not-there.yaml").returncode == 1
    assert shell('"$@" 2>/dev/full', "ls", "not-there.yaml").returncode == 1
    done = shell('"$@" <&- >&- 2>&-', "ls", THINGS)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_nothing_half_written(tmp_path, number, status):
    document = tmp_path / "d.json"
    content = {"200": {"description": "", "content": {"application/octet-stream": {}}}}
    paths = {"/a": {"get": {"operationId": "look", "responses": content}}}
    document.write_text(json.dumps({"openapi": "3.1.0", "info": INFO, "paths": paths}))
    server = tmp_path / "server.py"
    server.write_text(
        "import http.server, time\n"
        "class Slow(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.send_header('Content-Type', 'application/octet-stream')\n"
        "        self.send_header('Content-Length', '100')\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'x')\n"
        "        self.wfile.flush()\n"
        "        time.sleep(60)\n"
        "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Slow)\n"
        "print(s.server_port, flush=True)\n"
        "s.serve_forever()\n"
    )
    with subprocess.Popen([sys.executable, str(server)], stdout=subprocess.PIPE, text=True) as serving:
        url = f"http://127.0.0.1:{serving.stdout.readline().strip()}"
        words = ["call", str(document), "look", "--output", str(tmp_path / "out"), "--base-url", url]
        command = [sys.executable, "-m", "dynclient", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 30
            while not list(tmp_path.glob(".*.part")) and time.monotonic() < deadline:
                time.sleep(0.02)  # until the download has begun
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        serving.kill()
    assert (process.returncode, "Traceback" in err) == (status, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json", "server.py"]


def test_a_fault_of_our_own_is_one_line_that_says_how_to_see_more(run, monkeypatch):
    def broken(*_):
        raise RuntimeError("with hunter2")

    monkeypatch.setattr("dynclient.cli.documents.located", broken)
    status, _, err = run("ls", THINGS, "words")
    assert (status, err) == (1, "dynclient: a bug in dynclient: RuntimeError\nHint: dynclient --debug shows where\n")
    with pytest.raises(RuntimeError):
        cli.main(["--debug", "ls", THINGS, "words"])


@pytest.mark.parametrize(
    ("setting", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_the_environment_decides_on_colours(run, monkeypatch, setting, coloured):
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in run("ls", THINGS)[1]) == coloured
    environment = {**os.environ, **setting}
    for choice, wanted in (("always", True), ("never", False), ("auto", coloured)):
        line = [sys.executable, "-m", "dynclient", "ls", THINGS, "--color", choice]
        done = subprocess.run(line, capture_output=True, check=True, env=environment)
        assert (b"\x1b[" in done.stdout) == wanted
