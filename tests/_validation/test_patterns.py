import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynclient._validation import validator
from dynclient._validation.automaton import Automaton, Unfit
from dynclient._validation.ecma import read
from dynclient._validation.patterns import Pattern, PatternError, compiled
from dynclient.exceptions import InvalidDocument, UnsafeDocument

SLOW = [
    (r"^(a+)+$", "a" * 50_000 + "!"),
    (r"(x+x+)+y", "x" * 20_000),
    (r"^(a|a)*$", "a" * 50_000 + "!"),
    (r"^(a|aa)+$", "a" * 50_000 + "!"),
    (r"^([a-zA-Z0-9]+\s?)*$", "a" * 50_000 + "!"),
    (r"(.*a){20}", "a" * 19 + "b" * 20_000),
    (r"a+$", "a" * 50_000 + "b"),
    (r"\s*,\s*$", " " * 50_000),
    (r"^(?=(a+)+$)b", "a" * 50_000 + "!"),
    (r"^(?!(a+)+$).*b", "a" * 20_000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 20_000),
    (r"^(\w{1,30}){1,30}$", "a" * 5_000 + "!"),
    (r"\p{L}*\p{L}*\d", "a" * 20_000),
    (r"(a|b)*a(a|b){900}c", "aabab" * 10_000),
]


@pytest.mark.parametrize(("source", "text"), SLOW)
def test_no_pattern_takes_for_ever(source, text):
    start = time.thread_time()
    assert Pattern(source).search(text) in {False, None}
    assert time.thread_time() - start < 4


@pytest.mark.parametrize(
    "source", [r"^(a+)+\1$", r"^((a+)+)(?=b)c\2", "(a*)*(?<!b)", "(" * 100 + ")" * 100, "(((a{0,200}){0,200}){0,200})"]
)
def test_what_can_not_be_bounded_is_refused(make, source):
    with pytest.raises(UnsafeDocument) as caught:
        validator(make({"properties": {"p": {"pattern": source}}}), "request")
    assert caught.value.place.pointer == "/x-here/properties/p/pattern"


BAD = [
    "(",
    ")",
    "[a",
    "a{2,1}",
    "*a",
    "a**",
    "[z-a]",
    r"\p{Nonsense}",
    r"(?<n>a)\k<m>",
    r"\u{110000}",
    "(?>a)",
    "a++",
    "\\",
    "^*",
]


@pytest.mark.parametrize("source", BAD)
@pytest.mark.parametrize("place", ["pattern", "patternProperties"])
def test_what_is_no_pattern_is_told_before_any_value(make, source, place):
    node = {"pattern": source} if place == "pattern" else {"patternProperties": {source: {}}}
    with pytest.raises(InvalidDocument) as caught:
        validator(make({"items": node}), "request")
    assert caught.value.place.pointer.startswith(f"/x-here/items/{place}")


def test_a_long_pattern_is_refused_unless_it_is_plain(make):
    validator(make({"pattern": "^" + "a" * 600 + "$"}), "request")
    with pytest.raises(UnsafeDocument, match="characters"):
        validator(make({"pattern": "^(" + "a*b" * 200 + ")$"}), "request")


def test_a_text_too_long_for_a_pattern_is_a_fault(make):
    checker = validator(make({"pattern": r"^(.*)x(.*)\1$"}), "request")
    assert checker.faults("axa") == []
    (fault,) = checker.faults("a" * 100_000)
    assert "too many for the pattern" in fault.message


MEANINGS = [
    (r"^\d{3}$", ["123"], ["12", "\u0661\u0662\u0663", "123\n"]),
    (r"^a{,3}$", ["a{,3}"], ["aaa"]),
    (r"^{$", ["{"], ["a"]),
    (r"^[\w.-]+$", ["a-b.c"], ["a b"]),
    (r"^[^\d]$", ["a", "\n"], ["1"]),
    (r"^[\b]$", ["\b"], ["b"]),
    (r"\bfoo\b", ["a foo b", "foo"], ["afoo", "\u00e9"]),
    (r"\Bo", ["foo"], ["o"]),
    (r"^(?:a|b)?c$", ["c", "ac"], ["abc"]),
    (r"(?<year>\d{4})-\k<year>", ["2020-2020"], ["2020-2021"]),
    (r"(?P<n>a)", ["a"], ["b"]),
    (r"(?i)straße", ["STRAßE"], ["x"]),
    (r"(?i:a)b", ["Ab"], ["AB"]),
    (r"(?i)[a-c]+$", ["ABC"], ["d"]),
    (r"(?s)^.$", ["\n"], [""]),
    (r"(?m)^b$", ["a\nb\nc"], ["ab"]),
    (r"^\x41\u0042\u{43}$", ["ABC"], ["abc"]),
    (r"^\/\-\_$", ["/-_"], ["/-"]),
    (r"^\0$", ["\0"], ["0"]),
    (r"^[a\-z]$", ["-"], ["b"]),
    (r"^[\d-x]$", ["-", "5", "x"], ["y"]),
    (r"a|", ["", "b"], []),
    (r"^\S+@\S+$", ["a@b"], ["a b"]),
    (r"^(?!.*--)[a-z-]+$", ["a-b"], ["a--b"]),
    (r"(?<=a)b", ["ab"], ["cb"]),
    (r"^\p{Lu}\p{Ll}+$", ["\u00c9a"], ["aa"]),
    (r"^\p{IsGreek}$", ["\u03b1"], ["a"]),
    (r"^[\p{L}\d' ]+$", ["\u00e9 9'"], ["_"]),
]


@pytest.mark.parametrize(("source", "found", "missed"), MEANINGS)
def test_meanings(source, found, missed):
    pattern = compiled(source)
    assert [text for text in found if not pattern.search(text)] == []
    assert [text for text in missed if pattern.search(text)] == []


plain = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "^", "$", r"\b", r"\d"]),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{})*".format, inner),
        st.builds("({})+".format, inner),
        st.builds("(?:{}){{1,2}}".format, inner),
        st.builds("(?:{})?".format, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(source=plain, text=st.text(alphabet="ab1\n ", max_size=7))
@example(source=r"(?:\b|a)*$", text="a")
def test_the_automaton_finds_what_re_finds(source, text):
    try:
        tree = read(source)
        ours = Automaton(tree).search(text)
    except (PatternError, Unfit):
        return
    theirs = re.compile(source.replace("$", r"\Z").replace(".", r"[^\n]"), re.ASCII).search(text)
    assert ours == (theirs is not None)
    assert Pattern(source).search(text) == ours


@settings(max_examples=300, deadline=None)
@given(source=st.text(alphabet=r"ab()[]{}*+?|\\^$.-1,:=!<>pPLudwkxi", max_size=14))
def test_whatever_is_written_is_read_or_refused(source):
    try:
        pattern = Pattern(source)
    except PatternError:
        return
    assert pattern.search("ab1") in {True, False}
