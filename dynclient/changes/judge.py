"""Decide whether all values of one schema are valid against another, by a proof or by a counterexample.

Rule 1: the validator's verdict on a value is decisive.
Rule 2: it tries values near the keywords of both schemas: their limits, texts, names, and examples.
Rule 3: the work is bounded, for each pair of schemas and for the two documents.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from dynclient._schemas import MISSING, follow, is_binary
from dynclient._schemas.bundles import CompiledSchemas
from dynclient._schemas.keywords import Direction, target
from dynclient._validation import Validator, validator
from dynclient._validation.formats import NUMBERS
from dynclient.changes.facts import Term, named_anywhere
from dynclient.changes.inclusion import Inclusion
from dynclient.examples import example
from dynclient.examples.patterns import text
from dynclient.examples.scalars import TEXTS
from dynclient.exceptions import DocumentError
from dynclient.model import Schema
from dynclient.options import Limits

_STEPS = 2_500
_STEPS_IN_ALL = 10_000
_STEPS_AT_LEAST = 4
_MOST_TRIED = 1_200
_TRIED_IN_ALL = 60_000
_SCHEMAS_PER_TRY = 50  # A value of a schema that reaches many others takes as long as several.
_MOST_NODES = 80
_MOST_SCALARS = 24
_LONGEST = 2_000
_REFERENCE = re.compile(r'"\$ref": ("(?:[^"\\]|\\.)*")')
_TELLING = frozenset({"$dynamicRef", "$id", "$recursiveRef", "$schema"})
_OF_BYTES = frozenset({"contentMediaType", "format"})
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_ANY: tuple[Any, ...] = (None, True, False, 0, 1, -1, 1.5, "", "a", "zz zz", [], {})

Text = tuple[str, tuple[Schema, ...] | None, bool]
_Key = tuple[int, str]


class Judge:
    """The results for pairs of schemas of two documents, in both orders."""

    def __init__(self) -> None:
        """Start without results."""
        self._proof = Inclusion(_STEPS)
        self._left = _STEPS_IN_ALL
        self._tries = _TRIED_IN_ALL
        self._terms: dict[tuple[int, str], _DocumentTerms] = {}
        self._texts: dict[_Key, Text] = {}
        self._alike: dict[tuple[_Key, _Key], bool] = {}
        self._proved: dict[tuple[_Key | None, _Key, str], bool] = {}

    def alike(self, old: Schema, new: Schema) -> bool:
        """Whether two schemas, and those that they refer to, are written alike."""
        waiting, seen = [(old, new)], set[tuple[_Key, _Key]]()
        while waiting:
            one, other = waiting.pop()
            pair = (_key(one), _key(other))
            if pair in seen or self._alike.get(pair):
                continue
            seen.add(pair)
            (left, ends, is_telling), (right, others, _) = self._text(one), self._text(other)
            is_telling = is_telling or left != right or one.dialect != other.dialect
            if self._alike.get(pair) is False or is_telling or ends is None or others is None:
                self._alike[_key(old), _key(new)] = self._alike[pair] = False
                return False
            waiting += zip(ends, others, strict=True)
        self._alike.update(dict.fromkeys(seen, True))
        return True

    def _text(self, schema: Schema) -> Text:
        """A schema as text, and the schemas that it refers to; None if a reference can't be resolved.

        The last part says whether its meaning also depends on others.
        """
        key = _key(schema)
        if key not in self._texts:
            written = json.dumps(schema.value, default=_plain, sort_keys=True)
            found = dict.fromkeys(map(json.loads, _REFERENCE.findall(written)))
            try:
                self._texts[key] = written, tuple(target(schema, to) for to in found), _is_telling(schema.value)
            except DocumentError:
                self._texts[key] = written, None, True
        return self._texts[key]

    def proves(self, one: Schema | None, other: Schema, direction: Direction) -> bool:
        """Whether it is proved that all values of a schema, or of none, are valid against the other."""
        key = (_key(one) if one is not None else None, _key(other), direction)
        if key not in self._proved:
            self._proof.steps = max(min(_STEPS, self._left), _STEPS_AT_LEAST)
            begun = self._proof.steps
            try:
                self._proved[key] = (one is not None and self.alike(one, other)) or self._proof.includes(
                    (self.term(one, direction),) if one is not None else (), self.term(other, direction)
                )
            except (DocumentError, RecursionError):
                self._proved[key] = False
            if not self._proved[key]:
                self._left -= begun - self._proof.steps
        return self._proved[key]

    def term(self, schema: Schema, direction: Direction) -> Term:
        """A schema as a term.

        Raises:
            DocumentError: a schema is broken.
        """
        key = (id(schema.references), direction)
        return self._terms.setdefault(key, _DocumentTerms(direction)).term(schema)

    def counterexample(self, one: Schema, other: Schema, direction: Direction) -> Any:
        """A value that is valid against one schema and not the other; MISSING if none was found."""
        if self._tries < 0 or is_binary(one) or is_binary(other):
            return MISSING
        try:
            first, second = validator(one, direction), validator(other, direction)
            cost = 1 + sum(len(each.bundle.schema["$defs"]) for each in (first, second)) // _SCHEMAS_PER_TRY
            first_values = [example(schema, direction, seed, shown=False) for schema in (one, other) for seed in (0, 1)]
            for value in _near(self.term(one, direction), self.term(other, direction), first_values):
                self._tries -= cost
                if self._tries < 0:
                    break
                if _is_valid(first, value) and not _is_valid(second, value):
                    return value
        except (DocumentError, RecursionError):
            pass
        return MISSING


def _key(schema: Schema) -> _Key:
    """The identity of a schema in one of two documents, which may have the same URIs if one was reloaded."""
    return id(schema.references), schema.uri


def _is_telling(node: Any) -> bool:
    """Whether the meaning of a schema depends on schemas that it does not refer to."""
    if isinstance(node, list):
        return any(map(_is_telling, node))
    if not isinstance(node, Mapping):
        return False
    if not _TELLING.isdisjoint(node):
        return True
    if "discriminator" in node:
        # One next to a union picks one of its branches; any other picks one of the schemas that refer to it.
        branches = node.get("oneOf") or node.get("anyOf")
        listed = branches if isinstance(branches, list) else []
        found = [each["$ref"] for each in listed if isinstance(each, Mapping) and "$ref" in each]
        said = node["discriminator"]
        mapping = said.get("mapping", {}) if isinstance(said, Mapping) else None
        if not found or not isinstance(mapping, Mapping) or not all(to in found for to in mapping.values()):
            return True
    return any(map(_is_telling, node.values()))


def _plain(value: Any) -> Any:
    try:
        return dict(value)
    except (TypeError, ValueError):
        return str(value)


class _DocumentTerms:
    """The schemas of a document in one direction as terms."""

    def __init__(self, direction: Direction) -> None:
        # Each subschema is an entry, so that it is the same term on its own and as a part.
        self._compiled = CompiledSchemas(direction, Limits().schema_depth, inline=0)
        self._entries: dict[str, Any] = {}

    def term(self, schema: Schema) -> Term:
        """A schema as a term, with the schemas that it refers to.

        Raises:
            DocumentError: a schema is broken.
        """
        start = self._compiled.number(follow(schema))
        waiting = [start]
        for number in waiting:  # it grows
            entry = self._compiled.entries[number]
            if str(number) not in self._entries:
                entry.write()
                # In 3.1, bytes have the type "string", in 3.0 and 2.0 they have any.
                value = entry.schema.value
                is_typed = isinstance(value, Mapping) and not _OF_BYTES.isdisjoint(value)
                if is_typed and is_binary(entry.schema):
                    entry.node.pop("type", None)
                self._entries[str(number)] = entry.node
                waiting += [to for _, to in entry.links]
                for node, to, _ in entry.dynamic:
                    # The target depends on how it is reached, so only schemas that are written alike are equal.
                    node["$dynamicRef"] = f"#/$defs/{to}"
                    waiting.append(to)
        return Term(self._compiled.entries[start].node, self._entries)


def _is_valid(check: Validator, value: Any) -> bool:
    verdict = check.verdict(value)
    return not check.faults(value, places=False) if verdict is None else verdict


# Values close to two schemas.


def _near(one: Term, other: Term, first: list[Any]) -> Iterator[Any]:
    """Yield values close to the keywords and examples of two schemas, the most likely ones first."""
    nodes = [*_nodes(one), *_nodes(other)]
    scalars = _distinct([value for node in nodes for value in _values_of(node)])[:_MOST_SCALARS]
    scalars = _distinct([*scalars, *_ANY])
    names = _names(one, other, nodes)
    lists = [[value] * count for value in (*first[:1], *scalars[:8]) for count in (1, 2, 3)]
    objects = [dict.fromkeys(names[:4], "a"), *({name: value} for name in names[:6] for value in scalars[:6])]
    waiting = _distinct([*first, *scalars, *lists, *objects])
    seen = {_written(value) for value in waiting}
    for count, value in enumerate(waiting, 1):  # the list grows
        yield value
        if count >= _MOST_TRIED:
            return
        for changed in _changed(value, names, scalars):
            if len(waiting) >= _MOST_TRIED:
                break
            if (written := _written(changed)) not in seen:
                seen.add(written)
                waiting.append(changed)


def _nodes(term: Term) -> list[dict[str, Any]]:
    """The nodes of a schema and of its references, the nearest first."""
    found: list[dict[str, Any]] = []
    waiting: list[Any] = [term.node]
    seen: set[int] = set()
    for node in waiting:  # the list grows
        if len(found) >= _MOST_NODES:
            break
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict) and id(node) not in seen:
            seen.add(id(node))
            found.append(node)
            reference = node.get("$ref")
            waiting += [term.entries.get(str(reference).removeprefix("#/$defs/"))] if reference else []
            waiting += [below for key, below in node.items() if key not in ("const", "enum")]
    return found


def _values_of(node: dict[str, Any]) -> Iterator[Any]:
    """Values on both sides of the keywords of a node."""
    yield from [node["const"]] if "const" in node else []
    yield from node["enum"][:10] if isinstance(node.get("enum"), list) else []
    name = str(node.get("format"))
    yield from TEXTS.get(name, ())[:1]
    bounds = [node.get(keyword) for keyword in _BOUNDS]
    bounds += [NUMBERS[name].least, NUMBERS[name].most] if name in NUMBERS else []
    for bound in bounds:
        if isinstance(bound, (int, float)) and math.isfinite(bound):
            yield from (bound, bound + 1, bound - 1, bound + 0.5, 2 * bound, 1.5 * bound)
    for length in (node.get("minLength"), node.get("maxLength")):
        if isinstance(length, (int, float)) and length < _LONGEST:
            yield from ("a" * count for count in (int(length), int(length) + 1, int(length) - 1) if count >= 0)
    if isinstance(node.get("pattern"), str):
        yield from filter(None, (_matching(node["pattern"], seed) for seed in (0, 1, 3)))


def _matching(pattern: str, more: int = 0) -> str | None:
    """A text that matches a pattern."""
    return text(pattern, Random(more), more)  # noqa: S311 - nothing is secret here


def _names(one: Term, other: Term, nodes: list[dict[str, Any]]) -> list[str]:
    """Names of properties that values of a schema may have, including one that no schema has."""
    names = named_anywhere(one)
    if any(isinstance(node.get("additionalProperties"), dict) and node["additionalProperties"] for node in nodes):
        names |= named_anywhere(other)
    patterns = [name for node in nodes for name in (*node.get("patternProperties", ()), node.get("pattern"))]
    found = [_matching(pattern) for pattern in patterns if isinstance(pattern, str)]
    return [*dict.fromkeys([*sorted(names), "zz-other", *filter(None, found)])]


def _changed(value: Any, names: list[str], scalars: list[Any]) -> Iterator[Any]:
    """Yield variants of a value, each with one thing changed."""
    if isinstance(value, dict):
        for name in value:
            yield {key: item for key, item in value.items() if key != name}
        for name in (*value, *(name for name in names if name not in value)):
            yield from ({**value, name: item} for item in scalars[:16])
        for name, item in value.items():
            yield from ({**value, name: changed} for changed in _changed(item, names, scalars))
    elif isinstance(value, list):
        yield from (value[:-1], value[:1] + value)
        yield from ([*value, item] for item in scalars[:12])
        for index, old in enumerate(value[:3]):
            for item in (*scalars[:12], *_changed(old, names, scalars)):
                yield [*value[:index], item, *value[index + 1 :]]


def _distinct(values: list[Any]) -> list[Any]:
    return copy.deepcopy(list({_written(value): value for value in values}.values()))


def _written(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)
