"""Which requests can be repeated without doing twice what was asked for once, and the keys that make more of them so.

A key is made once for each call and stays the same on each of its attempts. The header that carries it is named by the
caller (``Retry(idempotency_key=...)``), by the operation's own header parameter, or by its ``x-idempotency``: ``true``,
the header's name, or a mapping with ``header``. What the caller has put there is the key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dynclient._validation import validator
from dynclient.http_grammar import IDEMPOTENCY_KEYS, IDEMPOTENT
from dynclient.messages import Request
from dynclient.model import Operation
from dynclient.options import Limits, Retry

_HEADER = "Idempotency-Key"


def repeatable(request: Request) -> bool:
    """Whether a request can be sent again as it is: it does nothing twice, and its body is still there."""
    return request.method in IDEMPOTENT and (request.body is None or isinstance(request.body, bytes))


def keyed(
    request: Request, operation: Operation, retry: Retry, make: Callable[[], str], limits: Limits
) -> tuple[Request, bool]:
    """The request with its idempotency key, where it has one, and whether it can be repeated."""
    if request.method in IDEMPOTENT or any(request.headers.get(name) for name in IDEMPOTENCY_KEYS):
        return request, True
    key = make() if retry.idempotency_key or _documents(operation) else ""
    header = (retry.idempotency_key or _documented(operation, key, limits)) if key else None
    if header is None:
        return request, retry.idempotent or operation.extensions.get("x-idempotent") is True
    if not request.headers.get(header):
        request = replace(request, headers=request.headers.replace(header, key))
    return request, True


def _documents(operation: Operation) -> bool:
    """Whether the document says anything of keys."""
    parameters = operation.parameters
    return "x-idempotency" in operation.extensions or any(each.name.lower() in IDEMPOTENCY_KEYS for each in parameters)


def _documented(operation: Operation, key: str, limits: Limits) -> str | None:
    """The header that the document names, if it takes a key like ours."""
    for parameter in operation.parameters:
        if parameter.in_ == "header" and parameter.name.lower() in IDEMPOTENCY_KEYS:
            schema = parameter.schema
            if schema is None or not validator(schema, "request", limits=limits).faults(key):
                return parameter.name
    return _extension(operation.extensions.get("x-idempotency"))


def _extension(word: Any) -> str | None:
    if isinstance(word, dict):
        word = word.get("header", True)
    if word is True:
        return _HEADER
    return word if isinstance(word, str) and word else None
