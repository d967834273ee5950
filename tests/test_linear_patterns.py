"""No regular expression of the packages takes more than linear time, whatever text it is given.

Every call that takes a pattern is found in the source, and its pattern evaluated in its module. It is judged by its
structure (repetitions that are nested or adjacent, and overlap) and by the time that it takes on texts made to be hard
for it. Where the method searches, a text is tried from each of its characters on.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]  # the tree of a pattern has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import pytest

from dynclient._validation import formats
from dynclient.cli import application
from dynclient.explorer import pages
from dynclient.inspection import search

ROOT = Path(__file__).resolve().parent.parent
FILES = [file for folder in ("dynclient", "tools/dynclient_tools") for file in sorted((ROOT / folder).rglob("*.py"))]
TREES = {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
ANCHORED = {"match", "fullmatch"}
SEARCHING = {"search", "sub", "subn", "split", "findall", "finditer"}
MAKERS = {"compile", "expression"}

# Methods of patterns that are handed to a function, or made by one.
METHODS = {
    ("dynclient/cli/application.py", "in_options"): {"sub"},
    ("dynclient/codecs/multipart.py", "_split"): {"finditer"},
    ("dynclient/_document/data.py", "_KEY"): {"match"},
    ("dynclient/_document/data.py", "_NEXT"): {"match"},
    ("dynclient/_document/data.py", "_SCALAR"): {"match"},
}
# The structure of these says more than there is, since assertions are not looked into; their times are measured too.
EXEMPT = {
    r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)": "runs that are not closed differ in length, so that there are few",
    r"\\.|\[(?:\\.|[^\]\\])*\]?|\((?!\?)|\(\?P?<([A-Za-z_$][\w$]*)>": "a class matches without its end, too",
    r"\\.|\[(?:\\.|[^\]\\])*\]?|(\.)": "likewise",
    "[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])": "a run of capitals matches at once, but for its last letter",
    "[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+": "likewise",
    r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+": "likewise",
    "[A-Z]+(?:s(?![a-z])|(?![a-z]))[a-z0-9]*|[A-Z]?[a-z0-9]+": "two capitals match, whatever follows them",
}


def in_closures(formats_: Iterable[Any]) -> list[str | bytes]:
    cells = [cell.cell_contents for each in formats_ for cell in getattr(each.test, "__closure__", None) or ()]
    return [each.pattern for each in cells if hasattr(each, "fullmatch")]


class Pattern(NamedTuple):
    """A pattern, where it is, and the methods that are called on it."""

    file: str
    line: int
    source: Any
    flags: int
    methods: frozenset[str]


def calls() -> Iterator[tuple[str, ast.Module, str, ast.Call, str]]:
    """The calls that take a pattern: file, module, the function around it, the call, the name of what is called."""
    for file, tree in TREES.items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        around = {id(below): node.name for node in functions for below in ast.walk(node)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            if (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Name)
                and function.value.id == "re"
            ):
                if function.attr in ANCHORED | SEARCHING | MAKERS:
                    yield file, tree, around.get(id(node), ""), node, function.attr
            elif isinstance(function, ast.Name) and function.id == "expression":
                yield file, tree, around.get(id(node), ""), node, "compile"


def module_of(file: str) -> Any:
    parts = list(Path(file.removeprefix("tools/")).with_suffix("").parts)
    return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def named(tree: ast.Module, call: ast.Call) -> str | None:
    """The name that a call's pattern is assigned to."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is call:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return target.id if isinstance(target, ast.Name) else None
    return None


def uses() -> dict[str, set[str]]:
    """The methods that are called on each name: ``file name`` for private ones."""
    found: dict[str, set[str]] = defaultdict(set)
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ANCHORED | SEARCHING:
                name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", None)
                if name is not None:
                    found[f"{file} {name}" if name.startswith("_") else name].add(node.attr)
    return found


