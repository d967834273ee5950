"""How a mock behaves, as its owner wants it; and what one request wishes of its answer."""

from __future__ import annotations

from typing import Any

from dynclient._records import Record
from dynclient.options import Limits


class Manner(Record):
    """What the owner of a mock may choose. ``delay`` is in seconds; ``chaos`` is the part of requests that fail."""

    credentials: Any = None
    authenticate: bool = True
    validate: bool = True
    stateful: bool = False
    dynamic: bool = False
    seed: int = 0
    delay: float = 0.0
    chaos: float = 0.0
    cors: bool = False
    watch: bool = False
    limits: Limits = Limits()


class Wish(Record):
    """What a request wishes: a status, an example by name, a value made from the schema, a seed."""

    code: str | None = None
    example: str | None = None
    dynamic: bool = False
    seed: int = 0


NO_WISH = Wish()
