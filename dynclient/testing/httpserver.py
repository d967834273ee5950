"""A bridge to pytest-httpserver: an operation as an expected request, with its documented response.

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
from dynclient.testing.stubs import NOTHING, stub_response

__all__ = ["ExpectedOperation", "expect_operation"]


class ExpectedOperation:
    """A request that a pytest-httpserver expects; its methods set the response."""

    def __init__(self, handler: Any, operation: Any) -> None:
        """Take pytest-httpserver's handler, and the operation."""
        self.handler = handler
        self._operation = operation

    def respond_with_example(self, status: int | None = None) -> None:
        """Respond as the document shows: with its lowest 2xx, or with another documented status.

        Raises:
            UnlawfulAnswer: the document has no such response.
        """
        self.respond_with(NOTHING, status=status)

    def respond_with(self, value: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Respond with a value, which is validated against the document.

        Raises:
            UnlawfulAnswer: the document has no such response.
        """
        response: Response = stub_response(self._operation, value, status=status, headers=headers)
        self.handler.respond_with_data(response.body, response.status, dict(response.headers.pairs()))


def expect_operation(httpserver: Any, method: Any, *args: Any, **keywords: Any) -> ExpectedOperation:
    """Let a pytest-httpserver expect a client's operation: with these arguments, or with any if none are given.

    Raises:
        RequestError: the document does not allow the arguments.
    """
    operation = method.operation
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
