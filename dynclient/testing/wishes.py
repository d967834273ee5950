"""What a request wishes of its answer: Prism's ``Prefer`` header and ``__code``, ``__example`` in the query.

Rule 1: the query goes before the Prefer header, and that before what the mock's owner said.
Rule 2: what is wished and can't be had is refused, not passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dynclient.messages import Request
from dynclient.testing.manner import Manner, Wish
from dynclient.testing.refusals import Refusal

WISHES = ("code", "example", "dynamic", "seed")


def preferences(prefer: str) -> dict[str, str]:
    """What a Prefer header asks for: ``code=404, example=busy``."""
    # RFC 7240, 2: preferences are separated by commas; their values may be quoted.
    pairs = (member.strip().partition("=") for member in prefer.replace(";", ",").split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if name}


def wish(request: Request, manner: Manner) -> Wish:
    """Read what a request wishes.

    Raises:
        Refusal: 400 for a wish that can't be read.
    """
    given = preferences(request.headers.get("prefer", "")) if "prefer" in request.headers else {}
    query = urlsplit(request.url).query
    if "__" in query:
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        given.update({name: pairs[f"__{name}"] for name in WISHES if f"__{name}" in pairs})
    read = {name: _READERS[name](given[name]) for name in WISHES if name in given}
    return Wish(dynamic=manner.dynamic, seed=manner.seed)._replace(**read) if read else _usual(manner)


def _usual(manner: Manner) -> Wish:
    return Wish(dynamic=manner.dynamic, seed=manner.seed)


def _code(text: str) -> str:
    # RFC 9110, 15: three digits, the first of which is 1 to 5.
    if not (len(text) == 3 and text.isascii() and text.isdecimal() and "2" <= text[0] <= "5"):  # noqa: PLR2004  # see above
        raise Refusal(400, "the preferred code is no status of a final answer")
    return text


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false", ""}:
        raise Refusal(400, "the preference dynamic is true or false")
    return text.lower() != "false"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004  # more digits tell nothing more
        raise Refusal(400, "the preferred seed is no number")
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {"code": _code, "example": str, "dynamic": _truth, "seed": _number}