def patterns() -> tuple[list[Pattern], set[tuple[str, str]]]:
    """The patterns that are known when a module is imported, and the calls whose patterns are not."""
    known, later = [], set()
    by_name = uses()
    for file, tree, function, call, method in calls():
        space = vars(module_of(file))
        try:
            source, *rest = (
                eval(compile(ast.Expression(each), file, "eval"), dict(space))
                for each in (
                    call.args[0],
                    *[k.value for k in call.keywords if k.arg == "flags"],
                    *(call.args[1:2] if method == "compile" else []),
                )
            )
        except NameError:
            later.add((file, function))
            continue
        methods = frozenset({method})
        if method == "compile":
            name = named(tree, call) or ""
            found = by_name.get(f"{file} {name}" if name.startswith("_") else name, SEARCHING)
            methods = frozenset(METHODS.get((file, name), found))
        known.append(Pattern(file, call.lineno, source, int(rest[0]) if rest else 0, methods))
    return known, later


# Functions that make patterns of their arguments: the patterns that they make, or nothing and the reason.
MADE_LATER: dict[tuple[str, str], list[str | bytes]] = {
    ("dynclient/_deferred.py", "__init__"): [],  # what `expression` was given
    ("dynclient/_incoming/signatures.py", "_pattern"): [r"t=(?P<timestamp>[^,;\s]+)", r"(?P<signature>[^,;\s]+)"],
    ("dynclient/_regex/matching.py", "_regex"): [],  # patterns of documents: tests/_regex
    ("dynclient/_regex/syntax.py", "hexadecimal"): [],  # of eight characters at most
    ("dynclient/_validation/formats.py", "_form"): in_closures(formats.TEXTS.values()),
    ("dynclient/cli/application.py", "in_options"): [source for source, _ in application.substitutions()],
    ("dynclient/codecs/multipart.py", "_split"): [
        rb"(?:^|\r\n)--a\-b(--)?[ \t]*(?=\r\n|\Z)",
        rb"(?:^|\r\n)------(--)?[ \t]*(?=\r\n|\Z)",
    ],
    ("dynclient/explorer/pages.py", ""): [pattern.pattern for pattern, _ in pages._HTML],
    ("dynclient/inspection/search.py", ""): [pattern.pattern for pattern, _ in search.IDIOMS],
    ("dynclient/testing/stubs.py", "expect_operation"): [],  # only for the requests of a test that uses it
}


# -- structure: the positions of a pattern (Glushkov), and which may follow which


CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
ASSERTIONS = {codes.AT, codes.ASSERT, codes.ASSERT_NOT, codes.GROUPREF}
SAMPLES = [chr(code) for code in range(256)] + ["\u0101", "\u3002", "\ud800"]


class Part(NamedTuple):
    """A part of a pattern: the positions that may be its first and its last, and whether it matches the empty text."""

    first: frozenset[int]
    last: frozenset[int]
    is_optional: bool


EMPTY = Part(frozenset(), frozenset(), is_optional=True)


