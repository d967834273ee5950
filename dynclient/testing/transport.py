"""The mock in the client's own process: a transport for both clients, without a socket.

It answers from the document, or with the responses of a test::

    transport = MockTransport("openapi/voice.yaml")
    transport.create_call.raises(503, times=2)
    transport.create_call("9900000", to="+19195551234").returns({...})

Rule 1: responses of a test are validated against the document.
Rule 2: once calls of an operation are expected, all its other calls fail; after the expected calls, the document
answers again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

from dynclient import model
from dynclient._identifiers import did_you_mean
from dynclient._incoming.requests import RequestValues
from dynclient._mock.mock import Mock, Source, StubError, app
from dynclient.messages import Request, Response, Send
from dynclient.testing.stubs import NOTHING, Call, Expectation, MissingCall, Stub, UnexpectedCall, stub_response

CHUNK = 4096


class OperationMock:
    """One operation of a MockTransport: the arguments of an expected call, and its responses."""

    def __init__(self, transport: MockTransport, row: model.OperationRow, args: Any, keywords: Any) -> None:
        self._transport = transport
        self._row = row
        self._operation = transport.mock.operation(row)
        self._expectation = Expectation(self._operation, args, keywords)

    def __call__(self, *args: Any, **keywords: Any) -> OperationMock:
        """Expect a call with these arguments; all others may have any value."""
        return OperationMock(self._transport, self._row, args, keywords)

    @property
    def calls(self) -> list[Call]:
        """The received calls of this operation."""
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
        """Respond with a value, or with the return value of a function of the :class:`Call`; by default as documented.

        ``times`` is the number of calls; None means any number.

        Raises:
            InvalidAnswer: the document has no such response.
        """

        def respond(call: Call | None) -> Response:
            made = value(call) if callable(value) else value
            accept = call.request.headers.get("accept", "") if call is not None else ""
            return stub_response(
                self._operation, made, status=status, headers=headers, content_type=content_type, accept=accept
            )

        if not callable(value):
            respond(None)
        stub = Stub(self._expectation, respond, times)
        self._transport._stubs.setdefault(self._row.key, []).append(stub)  # noqa: SLF001  # of this module
        return self

    def raises(
        self,
        error: int | Exception,
        value: Any = NOTHING,
        *,
        headers: Mapping[str, str] | None = None,
        times: int | None = None,
    ) -> OperationMock:
        """Respond with a documented error status, or raise an exception like a transport.

        A status of 500 or more need not be documented.

        Raises:
            InvalidAnswer: the document has no such response.
        """
        if isinstance(error, int):
            return self.returns(value, status=error, headers=headers, times=times)

        def fail(_call: Call) -> Any:
            raise error

        return self.returns(fail, times=times)


class BufferedTransport:
    """A transport for a Client or an AsyncClient that reads the whole body of a request before it answers."""

    def send(self, send: Send) -> Any:
        """Answer a request; the response can also be awaited."""
        body = send.request.body
        if isinstance(body, AsyncIterator):
            return self._send_async(send, body)
        if body is not None and not isinstance(body, bytes):
            body = bytes(body.read()) if hasattr(body, "read") else b"".join(body)
        return self._answer(send, replace(send.request, body=body))

    async def _send_async(self, send: Send, body: AsyncIterator[bytes]) -> Response:
        request = replace(send.request, body=b"".join([chunk async for chunk in body]))
        answer: Response = await self._answer(send, request)
        return answer

    def _answer(self, send: Send, request: Request) -> Any:
        """The response to a request whose body is bytes; it can be awaited."""
        raise NotImplementedError


class MockTransport(BufferedTransport):
    """A transport for a Client or an AsyncClient that answers from a document, or with the responses of a test.

    Its operations are attributes, by their Python names, and items, by any name. ``requests``, ``responses`` and
    ``calls`` are the received ones. With ``strict``, unexpected calls fail.
    """

    default_base_url = "https://mock.example"
    """The server of a client whose document declares no server; no request is sent to it."""

    def __init__(self, document: Source | model.API, *, strict: bool = False, **options: Any) -> None:
        """Take the document, and the options of :func:`dynclient.testing.serve`."""
        self.mock: Mock = app(document, stub=self._respond, **options)
        self.calls: list[Call] = []
        self.responses: list[Response] = self.mock.responses
        self._strict = strict
        self._stubs: dict[str, list[Stub]] = {}
        self._rows: dict[str, model.OperationRow] = {}
        for row in self.mock.api.rows:
            for name in (row.name, row.key, row.operation_id or row.key):
                self._rows.setdefault(name, row)

    @property
    def requests(self) -> list[Request]:
        """The received requests, each with its ``operation_id``."""
        return self.mock.requests

    def __getitem__(self, name: str) -> OperationMock:
        if name not in self._rows:
            meant = did_you_mean(name, self._rows)
            raise KeyError(f"no operation {name}" + (f"; {meant}" if meant else ""))
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

    def _respond(self, operation: model.Operation, values: RequestValues, request: Request) -> Response | None:
        call = Call.of(operation, values, request)
        self.calls.append(call)
        stubs = [stub for stub in self._stubs.get(operation.row.key, ()) if stub.left is None or stub.left]
        lines: list[str] = []
        for stub in stubs:
            differences = stub.expectation.differences(values)
            if not differences:
                stub.used += 1
                try:
                    return stub.respond(call)
                except Exception as error:  # a test's function may raise any error, which the caller gets
                    raise StubError(error) from error
            lines += ["  " + ", and ".join(differences)]
        if stubs or self._strict:
            what = "an unexpected call" if lines else "is called, but no call of it is expected"
            raise StubError(UnexpectedCall("\n".join([f"{operation.id}: {what}", *lines])))
        return None

    def _answer(self, send: Send, request: Request) -> Response:
        try:
            response = self.mock.respond(request)
        except StubError as stopped:
            raise stopped.error from None
        return AwaitableResponse.of(response, send, response.request)

    @property
    def unmet(self) -> list[str]:
        """The expected calls that were not made, or less often than ``times``: one line each."""
        stubs = [(self._rows[key].name, stub) for key, of in self._stubs.items() for stub in of]
        return [f"{name}{stub}" for name, stub in stubs if stub.left or (stub.left is None and not stub.used)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Fail if an expected call was not made, unless there is already an exception.

        Raises:
            MissingCall: an expected call was not made; it lists all of them.
        """
        if kind is None and (lines := self.unmet):
            raise MissingCall("\n".join(["expected calls were not made:", *(f"  {line}" for line in lines)]))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """As :meth:`__exit__`."""
        self.__exit__(kind)

    def close(self) -> None:
        """Do nothing: there are no connections."""

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""


class AwaitableResponse(Response):
    """A response that can be awaited, too."""

    @classmethod
    def of(cls, response: Response, send: Send, request: Request | None) -> AwaitableResponse:
        """A response as a transport returns it: streamed if that was requested, and without a body to HEAD."""
        body = b"" if send.request.method == "HEAD" else response.body
        return cls(response.status, response.headers, _chunks(body) if send.stream else body, request, response.elapsed)

    def __await__(self) -> Generator[Any, None, Response]:
        return self
        yield  # a generator, as in PEP 492


def _chunks(body: bytes) -> Iterator[bytes]:
    """A streamed body, for both clients."""
    for start in range(0, len(body), CHUNK):
        yield body[start : start + CHUNK]
