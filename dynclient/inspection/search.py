"""Find operations by words: at the prompt, on the command line, and for agents.

Rule 1: a query is plain English. Idioms are replaced by one verb (:data:`IDIOMS`), stop words and words that do not
occur in the document are left out, endings (plural, -ing, -ed, -ion) do not matter, and words that mean the same in
most APIs (:data:`SAME`) match each other at half their weight.
Rule 2: a word counts by its rarity in the document times its weight in the best place where an operation has it
(:data:`WEIGHTS`). Operations with fewer words, far from the best, are not listed.
Rule 3: names and summaries with only words of the query come before those with other words too.
Rule 4: an operation whose method does not fit the verb of the query counts less, unless it contains that verb.

The index is built from the document's texts, without reading the operations, so broken operations are found too, and
the first search is fast.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from math import log
from typing import Any

from dynclient._deferred import expression
from dynclient.exceptions import DocumentError
from dynclient.http_grammar import SAFE
from dynclient.inspection.vocabulary import DOES, IDIOMS, METHODS, PREPOSITIONS, SAME, STOP_WORDS, stem, undone
from dynclient.json_pointer import escape
from dynclient.model import API, OperationRow

# The weight of a word by where it occurs.
WEIGHTS: Mapping[str, float] = {
    "name": 1.0,
    "summary": 0.9,
    "path": 0.8,
    "tag": 0.6,
    "parameter": 0.3,
    "description": 0.3,
    "result": 0.15,
}
_OF_THE_TITLE = 1.5
_ALIKE_ALONE, _ALIKE_BESIDE, _PART = 0.6, 0.4, 0.4
_OTHER_METHOD, _OTHER_NUMBER = 0.6, 0.85
_AFTER_PREPOSITION = 0.6
_AGAIN = 0.85
_ENOUGH = 0.5
_CLOSE = 0.4
_SHORTEST_PREFIX, _LONGEST_LETTERS = 4, 2
_DOERS = ("e", "er", "or")
_MOST_WORDS, _LONGEST_QUERY = 32, 1000
_DEEPEST = 2
"""The largest number of references followed in a chain."""


_WORD = expression(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+")
_HUMP = expression(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
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
        texts = _Texts(api)
        for index, row in enumerate(self._rows):
            # From the least weight to the most, so that the last one stays.
            for place, words in (*texts.of(row).items(), *_row_words(row)):
                weight = WEIGHTS[place]
                for word in words:
                    self._weights[word][index] = weight
        self._rarity = {word: self._rare(weights) for word, weights in self._weights.items()}
        self._titles: dict[int, list[frozenset[str]]] = {}

    def _rare(self, weights: Mapping[int, float]) -> float:
        # A word only in the description counts less than one in the name.
        return log(1 + len(self._rows) / sum(weights.values()))

    def search(self, query: str) -> tuple[OperationRow, ...]:
        """Find the operations that best match a query, best first; all of them for an empty query."""
        if not query.strip():
            return self._rows
        asked = _Query(query)
        emphasis = {**asked.words, **{pair: 1.0 for pair in asked.pairs if pair in self._weights}}
        words = list(emphasis)[:_MOST_WORDS]
        found = {word: weights for word in words if (weights := self._found(word, by_whom=asked.by_whom))}
        rarity = {word: self._rare(weights) * emphasis[word] for word, weights in found.items()}
        counts = Counter(index for weights in found.values() for index in weights)
        most = max(counts.values(), default=0)
        scores = {}
        for index, count in counts.items():
            if count >= _ENOUGH * most:
                points = sum(rarity[word] * weights.get(index, 0) for word, weights in found.items())
                scores[index] = (points + self._likeness(index, rarity)) * self._fitness(index, asked)
        least = _CLOSE * max(scores.values(), default=0)
        scores = {index: score for index, score in scores.items() if counts[index] == most or score >= least}
        return tuple(self._rows[index] for index in self._ranked(scores))

    def _fitness(self, index: int, asked: _Query) -> float:
        """How well an operation's method fits the query's verb, and its path the singular or plural."""
        row = self._rows[index]
        named = self._weights.get(asked.verb, {}).get(index, 0) >= WEIGHTS["summary"]
        fits = not asked.methods or row.method in asked.methods or named
        counts = asked.methods is SAFE if asked.plural else row.method == "DELETE"
        other_number = counts and row.path.endswith("}") == asked.plural
        return (1 if fits else _OTHER_METHOD) * (_OTHER_NUMBER if other_number else 1)

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

    def _likeness(self, index: int, rarity: Mapping[str, float]) -> float:
        """The score for how much the name or summary equals the query (Dice's coefficient by rarity)."""
        if index not in self._titles:
            row = self._rows[index]
            self._titles[index] = [frozenset(_query_words(undone(text))) for text in (row.name, row.summary)]
        total, likeness = sum(rarity.values()), 0.0
        for title in self._titles[index]:
            shared = sum(
                value if word in title else value * self._alike(word)
                for word, value in rarity.items()
                if word in title or not title.isdisjoint(SAME.get(word, ()))
            )
            likeness = max(likeness, shared / (total + sum(self._rarity[word] for word in title)))
        return _OF_THE_TITLE * total * likeness

    def _alike(self, word: str) -> float:
        # If the document has the word itself, similar words more often mean something else.
        return _ALIKE_BESIDE if word in self._weights else _ALIKE_ALONE

    def _found(self, word: str, *, by_whom: bool) -> dict[int, float]:
        """Where a word occurs, or a synonym; or a word that it begins, or its two halves.

        ``by_whom``: who has starred something is its stargazers.
        """
        found: dict[int, float] = {}
        if len(word) >= _SHORTEST_PREFIX:
            for other, weights in self._weights.items():
                rest = other[len(word) :] if other.startswith(word) else ""
                if len(rest) > _LONGEST_LETTERS or rest in _DOERS:
                    _merge(found, weights, 1 if by_whom and rest.endswith(_DOERS) else _PART)
            for cut in range(2, len(word) - 1):
                first, second = self._weights.get(word[:cut], {}), self._weights.get(word[cut:], {})
                _merge(found, {index: min(first[index], second[index]) for index in first.keys() & second}, 1)
        for other in SAME.get(word, ()):
            _merge(found, self._weights.get(other, {}), self._alike(word))
        _merge(found, self._weights.get(word, {}), _PART if by_whom and found else 1)
        return found


class _Query:
    """A query, analysed. ``words`` are stems with their weights; ``methods`` are empty without a verb."""

    def __init__(self, text: str) -> None:
        text = _HUMP.sub(" ", text[:_LONGEST_QUERY]).lower()
        self.plural = any(word.endswith("s") and not word.endswith("ss") for word in set(text.split()) - STOP_WORDS)
        for idiom, word in IDIOMS:
            text = idiom.sub(word, text)
        text = undone(text)
        verbs = [word for word in text.split() if word in METHODS]
        self.verb = stem(verbs[0]) if verbs else ""
        self.methods = METHODS[verbs[0]] if verbs else frozenset()
        if self.methods is not SAFE:
            self.methods = self.methods.union(*(METHODS[verb] for verb in verbs if METHODS[verb] is not SAFE))
        self.by_whom = "who" in text.split()
        # Neighbours as one word: ``hang up`` is found as ``hangup``.
        self.pairs = [stem(first + second) for first, second in pairwise(_WORD.findall(text))]
        self.words: dict[str, float] = {}
        emphasis = 1.0
        for word in _WORD.findall(text):
            if word in PREPOSITIONS:
                emphasis = _AFTER_PREPOSITION
            elif word not in STOP_WORDS:
                self.words.setdefault(stem(word), emphasis)


def _merge(found: dict[int, float], weights: Mapping[int, float], factor: float) -> None:
    for index, weight in weights.items():
        if found.get(index, 0) < weight * factor:
            found[index] = weight * factor


def _stems(*texts: str) -> set[str]:
    """The words of some texts, those within camelCase too."""
    return {stem(word.lower()) for word in set(_WORD.findall(" ".join(texts)))}


def _query_words(query: str) -> Iterator[str]:
    """The words of a query without stop words."""
    return (stem(word) for word in (found.lower() for found in _WORD.findall(query)) if word not in STOP_WORDS)


def _row_words(row: OperationRow) -> Iterator[tuple[str, set[str]]]:
    yield "tag", _stems(*row.tags, *DOES.get(row.method, ()))
    yield "path", _stems(row.path)
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
                self._seen[key] = set(), set()  # within itself
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
