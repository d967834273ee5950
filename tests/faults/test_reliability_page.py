"""The page of defaults has every name and number of options.py."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from dynclient.options import TLS, Limits, MiB, Retry, Timeout, Validation
from dynclient.transports.pool import IDLE_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
SECTIONS = {"Timeout": Timeout(), "Retry": Retry(), "Limits": Limits(), "TLS": TLS(), "Validation": Validation()}
WORDS = {"no operations": {}, "none": None, "no": False}


def rows(section: str) -> dict[str, tuple[str, str]]:
    """The table of a section: name to default and reason."""
    text = re.search(rf"^## {section}\b.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[0]
    return {
        name: (default, why)
        for name, default, why in re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", text, re.MULTILINE)
    }


def value(text: str, default: object) -> object:
    if text in WORDS:
        return WORDS[text]
    if isinstance(default, str):
        return text
    if isinstance(default, frozenset):
        return frozenset(map(int, text.split(", ")))
    number, _, unit = text.replace(",", "").partition(" ")
    return float(number) * {"MiB": MiB, "TiB": MiB * MiB}.get(unit, 1)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_default_is_told_with_its_reason(section):
    options = asdict(SECTIONS[section])
    told = rows(section)
    assert list(told) == list(options)
    assert {name: value(text, options[name]) for name, (text, _) in told.items()} == options
    assert all(len(why) > 5 for _, why in told.values())


def test_numbers_in_the_text():
    assert f"idle for {IDLE_SECONDS:.0f} seconds" in PAGE


def test_the_tests_that_it_names_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 20
    assert [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")] == []
