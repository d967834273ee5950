"""Find operations by words: at the prompt, on the command line, and for agents.

Rule 1: a query is what people say. Stop words are left out, and so are words that the document has nowhere; endings
(plural, -ing, -ed, -ion) do not matter, and verbs that APIs use alike find each other at half their weight.
Rule 2: a word counts by its rarity in the document times its weight in the best place where an operation has it
(:data:`WEIGHTS`). What has fewer words than others and is far from the best is not listed.
Rule 3: names and summaries that consist of the words of the query come before those that have other words too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import pairwise
from math import log

from dynclient._deferred import expression
from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.http_grammar import SAFE
from dynclient.inspection.arguments import body_schema
from dynclient.inspection.signatures import successes
from dynclient.model import Operation, OperationRow, RequestBody, Response

# The weight of a word by where it occurs. The last three need the operation to be read.
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
_ALIKE, _PART = 0.5, 0.4
_OTHER_METHOD = 0.6
_ENOUGH = 0.5
_CLOSE = 0.3
_SHORTEST_STEM = 3
_SHORTEST_PREFIX = 4
_MOST_WORDS = 32


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP_WORDS = _words(
    """a all am an and any are as at be by can could did do does each every for from give had has have how i if in into
    is it its just let many me much my not now of off on one or our out please should some somebody someone something
    that the their them there these this those to up us want was we were what when where which who whom whose why will
    with would you your"""
)
_VERBS = (
    "get retrieve fetch read show view see look",
    "list find search",
    "create add new make post register open start store save",
    "update change edit modify set patch put replace rename",
    "delete remove cancel destroy erase",
    "execute exec run trigger start",
    "download get",
    "upload add",
)
# A query that begins so is about operations that read, or about those that write.
_READING = _words(
    """check count download find get fetch how list look read retrieve search see show view what where which
    who"""
)
_WRITING = _words(
    """add approve assign cancel change close create delete destroy edit erase make mark merge modify move new open
    patch post put register remove rename replace save send set start stop store trigger update upload"""
)
_PHRASES = expression(r"(?i)\b(?:(?:logged|signed) in|who ?am ?i|my|myself)\b")
_WORD = expression(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_A-Za-z0-9]+")
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


_SAME: Mapping[str, frozenset[str]] = {
    stem(word): frozenset(stem(other) for line in _VERBS if word in line.split() for other in line.split())
    for word in " ".join(_VERBS).split()
}


class SearchIndex:
    """The words of a document's operations: where each one occurs, and how much it counts there."""

    __slots__ = ("_rarity", "_rows", "_titles", "_weights")

    def __init__(self, rows: Iterable[OperationRow], read: Callable[[OperationRow], Operation]) -> None:
        """``read`` reads an operation; one that is broken is found by its row alone."""
        self._rows = tuple(rows)
        # Word -> index of an operation -> the weight there.
        self._weights: dict[str, dict[int, float]] = {}
        self._titles: list[tuple[frozenset[str], ...]] = []
        for index, row in enumerate(self._rows):
            self._titles.append(tuple(frozenset(_query_words(text)) for text in (row.name, row.summary)))
            for place, text in _row_texts(row):
                self._add(index, text, WEIGHTS[place])
            with suppress(DocumentError):
                for place, text in _operation_texts(read(row)):
                    self._add(index, text, WEIGHTS[place])
        # An operation that has a word in its description alone counts less than one that is named so.
        self._rarity = {word: log(1 + len(self._rows) / sum(found.values())) for word, found in self._weights.items()}

    def _add(self, index: int, text: str, weight: float) -> None:
        for word in _text_words(text):
            found = self._weights.setdefault(word, {})
            if found.get(index, 0) < weight:
                found[index] = weight

    def search(self, query: str) -> tuple[OperationRow, ...]:
        """Find the operations that have most words of a query, the best first; all of them for an empty query."""
        if not query.strip():
            return self._rows
        words = list(dict.fromkeys(_query_words(_PHRASES.sub(" authenticated ", query))))[:_MOST_WORDS]
        found = {word: weights for word in words if (weights := self._found(word))}
        rarity = {word: self._rarity.get(word) or log(1 + len(self._rows)) for word in found}
        points: dict[int, float] = {}
        counts: dict[int, int] = {}
        for word, weights in found.items():
            for index, weight in weights.items():
                points[index] = points.get(index, 0) + rarity[word] * weight
                counts[index] = counts.get(index, 0) + 1
        verb = query.lower().split()[0]
        safe = True if verb in _READING else False if verb in _WRITING else None
        most = max(counts.values(), default=0)
        scores = {
            index: self._score(index, points[index], rarity, safe=safe)
            for index in points
            if counts[index] >= _ENOUGH * most
        }
        least = _CLOSE * max(scores.values(), default=0)
        scores = {index: score for index, score in scores.items() if counts[index] == most or score >= least}
        ranked = sorted(scores, key=lambda index: (-scores[index], len(self._rows[index].path), index))
        return tuple(self._rows[index] for index in ranked)

    def _score(self, index: int, points: float, rarity: Mapping[str, float], *, safe: bool | None) -> float:
        """The points of an operation, and how far its name or summary is the query (Dice's coefficient by rarity)."""
        total = sum(rarity.values())
        likeness = 0.0
        for title in self._titles[index]:
            shared = sum(value for word, value in rarity.items() if word in title)
            likeness = max(likeness, shared / (total + sum(self._rarity.get(word, 0) for word in title)))
        score = points + _OF_THE_TITLE * total * likeness
        fits = safe is None or safe is (self._rows[index].method in SAFE)
        return score if fits else score * _OTHER_METHOD

    def _found(self, word: str) -> dict[int, float]:
        """Where a word occurs, or one that is used alike; or one that it begins."""
        found: dict[int, float] = {}
        if len(word) >= _SHORTEST_PREFIX:
            for other, weights in self._weights.items():
                if other.startswith(word):
                    _merge(found, weights, _PART)
        for other in _SAME.get(word, ()):
            _merge(found, self._weights.get(other, {}), _ALIKE)
        _merge(found, self._weights.get(word, {}), 1)
        return found


