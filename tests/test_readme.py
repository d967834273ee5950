"""The examples of README and of the manual run, page by page, from top to bottom.

``python`` blocks are executed, ``pycon`` blocks are executed and their output compared. In ``console`` blocks each line
that begins with ``$`` is given to bash, and what it prints is compared; ``$URL`` is a mock of ``openapi/voice.yaml``.
In ``sh`` blocks, which need another document or would not end, each command must exist and have its options. ``py``
blocks, which need other libraries or the network, are compiled. ``toml``, ``yaml`` and ``json`` blocks are given to the
reader that a user's file of this content goes to. ``text`` blocks are those of ``TEXTS``.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import dynclient
from dynclient._settings import read_project
from dynclient.cli import main

ROOT = Path(__file__).resolve().parent.parent
VOICE = ROOT / "openapi" / "voice.yaml"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [
    *sorted(ROOT.glob("[A-Z]*.md")),
    *sorted((ROOT / "docs" / "api").glob("*.md")),
    *(ROOT / "benchmarks").glob("*.md"),
]
BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
RUN = ("python", "pycon", "console")
# The start of each block of plain text -> why nothing reads it.
TEXTS = {
    "Client ── _dispatcher": "a drawing",
    '"\\x89dynclient': "a drawing of bytes",
    "$ dynclient api add voice openapi": "tests/cli/test_walk.py compares it with a terminal",
    "['Thomas Perez'": "names that differ from one release of Faker to the next",
    "stateful: 58 of 84 collections": "printed for GitHub's document, which is not here",
    "breaking  op: body": "a line of a report on two documents that the page does not show",
}
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
OF_SOME_CALLS = {"--all", "--wait", "--until", "--failed"}  # of lists, and of what can be waited for
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path, kinds: tuple[str, ...] = RUN) -> list[tuple[str, int, str]]:
    """Kind, line number and source of each block of these kinds."""
    text = page.read_text(encoding="utf-8")
    found = [(match[1], text.count("\n", 0, match.start(2)) + 1, match[2]) for match in BLOCK.finditer(text)]
    return [block for block in found if block[0] in kinds]


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

    with serve(VOICE) as server:
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


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: page.name)
def test_examples_that_are_not_run_are_valid(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(ROOT)
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^ *(?:```|~~~)", text, re.MULTILINE)
    assert len(fences) == 2 * len(list(BLOCK.finditer(text))), "a fence that is indented, or has no end"
    for match in BLOCK.finditer(text):
        if match[1] not in RUN:
            CHECKS[match[1]](match[2], tmp_path)


def check_python(source: str, _: Path) -> None:
    compile(source, "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def check_shell(source: str, _: Path) -> None:
    for line in re.sub(r"\\\n", "", source).splitlines():
        words = shlex.split(line, comments=True)
        match words:
            case ["dynclient", *_]:
                check_command(words[1:])
            case ["make", *_]:
                targets = {word for word in words[1:] if "=" not in word}
                assert targets <= {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)}
            case [".venv/bin/python", "-m", module, *_]:
                assert importlib.util.find_spec(module), line
            case ["pip", "install", *_] | ["python", "-m", "venv", *_]:
                pass
            case _:
                assert not words, f"nothing checks this command: {line}"


def check_command(words: list[str]) -> None:
    """Check that a command of dynclient exists and has the options."""
    # The options of a call are those of an operation.
    asked = ["call", "openapi/voice.yaml", "get-call-state"] if words[0] == "call" else [words[0]]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([*asked, "--help"]) == 0
    options = {word for word in words if word.startswith("--")}
    assert options <= {*re.findall(r"--[a-z-]+", printed.getvalue()), *OF_SOME_CALLS}, words


def check_settings(source: str, folder: Path) -> None:
    file = folder / "pyproject.toml"
    file.write_text(source, encoding="utf-8")
    assert read_project(str(file)) is not None, "it has no [tool.dynclient]"
    with contextlib.chdir(folder):  # the kinds of changes are read by the command
        assert main(["diff", str(VOICE), str(VOICE)]) == 0


def check_yaml(source: str, folder: Path) -> None:
    """A list of accepted changes, or an extension of an operation."""
    tree = yaml.safe_load(source)
    file = folder / "file.yaml"
    file.write_text(source, encoding="utf-8")
    if isinstance(tree, list):
        assert main(["diff", str(VOICE), str(VOICE), "--accept", str(file)]) == 0
        return
    assert [*tree] == ["x-waiter"], "nothing reads it"
    operations = {
        name: {"operationId": name, "responses": {"202": {"description": ""}}}
        for name in ("start", *(tree["x-waiter"][key] for key in ("poll", "cancel")))
    }
    operations["start"] |= tree
    paths = {f"/{name}": {"get": operation} for name, operation in operations.items()}
    client = dynclient.load({"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": paths})
    assert client.start.waiter.confidence == "certain", client.start.waiter


def check_json(source: str, folder: Path) -> None:
    """The configuration of an agent: its commands are ours."""
    (servers,) = json.loads(source).values()
    for server in servers.values():
        assert server.keys() <= {"command", "args", "env"}
        check_shell(shlex.join([server["command"], *server["args"]]), folder)


def check_text(source: str, _: Path) -> None:
    assert [start for start in TEXTS if source.startswith(start)], "run it, or say in TEXTS why nothing does"


CHECKS = {
    "py": check_python,
    "sh": check_shell,
    "toml": check_settings,
    "yaml": check_yaml,
    "json": check_json,
    "text": check_text,
}


def test_extras_that_a_page_names_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = {
        extra.strip()
        for page in [*PAGES, *OTHERS]
        for found in re.findall(r"dynclient\[([\w, ]+)\]", page.read_text("utf-8"))
        for extra in found.split(",")
    }
    assert named <= extras.keys()


def test_the_links_of_the_readme_are_absolute():
    """It is shown where the package is published, too."""
    assert LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")) == []


def test_readme_has_examples():
    assert len(blocks(ROOT / "README.md")) >= 5
