"""Find operations by words, for the prompt, the command line, and agents.

Rule 1: a query is plain English. Idioms are replaced by one verb (:data:`IDIOMS`), initials by their words (``PR`` is
pull request), stop words and words that do not occur in the document are left out, endings (plural, -ing, -ed, -ion) do
not matter, and words that mean the same in most APIs (:data:`SAME`) match each other at half their weight. The tables
are in ``words.toml`` and ``synonyms.txt``.
Rule 2: a word counts by its rarity in the document times its weight in the best place where an operation has it
(:data:`WEIGHTS`). Operations far from the best are not listed.
Rule 3: names, summaries and paths with only words of the query come before those with other words too.
Rule 4: an operation whose method does not do what the query's verb says counts less, and so does an item where the
query names several, or a list where it names one.

The index is built from the document's texts, without reading the operations, so broken operations are found too, and
the first search is fast.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from dynclient._deferred import expression
from dynclient.exceptions import DocumentError
from dynclient.http_grammar import SAFE
from dynclient.json_pointer import escape
from dynclient.model import API, OperationRow

_SHORTEST_STEM = 3
_ENDINGS = ("ations", "ation", "ating", "ated", "ates", "ate", "ions", "ion", "ings", "ing", "ed", "es", "e", "s")


@lru_cache(8192)
def stem(word: str) -> str:
    """A word in lower case without its ending: that of ``policies`` is that of ``policy``."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if word[-1:] == word[-2:-1]:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") else word


_TABLES: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
STOP_WORDS, QUESTIONS, DETERMINERS, PREPOSITIONS = (
    frozenset(_TABLES[name].split()) for name in ("stop_words", "questions", "determiners", "prepositions")
)
IDIOMS = tuple((expression(rf"\b(?:{idiom})\b"), f" {word} ") for idiom, word in _TABLES["idioms"])
# The verb of a method, regardless of the operation's name.
DOES = {"DELETE": ["delete"], "PATCH": ["update"], "PUT": ["update"]}
_UNDO = expression(
    r"(?i)(?<![a-z])un(?=archiv|assign|attach|block|follow|lik|link|lock|mark|pin|publish|shar|star|subscrib|tag|watch)"
)
SAME: dict[str, set[str]] = defaultdict(set)
"""The stem of a word, and the stems of those that mean the same."""
for _group in Path(__file__).with_name("synonyms.txt").read_text("utf-8").splitlines():
    if not _group.startswith("#"):
        _same = {*map(stem, _group.split())}
        for _word in _same:
            SAME[_word] |= _same
UNSAFE = frozenset({"DELETE", "PATCH", "POST", "PUT"})
CREATE, UPDATE = frozenset({"POST", "PUT"}), frozenset({"PATCH", "POST", "PUT"})
_SETS = {"SAFE": SAFE, "UNSAFE": UNSAFE, "CREATE": CREATE, "UPDATE": UPDATE}
METHODS: Mapping[str, frozenset[str]] = {
    verb: _SETS.get(methods, frozenset(methods.split()))
    for methods, verbs in _TABLES["verbs"].items()
    for verb in verbs.split()
}


def undone(text: str) -> str:
    """``unfollow`` is to remove a follow."""
    return _UNDO.sub("remove ", text)


def methods_of(verb: str) -> frozenset[str]:
    """The methods that do what a verb says; none if it is not a known verb. To ``reopen`` is to update."""
    if verb not in METHODS and verb.startswith("re") and verb[2:] in METHODS:
        return UPDATE
    return METHODS.get(verb, frozenset())


# The weight of a word by where it occurs.
WEIGHTS: Mapping[str, float] = {
    "name": 0.8,
    "summary": 0.8,
    "path": 0.8,
    "tag": 0.7,
    "description": 0.5,
    "parameter": 0.3,
    "result": 0.1,
}
# The locations with few words.
_TITLES = ("name", "summary", "path")
_OF_THE_TITLE = 1.25
_SIMILAR = 0.5
_OTHER_METHOD, _OTHER_NUMBER = 0.55, 0.9
_AFTER_PREPOSITION, _MINE = 0.6, 0.3
_AGAIN = 0.5
_CLOSE = 0.4
_SHORTEST_PREFIX = 4
_DOERS = ("e", "er", "or")
_MOST_WORDS, _LONGEST_QUERY = 32, 1000
_DEEPEST = 2
"""The largest number of references followed in a chain."""