def _merge(found: dict[int, float], weights: Mapping[int, float], factor: float) -> None:
    for index, weight in weights.items():
        if found.get(index, 0) < weight * factor:
            found[index] = weight * factor


def _stems(text: str) -> Iterator[str]:
    """The words of a text, those within camelCase too."""
    return (stem(word.lower()) for word in _WORD.findall(text))


def _text_words(text: str) -> Iterator[str]:
    """The words of a text, and pairs of neighbours as one: ``hang up`` is found as ``hangup``."""
    words = list(_stems(text))
    yield from words
    yield from (stem(first + second) for first, second in pairwise(words))


def _query_words(query: str) -> Iterator[str]:
    """The words of a query without stop words."""
    return (stem(word) for word in (found.lower() for found in _WORD.findall(query)) if word not in _STOP_WORDS)


def _row_texts(row: OperationRow) -> Iterator[tuple[str, str]]:
    for name in (row.name, row.operation_id or "", *(pair[1] for pair in row.names_by_tag)):
        yield "name", name
    yield "path", row.path
    yield "summary", row.summary
    yield from (("tag", tag) for tag in row.tags)


def _operation_texts(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "description", operation.description
    for parameter in operation.parameters:
        yield from (("parameter", parameter.name), ("description", parameter.description))
    # The properties of a body are arguments of a call too.
    for name, description in _properties(operation.body):
        yield from (("parameter", name), ("description", description))
    for response in successes(operation):
        yield "result", response.description
        for name, description in _properties(response):
            yield from (("result", name), ("result", description))


def _properties(body: RequestBody | Response | None) -> Iterator[tuple[str, str]]:
    schema = body_schema(body) if body is not None else None
    for name, child in shape(schema).properties.items() if schema is not None else ():
        yield name, shape(child).description or ""
