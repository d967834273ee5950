"""A regular expression that is compiled at its first use behaves like a compiled one."""

import re

import pytest

from dynclient import _deferred
from dynclient._deferred import expression


def test_it_is_compiled_once_it_is_asked(monkeypatch):
    compiled = []
    monkeypatch.setattr(_deferred.re, "compile", lambda *given: compiled.append(given) or re.Pattern)
    expression("a+", re.IGNORECASE)
    assert compiled == []


@pytest.mark.parametrize(("source", "text"), [("(?P<x>a+)", "aaB"), (b"(?P<x>a+)", b"aaB")])
def test_it_answers_as_a_compiled_one(source, text):
    late, early = expression(source, re.IGNORECASE), re.compile(source, re.IGNORECASE)
    for _ in range(2):
        assert late.match(text).groupdict() == early.match(text).groupdict()
        assert late.fullmatch(text) is None
        assert late.sub(text[:0], text) == early.sub(text[:0], text)
        assert late.findall(text) == early.findall(text)
        assert (late.pattern, late.flags, late.groupindex) == (early.pattern, early.flags, early.groupindex)
