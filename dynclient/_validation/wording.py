"""Words for messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

_MAX_SHOWN = 12
_MAX_VALUE = 60


def article(name: str) -> str:
    """A type's name with its article."""
    if name == "null":
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listed(names: Sequence[str], last: str = "or") -> str:
    """Names as a sentence lists them."""
    return " ".join([", ".join(names[:-1]), last, names[-1]]) if len(names) > 1 else "".join(names)


def shown(values: Iterable[Any]) -> str:
    """Values that a document expects, as Python spells texts and JSON the rest; no more than can be read."""
    values = list(values)
    texts = [_shown(value) for value in values[:_MAX_SHOWN]]
    more = len(values) - len(texts)
    return ", ".join([*texts, f"or {more} more"] if more else texts)


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        text = repr(value)
    else:
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            text = f"a certain {type(value).__name__}"
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"
