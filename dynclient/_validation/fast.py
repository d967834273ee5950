"""The fast engine, jsonschema-rs: it says yes or no, where it is installed.

Rule 1: it never says yes to what the reference engine refuses. What it reads in its own way is written in a way that
it reads like the reference, or asked of the same function, or else the bundle is not for it.
Rule 2: what it can't take (bytes, files, lone surrogates) is not its to judge: it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient._schemas import Bundle
from dynclient._validation.formats import NUMBERS, TEXTS

_DATA = ("const", "dependentRequired", "enum")
_NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")

Verdict = Callable[[Any], bool | None]


def fast_engine(bundle: Bundle) -> Verdict | None:
    """Make a bundle ready; None where the engine is not installed, or the bundle is not for it."""
    try:
        import jsonschema_rs
    except ImportError:
        return None
    tests: dict[str, Callable[[str], bool]] = bundle.worked_out.setdefault("tests", {})
    try:
        checker = jsonschema_rs.Draft202012Validator(
            {**bundle.schema, "$defs": _entries(bundle, tests)},
            formats=tests,
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (NotForRust, ValueError):
        # ValueError: a limit of its own, or a regular expression too big for it.
        return None
    is_valid = checker.is_valid

    def verdict(value: Any) -> bool | None:
        try:
            return is_valid(value)
        except (ValueError, TypeError, OverflowError):
            return None

    return verdict


class NotForRust(Exception):
    """A bundle says what the engine would read in another way."""


def _entries(bundle: Bundle, tests: dict[str, Callable[[str], bool]]) -> dict[str, Any]:
    """The entries of a bundle as the engine is to read them; each is rewritten once for all bundles."""
    known: dict[str, Any] = bundle.worked_out.setdefault("rewritten", {})
    entries = bundle.schema["$defs"]
    for name in entries:
        if name not in known:
            known[name] = _rewritten(entries[name], tests)
    return {name: known[name] for name in entries}


def _rewritten(node: Any, tests: dict[str, Callable[[str], bool]]) -> Any:
    """A schema as the engine is to read it."""
    if not isinstance(node, dict):
        return node
    result: dict[str, Any] = {}
    more: list[dict[str, Any]] = []
    for word, value in node.items():
        if word in _DATA:
            result[word] = value
        elif word == "pattern":
            more.append(_pattern(value, tests))
        elif word == "format":
            more += _format(value, tests)
        elif word in _NAMED:
            keys = {name: _key(name) if word == "patternProperties" else name for name in value}
            result[word] = {keys[name]: _rewritten(below, tests) for name, below in value.items()}
        elif isinstance(value, list) and word in {"allOf", "anyOf", "oneOf", "prefixItems"}:
            result[word] = [_rewritten(below, tests) for below in value]
        else:
            result[word] = (
                _rewritten(value, tests) if isinstance(value, dict) and word != "dependentRequired" else value
            )
    if more:
        result["allOf"] = [*result.get("allOf", []), *more]
    return result


def _pattern(source: str, tests: dict[str, Callable[[str], bool]]) -> dict[str, Any]:
    from dynclient import _regex

    pattern = _regex.compile(source)
    if pattern.portable is not None:
        return {"pattern": pattern.portable}
    name = f"dynclient-pattern:{source}"
    tests[name] = lambda text: pattern.search(text) is not False
    return {"format": name}


def _key(source: str) -> str:
    from dynclient import _regex

    plain = _regex.compile(source).portable
    if plain is None:
        raise NotForRust
    return plain


def _format(name: str, tests: dict[str, Callable[[str], bool]]) -> list[dict[str, Any]]:
    """A format as a test of texts, and as bounds of numbers."""
    found: list[dict[str, Any]] = []
    text = TEXTS.get(name)
    if text is not None:
        tests[f"dynclient:{name}"] = text.test
        asked = {"format": f"dynclient:{name}"}
        # To ask Python costs more than all else of a short text.
        found.append({"anyOf": [{"pattern": f"^(?:{text.usual()})$"}, asked]} if text.usual is not None else asked)
    number = NUMBERS.get(name)
    if number is not None:
        found.append({"minimum": number.least, "maximum": number.most, **({"multipleOf": 1} if number.whole else {})})
    return found
