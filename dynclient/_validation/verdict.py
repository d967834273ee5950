"""The verdict, yes or no, of jsonschema-rs, which checks before jsonschema.

Rule 1: it never accepts a value that jsonschema refuses. A keyword that jsonschema-rs interprets differently is
rewritten, or calls a function of dynclient; if neither is possible, there is no verdict for that bundle.
Rule 2: if it can't judge a value (bytes, files, lone surrogates), or can't be imported, there is no verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient._schemas import SchemaBundle
from dynclient._schemas.keywords import MANY, NAMED
from dynclient._validation.formats import NUMBERS, TEXTS
from dynclient._validation.patterns import matches

_DATA = ("const", "dependentRequired", "enum")


def verdict_of(bundle: SchemaBundle, pattern_length: int) -> Callable[[Any], bool] | None:
    """Prepare a bundle; None if jsonschema-rs can't be imported, or can't handle the bundle.

    The returned function raises ValueError, TypeError or OverflowError for a value that it can't judge.
    """
    try:
        import jsonschema_rs
    except ImportError:
        return None
    writer: _Writer = bundle.worked_out.setdefault(f"verdict {pattern_length}", _Writer(pattern_length))
    try:
        checker = jsonschema_rs.Draft202012Validator(
            {**bundle.schema, "$defs": writer.entries(bundle.schema["$defs"])},
            formats=writer.formats,
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (NoVerdict, ValueError):
        # ValueError: a limit of its own, or a regular expression too large for it.
        return None
    return checker.is_valid


class NoVerdict(Exception):
    """A bundle has a keyword that jsonschema-rs would interpret differently."""


class _Writer:
    """Rewrites the entries of a document's bundles for jsonschema-rs, each once."""

    def __init__(self, pattern_length: int) -> None:
        self.formats: dict[str, Callable[[str], bool]] = {}
        self._pattern_length = pattern_length
        self._written: dict[str, Any] = {}

    def entries(self, entries: dict[str, Any]) -> dict[str, Any]:
        for name, node in entries.items():
            if name not in self._written:
                self._written[name] = self._schema(node)
        return {name: self._written[name] for name in entries}

    def _schema(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        result: dict[str, Any] = {}
        more: list[dict[str, Any]] = []
        for keyword, value in node.items():
            if keyword in _DATA:
                result[keyword] = value
            elif keyword == "pattern":
                more.append(self._pattern(value))
            elif keyword == "format":
                more += self._format(value)
            elif keyword in NAMED:
                is_pattern = keyword == "patternProperties"
                result[keyword] = {
                    self._name_pattern(name) if is_pattern else name: self._schema(below)
                    for name, below in value.items()
                }
            elif isinstance(value, list) and keyword in MANY:
                result[keyword] = [self._schema(below) for below in value]
            else:
                result[keyword] = self._schema(value)
        if more:
            result["allOf"] = [*result.get("allOf", []), *more]
        return result

    def _pattern(self, source: str) -> dict[str, Any]:
        from dynclient import _regex

        portable = _regex.compile(source, self._pattern_length).portable
        if portable is not None:
            return {"pattern": portable}
        name = f"dynclient-pattern:{source}"
        self.formats[name] = lambda text: matches(source, text, self._pattern_length) is not False
        return {"format": name}

    def _name_pattern(self, source: str) -> str:
        from dynclient import _regex

        portable = _regex.compile(source, self._pattern_length).portable
        if portable is None:
            raise NoVerdict
        return portable

    def _format(self, name: str) -> list[dict[str, Any]]:
        """A format as a test of texts, and as bounds of numbers."""
        found: list[dict[str, Any]] = []
        text = TEXTS.get(name)
        if text is not None and text.schema is not None:
            found.append(text.schema)
        elif text is not None:
            self.formats[f"dynclient:{name}"] = text.test
            found.append({"format": f"dynclient:{name}"})
        number = NUMBERS.get(name)
        if number is not None:
            bounds = {"minimum": number.least, "maximum": number.most}
            found.append({**bounds, "multipleOf": 1} if number.whole else bounds)
        return found
