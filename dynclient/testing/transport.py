"""The mock in the client's own process: a transport for both clients, without a socket.

It answers from the document, or what a test gives::

    transport = MockTransport("openapi/voice.yaml")
    transport.create_call.raises(503, times=2)
    transport.create_call("9900000", to="+19195551234").returns({...})

Rule 1: what a test gives is held to the document.
Rule 2: once calls of an operation are expected, others of it fail; when all expected ones came, the document answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from typing import Any

from dynclient import model
from dynclient._identifiers import near
from dynclient.messages import Request, Response, Send
from dynclient.testing.checks import Sent
from dynclient.testing.expectations import Call, Expectation, UnexpectedCall, bind, call_of, differences
from dynclient.testing.given import NOTHING, given_response
from dynclient.testing.mock import Mock, Source, Thrown, app

PIECE = 4096


class OperationMock:
    """One operation of a MockTransport: what it is expected to be called with, and what it answers."""

    def __init__(self, transport: MockTransport, row: model.OperationRow, args: Any, keywords: Any) -> None:
        self._transport = transport
        self._row = row
        self._operation = transport.mock.operation(row)
        self._wanted, self._by_properties = bind(self._operation, args, keywords)

    def __call__(self, *args: Any, **keywords: Any) -> OperationMock:
        """The same operation, called with these arguments; those that are not named are free."""
        return OperationMock(self._transport, self._row, args, keywords)

    @property
    def calls(self) -> list[Call]:
        """The calls of this operation that came."""
        return [call for call in self._transport.calls if call.operation_id == self._operation.id]

    def returns(
        self,
        value: Any = NOTHING,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        times: int | None = None,
    ) -> OperationMock:
        """Answer with a value, or with what a function makes of the :class:`Call`; without one, as the document shows.

        Raises:
            UnlawfulAnswer: the document has no such answer.
        """

        def give(call: Call) -> Response:
            made = value(call) if callable(value) else value
            accept = call.request.headers.get("accept", "")
            return self._response(made, status, headers, content_type, accept)

        if not callable(value):
            self._response(value, status, headers, content_type, "")
        return self._expected(give, times)

    def raises(
        self,
        error: int | Exception,
        value: Any = NOTHING,
        *,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> OperationMock:
        """Answer with an error status as the document describes it, or raise an exception as a transport would.

        Raises:
            UnlawfulAnswer: the document has no such answer. What it does not say of 5XX, it may be all the same.
        """
        if isinstance(error, int):
            return self.returns(value, status=error, headers=headers, times=times)

        def give(_call: Call) -> Response:
            raise Thrown(error)

        return self._expected(give, times)

    def _response(
        self, value: Any, status: int | None, headers: Mapping[str, str] | None, content_type: str | None, accept: str
    ) -> Response:
        return given_response(
            self._operation, value, status=status, headers=headers, content_type=content_type, accept=accept
        )

    def _expected(self, give: Callable[[Call], Response], times: int | None) -> OperationMock:
        expectation = Expectation(self._wanted, self._by_properties, give, times)
        self._transport._expected.setdefault(self._row.key, []).append(expectation)  # noqa: SLF001  # of this module
        return self


class MockTransport:
    """A transport for a Client or an AsyncClient that answers as a document says, or as a test does.

    Its operations are attributes, by their Python names, and items, by any name. ``requests`` and ``responses`` are
    those that came and went, ``calls`` the calls. ``strict`` lets nothing be answered but what is expected.
    """

    def __init__(self, document: Source | model.API, *, strict: bool = False, **options: Any) -> None:
        """Take the document, and the options of :func:`dynclient.testing.serve`."""
        self.mock: Mock = app(document, script=self._scripted, **options)
        self.calls: list[Call] = []
        self._strict = strict
        self._expected: dict[str, list[Expectation]] = {}
        self._rows: dict[str, model.OperationRow] = {}
        for row in self.mock.api.rows:
            for name in (row.name, row.key, row.operation_id or row.key):
                self._rows.setdefault(name, row)

    @property
    def requests(self) -> list[Request]:
        """The requests that came, each with its ``operation_id``."""
        return self.mock.requests

    @property
    def responses(self) -> list[Response]:
        """The responses that were given, each with its ``request``."""
        return self.mock.responses

    def __getitem__(self, name: str) -> OperationMock:
        if name not in self._rows:
            matches = near(name, list(self._rows))
            raise KeyError(f"no operation {name}" + (f"; did you mean {' or '.join(matches)}?" if matches else ""))
        return OperationMock(self, self._rows[name], (), {})

    def __getattr__(self, name: str) -> OperationMock:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(row.name for row in self.mock.api.rows)})

    def _scripted(self, operation: model.Operation, sent: Sent, request: Request) -> Response | None:
        call = call_of(operation, sent, request)
        self.calls.append(call)
        waiting = [one for one in self._expected.get(operation.row.key, ()) if not one.is_spent]
        told: list[str] = []
        for expectation in waiting:
            lines = differences(operation, expectation, sent)
            if not lines:
                if expectation.left is not None:
                    expectation.left -= 1
                return _given(expectation, call)
            told += ["  " + ", and ".join(lines)]
        if waiting or self._strict:
            what = "a call that is not expected" if told else "is called, and no call of it is expected"
            raise Thrown(UnexpectedCall("\n".join([f"{operation.id}: {what}", *told])))
        return None

    def send(self, send: Send) -> Any:
        """Answer a request: at once, and for ``await`` too."""
        body = send.request.body
        if isinstance(body, AsyncIterator):
            return self._send_async(send, body)
        whole = body if body is None or isinstance(body, bytes) else _whole(body)
        return self._answered(send, whole)

    async def _send_async(self, send: Send, body: AsyncIterator[bytes]) -> Response:
        return self._answered(send, b"".join([piece async for piece in body]))

    def _answered(self, send: Send, body: bytes | None) -> Response:
        try:
            response = self.mock.respond(send.request._replace(body=body))
        except Thrown as thrown:
            raise thrown.error from None
        if send.request.method == "HEAD":
            response = response._replace(body=b"")
        return _Ready(*(response._replace(body=Pieces(response.body)) if send.stream else response))

    def close(self) -> None:
        """There is nothing to close."""

    async def aclose(self) -> None:
        """There is nothing to close."""


def _given(expectation: Expectation, call: Call) -> Response:
    """The answer; whatever a test's function raises is the test's to see."""
    try:
        return expectation.give(call)
    except Thrown:
        raise
    except Exception as error:  # a test's function may raise anything
        raise Thrown(error) from error


class _Ready(Response):
    """A response that is there: who awaits it gets it."""

    def __await__(self) -> Generator[Any, None, Response]:
        return self
        yield  # a generator, as PEP 492 has it


class Pieces:
    """A streamed body, for both clients."""

    def __init__(self, body: bytes) -> None:
        self._pieces = iter([body[start : start + PIECE] for start in range(0, len(body), PIECE)])

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def __next__(self) -> bytes:
        return next(self._pieces)

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    def close(self) -> None:
        """Give no more."""
        self._pieces = iter(())

    async def aclose(self) -> None:
        """Give no more."""
        self.close()


def _whole(body: Any) -> bytes:
    return bytes(body.read()) if hasattr(body, "read") else b"".join(body)
