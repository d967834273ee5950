"""Media types, matched and requested."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._negotiation import accept, match, quoted
from dynclient.media_types import ContentType, parse

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "negotiation.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "essence", "suffix", "parameters"), CASES["parsed"])
def test_parse(text, essence, suffix, parameters):
    content_type = parse(text)
    assert content_type.essence == essence
    assert content_type.suffix == suffix
    assert dict(content_type.parameters) == parameters


@pytest.mark.parametrize("text", CASES["malformed"])
def test_parse_malformed(text):
    with pytest.raises(ValueError, match="malformed"):
        parse(text)


@pytest.mark.parametrize(("content_type", "ranges", "expected"), CASES["matched"])
def test_match(content_type, ranges, expected):
    assert match(content_type, ranges) == expected


@pytest.mark.parametrize(("ranges", "expected"), CASES["accepted"])
def test_accept(ranges, expected):
    assert accept(ranges) == expected


def test_get_ignores_case():
    content_type = ContentType("text", "plain", (("charset", "utf-8"),))
    assert content_type.get("Charset") == "utf-8"
    assert content_type.get("format") is None


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_parameters_round_trip(value):
    assert parse(f"a/b; c={quoted(value)}; d=e").parameters == (("c", value), ("d", "e"))


@settings(max_examples=300, deadline=None)
@given(st.text(), st.lists(st.text() | st.none() | st.integers() | st.from_regex(r"[a*]/[b*+;=\" ]{1,8}")))
def test_junk_does_no_harm(content_type, ranges):
    assert match(content_type, ranges) is None or match(content_type, ranges) in ranges
    assert "\n" not in accept(ranges)
