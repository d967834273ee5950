"""The mock in the client's own process: a transport that asks it, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynclient import model
from dynclient.messages import Request, Response, Send
from dynclient.testing.mock import Mock, Source, app


class MockTransport:
    """A transport that answers as a document says. ``requests`` are those that came."""

    def __init__(self, document: Source | model.API, **options: Any) -> None:
        """Take the document, and the options of :func:`dynclient.testing.serve`."""
        self.mock: Mock = app(document, **options)

    @property
    def requests(self) -> list[Request]:
        """The requests that came, each with its ``operation_id``."""
        return self.mock.requests

    @property
    def responses(self) -> list[Response]:
        """The responses that were given, each with its ``request``."""
        return self.mock.responses

    def send(self, send: Send) -> Response:
        """Answer a request."""
        request = send.request
        if request.body is not None and not isinstance(request.body, bytes):
            request = request._replace(body=_whole(request.body))
        return self.mock.respond(request)

    def close(self) -> None:
        """There is nothing to close."""


def _whole(body: Any) -> bytes:
    if hasattr(body, "read"):
        return bytes(body.read())
    if isinstance(body, Iterator):
        return b"".join(body)
    raise TypeError("an asynchronous body needs an asynchronous transport")
