"""Make a Request from a call's arguments: bind, choose the media type, validate, encode, build.

Credentials are added afterwards, by :mod:`dynclient.security`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._request.binding import FOREIGN_NAMES, Binder, Bound
from dynclient._request.options import (
    EVENTS,
    CallOptions,
    HiddenHeaders,
    hidden_defaults,
    hidden_headers,
    listed,
    query_fields,
    with_numbers,
)
from dynclient._request.plan import Plan
from dynclient._request.servers import ServerChoice, checked_base_url, server_url

if TYPE_CHECKING:
    from dynclient._request.explanation import Explanation, explain

__all__ = [
    "EVENTS", "FOREIGN_NAMES", "Binder", "Bound", "CallOptions", "Explanation", "HiddenHeaders", "Plan", "ServerChoice",
    "checked_base_url", "explain", "hidden_defaults", "hidden_headers", "listed", "query_fields", "server_url",
    "with_numbers",
]  # fmt: skip

__getattr__ = deferred(__name__, {"explanation": ("Explanation", "explain")})
