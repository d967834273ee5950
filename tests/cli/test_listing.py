"""How operations are listed: from the cache without the document, and in a terminal of any width."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dynclient import _tables
from dynclient._document import cache
from dynclient._rows import OperationRow
from dynclient.cli import application

HEAVY = {"dynclient._client", "dynclient.model", "jsonschema", "msgspec", "pathlib", "platformdirs", "rich"}


@pytest.fixture
def document(tmp_path, monkeypatch):
    """A document that the cache keeps, and that has not just been written."""
    monkeypatch.setenv("DYNCLIENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))
    file = tmp_path / "things.json"
    write(file, 200)
    return file


def write(file, count):
    get = {"tags": ["Things"], "summary": "Get it", "description": "x" * 200, "responses": {}}
    paths = {f"/things/{number}": {"get": {**get, "operationId": f"get{number}"}} for number in range(count)}
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))


@pytest.mark.parametrize("output", ["table", "json", "names"])
def test_the_list_from_the_cache_is_that_of_the_document(run, document, monkeypatch, output):
    first = run("ls", document, "--tag", "Things", "-o", output)
    assert (first[0], first[1].count("get199"), first[2]) == (0, 1 if output != "json" else 2, "")
    with monkeypatch.context() as patched:
        patched.setattr("dynclient._load.load", lambda *_: pytest.fail("the document was loaded"))
        assert run("ls", document, "--tag", "Things", "-o", output) == first
        assert run("ls", document, "--tag", "Others", "-o", "names")[1] == ""
    write(document, 3)
    assert len(run("ls", document, "-o", "names")[1].splitlines()) == 3


def test_a_list_from_the_cache_needs_little(document, tmp_path):
    code = (
        "import sys; from dynclient._document import cache; cache._YOUNG = -10**12; from dynclient.cli import main\n"
        "main(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"
    )
    for heavy in (True, False):
        words = [sys.executable, "-c", code, "ls", str(document)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert ("dynclient.model" in done.stderr.split()) is heavy
    assert HEAVY & set(done.stderr.split()) == set()
    assert len(done.stdout.splitlines()) == 202


def test_completing_an_operation_needs_little(document, tmp_path):
    code = (
        "import sys, atexit; from dynclient._document import cache; cache._YOUNG = -10**12\n"
        "atexit.register(lambda: sys.stderr.write(' '.join(sys.modules))); from dynclient.cli import main; main()"
    )
    typed = {"COMP_WORDS": f"dynclient call {document} get19", "COMP_CWORD": "3"}
    environment = {**os.environ, "_DYNCLIENT_COMPLETE": "bash_complete", **typed}
    words = [sys.executable, "-c", code]
    for _ in range(2):
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.stdout.split() == [f"plain,get{number}" for number in (19, *range(190, 200))]
    assert HEAVY & set(done.stderr.split()) == set()


def test_what_is_said_of_each_command_is_what_it_says_of_itself():
    context = application.application.make_context("dynclient", ["ls"])
    told = {name: application.application.get_command(context, name) for name in application.COMMANDS}
    assert {name: command.short_help for name, command in told.items()} == {
        name: said for name, (_, said) in application.COMMANDS.items()
    }


@pytest.mark.parametrize("told", [{}, {"XDG_CACHE_HOME": "/x/y"}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": " "}])
def test_the_cache_is_where_platformdirs_has_it(monkeypatch, told):
    from platformdirs import user_cache_dir

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert cache._users.__wrapped__() == user_cache_dir("dynclient", appauthor=False)


def row(name, path="/a", summary="Do it", **more):
    listed = OperationRow(f"GET {path}", "GET", path, name, name, (), summary, ("T",), False, "", "")._replace(**more)
    return _tables.row_of(listed)


ROWS = [row("short"), row("a_name_of_thirty_one_characters", f"/{'p' * 50}", "S" * 200, deprecated=True)]


def test_a_pipe_gets_everything():
    lines = _tables.as_text(ROWS).splitlines()
    assert lines[1] == "T"
    assert lines[2].split() == ["short", "GET", "/a", "Do", "it"]
    assert lines[3].split() == [ROWS[1].name, "GET", ROWS[1].path, "[deprecated]", "S" * 200]
    assert lines[0].index("path") == lines[2].index("/a") == lines[3].index("/ppp")


def test_a_terminal_gets_as_much_of_a_summary_as_it_has_room_for():
    lines = _tables.as_text(ROWS, width=120).splitlines()
    assert len(lines) == 4
    assert len(lines[3]) == 120
    assert lines[3].endswith("SS…")


@pytest.mark.parametrize("width", [40, 80])
def test_in_a_narrow_terminal_an_operation_takes_two_lines(width):
    lines = _tables.as_text(ROWS, width=width, coloured=True).splitlines()
    assert lines[1:3] == ["  short  Do it", "    \x1b[32mGET\x1b[0m /a"]
    assert lines[3].startswith("  \x1b[9ma_name_of_thirty_one_characters\x1b[0m")
    assert lines[4] == f"    \x1b[32mGET\x1b[0m /{'p' * 50}"
    assert len(lines) == 5


def test_letters_that_take_two_columns_are_counted_so():
    lines = _tables.as_text([row("a", "/日本"), row("b", "/abcd"), row("c", summary="語" * 50)], width=60).splitlines()
    assert lines[2].index("Do") + 2 == lines[3].index("Do")
    assert _tables._width(lines[4]) in {59, 60}


def test_a_summary_can_not_break_out_of_its_line():
    (line,) = _tables.as_text([row("a", summary="one\n two\x1b[31m")]).splitlines()[2:]
    assert line.endswith("one two\\x1b[31m")
