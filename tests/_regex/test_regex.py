import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynclient import _regex
from dynclient._regex import Pattern, PatternError, matching, read
from dynclient._regex.matching import Automaton, Unfit

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
    (r"^(?:((?!--)[a-z])+-)+$", "a" * 20_000),
    (r"^((?=.*x)a)*$", "a" * 100_000),
    (r"([ab]{1,50000}a)+$", "ab" * 20_000 + "c"),
    (r"^(?:.{0,30000},)*$", "a," * 10_000 + "\n"),
]


@pytest.mark.parametrize(("source", "text"), SLOW)
def test_no_pattern_takes_time_without_bound(source, text):
    start = time.thread_time()
    assert Pattern(source).search(text) in {False, None}
    assert time.thread_time() - start < 4


UNBOUNDED = [
    r"^(a+)+\1$",
    r"^((a+)+)(?=b)c\2",
    "(a*)*(?<!b)",
    "(" * 100 + ")" * 100,
    "(((a{0,200}b){0,200}){0,200})\\1",
    "^(" + "a*b" * 200 + ")$",
]


@pytest.mark.parametrize("source", UNBOUNDED)
def test_a_pattern_without_a_bound_is_not_evaluated(source):
    pattern = _regex.compile(source)
    assert pattern.problem
    assert not pattern.is_invalid
    assert pattern.search("ab") is None


def test_a_long_pattern_is_evaluated_where_it_is_plain_or_allowed():
    assert _regex.compile("^" + "a" * 600 + "$").search("a" * 600)
    assert _regex.compile("^(" + "a*b" * 200 + ")$", 1_000).search("b" * 200)


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
def test_a_pattern_that_is_invalid_says_so(source):
    pattern = _regex.compile(source)
    assert pattern.is_invalid
    assert pattern.problem
    assert pattern.search("a") is None


def test_a_text_may_be_too_long_for_a_pattern():
    pattern = _regex.compile(r"^(.*)x(.*)\1$")
    assert pattern.search("axa") is True
    assert pattern.search("a" * 100_000) is None


# Patterns of public documents, which other engines refuse, or take too long or too much memory for.
VENDORS = [
    (r"^[a-zA-Z]((?!--|__)[a-zA-Z0-9-_])+$", ["my-label_1"], ["my--label", "1a", "a__b"]),
    (r"^[\P{M}\p{M}]{1,5000}$", ["\u00e9\u0301 x", "a" * 5000], ["", "a" * 5001]),
    (r"[\P{M}\p{M}]{0,10000}", ["", "x" * 20_000], []),
    (r"^[\p{Print}&&[^|:/]]+$", ["a b-c"], ["a:b", "\u00e9", ""]),
    (r"^[\p{Print}]*$", ["a b"], ["\n"]),
    (r"^\p{Alnum}+$", ["a1"], ["-"]),
    (r"^[[:alpha:]_]+$", ["a_b"], ["1"]),
    (r"^[[:^digit:]]$", ["a"], ["1"]),
    (r"^[\s\S]{0,100000}$", ["", "x\n" * 50_000], ["x" * 100_001]),
    (r"^[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]{1,64000}$", ["a\U0001f600\n"], ["\x00", ""]),
    (r"^(?:[a-z]{1,63}\.){1,100}[a-z]{2,63}$", ["a.b.com", "a." * 100 + "com"], ["a..b", "a." * 101 + "com"]),
    (r"^(a|b){3,}c{2,4}$", ["abacc", "bbbbbcccc"], ["abcc", "abac", "abaccccc"]),
]


@pytest.mark.parametrize(("source", "found", "missed"), VENDORS)
def test_patterns_of_vendors(source, found, missed):
    start = time.thread_time()
    pattern = _regex.compile(source)
    assert pattern.problem == ""
    assert [text for text in found if pattern.search(text) is not True] == []
    assert [text for text in missed if pattern.search(text) is not False] == []
    assert time.thread_time() - start < 2


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
    pattern = _regex.compile(source)
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
        st.builds("(?:{}){{0,3}}".format, inner),
        st.builds("(?:{}){{2,}}".format, inner),
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
        ours, _ = Automaton(tree).search(text, 1_000_000)
    except (PatternError, Unfit):
        return
    theirs = re.compile(source.replace("$", r"\Z").replace(".", r"[^\n]"), re.ASCII).search(text)
    assert ours == (theirs is not None)
    assert Pattern(source).search(text) == ours


@settings(max_examples=300, deadline=None)
@given(source=st.text(alphabet=r"ab()[]{}*+?|\\^$.-1,:=!<>pPLudwkxi", max_size=14))
def test_whatever_is_written_is_read_or_refused(source):
    assert Pattern(source).search("ab1") in {True, False, None}


def test_many_unicode_properties_cost_little():
    start = time.thread_time()
    assert _regex.compile("^" + r"\p{L}" * 40 + r"(?=x)a").problem
    assert _regex.compile("^(?i)" + r"[\u0100-\u02ff]" * 40 + "$").search("\u0101" * 40)
    assert _regex.compile("^" + r"[\p{L}-]" * 40 + "$").search("\u0101" * 40)
    assert time.thread_time() - start < 2


def test_threads_may_share_a_pattern_whose_cache_is_emptied(monkeypatch):
    monkeypatch.setattr(matching, "_MOST_CACHED", 50)
    pattern = Pattern(r"(a|b)*a(a|b){5}c\p{L}")
    text = "".join(random.Random(1).choices("ab", k=3_000))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(pattern.search, [text, text + "aaaaaacx"] * 10))
    assert found == [False, True] * 10
