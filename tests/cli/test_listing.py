"""`dynclient ls`: from the cache without the document, and in terminals of any width."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dynclient._document import cache

HEAVY = {"dynclient._client", "dynclient.model", "jsonschema", "msgspec", "pathlib", "platformdirs", "rich"}


@pytest.fixture
def document(tmp_path, monkeypatch):
    """A document that is cached although it was just written."""
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
def test_the_cached_list_is_that_of_the_document(run, document, monkeypatch, output):
    first = run("ls", document, "--tag", "Things", "-o", output)
    assert (first[0], first[1].count("get199"), first[2]) == (0, 1 if output != "json" else 2, "")
    with monkeypatch.context() as patched:
        patched.setattr("dynclient._load.load", lambda *_: pytest.fail("the document was loaded"))
        assert run("ls", document, "--tag", "Things", "-o", output) == first
        assert run("ls", document, "--tag", "Others", "-o", "names")[1] == ""
    write(document, 3)
    assert len(run("ls", document, "-o", "names")[1].splitlines()) == 3


def test_the_best_results_of_a_search_are_shown(run, document):
    _, shown, note = run("ls", document, "things")
    assert (len(shown.splitlines()), note) == (1 + 15, "the best 15 of 200 operations; --all shows all of them\n")
    assert [len(run("ls", document, "things", *more)[1].splitlines()) for more in (["--all"], ["-o", "names"])] == [
        201,
        200,
    ]
    assert run("ls", document, "get7") == run("ls", document, "get7", "--all")


def test_a_cached_list_imports_little(document, tmp_path):
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


def test_completing_an_operation_imports_little(document, tmp_path):
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


@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "/x/y"}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": " "}])
def test_the_cache_is_where_platformdirs_has_it(monkeypatch, variables):
    from platformdirs import user_cache_dir

    for name in ("XDG_CACHE_HOME", "DYNCLIENT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    words = [sys.executable, "-m", "dynclient", "cache"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr.startswith(user_cache_dir("dynclient", appauthor=False) + ": ")


def operation(name, summary="Do it", **more):
    return {"tags": ["T"], "operationId": name, "summary": summary, "responses": {}, **more}


LONG = "a_name_of_thirty_one_characters"
PATHS = {"/a": operation("short"), f"/{'p' * 50}": operation(LONG, "S" * 200, deprecated=True)}


@pytest.fixture
def ls(run, tmp_path, monkeypatch):
    """The lines of a list: in a terminal of some width, or in a pipe."""

    def ls(paths, width=None, **environment):
        file = tmp_path / "listed.json"
        items = {path: {"get": get} for path, get in paths.items()}
        file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": items}))
        for name, value in {"TERM": "xterm", "COLUMNS": str(width), **environment}.items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as patched:
            patched.setattr(sys.stdout, "isatty", lambda: width is not None)
            return run("ls", file)[1].splitlines()

    return ls


def test_a_pipe_gets_everything(ls):
    lines = ls(PATHS)
    assert lines[1] == "T"
    assert lines[2].split() == ["short", "GET", "/a", "Do", "it"]
    assert lines[3].split() == [LONG, "GET", f"/{'p' * 50}", "[deprecated]", "S" * 200]
    assert lines[0].index("path") == lines[2].index("/a") == lines[3].index("/ppp")


def test_summaries_are_cut_to_the_terminal(ls):
    lines = ls(PATHS, width=120, NO_COLOR="1")
    assert len(lines) == 4
    assert len(lines[3]) == 120
    assert lines[3].endswith("SS…")


@pytest.mark.parametrize("width", [40, 80])
def test_in_a_narrow_terminal_an_operation_takes_two_lines(ls, width):
    lines = ls(PATHS, width=width)
    assert lines[1:3] == ["  short  Do it", "    \x1b[32mGET\x1b[0m /a"]
    assert lines[3].startswith(f"  \x1b[9m{LONG}\x1b[0m")
    assert lines[4] == f"    \x1b[32mGET\x1b[0m /{'p' * 50}"
    assert len(lines) == 5


def test_wide_characters_take_two_columns(ls):
    paths = {"/日本": operation("a"), "/abcd": operation("b"), "/c": operation("c", "語" * 50)}
    lines = ls(paths, width=60, NO_COLOR="1")
    assert lines[2].index("Do") + 2 == lines[3].index("Do")
    assert len(lines[4]) + lines[4].count("語") in {59, 60}


def test_a_summary_stays_on_its_line(ls):
    (line,) = ls({"/a": operation("a", "one\n two\x1b[31m")})[2:]
    assert line.endswith("one two\\x1b[31m")
