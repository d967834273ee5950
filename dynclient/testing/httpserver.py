"""A bridge to pytest-httpserver: an operation as a request that is expected, and its documented answer.

::

    expect_operation(httpserver, voice.create_call).respond_with_example()
    expect_operation(httpserver, voice.get_call_state, "9900000", "c-1").respond_with({...}, status=200)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from dynclient.messages import Response
from dynclient.testing.answers import documented_answer
from dynclient.testing.given import NOTHING, given_response

__all__ = ["ExpectedOperation", "expect_operation"]


class ExpectedOperation:
    """A request that a pytest-httpserver expects; say what it answers."""

    def __init__(self, handler: Any, operation: Any) -> None:
        """Take pytest-httpserver's handler, and the operation."""
        self.handler = handler
        self._operation = operation

    def respond_with_example(self, status: int | None = None) -> None:
        """Answer as the document shows: its lowest 2xx, or another status that it documents.

        Raises:
            UnlawfulAnswer: the document has no such answer.
        """
        self.respond_with(NOTHING, status=status)

    def respond_with(self, value: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a value, which is held to the document.

        Raises:
            UnlawfulAnswer: the document has no such answer.
        """
        response: Response = given_response(self._operation, value, status=status, headers=headers)
        self.handler.respond_with_data(response.body, response.status, dict(response.headers.pairs()))


def expect_operation(httpserver: Any, method: Any, *args: Any, **keywords: Any) -> ExpectedOperation:
    """Let a pytest-httpserver expect a client's operation: with these arguments, or, without any, with whatever ones.

    Raises:
        RequestError: the arguments are none that the document allows.
    """
    operation = method.operation
    documented_answer(operation, None)
    if args or keywords:
        request = method.prepare(*args, **keywords)
        parts = urlsplit(request.url)
        wanted: dict[str, Any] = {"query_string": parts.query} if parts.query else {}
        if isinstance(request.body, bytes):
            wanted["data"] = request.body
        handler = httpserver.expect_request(unquote(parts.path), method=operation.method, **wanted)
    else:
        template = re.split(r"\{[^{}]+\}", operation.path.partition("#")[0].partition("?")[0])
        pattern = re.compile(".*" + "[^/]+".join(re.escape(part) for part in template))
        handler = httpserver.expect_request(pattern, method=operation.method)
    return ExpectedOperation(handler, operation)
