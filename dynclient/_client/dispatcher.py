"""How a client's operations are called: the shared state, one version of the document, the options, and a driver.

A client's attributes are the API's operations, so what operations need of their client is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dynclient._call import Flow, call
from dynclient._client.drivers import drive, drive_async
from dynclient._client.state import ClientState, LoadedDocument
from dynclient._request import Bound, CallOptions, Plan
from dynclient._response import Reader
from dynclient.messages import HTTPResult, Request
from dynclient.model import Operation
from dynclient.security import AuthFlow, Security, concealed

if TYPE_CHECKING:
    from dynclient._client.streaming import Opening


class Dispatcher:
    """Makes the calls of a Client: they run in the caller's thread, and return when they are done."""

    __slots__ = ("_security", "document", "options", "state")

    def __init__(self, state: ClientState, options: CallOptions, document: LoadedDocument | None = None) -> None:
        """``document`` is the state's current one unless given.

        Raises:
            ArgumentError: ``auth`` fits none of the document's security schemes.
        """
        self.state = state
        self.options = options
        self.document = document = state.document if document is None else document
        self._security = Security(
            document.api,
            options.auth,
            base_url=options.base_url,
            allow_origins=options.allow_origins,
            certificate=state.certificate,
            cache=state.credentials,
        )

    def changed(self, options: Mapping[str, Any]) -> Dispatcher:
        """Return a dispatcher with other options for the same document."""
        if "auth" in options:
            options = {**options, "auth": concealed(options["auth"])}
        return type(self)(self.state, self.options.changed(options), self.document)

    def prepare(self, plan: Plan, bound: Bound) -> Request:
        """The Request of a call, with a placeholder for each credential that is missing."""
        return self._security.placeholder(plan.request(bound, self.options), plan.operation)

    def send(self, plan: Plan, bound: Bound, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Make a call: return its data, or its HTTPResult."""
        result = drive(self._flow(plan, bound, options or self.options), self.state.transport)
        return result.data if data_only else result

    def stream(self, plan: Plan, bound: Bound) -> Any:
        """A context manager that makes the call when it is entered, and leaves the response's body unread."""
        from dynclient._client.streaming import Streaming

        return Streaming(self._opening(plan, bound), self.state.transport)

    def _flow(self, plan: Plan, bound: Bound, options: CallOptions) -> Flow[HTTPResult]:
        if options.validate.responses != "off":
            plan.check_answers()
        request, operation = plan.request(bound, options), plan.operation
        reader = Reader(operation, self.state.limits, options.validate.responses, options.validate.engine)
        return call(request, reader, options, budget=self.state.budget, auth=self._auth(operation))

    def _auth(self, operation: Operation) -> AuthFlow | None:
        return AuthFlow(self._security, operation) if operation.security else None

    def _opening(self, plan: Plan, bound: Bound) -> Opening:
        from dynclient._client.streaming import Opening

        options, operation = self.options, plan.operation
        if options.validate.responses != "off":
            plan.check_answers()
        reader = Reader(operation, self.state.limits, options.validate.responses, options.validate.engine)
        request = plan.request(bound, options)
        return Opening(request, reader, options, self.state.budget, self._auth(operation))


class AsyncDispatcher(Dispatcher):
    """Makes the calls of an AsyncClient: each is a coroutine, and nothing happens before it is awaited."""

    __slots__ = ()

    def send(self, plan: Plan, bound: Bound, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Make a call: a coroutine that returns its data, or its HTTPResult."""
        return self._send(plan, bound, options or self.options, data_only=data_only)

    def stream(self, plan: Plan, bound: Bound) -> Any:
        """An asynchronous context manager that makes the call when it is entered, and leaves the body unread."""
        from dynclient._client.streaming import AsyncStreaming

        return AsyncStreaming(self._opening(plan, bound), self.state.transport)

    async def _send(self, plan: Plan, bound: Bound, options: CallOptions, *, data_only: bool) -> Any:
        result: HTTPResult = await drive_async(self._flow(plan, bound, options), self.state.transport)
        return result.data if data_only else result
