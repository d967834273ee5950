"""Which operations are meant by a few words.

Rule 1: every word has to be found somewhere. Rule 2: where it is found says how much it counts (:data:`WEIGHTS`), and
whether it is all of what stands there, a word of it, or a part of one. Rule 3: the best come first, and of the same
worth those that the document has first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from dynclient._expressions import expression
from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import body_schema
from dynclient.inspection.signatures import successes
from dynclient.model import Operation, OperationRow

# What a word counts in a place. An operation is read for the last three only.
WEIGHTS: Mapping[str, int] = {
    "name": 100,
    "tag": 40,
    "path": 30,
    "summary": 20,
    "parameter": 8,
    "description": 3,
    "result": 2,
}
_JOINT = expression(r"[\s_-]+")
_WHOLE, _WORD, _PART = 4, 2, 1


def search(
    rows: Iterable[OperationRow], query: str, read: Callable[[OperationRow], Operation]
) -> tuple[OperationRow, ...]:
    """The operations in whose names, paths, summaries, parameters or descriptions are all words; the best first.

    One that can't be read is looked for by what is known of it.
    """
    words = query.lower().split()
    scored = [(score(row, words, read), row) for row in rows]
    return tuple(row for _, row in sorted((found for found in scored if found[0]), key=lambda found: -found[0]))


def score(row: OperationRow, words: list[str], read: Callable[[OperationRow], Operation]) -> int:
    """What an operation is worth; 0 where a word is nowhere in it, and 1 where there are no words."""
    texts = list(_known(row))
    with suppress(DocumentError):
        texts += _read(read(row))
    worth = [max((WEIGHTS[kind] * _found(word, text) for kind, text in texts), default=0) for word in words]
    return sum(worth) + 1 if all(worth) else 0


def _known(row: OperationRow) -> Iterator[tuple[str, str]]:
    for name in (row.name, row.operation_id or "", *(pair[1] for pair in row.names_by_tag)):
        yield "name", name.lower()
    yield "path", row.key.lower()
    yield "summary", row.summary.lower()
    yield from (("tag", tag.lower()) for tag in row.tags)


def _read(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "description", operation.description.lower()
    for parameter in operation.parameters:
        yield "parameter", parameter.name.lower()
        yield "description", parameter.description.lower()
    # The properties of a body are a call's arguments too.
    body = body_schema(operation.body) if operation.body is not None else None
    for name, schema in shape(body).properties.items() if body is not None else ():
        yield "parameter", name.lower()
        yield "description", (shape(schema).description or "").lower()
    # What a call gives is looked for as well, last.
    for response in successes(operation):
        yield "result", response.description.lower()
        given = body_schema(response)
        for name, schema in shape(given).properties.items() if given is not None else ():
            yield "result", name.lower()
            yield "result", (shape(schema).description or "").lower()


def _found(word: str, text: str) -> int:
    if word not in text:
        # "hangup" finds "hang-up" and "hang up", "createcall" finds "create_call".
        return _PART if word in _JOINT.sub("", text) else 0
    if word == text:
        return _WHOLE
    return _WORD if word in re.split(r"[\W_]+", text) else _PART