class Automaton:
    """The positions of a pattern, each with the characters it matches and the positions that may come next."""

    def __init__(self, pattern: Pattern) -> None:
        tree = parser.parse(pattern.source, pattern.flags)
        self.flags = tree.state.flags
        self.samples = SAMPLES[:256] if isinstance(pattern.source, bytes) else SAMPLES
        self.sets: list[frozenset[str]] = []
        self.next: list[set[int]] = []
        self.has_assertions = False
        self.possessive: set[int] = set()
        self.whole = self.sequence(tree)

    def position(self, matches: frozenset[str]) -> Part:
        self.sets.append(matches)
        self.next.append(set())
        here = frozenset({len(self.sets) - 1})
        return Part(here, here, is_optional=False)

    def joined(self, one: Part, other: Part) -> Part:
        for each in one.last:
            self.next[each] |= other.first
        first = one.first | other.first if one.is_optional else one.first
        last = one.last | other.last if other.is_optional else other.last
        return Part(first, last, one.is_optional and other.is_optional)

    def sequence(self, items: Any) -> Part:
        whole = EMPTY
        for kind, value in items:
            whole = self.joined(whole, self.part(kind, value))
        return whole

    def part(self, kind: Any, value: Any) -> Part:
        if kind in REPEATS:
            before = len(self.sets)
            repeated = self.repeated(*value)
            if kind is codes.POSSESSIVE_REPEAT:
                self.possessive.update(range(before, len(self.sets)))
            return repeated
        if kind is codes.SUBPATTERN:
            return self.sequence(value[-1])
        if kind is codes.ATOMIC_GROUP:
            return self.sequence(value)
        if kind is codes.BRANCH:
            choices = [self.sequence(each) for each in value[1]]
            first, last = (frozenset().union(*(each[i] for each in choices)) for i in (0, 1))
            return Part(first, last, any(each.is_optional for each in choices))
        if kind in ASSERTIONS:
            self.has_assertions = True
            return EMPTY
        return self.position(frozenset(each for each in self.samples if self.matches(kind, value, each)))

    def repeated(self, least: int, most: int, items: Any) -> Part:
        # What may come many times, but not endlessly, counts as two: it multiplies the time by a constant.
        whole = EMPTY
        for _ in range(min(least, 8)):
            whole = self.joined(whole, self.sequence(items))
        if most is codes.MAXREPEAT:
            last = self.sequence(items)
            for each in last.last:
                self.next[each] |= last.first
            return self.joined(whole, last._replace(is_optional=True))
        rest = EMPTY
        for _ in range(min(most - least, 2)):
            rest = self.joined(self.sequence(items), rest)._replace(is_optional=True)
        return self.joined(whole, rest)

    def matches(self, kind: Any, value: Any, character: str) -> bool:
        if self.flags & re.IGNORECASE:
            same = {character, character.lower(), character.upper()}
            return any(self.is_one(kind, value, each) for each in same if len(each) == 1)
        return self.is_one(kind, value, character)

    def is_one(self, kind: Any, value: Any, character: str) -> bool:
        if kind is codes.ANY:
            return character != "\n" or bool(self.flags & re.DOTALL)
        if kind is codes.LITERAL:
            return ord(character) == value
        if kind is codes.NOT_LITERAL:
            return ord(character) != value
        if kind is codes.RANGE:
            return value[0] <= ord(character) <= value[1]
        if kind is codes.CATEGORY:
            return re.match(CATEGORIES[value], character, self.flags & re.ASCII) is not None
        assert kind is codes.IN, kind
        negated = value[0][0] is codes.NEGATE
        return any(self.is_one(*each, character) for each in value[negated:]) != negated

    def from_anywhere(self, pattern: Pattern) -> None:
        """Let a match begin at any character, as ``search`` does."""
        tree = parser.parse(pattern.source, pattern.flags)
        is_at_start = bool(tree) and tree[0] == (codes.AT, codes.AT_BEGINNING)
        if is_at_start and not self.flags & re.MULTILINE:
            return
        start = self.position(frozenset(self.samples)).first
        begin = self.position(frozenset("\n")).first if is_at_start else start
        for each in start:
            self.next[each] |= start | begin
        for each in begin:
            self.next[each] |= self.whole.first


def ambiguous(automaton: Automaton, *, is_whole: bool) -> list[tuple[str, str]]:
    """Pairs of loops that can share a text in many ways: a text ``w`` leads from p to p, from p to q, and from q to q.

    Then ``w`` repeated n times can be divided among them at n places, each of which is tried when the rest fails.
    """
    following, sets = automaton.next, automaton.sets
    reach = [reachable(following, each) for each in range(len(sets))]
    loops = [each for each in range(len(sets)) if each in reach[each]]
    found = []
    for q in loops:
        # Where a match may end within the loop, nothing fails.
        loop = {each for each in reach[q] if q in reach[each]}
        if loop & automaton.whole.last and not is_whole and not automaton.has_assertions:
            continue
        for p in loops:
            # What a possessive repetition has taken it does not give back.
            if q not in reach[p] or p in automaton.possessive:
                continue
            if shares(following, sets, p, q):
                found.append(("".join(sorted(sets[p] & sets[q]))[:20], f"positions {p} and {q}"))
    return found