_WORD = expression(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+")
_HUMP = expression(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_INITIALS = expression(r"(?i)\b[a-z]{2,4}\b")
_POSSESSIVE = expression(r"(?<=[a-z])['\u2019]s\b")
_VARIABLE = expression(r"\{[^{}]*\}")
_TEXTS = frozenset({"description", "summary", "title", "name"})
_LEFT_OUT = frozenset(
    {"callbacks", "default", "enum", "example", "examples", "headers", "links", "security", "servers"}
)


class SearchIndex:
    """The words of a document's operations: where each one occurs, and its weight there."""

    def __init__(self, api: API) -> None:
        """Take the operations of an API, none of which is read."""
        self._rows = tuple(api.rows)
        # Word -> index of an operation -> the weight there.
        self._weights: defaultdict[str, dict[int, float]] = defaultdict(dict)
        # Place -> word -> indexes of operations; place -> index of an operation -> the rarity of its words.
        self._titles: dict[str, defaultdict[str, list[int]]] = {place: defaultdict(list) for place in _TITLES}
        texts = _Texts(api)
        for index, row in enumerate(self._rows):
            # In order of increasing weight, so that the highest one stays.
            for place, words in (*texts.of(row).items(), *_row_words(row)):
                weight = WEIGHTS[place]
                for word in words:
                    self._weights[word][index] = weight
                    if place in _TITLES:
                        self._titles[place][word].append(index)
        self._rarity = {word: self._rare(weights) for word, weights in self._weights.items()}
        self._sizes: dict[str, defaultdict[int, float]] = {place: defaultdict(float) for place in _TITLES}
        for place, titles in self._titles.items():
            for word, indexes in titles.items():
                for index in indexes:
                    self._sizes[place][index] += self._rarity[word]

    def _rare(self, weights: Mapping[int, float]) -> float:
        # A word only in the description counts less than one in the name.
        return log(1 + len(self._rows) / sum(weights.values()))

    def search(self, query: str) -> tuple[OperationRow, ...]:
        """Find the operations that best match a query, best first; all of them for an empty query."""
        if not query.strip():
            return self._rows
        asked = _Query(_INITIALS.sub(lambda found: self._spelled_out(found[0]), query[:_LONGEST_QUERY]))
        emphasis = {**asked.words, **{pair: 1.0 for pair in asked.pairs if pair in self._weights}}
        points: defaultdict[int, float] = defaultdict(float)
        shared: dict[str, defaultdict[int, float]] = {place: defaultdict(float) for place in _TITLES}
        total = 0.0
        for word in list(emphasis)[:_MOST_WORDS]:
            similar = self._similar(word, by_whom=asked.by_whom)
            if not (found := self._found(word, similar)):
                continue
            # Between the rarity of the word alone, and that with words like it.
            alike = self._rare(found)
            rarity = (alike + self._rarity.get(word, alike)) / 2 * emphasis[word]
            total += rarity
            for index, weight in found.items():
                points[index] += rarity * weight
            for place, titles in self._titles.items():
                in_title: dict[int, float] = {}
                for other, factor in similar.items():
                    _merge(in_title, dict.fromkeys(titles.get(other, ()), 1.0), factor)
                for index, factor in in_title.items():
                    shared[place][index] += rarity * factor
        scores = {
            index: (value + self._likeness(index, shared, total)) * self._fitness(index, asked)
            for index, value in points.items()
        }
        least = _CLOSE * max(scores.values(), default=0)
        scores = {index: score for index, score in scores.items() if score >= least}
        return tuple(self._rows[index] for index in self._ranked(scores))

    def _spelled_out(self, word: str) -> str:
        """The words that initials stand for, such as pull request for PR; else the word itself."""
        word = word.lower()
        if word in STOP_WORDS or stem(word) in self._weights:
            return word
        return self._initials.get(word) or self._initials.get(word.removesuffix("s"), word)

    @cached_property
    def _initials(self) -> dict[str, str]:
        """The most frequent two to four words of names and summaries with these first letters."""
        runs: Counter[str] = Counter()
        for row in self._rows:
            words = [word.lower() for word in _WORD.findall(row.summary or row.name)]
            for length in (2, 3, 4):
                for run in zip(*(words[start:] for start in range(length)), strict=False):
                    if STOP_WORDS.isdisjoint(run):
                        runs[" ".join(run)] += 1
        return {"".join(word[0] for word in run.split()): run for run, _ in reversed(runs.most_common())}

    def _fitness(self, index: int, asked: _Query) -> float:
        """How well an operation's method fits the query's verb, and its path the singular or plural."""
        row = self._rows[index]
        is_item = row.path.endswith("}")
        named = self._weights.get(asked.verb, {}).get(index, 0) >= WEIGHTS["path"]
        fits = not asked.methods or row.method in asked.methods or (named and row.method not in SAFE)
        if asked.methods is SAFE or row.method == "DELETE":
            other = is_item == asked.plural
        else:
            other = row.method == "POST" and not named and asked.of_item is not None and is_item != asked.of_item
        return (1 if fits else _OTHER_METHOD) * (_OTHER_NUMBER if other else 1)

    def _ranked(self, scores: dict[int, float]) -> list[int]:
        """The best first; versions of the same operation are ranked lower."""

        def rank(index: int) -> tuple[float, int, int]:
            return -scores[index], len(self._rows[index].path), index

        versions: Counter[tuple[str, str]] = Counter()
        for index in sorted(scores, key=rank):
            row = self._rows[index]
            said = row.method, row.summary or row.name.rstrip("_0123456789")
            scores[index] *= _AGAIN ** versions[said]
            versions[said] += 1
        return sorted(scores, key=rank)

    def _likeness(self, index: int, shared: Mapping[str, Mapping[int, float]], total: float) -> float:
        """The score for how much the name or summary, and the path, equal the query (Dice's coefficient by rarity)."""
        name, summary, path = (shared[place][index] / (total + self._sizes[place][index]) for place in _TITLES)
        return _OF_THE_TITLE * total * (max(name, summary) + path)

    def _similar(self, word: str, *, by_whom: bool) -> dict[str, float]:
        """The document's words that mean the same as a word or begin with it, each with its part of the weight.

        ``by_whom``: who has starred something is its stargazers.
        """
        similar: dict[str, float] = {}
        if len(word) >= _SHORTEST_PREFIX:
            for other in self._weights:
                if other.startswith(word) and other != word:
                    similar[other] = 1 if by_whom and other.endswith(_DOERS) else _SIMILAR
        own = _SIMILAR if by_whom and similar else 1
        similar |= {other: _SIMILAR for other in SAME.get(word, ()) if other in self._weights}
        return similar | {word: own} if word in self._weights else similar

    def _found(self, word: str, similar: Mapping[str, float]) -> dict[int, float]:
        """Where a word occurs, or one like it, or its two halves."""
        found: dict[int, float] = {}
        for cut in range(2, len(word) - 1):
            first, second = self._weights.get(word[:cut], {}), self._weights.get(word[cut:], {})
            _merge(found, {index: min(first[index], second[index]) for index in first.keys() & second}, 1)
        for other, factor in similar.items():
            _merge(found, self._weights[other], factor)
        return found


class _Query:
    """A query, analysed. ``words`` are stems with their weights; ``methods`` are empty without a verb."""

    def __init__(self, text: str) -> None:
        text = _POSSESSIVE.sub("", _HUMP.sub(" ", text).lower())
        for idiom, word in IDIOMS:
            text = idiom.sub(word, text)
        words = _WORD.findall(undone(text))
        # After a determiner, "order" and "charge" are nouns; within a query, "who" and "when" begin a clause.
        verbs = {
            word: methods
            for before, word in pairwise(["", *words])
            if before not in DETERMINERS and (methods := methods_of(word)) and (word not in QUESTIONS or not before)
        }
        self.methods = next(iter(verbs.values()), frozenset())
        if self.methods is not SAFE:
            self.methods = self.methods.union(*(methods for methods in verbs.values() if methods is not SAFE))
        # Whether a POST that does this has the path of an item: some APIs update by POST.
        self.of_item = True if "PATCH" in self.methods else False if self.methods == CREATE else None
        if not verbs and words[1:] and words[0] not in STOP_WORDS and words[1] in DETERMINERS:
            verbs = {words[0]: UNSAFE}
            self.methods = UNSAFE
        self.verb = stem(next(iter(verbs), ""))
        nouns = set(words) - STOP_WORDS - verbs.keys()
        self.plural = any(word.endswith("s") and not word.endswith("ss") for word in nouns)
        self.by_whom = "who" in words
        # Neighbours as one word: ``hang up`` is found as ``hangup``.
        self.pairs = [stem(first + second) for first, second in pairwise(words)]
        self.words: dict[str, float] = {}
        emphasis = 1.0
        for word in words:
            if word in PREPOSITIONS:
                emphasis = _AFTER_PREPOSITION
            elif word not in STOP_WORDS:
                self.words.setdefault(stem(word), _MINE if word == "mine" else emphasis)
                if verbs.get(word) is UPDATE and word not in METHODS:
                    self.words.setdefault(stem("update"), emphasis)
        self.words = self.words or dict.fromkeys(map(stem, words), 1.0)


def _merge(found: dict[int, float], weights: Mapping[int, float], factor: float) -> None:
    for index, weight in weights.items():
        if found.get(index, 0) < weight * factor:
            found[index] = weight * factor


def _stems(*texts: str) -> set[str]:
    """The words of some texts, those within camelCase too."""
    return {stem(word.lower()) for word in set(_WORD.findall(" ".join(texts)))}


def _row_words(row: OperationRow) -> Iterator[tuple[str, set[str]]]:
    yield "tag", _stems(*row.tags)
    yield "path", _stems(row.path, *DOES.get(row.method, ()))
    yield "summary", _stems(undone(row.summary))
    yield "name", _stems(undone(row.name), row.operation_id or "", *(pair[1] for pair in row.names_by_tag))


class _Texts:
    """The words of operations' texts, from the raw document; values that are not objects have none."""

    def __init__(self, api: API) -> None:
        self._api = api
        self._seen: dict[tuple[str, str], tuple[set[str], set[str]]] = {}

    def of(self, row: OperationRow) -> dict[str, set[str]]:
        """The words of an operation by where they occur, the least place first."""
        uri, item = self._resolved(f"#/paths/{escape(row.path)}", self._api.document_uri)
        operation = _object(item.get(row.method.lower()) or _object(item.get("additionalOperations")).get(row.method))
        responses = _object(operation.get("responses"))
        answers = [one for status, one in responses.items() if str(status).startswith("2")]
        results = self._words(answers or responses.get("default"), uri)
        names, texts = self._words([{**operation, "responses": None}, item.get("parameters")], uri)
        return {"result": results[0] | results[1], "description": texts, "parameter": names}

    def _resolved(self, reference: str, base: str) -> tuple[str, Mapping[str, Any]]:
        with suppress(DocumentError):
            if self._api.references is not None:
                uri, value = self._api.references.resolve(reference, base)
                return uri, _object(value)
        return base, {}

    def _words(self, value: Any, uri: str, depth: int = 0) -> tuple[set[str], set[str]]:
        """The words of names and of texts."""
        names: list[str] = []
        texts: list[str] = []
        references: list[str] = []
        _gather(value, names, texts, references)
        found = _stems(*names), _stems(*texts)
        for reference in references if depth < _DEEPEST else ():
            key = uri.partition("#")[0], reference
            if key not in self._seen:
                self._seen[key] = set(), set()  # a reference to an enclosing part
                target_uri, target = self._resolved(reference, uri)
                self._seen[key] = self._words(target, target_uri, depth + 1)
            found[0].update(self._seen[key][0])
            found[1].update(self._seen[key][1])
        return found


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _gather(value: Any, names: list[str], texts: list[str], references: list[str]) -> None:
    """Collect the names of parameters and properties, the texts, and the references of a part of a document."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key in _LEFT_OUT or str(key).startswith("x-"):
                continue
            if isinstance(member, str):
                if key == "$ref":
                    references.append(member)
                    texts.append(member.rpartition("/")[2])
                elif key in _TEXTS:
                    (names if key == "name" else texts).append(member)
            elif key == "properties" and isinstance(member, Mapping):
                names += map(str, member)
                texts += (
                    one["description"]
                    for one in member.values()
                    if isinstance(one, Mapping) and isinstance(one.get("description"), str)
                )
            else:
                _gather(member, names, texts, references)
    elif isinstance(value, list):
        for member in value:
            _gather(member, names, texts, references)
