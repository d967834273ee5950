"""The examples of README and of the manual run, page by page, from top to bottom.

``python`` blocks are executed, ``pycon`` blocks are executed and their output compared. In ``console`` blocks each line
that begins with ``$`` is given to bash, and what it prints is compared; ``$URL`` is a mock of ``openapi/voice.yaml``.
In ``sh`` and ``bash`` blocks, which need another document or would not end, each command must have its options.
``py`` blocks, which need other libraries, are compiled.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dynclient.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(python|pycon|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
OF_SOME_CALLS = {"--all", "--wait", "--until", "--failed"}  # of lists, and of what can be waited for
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path) -> list[tuple[str, int, str]]:
    """Kind, line number and source of each example."""
    text = page.read_text(encoding="utf-8")
    return [(found[1], text.count("\n", 0, found.start(2)) + 1, found[2]) for found in BLOCK.finditer(text)]


def run_block(kind: str, line: int, source: str, page: Path, names: dict) -> None:
    if kind == "python":
        exec(compile("\n" * (line - 1) + source, str(page), "exec"), names)
        return
    if kind == "console":
        for command, expected in commands(source):
            got = in_shell(command)
            assert doctest.OutputChecker().check_output(expected, got, FLAGS), f"{page.name}: $ {command}\n{got}"
        return
    test = doctest.DocTestParser().get_doctest(source, names, page.name, str(page), line - 1)
    test.globs = names  # the parser copies; the page's blocks share their names
    said: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
    assert results.failed == 0, "".join(said)


def commands(source: str) -> list[tuple[str, str]]:
    """The commands of a session, lines that go on joined, each with what it prints."""
    found = []
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        head = re.match(r"(?:.*\\\n)*.*\n", part)[0]
        found.append((head.rstrip("\n"), part[len(head) :]))
    return found


def in_shell(command: str) -> str:
    """Run a command as a reader would, without a terminal; what it prints, errors too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DYNCLIENT_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=False,
        env={**kept, "PATH": path},
    )
    return done.stdout


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The mock that pages of the shell talk to."""
    from dynclient.testing import serve

    with serve(ROOT / "openapi" / "voice.yaml") as server:
        monkeypatch.setenv("URL", server.url)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield


# test_vendors.py runs that page, beside mocks of the vendors' documents.
@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page) and page.name != "vendors.md"], ids=lambda page: page.name
)
def test_the_examples_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    names: dict = {"__name__": "__example__"}
    try:
        for kind, line, source in blocks(page):
            run_block(kind, line, source, page, names)
    finally:
        for value in names.values():
            if type(value).__name__ in {"Client", "Server"} and hasattr(value, "close"):
                value.close()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_that_are_not_run_are_valid(page: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(ROOT)
    for kind, source in re.findall(r"^```(py|sh|bash)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        if kind == "py":
            compile(source, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            continue
        for line in re.findall(r"^dynclient .*$", source, re.MULTILINE):
            words = shlex.split(line, comments=True)
            # The options of a call are those of an operation.
            asked = ["call", "openapi/voice.yaml", "get-call-state"] if words[1] == "call" else [words[1]]
            assert main([*asked, "--help"]) == 0
            options = {word for word in words if word.startswith("--")}
            assert options <= {*re.findall(r"--[a-z-]+", capsys.readouterr().out), *OF_SOME_CALLS}, line


def test_the_links_of_the_readme_are_absolute():
    """It is shown where the package is published, too."""
    assert LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")) == []


def test_readme_has_examples():
    assert len(blocks(ROOT / "README.md")) >= 5
