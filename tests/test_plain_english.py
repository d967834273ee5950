"""The English of the code and of the documentation: phrases that ``cases/plain_english.yaml`` lists occur nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
RULES = yaml.safe_load((ROOT / "tests" / "cases" / "plain_english.yaml").read_text(encoding="utf-8"))
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "benchmarks" / "README.md"]
SOURCES = [path for folder in ("dynclient", "tools") for path in sorted((ROOT / folder).rglob("*.py"))]
TEMPLATES = [path for folder in ("dynclient", "tools") for path in sorted((ROOT / folder).rglob("templates/*"))]


def comments(text: str) -> Iterator[tuple[int, str]]:
    """The comments; those of adjacent lines are one text."""
    for block in re.finditer(r"(?:^ *#.*\n)+|  #.*", text, re.MULTILINE):
        yield text.count("\n", 0, block.start()) + 1, re.sub(r"(?m)^ *#:?|  #", " ", block[0])


def strings(text: str) -> Iterator[tuple[int, str]]:
    """The docstrings, and the other strings with more than two words; the values of f-strings are left out."""
    tree = ast.parse(text)
    pieces = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            constants = [value for value in node.values if isinstance(value, ast.Constant)]
            pieces.update(map(id, constants))
            yield node.lineno, "".join(value.value if value in constants else "X" for value in node.values)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.lineno, node.value


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """The prose of a page: without code, and each list item, row and paragraph by itself."""
    text = re.sub(r"^(```|~~~).*?^\1$", lambda match: "\n" * match[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    line = 1
    for block in re.split(r"(\n(?=\s*\n|\s*(?:[-*|>]|\d+\.) |#))", text):
        yield line, block
        line += block.count("\n")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    for kind in (comments, strings) if path.suffix == ".py" else (paragraphs,):
        for line, words in kind(text):
            for paragraph in re.sub(r"``.*?``|`[^`]*`", "X", words).split("\n\n"):
                if paragraph.count(" ") > 1:
                    yield line, " ".join(paragraph.split())


def found(path: Path) -> list[str]:
    name = path.relative_to(ROOT)
    return [
        f"{name}:{line}: {match[0]!r} in {words[max(0, match.start() - 40) : match.end() + 40]!r}; say: {rule['say']}"
        for line, words in prose(path)
        for rule in RULES
        for match in re.finditer(rule["pattern"], words)
    ]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["say"][:40])
def test_each_pattern_finds_its_own_examples(rule: dict):
    assert [words for words in rule["bad"] if not re.search(rule["pattern"], words)] == []
    assert [words for words in rule.get("fine", []) if re.search(rule["pattern"], words)] == []


@pytest.mark.parametrize("paths", [SOURCES, TEMPLATES, PAGES], ids=["sources", "templates", "pages"])
def test_no_text_has_a_phrase_of_the_list(paths: list[Path]):
    assert len(paths) > 5
    assert [line for path in paths for line in found(path)] == []
