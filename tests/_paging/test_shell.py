"""``call --all``, the hint without it, and the output of ``show`` and ``--help`` for a list."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from dynclient import cli

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120  # tests are no package
from conftest import ITEMS, document


@pytest.fixture
def path(server, tmp_path, monkeypatch):
    """The document as a file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    server.seen.clear()
    file = tmp_path / "lists.json"
    file.write_text(json.dumps(document(server.url), indent=1))
    return str(file)


@pytest.fixture
def call(path, capsys):
    def call(*words):
        status = cli.main(["call", path, *words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def told(err):
    return re.search(r"--resume (\S+)", err)[1]


def test_all_items_are_written_a_line_each(call, server):
    status, out, err = call("ways-page", "--all", "--page-size", "max")
    assert (status, lines(out), err) == (0, ITEMS, "")
    assert server.seen[0][1] == "/ways/page?per_page=20"


@pytest.mark.parametrize("words", [["--collect"], ["-o", "json"], ["--filter", "body"]])
def test_all_items_are_collected(call, words):
    assert json.loads(call("ways-named", "--all", *words)[1]) == ITEMS


def test_all_items_go_to_a_file(call, tmp_path):
    assert call("ways-named", "--all", "--output", str(tmp_path / "all.json"))[0] == 0
    assert json.loads((tmp_path / "all.json").read_text()) == ITEMS


@pytest.mark.parametrize(("words", "count"), [(["--max-pages", "2"], 20), (["--max-items", "13"], 13)])
def test_a_limit_tells_how_to_go_on(call, words, count):
    status, out, err = call("ways-named", "--all", *words)
    assert (status, lines(out)) == (0, ITEMS[:count])
    assert "there are more" in err
    assert lines(call("ways-named", "--all", "--resume", told(err))[1]) == ITEMS[count:]


def test_25_pages_are_read_unless_told_otherwise(call):
    status, out, err = call("lies-endless", "--all")
    assert (status, len(lines(out))) == (0, 25)
    assert "25 pages were read" in err


@pytest.mark.parametrize("words", [[], ["--collect"]])
def test_an_error_loses_nothing_and_tells_how_to_go_on(call, words):
    status, out, err = call("lies-conflict", "--all", "--retries", "0", *words)
    assert status == 4
    assert '"id": 0' in out
    assert '"id": 1' in out
    assert "409 Conflict" in err
    assert "at page 3" in err
    assert call("lies-conflict", "--all", "--resume", told(err))[0] == 4


def test_a_rule_is_given_on_the_command_line(call):
    words = ("lies-number", "--all", "--next", "query cursor <- $.next_cursor", "--items", "$.data")
    assert len(lines(call(*words)[1])) == 6
    status, _, err = call("lies-number", "--all", "--next", "somehow")
    assert status == 1
    assert "next can't be read" in err


MORE = {"ways-named": True, "ways-link": True, "ways-last-id": True, "ways-page": False, "lies-no-list": False}


@pytest.mark.parametrize("name", MORE)
def test_one_hint_tells_that_there_is_more(call, name):
    status, _, err = call(name)
    assert status == 0
    assert ("--all" in err) is MORE[name]


def test_a_dry_run_shows_the_first_page(call, server):
    assert "/ways/page?per_page=7" in call("ways-page", "--all", "--page-size", "7", "--dry-run")[1]
    assert server.seen == []


def test_show_and_help_tell_how_a_list_goes_on(path, call, capsys):
    cli.main(["show", path, "ways-named"])
    shown = capsys.readouterr().out
    assert "query page_token <- $.next_page_token (certain), items $.issues" in shown
    assert "lists.json, line " in shown
    assert "--max-pages" in call("ways-named", "--help")[1]


def test_an_option_of_the_operation_keeps_its_name(call, server, tmp_path):
    described = document(server.url)
    parameter = {"name": "items", "in": "query", "schema": {"type": "string"}}
    described["paths"]["/ways/named"]["get"]["parameters"].append(parameter)
    (tmp_path / "lists.json").write_text(json.dumps(described))
    assert call("ways-named", "--all", "--items", "own", "--list-items", "$.issues")[0] == 0
    assert server.seen[0][1] == "/ways/named?items=own"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_tells_how_to_go_on(path):
    words = [sys.executable, "-m", "dynclient", "call", path, "lies-endless", "--all", "--max-pages", "1000000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    read = [item["id"] for item in lines("".join(first) + rest)]
    assert read == list(range(len(read)))
    again = subprocess.run(
        [*words[:6], "--all", "--max-items", "1", "--resume", told(err)], capture_output=True, text=True, check=True
    )
    assert lines(again.stdout)[0]["id"] in {len(read), len(read) - 1}
