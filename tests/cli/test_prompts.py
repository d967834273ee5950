"""Tests in a pseudo-terminal: prompts with completion and history, passwords, colours, Ctrl-C, progress bars."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pexpect
import pytest
import werkzeug

ENVIRONMENT = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLUMNS": "150", "LINES": "50"}


@pytest.fixture
def terminal(tmp_path, root):
    """Start a command line in a pseudo-terminal, with a home of its own."""
    started = []

    def start(*words, **environment):
        process = pexpect.spawn(
            sys.executable,
            ["-W", "ignore", "-m", "dynclient", *map(str, words)],
            encoding="utf-8",
            timeout=30,
            dimensions=(50, 150),
            cwd=str(root),
            env={**ENVIRONMENT, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), **environment},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.close(force=True)


def test_the_standard_prompt_has_the_client_completion_and_history(terminal, tmp_path):
    process = terminal("shell", "openapi/voice.yaml", "--plain", NO_COLOR="1")
    process.expect(r"Voice 2\.0\.0 is voice")
    process.expect(">>> ")
    process.send("voice.get_c\t")
    process.expect(r"all_state\(")
    process.sendline("'9')")
    process.expect("missing argument: call_id")
    process.expect(">>> ")
    process.sendline("voice.creat_call")
    process.expect("did you mean create_call")
    process.expect(">>> ")
    process.sendline("voice.operations")
    process.expect("update_call_bxml")
    process.expect(">>> ")
    process.sendintr()
    process.expect("KeyboardInterrupt")
    process.expect(">>> ")
    process.sendeof()
    process.expect(pexpect.EOF)
    process.wait()
    assert process.exitstatus == 0
    kept = next(tmp_path.rglob("history"))
    assert "voice.creat_call" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_ipython_is_preferred(terminal):
    process = terminal("shell", "openapi/voice.yaml")
    process.expect(r"Voice 2\.0\.0 is voice")
    process.expect(r"In \[")
    process.send("print(len(voice.operations) + 38)\r")
    process.expect("42")
    process.expect(r"In \[")
    process.send("exit\r")
    process.expect(pexpect.EOF)


def test_piped_input_is_run(root, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dynclient", "shell", "openapi/voice.yaml"],
        input="voice\nvoice.get_call_state.prepare('9', 'c').to_curl()\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)},
    )
    assert "<Client of Voice 2.0.0: 4 operations>" in done.stdout
    assert "curl -X GET" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [("raise ValueError('no')", 1, "ValueError: no"), ("1 +", 1, "SyntaxError"), ("raise SystemExit(7)", 7, "")],
)
def test_a_piped_script_ends_at_its_first_error(root, script, status, said):
    command = [sys.executable, "-m", "dynclient", "shell", "openapi/voice.yaml"]
    text = f"print('before')\n{script}\nprint('after')\n"
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=root)
    assert (done.returncode, done.stdout, said in done.stderr) == (status, "before\n", True)
    assert "code.py" not in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_piped_script_ends_at_a_signal(root, number, status):
    command = [sys.executable, "-m", "dynclient", "shell", "openapi/voice.yaml"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=root, **pipes) as process:
        process.stdin.write("print('begun', flush=True)\n")
        process.stdin.flush()
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.wait(30) == status


@pytest.mark.parametrize(("variable", "coloured"), [("ANY", True), ("NO_COLOR", False)])
def test_colours_in_terminals(terminal, variable, coloured):
    process = terminal("ls", "openapi/voice.yaml", **{variable: "1"})
    process.expect(pexpect.EOF)
    assert "create_call" in process.before
    assert ("\x1b[" in process.before) == coloured
    process = terminal("ls", "nowhere.yaml", **{variable: "1"})
    process.expect(pexpect.EOF)
    assert ("\x1b[31m" in process.before) == coloured


def test_a_call_in_a_terminal_asks_for_the_password_and_colours_json(terminal, voice_server):
    process = terminal(
        "call", "openapi/voice.yaml", "get-call-state", "99", "c-none", "--auth", "Basic=-",
        "--base-url", voice_server.url,
    )  # fmt: skip
    process.expect(r"Basic \(user:password\): ")
    process.sendline("me:hunter2")
    process.expect("NotFound|404|Not Found")
    process.expect(pexpect.EOF)
    process.wait()
    assert process.exitstatus == 4
    assert "hunter2" not in process.before
    assert voice_server.requests[-1].headers["authorization"] == "Basic bWU6aHVudGVyMg=="


def test_control_c_ends_a_call_with_130(terminal, httpserver):
    import threading

    arrived, release = threading.Event(), threading.Event()

    def wait(request):
        del request
        arrived.set()
        release.wait(30)
        from werkzeug import Response

        return Response("{}")

    httpserver.expect_request("/accounts/99/calls/c").respond_with_handler(wait)
    process = terminal(
        "call", "openapi/voice.yaml", "get-call-state", "99", "c", "--base-url", httpserver.url_for("/"),
        DYNCLIENT_VOICE_BASIC="user:password",
    )  # fmt: skip
    try:
        assert arrived.wait(30)
        process.sendintr()
        process.expect(pexpect.EOF)
    finally:
        release.set()
    process.wait()
    assert process.exitstatus == 130
    assert "Traceback" not in process.before


def completions(root, words, shell="bash"):
    """The completions of a command line."""
    line = ["dynclient", *words]
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv[0] = 'dynclient'; from dynclient.cli import main; main([])"],
        env={
            **os.environ,
            "_DYNCLIENT_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": " ".join(line),
            "COMP_CWORD": words[-1] if shell == "fish" else str(len(line) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sh",), {"shell", "show"}),
        (("call", "openapi/voice.yaml", "up"), {"update-call", "update-call-bxml"}),
        (("call", "openapi/voice.yaml", "update_"), {"update_call", "update_call_bxml"}),
        (("show", "openapi/voice.yaml", "get"), {"get-call-state"}),
        (("call", "openapi/voice.yaml", "create-call", "--machine"), {"--machine-detection"}),
        (("call", "openapi/voice.yaml", "update-call", "--state", "a"), {"active"}),
        (("call", "openapi/voice.yaml", "get-call-state", "9", "c", "-o", "j"), {"json"}),
        (("ls", "openapi/voice.yaml", "--tag", "C"), {"Calls"}),
        (("ls", "openapi/voice.yaml", "--tag=C"), {"--tag=Calls"}),
        (("call", "nowhere.yaml", "x"), set()),
    ],
)
def test_completion(root, words, expected):
    offered = filter(None, completions(root, words).splitlines())
    assert {line.partition(",")[2] for line in offered} == expected


# The line before the cursor, its last piece as bash splits it -> what replaces that piece.
BASH_PIECES = {
    ("ls d.json --tag a:", ""): "b",
    ("ls d.json --tag=a:", ""): "b",
    ("ls d.json --tag 't w", "t w"): "t w'o",
    ('ls d.json --tag "t', "t"): "t w'o",
    ("ls d.json --tag t", "t"): "'t w'\"'\"'o'",
    ("call file:d.json g", "g"): "go",
}


@pytest.mark.parametrize("line", BASH_PIECES, ids=lambda line: line[0])
def test_bash_replaces_the_last_piece_of_a_word(tmp_path, line):
    operation = {"operationId": "go", "tags": ["a:b", "t w'o"], "responses": {}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"get": operation}}}
    (tmp_path / "d.json").write_text(json.dumps(document))
    environment = {**os.environ, "_DYNCLIENT_COMPLETE": "bash_complete"}
    environment |= {"COMP_WORDS": f"dynclient {line[0]}", "COMP_WORD": line[1]}
    command = [sys.executable, "-c", "from dynclient.cli import main; main([])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    # Within single quotes, a value with such a quote is not proposed.
    assert done.stdout.strip() == ("" if "'" in line[0] else f"plain,{BASH_PIECES[line]}")


def test_completion_with_summaries_in_zsh_and_fish(root):
    words = ("call", "openapi/voice.yaml", "create")
    assert completions(root, words, "zsh").splitlines() == ["plain", "create-call", "Create Call"]
    assert completions(root, words, "fish").splitlines() == ["plain", "create-call", "Create Call"] or completions(
        root, words, "fish"
    ).splitlines() == ["plain,create-call\tCreate Call"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_are_printed(run, shell):
    status, out, err = run("completion", shell)
    assert (status, err) == (0, "")
    assert f"_DYNCLIENT_COMPLETE={shell}_complete" in out.replace(' = "', "=")


@pytest.fixture
def beside(tmp_path):
    """The environment of a shell that finds our program, and its script, in a file."""

    def beside(shell):
        script = tmp_path / "script"
        words = [sys.executable, "-m", "dynclient", "completion", shell]
        script.write_bytes(subprocess.run(words, capture_output=True, check=True).stdout)
        folder = os.path.dirname(sys.executable)  # noqa: PTH120  # its own text, symbolic links and all
        return script, {**ENVIRONMENT, "PATH": f"{folder}:{ENVIRONMENT['PATH']}", "HOME": str(tmp_path)}

    return beside


def test_zsh_completes_by_the_script(beside, root):
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not on PATH")
    script, environment = beside("zsh")
    process = pexpect.spawn("zsh", ["-f"], encoding="utf-8", timeout=30, cwd=str(root), env=environment)
    try:
        process.sendline(f"autoload -Uz compinit; compinit -u -D; source {script}; echo sour''ced")
        process.expect("sourced")
        process.send("dynclient call openapi/voice.yaml get\t")
        process.expect("get-call-state")
    finally:
        process.close(force=True)


def test_fish_completes_by_the_script(beside, root):
    if shutil.which("fish") is None:
        pytest.skip("fish is not on PATH")
    script, environment = beside("fish")
    lines = ("call openapi/voice.yaml get", "call openapi/voice.yaml update-call 1 2 --state comp", "val")
    asked = [f"complete -C 'dynclient {line}'" for line in lines]
    words = ["fish", "--no-config", "-c", "\n".join([f"source {script}", *asked])]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=root, env=environment)
    assert done.stdout.splitlines() == [
        "get-call-state\tGet Call State Information",
        "completed",
        "validate\tReport every fault of a document.",
    ]


def test_bash_completes_by_the_script(beside, root):
    script, environment = beside("bash")
    process = pexpect.spawn("bash", ["--norc", "-i"], encoding="utf-8", timeout=30, cwd=str(root), env=environment)
    try:
        process.sendline(f"source {script}; bind 'set show-all-if-ambiguous on'; echo sour''ced")
        process.expect("sourced")
        process.send("dynclient call openapi/voice.yaml get\t")
        process.expect(re.escape("get-call-state"))
    finally:
        process.close(force=True)


HOSTILE = "x$(touch ran);'`touch ran`"


@pytest.mark.parametrize(
    ("shell", "words", "function"),
    [
        ("bash", ["--norc", "-i"], 'dynclient() { printf "GOT%s" "<${@: -1}>"; }'),
        ("zsh", ["-f"], 'autoload -Uz compinit; compinit -u -D; dynclient() { printf "GOT%s" "<${@: -1}>"; }'),
        ("fish", ["--no-config"], 'function dynclient; printf "GOT%s" "<$argv[-1]>"; end'),
    ],
)
def test_a_value_of_the_document_is_completed_quoted(beside, tmp_path, shell, words, function):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on PATH")
    script, environment = beside(shell)
    parameter = {"name": "m", "in": "query", "schema": {"enum": [HOSTILE, "other\nplain,x", "back\\slash", "\x1b[2J"]}}
    operation = {"operationId": "go", "parameters": [parameter], "responses": {"200": {"description": "d"}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"get": operation}}}
    (tmp_path / "d.json").write_text(json.dumps(document))
    process = pexpect.spawn(shell, words, encoding="utf-8", timeout=30, cwd=str(tmp_path), env=environment)
    try:
        process.sendline(f"{function}; source {script}; echo sour''ced")
        process.expect("sourced")
        process.send("dynclient call d.json go --m x\t")
        process.expect(r"ran.*touch.{1,2}ran")
        process.send("\r")
        process.expect("GOT<(.*?)>")
    finally:
        process.close(force=True)
    assert process.match[1] == HOSTILE
    assert not (tmp_path / "ran").exists()


def test_large_bodies_have_a_progress_bar_in_both_directions(terminal, httpserver, tmp_path):
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    answers = {"200": {"description": "", "content": content}}
    operation = {"operationId": "turn", "requestBody": {"content": content}, "responses": answers}
    file, sent, received = (tmp_path / name for name in ("turn.json", "sent", "received"))
    file.write_text(
        json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"post": operation}}})
    )
    sent.write_bytes(b"x" * (2 << 20))
    httpserver.expect_request("/", method="POST").respond_with_handler(
        lambda request: werkzeug.Response(request.get_data(), content_type="application/octet-stream")
    )
    call = ("call", file, "turn", "--base-url", httpserver.url_for(""), "--body", f"@{sent}", "--output", received)
    process = terminal(*call)
    process.expect(pexpect.EOF)
    process.wait()
    assert process.exitstatus == 0, process.before
    assert "sent" in process.before
    assert "received" in process.before
    assert "2.1/2.1 MB" in process.before
    assert received.read_bytes() == sent.read_bytes()


POWERSHELL = {
    "plain": "plain",
    "a/b.c-d": "a/b.c-d",
    "x$(touch ran);'`": "'x$(touch ran);''`'",
    "it\u2019s": "'it\u2019\u2019s'",
    "@x": "'@x'",
    "a,b": "'a,b'",
    "-n\u2013": "'-n\u2013'",
}


@pytest.mark.parametrize("value", POWERSHELL)
def test_powershell_gets_values_in_single_quotes(tmp_path, value):
    parameter = {"name": "m", "in": "query", "schema": {"enum": [value, "line\nend"]}}
    operation = {"operationId": "go", "parameters": [parameter], "responses": {"200": {"description": "d"}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/": {"get": operation}}}
    (tmp_path / "d.json").write_text(json.dumps(document))
    environment = {**ENVIRONMENT, "_DYNCLIENT_COMPLETE": "powershell_complete"}
    environment |= {"COMP_WORDS": "dynclient\ncall\nd.json\ngo\n--m", "COMP_WORD": ""}
    command = [sys.executable, "-c", "from dynclient.cli import main; main([])"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    assert done.stdout.splitlines() == [f"{POWERSHELL[value]}\t{value}\t{value}"]


def test_long_output_goes_through_a_pager(terminal, tmp_path):
    paths = {f"/{n}": {"get": {"operationId": f"look{n}", "responses": {}}} for n in range(60)}
    info = {"title": "t", "version": "1"}
    (tmp_path / "d.json").write_text(json.dumps({"openapi": "3.1.0", "info": info, "paths": paths}))
    process = terminal("ls", tmp_path / "d.json", PAGER=f"{sys.executable} -c 'print(\"PAGED\", input()[:9])'")
    process.expect("PAGED .*name")
    process.expect(pexpect.EOF)
    process.wait()
    assert process.exitstatus == 0
    for environment in ({"PAGER": ""}, {"TERM": "dumb"}):
        process = terminal("ls", tmp_path / "d.json", **environment)
        process.expect("look59")
        process.expect(pexpect.EOF)
    if shutil.which("less"):
        process = terminal("ls", tmp_path / "d.json", PAGER="less")
        process.expect("look40")
        process.send("q")
        process.expect(pexpect.EOF)
        assert "look59" not in process.before
