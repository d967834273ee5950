"""The commands, run in this process, or in another one where the process itself is tested."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
import urllib3
import yaml

import dynclient
from dynclient import testing
from dynclient.cli.document_commands import find_faults
from dynclient.testing import DEMO

THINGS = str(Path(__file__).parents[1] / "cases" / "things.yaml")


def process(*words):
    """Run a Python process to its end."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def server():
    with testing.serve(THINGS, stateful=True) as server:
        yield server


def test_version(run):
    assert run("--version") == (0, f"dynclient {dynclient.__version__}\n", "")


def test_a_module_and_its_package_are_the_command():
    assert [process("-m", name, "--version").stdout for name in ("dynclient", "dynclient.cli")] == [
        f"dynclient {dynclient.__version__}\n"
    ] * 2


def test_help_is_a_line_for_each_command(run):
    status, out, _ = run("--help")
    assert status == 0
    head, _, commands = out.partition("Commands:\n")
    assert len(head.splitlines()) <= 10
    assert all(re.match(r"  \w+ +\S", line) for line in commands.splitlines())
    assert {"call", "ls", "mock", "show"} <= set(re.findall(r"^  (\w+) ", out, re.MULTILINE))


@pytest.mark.parametrize(
    "arguments",
    [("nothing",), ("--nothing",), ("ls",), ("mock", THINGS, "--port", "many"), ("ls", THINGS, "-o", "xml")],
)
def test_wrong_usage_is_2(run, arguments):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    first, second = err.splitlines()
    assert first.startswith("dynclient: ")
    assert second.startswith("Hint: dynclient ")


def test_what_can_be_read_of_a_broken_operation_is_shown_before_its_fault(run):
    status, out, err = run("show", THINGS, "broken")
    assert (status, "GET /broken" in out, "NotThere" in err) == (1, True, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ls", "not-there.yaml"), "not-there.yaml"),
        (("show", THINGS, "getThings"), "did you mean"),
        (("call", THINGS, "getThings"), "did you mean"),
    ],
)
def test_an_error_is_a_few_lines_and_1(run, arguments, words):
    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert words in err
    assert len(err.splitlines()) <= 4
    assert "Traceback" not in err


def test_debug_shows_the_traceback():
    done = process("-m", "dynclient", "--debug", "ls", "not-there.yaml")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_ls(run):
    status, out, _ = run("ls", THINGS)
    assert status == 0
    assert re.search(r"^list_things +GET +/things$", out, re.MULTILINE)
    for words in (("guarded", "query"), ("guardedQuery",), ("guarded-query",)):
        assert run("ls", THINGS, *words, "-o", "names")[1].startswith("guarded_query\n"), words
    assert json.loads(run("ls", THINGS, "makeThing", "-o", "json")[1])[0]["path"] == "/things"


def test_show(run):
    status, out, _ = run("show", THINGS, "getThing")
    assert status == 0
    assert out.startswith("get_thing(thing_id")
    assert "/things/{thingId}" in out


def test_call_creates_and_reads(run, server):
    url = ("--base-url", server.url)
    status, out, _ = run("call", THINGS, "makeThing", "--name", "Mine", "--size", "7", *url)
    thing = json.loads(out)
    assert (status, thing["name"], thing["size"]) == (0, "Mine", 7)
    assert json.loads(run("call", THINGS, "getThing", thing["id"], *url)[1]) == thing


def test_call_takes_lists_objects_and_whole_bodies(run, server, tmp_path):
    url = ("--base-url", server.url)
    assert (
        run("call", THINGS, "listThings", "--tag", "a", "--tag", "b", "--parameter-filter", '{"size": 3}', *url)[0] == 0
    )
    assert server.requests[-1].url.endswith("/things?tag=a&tag=b&filter%5Bsize%5D=3")
    body = tmp_path / "body.json"
    body.write_text('{"name": "from a file"}')
    assert json.loads(run("call", THINGS, "makeThing", "--body", f"@{body}", *url)[1])["name"] == "from a file"
    xml = ("--content-type", "application/xml", "--body", '{"name": "as XML"}')
    assert json.loads(run("call", THINGS, "makeThing", *xml, *url)[1])["name"] == "as XML"
    assert server.requests[-1].headers["content-type"].startswith("application/xml")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("getThing", "not-there"), 4),
        (("makeThing", "--name", "x"), 1),
        (("makeThing", "--nothing", "x"), 2),
        (("makeThing", "--name", "ab", "--body", "{}"), 2),
        (("getThing",), 2),
        (("guardedHeader",), 1),
        (("getChoices",), 0),
    ],
)
def test_exit_status(run, server, arguments, status):
    assert run("call", THINGS, *arguments, "--base-url", server.url)[0] == status


