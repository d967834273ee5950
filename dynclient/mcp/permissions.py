"""The operations that an agent may call, and the confirmation of writes.

Rule 1: a GET, HEAD or QUERY may be called unless the operator denies it. Other methods need a pattern of
``allow_write``, and a DELETE needs a pattern that names it explicitly.
Rule 2: the method is that of the document. A request that overrides it, by a header, a query field or a field of its
body, is refused.
Rule 3: a confirmation is valid once, for one request, for five minutes, and only in this process.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dynclient._rows import OperationRow
from dynclient.exceptions import ArgumentError
from dynclient.messages import Request

READ = frozenset({"GET", "HEAD", "QUERY"})
SECONDS = 300
# The spellings of Rails, Symfony, Laravel, Express, ASP.NET and Google's APIs, without punctuation.
_OVERRIDES = frozenset(
    {"xhttpmethodoverride", "xhttpmethod", "xmethodoverride", "httpmethodoverride", "methodoverride"}
)
_FIELD = "_method"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Decides which operations are offered, and which operations that write may be called."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    allow_write: tuple[str, ...] = ()

    def shows(self, document: str, row: OperationRow) -> bool:
        """Whether an operation is offered."""
        allowed = not self.allow or any(_matches(pattern, document, row) for pattern in self.allow)
        return allowed and not any(_matches(pattern, document, row) for pattern in self.deny)

    def permits(self, document: str, row: OperationRow) -> bool:
        """Whether an operation may be called."""
        if not self.shows(document, row) or row.method in READ:
            return self.shows(document, row)
        return any(
            _matches(pattern, document, row) and (row.method.upper() != "DELETE" or _is_own(pattern, document, row))
            for pattern in self.allow_write
        )


def _names(document: str, row: OperationRow) -> Iterator[str]:
    names = [row.name, row.operation_id or row.name, *(".".join(pair) for pair in row.names_by_tag)]
    yield from names
    yield from (f"{document}/{name}" for name in names if document)


def _matches(pattern: str, document: str, row: OperationRow) -> bool:
    method, space, path = pattern.strip().partition(" ")
    if space:
        return fnmatchcase(row.method, method.upper()) and fnmatchcase(row.path, path.strip())
    return any(fnmatchcase(name, pattern) for name in _names(document, row))


def _is_own(pattern: str, document: str, row: OperationRow) -> bool:
    """Whether a pattern names a DELETE explicitly: by the method, or by the whole name of the operation."""
    method, space, _ = pattern.strip().partition(" ")
    return method.upper() == "DELETE" if space else pattern in _names(document, row)


def check_method(request: Request, arguments: Mapping[str, Any]) -> None:
    """Refuse a request that overrides its method.

    Raises:
        ArgumentError: it overrides it.
    """
    query = [name for name, _ in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)]
    names = [*request.headers, *query, *_body_names(request), *_keys(arguments)]
    for name in names:
        plain = "".join(filter(str.isalnum, name.lower()))
        if plain in _OVERRIDES or name.lower().strip("[]") == _FIELD:
            raise ArgumentError(f"{name} would override the method {request.method}; agents may not override methods")


def _body_names(request: Request) -> list[str]:
    body = request.body if isinstance(request.body, bytes) else b""
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return [name for name, _ in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)]
    # In a multipart body or XML, the names are in the bytes.
    return [_FIELD] if "json" not in content_type and _FIELD.encode() in body.lower() else []


def _keys(value: Any) -> Iterator[str]:
    """The keys of all objects in the arguments, at any depth, since any of them may mean something to the server."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield str(name)
            yield from _keys(member)
    elif isinstance(value, list):
        for member in value:
            yield from _keys(member)


class Confirmations:
    """Makes and checks tokens that confirm a request: an HMAC of the request, and the time at which it expires."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._used: dict[str, float] = {}

    def token(self, row_key: str, request: Request, arguments: Mapping[str, Any], now: float | None = None) -> str:
        """A token for a request; ``now`` is the monotonic clock in seconds."""
        expires = int((monotonic() if now is None else now) * 1000) + SECONDS * 1000
        return f"{expires:x}.{self._digest(expires, row_key, request, arguments)}"

    def take(self, token: str, row_key: str, request: Request, arguments: Mapping[str, Any]) -> str:
        """Use up a token. Returns what is wrong with it, or an empty string."""
        expiry, _, digest = token.partition(".")
        try:
            expires = int(expiry, 16)
        except ValueError:
            expires = 0
        if not hmac.compare_digest(digest.encode(), self._digest(expires, row_key, request, arguments).encode()):
            return "confirm= is not the token of this request"
        now = monotonic() * 1000
        if expires < now:
            return f"confirm= has expired: it is valid for {SECONDS} seconds"
        self._used = {used: until for used, until in self._used.items() if until >= now}
        if digest in self._used:
            return "confirm= was used before"
        self._used[digest] = expires
        return ""

    def _digest(self, expires: int, row_key: str, request: Request, arguments: Mapping[str, Any]) -> str:
        """The HMAC of a request.

        It covers the arguments instead of the body, since the boundary of a multipart body varies.
        """
        said = [expires, row_key, request.method, request.url, arguments]
        text = json.dumps(said, sort_keys=True, ensure_ascii=True, default=str)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