def reachable(following: list[set[int]], start: int) -> set[int]:
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        new = following[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def shares(following: list[set[int]], sets: list[frozenset[str]], p: int, q: int) -> bool:
    """Whether a text leads from (p, p, q) to (p, q, q): with p = q, by two different ways."""
    # The last component says whether the first two ways have differed.
    start, end = (p, p, q, False), (p, q, q)
    seen, waiting = {start}, [start]
    while waiting:
        a, b, c, differ = waiting.pop()
        for x in following[a]:
            for y in following[b]:
                both = sets[x] & sets[y]
                if not both:
                    continue
                for z in following[c] if p != q else {y}:
                    if both.isdisjoint(sets[z]):
                        continue
                    state = (x, y, z, differ or x != y)
                    if state[:3] == end and state[3]:
                        return True
                    if state not in seen:
                        seen.add(state)
                        waiting.append(state)
    return False


def faults_of_structure(pattern: Pattern) -> list[tuple[str, str]]:
    automaton = Automaton(pattern)
    if pattern.methods & SEARCHING:
        automaton.from_anywhere(pattern)
    return ambiguous(automaton, is_whole="fullmatch" in pattern.methods)


# -- time: texts that are hard for a pattern repeat what its loops match


LENGTHS = (24, 200, 8_000)
MOST_SECONDS = 0.05  # the fastest pattern that takes the square of its length takes 0.1 s for the last of them
ENDS = ("", "\0", "\n", "!x")


def texts(automaton: Automaton) -> set[tuple[str, str]]:
    """A beginning and what follows it many times, for each loop."""
    sets = automaton.sets
    found = {("", "a"), ("", " ")}
    for each in range(len(sets)):
        if not sets[each] or not automaton.whole.first:
            continue
        begin = word(automaton, automaton.whole.first, each)
        again = word(automaton, automaton.next[each], each)
        if begin is not None and again is not None:
            found |= {(begin, again), ("", begin), ("", begin[:-1] or begin), ("", begin + again)}
    return found


def word(automaton: Automaton, starts: Any, end: int) -> str | None:
    """The shortest text that leads to a position, itself included."""
    ways = {each: shown(automaton.sets[each]) for each in starts if automaton.sets[each]}
    waiting = list(ways)
    for each in waiting:
        if each == end:
            return ways[each]
        for onward in automaton.next[each]:
            if onward not in ways and automaton.sets[onward]:
                ways[onward] = ways[each] + shown(automaton.sets[onward])
                waiting.append(onward)
    return None


def shown(matches: frozenset[str]) -> str:
    """One of the characters, if possible one that other positions match as well."""
    return next((each for each in " a0A-" if each in matches), min(matches))


def slow(pattern: Pattern, begin: str, unit: str, end: str) -> float:
    """The seconds that a method takes too many; 0 if none does."""
    compiled = re.compile(pattern.source, pattern.flags)
    for length in LENGTHS:
        text: Any = begin + unit * (length // len(unit)) + end
        if isinstance(pattern.source, bytes):
            text = text.encode("latin-1")
        for method in pattern.methods:
            replacement = [text[:0]] if method in {"sub", "subn"} else []
            took = 1.0
            for _ in range(3):
                before = time.thread_time()
                result = getattr(compiled, method)(*replacement, text)
                if method == "finditer":
                    any(False for _ in result)
                took = min(took, time.thread_time() - before)
                if took < MOST_SECONDS:
                    break
            else:
                return took
    return 0.0


# -- the tests


KNOWN, LATER = patterns()
KNOWN += [
    Pattern(where[0], 0, source, 0, frozenset(METHODS.get(where, {"fullmatch"})))
    for where, made in MADE_LATER.items()
    for source in made
]


def test_every_pattern_is_known():
    assert set(MADE_LATER) == LATER
    assert len(KNOWN) > 100


@pytest.mark.parametrize("pattern", KNOWN, ids=lambda each: f"{each.file}:{each.line}")
def test_a_pattern_takes_linear_time(pattern):
    assert pattern.source in EXEMPT or faults_of_structure(pattern) == []
    automaton = Automaton(pattern)
    found = [(*text, end) for text in texts(automaton) for end in ENDS if slow(pattern, *text, end)]
    assert found == []


@pytest.mark.parametrize(
    ("source", "method"),
    [
        (r"(a+)+", "fullmatch"),
        (r"\s*x?\s*y", "match"),
        (r"[ \t]+$", "search"),
        (r"(?:ab|a|b)*c", "match"),
        (r"<a[^>]*>", "finditer"),
        (r"(?:\s*,\s*)+;", "match"),
        (r"[0-9]+[0-9.]*x", "fullmatch"),
        (r'"(?:[^"\\]|\\.)*"', "finditer"),
    ],
)
def test_a_slow_pattern_is_found(source, method):
    assert faults_of_structure(Pattern("", 0, source, 0, frozenset({method}))) != []