def test_an_unreachable_server_is_1(run):
    status, _, err = run("call", THINGS, "getChoices", "--base-url", "http://127.0.0.1:9")
    assert status == 1
    assert "Traceback" not in err


def test_a_credential_comes_from_the_environment(run, server, monkeypatch):
    monkeypatch.setenv("DYNCLIENT_THINGS_BASIC", "user:pass:word")
    assert run("call", THINGS, "guardedBasic", "--base-url", server.url)[0] == 0
    assert server.requests[-1].headers["authorization"] == "Basic dXNlcjpwYXNzOndvcmQ="
    assert "DYNCLIENT_THINGS_BASIC" in run("call", THINGS, "guardedBasic", "--help")[1]


def test_include_and_curl(run, server):
    out = run("call", THINGS, "getChoices", "--include", "--base-url", server.url)[1]
    assert out.startswith("HTTP/1.1 200 OK\n")
    before = len(server.requests)
    out = run("call", THINGS, "makeThing", "--name", "ab", "--curl", "--base-url", server.url)[1]
    assert out.startswith("curl -X POST ")
    assert len(server.requests) == before


def test_each_operation_has_its_own_help(run):
    status, out, _ = run("call", THINGS, "listThings", "--help")
    assert status == 0
    assert {"--limit", "--tag", "--x-trace", "--base-url"} <= set(re.findall(r"--[a-z-]+", out))


def test_plugins_add_commands_by_entry_point(run, monkeypatch, tmp_path):
    @click.command()
    def hello():
        """Say hello."""
        click.echo("hello")

    monkeypatch.setattr(sys.modules[__name__], "hello", hello, raising=False)
    monkeypatch.setitem(sys.modules, "others_commands", sys.modules[__name__])
    (tmp_path / "raises_at_import.py").write_text("raise ValueError('what it says')")
    monkeypatch.syspath_prepend(tmp_path)
    installed = tmp_path / "others-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    lines = ["hello = others_commands:hello", "broken = not_there:command", "raises = raises_at_import:command"]
    lines.append("ls = others_commands:hello")
    (installed / "entry_points.txt").write_text("\n".join(["[dynclient.commands]", *lines]))
    assert run("hello") == (0, "hello\n", "")
    assert "hello" in run("--help")[1]
    assert "what it says" in run("raises")[2]
    status, _, err = run("broken", "--any", "thing")
    assert status == 1
    assert "not_there" in err
    assert run("ls", THINGS, "guardedQuery", "-o", "names")[1].startswith("guarded_query\n")


def test_the_tools_commands_are_listed(run):
    assert {"docs", "stubs"} <= set(re.findall(r"^  (\w+) ", run("--help")[1], re.MULTILINE))


def test_help_after_the_document_is_that_of_the_command(run):
    assert run("call", THINGS, "--help") == run("call", "--help", THINGS)
    assert run("call", THINGS, "-h")[1].startswith("Usage: dynclient call [OPTIONS] DOCUMENT OPERATION")


def test_help_says_why_an_option_has_a_longer_name(run):
    text = " ".join(run("call", THINGS, "listThings", "--help")[1].split())
    assert "--parameter-filter" in text
    assert "(--filter is dynclient's own.)" in text


def test_without_click_a_line_names_the_extra():
    code = "import sys; sys.modules['click'] = None; from dynclient.cli import main; sys.exit(main(['--version']))"
    done = process("-c", code)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dynclient's commands need click: pip install 'dynclient[cli]'\n"


def test_without_werkzeug_a_line_names_the_extra():
    code = (
        "import sys; sys.modules['werkzeug'] = None; sys.modules['werkzeug.serving'] = None;"
        f"from dynclient.cli import main; sys.exit(main(['mock', {THINGS!r}]))"
    )
    done = process("-c", code)
    assert done.returncode == 1
    assert "pip install 'dynclient[testing]'" in done.stderr


def test_mock_serves_until_it_is_interrupted():
    command = [sys.executable, "-m", "dynclient", "mock", THINGS, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            announced, broken = process.stderr.readline(), process.stderr.readline()
            url = re.search(r"http://\S+", announced)[0]
            with urllib3.PoolManager() as http:
                assert http.request("GET", f"{url}/choices?a=b").json() == {"n": 1}
            line = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=30)
        finally:
            process.kill()
    assert re.match(r"Things 1: \d+ operations at http://127.0.0.1:\d+ ", announced)
    assert broken.startswith("broken returns 500, since the document is broken there: $ref")
    assert line == "GET /choices?a=b 200  getChoices\n"
    assert (process.returncode, rest.strip()) == (130, "")


IN_A_CALLBACK = """
import signal, sys, threading, weakref
from dynclient.cli.commands import terminable
class Thing: pass
try:
    with terminable():
        thing = Thing()
        seen = weakref.ref(thing, lambda _: signal.raise_signal(int(sys.argv[1])))
        del thing
        threading.Event().wait(30)
except KeyboardInterrupt as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, "KeyboardInterrupt"), (signal.SIGTERM, "Terminated")])
def test_an_interrupt_that_comes_where_python_ignores_errors_comes_again(number, raised):
    command = [sys.executable, "-c", IN_A_CALLBACK, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (f"{raised}\n", "")


@contextlib.contextmanager
def running(*arguments):
    """A command that serves, its URL, and what it writes once it is interrupted."""
    command = [sys.executable, "-m", "dynclient", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        done = []
        try:
            yield re.search(r"http://\S+?(?=[ ,])", process.stderr.readline())[0], done
            process.send_signal(signal.SIGINT)
            done[:] = process.communicate(timeout=30)
        finally:
            process.kill()
        done.append(process.returncode)


def test_mock_writes_lines_of_json_with_bodies():
    arguments = ("mock", THINGS, "-o", "json", "--verbose", "--no-auth", "--no-validate", "--dynamic", "--cors")
    more = ("--stateful", "--seed", "3", "--delay", "1")
    headers = {"Content-Type": "application/json", "Origin": "https://page.example"}
    with running(*arguments, *more) as (url, done), urllib3.PoolManager() as http:
        made = http.request("POST", f"{url}/things", body=b'{"name":"x"}', headers=headers)
        assert (made.status, made.headers["access-control-allow-origin"]) == (201, headers["Origin"])
        assert http.request("GET", f"{url}/guarded/basic").status == 204
        assert http.request("GET", f"{url}/things/not-there").status == 404
    lines = [json.loads(line) for line in done[0].splitlines()]
    assert [(line["operation"], line["status"]) for line in lines] == [
        ("makeThing", 201),
        ("guardedBasic", 204),
        ("getThing", 404),
    ]
    assert lines[0]["request_body"] == '{"name":"x"}'


@pytest.mark.parametrize(("credentials", "path"), [("u:p:q", "basic"), ("t", "bearer")])
def test_mock_accepts_only_the_given_credentials(credentials, path):
    basic = {name: urllib3.make_headers(basic_auth=name) for name in ("u:p:q", "u:q")}
    right, wrong = basic.values() if path == "basic" else ({"authorization": f"Bearer {word}"} for word in "tu")
    with running("mock", THINGS, "--credentials", credentials) as (url, _), urllib3.PoolManager() as http:
        statuses = [http.request("GET", f"{url}/guarded/{path}", headers=shown).status for shown in (right, wrong)]
    assert statuses == [204, 401]


def test_proxy_reports_and_fails_when_it_is_interrupted(server, tmp_path):
    report = tmp_path / "report.json"
    arguments = ("proxy", THINGS, server.url, "--fail", "--report", "json", "--report-file", str(report))
    with running(*arguments) as (url, done), urllib3.PoolManager() as http:
        assert http.request("GET", f"{url}/choices").json() == {"n": 1}
        assert http.request("GET", f"{url}/things?limit=x").status == 400
    assert done[2] == 1
    assert "request of listThings: query.limit" in done[1]
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data["totals"]["operations"]["used"] == 1
    assert [one["operation"] for one in data["differences"]] == ["listThings"]


def test_a_port_that_is_taken_is_an_error_of_one_line(server):
    port = server.url.rpartition(":")[2]
    done = process("-m", "dynclient", "mock", THINGS, "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_costs_little_more_than_click_does():
    def seconds(*words):
        started = time.perf_counter()
        process(*words)
        return time.perf_counter() - started

    pairs = [(seconds("-m", "dynclient", "--version"), seconds("-c", "import click")) for _ in range(5)]
    assert min(ours / theirs for ours, theirs in pairs) <= 2


HEAVY = ("rich", "yaml", "urllib3", "jsonschema", "jinja2", "dynclient._client")


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["--version"], ("importlib.metadata", "dynclient.exceptions")),
        (["--help"], ("dynclient.exceptions", "dynclient_tools")),
        (["ls", "demo"], ("dynclient.examples", "dynclient._schemas")),
        (["show", "demo"], ("dynclient.examples", "dynclient._validation")),
    ],
)
def test_commands_load_only_what_they_need(words, more):
    process("-m", "dynclient", *words)  # the document is in the cache from now on
    code = (
        "import sys\nfrom dynclient.cli import main\n"
        f"assert main({words!r}) == 0\nprint(sorted({ {*HEAVY, *more}!r} & set(sys.modules)))"
    )
    assert process("-c", code).stdout.splitlines()[-1] == "[]"


def test_every_command_accepts_short_names(run, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(f"[tool.dynclient]\nthings = {THINGS!r}\n")
    monkeypatch.chdir(tmp_path)
    assert run("diff", "things", "things")[0] == 0
    assert run("show", "things", "get-thing")[0] == 0
    assert run("validate", "things")[0] == 1
    assert run("compile", "things", "-o", tmp_path / "things.dync")[0] == 0
    assert run("mock", "thing", "--port", "0")[2].endswith("Hint: did you mean things?\n")


def test_ls_and_show_as_data(run, voice_path):
    import yaml

    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        status, out, err = run("ls", voice_path, "-o", output)
        assert (status, err) == (0, "")
        assert [row["name"] for row in read(out)] == [
            "create_call",
            "get_call_state",
            "update_call",
            "update_call_bxml",
        ]
        status, out, err = run("show", voice_path, "create-call", "-o", output)
        assert (status, err) == (0, "")
        shown = read(out)
        assert (shown["method"], shown["path"]) == ("POST", "/accounts/{accountId}/calls")


def test_an_unknown_command_gets_a_suggestion(run):
    assert run("cal", THINGS)[2].splitlines()[0] == "dynclient: No such command 'cal'. Did you mean 'call'?"


def test_an_empty_list_says_so(run):
    status, out, err = run("ls", THINGS, "zebra", "-o", "names")
    assert (status, out, err) == (0, "", "no operation has zebra\n")


@pytest.mark.parametrize(
    "settings",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}],
    ids=lambda settings: next(iter(settings.values())),
)
def test_every_character_can_be_written(tmp_path, settings):
    summary = "Ärger → ☃"
    paths = {"/a": {"get": {"operationId": "a", "summary": summary, "responses": {}}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    file = tmp_path / "letters.json"
    file.write_text(json.dumps(document))
    environment = {**os.environ, **settings, "PYTHONUTF8": "0"}

    def written(*words):
        line = [sys.executable, "-m", "dynclient", *words]
        return subprocess.run(line, capture_output=True, check=True, env=environment).stdout

    assert b"rger \\u2192 \\u2603" in written("ls", file)
    assert json.loads(written("ls", file, "-o", "json"))[0]["summary"] == summary
    assert yaml.safe_load(written("ls", file, "-o", "yaml"))[0]["summary"] == summary
    assert b"rger \\u2192" in written("show", file, "a")


def test_the_demo_runs_anywhere(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "dynclient", "demo"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for text in (">>> todo.operations\n", "'done': True", "ArgumentError: listTodos", "NotFound: getTodo"):
        assert text in done.stdout
    assert find_faults(dynclient.load(DEMO).api) == []


def test_the_word_demo_is_the_document_that_is_shipped_unless_it_has_another_meaning(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "create_todo" in run("ls", "demo")[1]
    (tmp_path / "demo").write_bytes(Path(THINGS).read_bytes())
    assert "create_todo" not in run("ls", "demo")[1]


def test_show_describes_a_document_and_a_schema(run, voice_path):
    status, out, _ = run("show", voice_path)
    assert status == 0
    for line in ("Voice 2.0.0", "Servers:", "https://voice.bandwidth.com/api/v2", "Security schemes:", "4 operations"):
        assert line in out
    data = json.loads(run("show", voice_path, "-o", "json")[1])
    assert (data["operations"], data["tags"], list(data["securitySchemes"])) == (4, {"Calls": 4}, ["Basic"])
    for name in ("CallState", "callstate"):
        assert "callId" in run("show", voice_path, name)[1]
    assert "did you mean" in run("show", voice_path, "create_cal")[2]


@pytest.mark.parametrize("name", ["create-call", "get-call-state", "update-call", "update-call-bxml"])
def test_the_example_of_show_can_be_pasted(run, voice_path, monkeypatch, name):
    import shlex

    monkeypatch.setenv("DYNCLIENT_VOICE_BASIC", "user:password")
    example = run("show", voice_path, name)[1].rpartition("Example:\n")[2]
    words = shlex.split(example)
    assert words[:4] == ["dynclient", "call", str(voice_path), name]
    assert run(*words[1:], "--dry-run")[0] == 0


def test_operations_with_all_words_in_their_names_come_first(run, tmp_path):
    names = ["create-review-comment", "other", "create-review", "list-reviews"]
    paths = {
        f"/{name}": {"post": {"operationId": name, "summary": "Create a review", "tags": ["create", "review"]}}
        for name in names
    }
    for path in paths.values():
        path["post"]["responses"] = {}
    file = tmp_path / "d.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    found = run("ls", file, "create", "review", "-o", "names")[1].split()
    assert found == ["create_review", "create_review_comment", "list_reviews", "other"]


def test_a_stateful_mock_says_at_start_what_it_keeps(tmp_path):
    thing = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    content = {"application/json": {"schema": thing}}
    paths = {}
    for number, schema in enumerate([content, *[{"text/plain": {}}] * 7]):
        created = {"201": {"description": "", "content": schema}}
        paths[f"/c{number}"] = {"post": {"responses": created}}
        paths[f"/c{number}/{{id}}"] = {"get": {"responses": {"200": {"description": "", "content": schema}}}}
    document = tmp_path / "kept.json"
    document.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "K", "version": "1"}, "paths": paths}))
    command = [sys.executable, "-m", "dynclient", "mock", str(document), "--stateful", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stderr.readline(), process.stderr.readline()]
        process.kill()
    assert lines[1] == "stateful: 1 of 8 collections; not: /c1, /c2, /c3, /c4, /c5 and 2 more\n"


def test_mock_and_proxy_answer_for_allowed_hosts_alone():
    with running("mock", THINGS, "--allow-host", "mock.test") as (url, _), urllib3.PoolManager() as http:
        hosts = ("mock.test", "MOCK.test:80", "other.test")
        assert [http.request("GET", f"{url}/ok", headers={"Host": host}).status for host in hosts] == [404, 404, 421]


def test_a_proxy_answers_from_the_document_where_its_server_does_not(server):
    with running("proxy", THINGS, "http://127.0.0.1:9", "--mock-missing") as (url, done), urllib3.PoolManager() as http:
        assert http.request("GET", f"{url}/choices?a=b").json() == {"n": 1}
    assert "GET /choices?a=b 200" in done[1]
    with running("proxy", THINGS, "http://127.0.0.1:9") as (url, _), urllib3.PoolManager() as http:
        assert http.request("GET", f"{url}/choices?a=b").status == 502


def test_a_mock_sends_callbacks_to_named_origins_alone(tmp_path):
    called = {"{$request.query.hook}": {"post": {"responses": {"200": {"description": ""}}}}}
    hook = {"name": "hook", "in": "query", "schema": {"type": "string"}}
    get = {"parameters": [hook], "callbacks": {"done": called}, "responses": {"204": {"description": ""}}}
    document = {"openapi": "3.1.0", "info": {"title": "K", "version": "1"}, "paths": {"/a": {"get": get}}}
    (tmp_path / "a.json").write_text(json.dumps(document))
    with running("mock", str(tmp_path / "a.json"), "--callbacks") as (url, done), urllib3.PoolManager() as http:
        assert http.request("GET", f"{url}/a?hook=http://192.0.2.1/").status == 204
    assert "dynclient: warning: the callback done of GET /a is not sent: http://192.0.2.1 is neither on" in done[1]
    assert "--callback-origin" in done[1]
