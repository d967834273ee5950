"""How a client makes calls: session, settings, credentials and a driver, without any name that an API could want.

A client's attributes are the API's operations, so what operations need of their client stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynclient._call import Terms, call
from dynclient._client._drivers import drive, drive_async
from dynclient._client._session import Session
from dynclient._client._settings import Settings
from dynclient._request import Bound, Options, Plan
from dynclient._response import Reader
from dynclient.messages import HTTPResult, Request
from dynclient.security import AuthFlow, Security


class Caller:
    """Makes the calls of a Client: they run in the caller's thread, and return when they are done."""

    __slots__ = ("_security", "session", "settings")

    def __init__(self, session: Session, settings: Settings) -> None:
        """Take what is shared and what is this client's own.

        Raises:
            ArgumentError: ``auth`` is none that the document's security schemes can take.
        """
        self.session = session
        self.settings = settings
        self._security = Security(
            session.api,
            settings.auth,
            base_url=settings.base_url,
            allow_origins=settings.allow_origins,
            certificate=session.certificate,
            cache=session.credentials,
        )

    def changed(self, options: Mapping[str, Any]) -> Caller:
        """Return a caller with other settings on the same session."""
        return type(self)(self.session, self.settings.changed(options))

    def prepare(self, plan: Plan, bound: Bound) -> Request:
        """The Request of a call, with a placeholder where a credential is missing."""
        request = plan.request(bound, self.options())
        return self._security.placeholder(request, plan.operation)

    def send(
        self, plan: Plan, bound: Bound, *, data_only: bool, content_type: str | None = None, accept: str | None = None
    ) -> Any:
        """Make a call: return its data, or its HTTPResult."""
        result = drive(call(*self._asked(plan, bound, content_type, accept)), self.session.transport)
        return result.data if data_only else result

    def stream(self, plan: Plan, bound: Bound) -> Any:
        """What makes a call when its ``with`` statement begins, and leaves the response's body unread."""
        from dynclient._client._answers import Streaming

        return Streaming(*self._asked(plan, bound), self.session.transport)

    def _asked(
        self, plan: Plan, bound: Bound, content_type: str | None = None, accept: str | None = None
    ) -> tuple[Request, Reader, Terms]:
        """What a call is made of: its request, what reads the response, and what it is held to."""
        settings, session = self.settings, self.session
        if settings.validate.responses != "off":
            plan.check_answers()
        request = plan.request(bound, self.options(content_type, accept))
        reader = Reader(plan.operation, session.limits, settings.validate.responses, settings.validate.engine)
        terms = Terms(
            settings.timeout,
            settings.retry,
            settings.redirects,
            settings.hooks,
            session.budget,
            AuthFlow(self._security, plan.operation) if plan.operation.security else None,
        )
        return request, reader, terms

    def options(self, content_type: str | None = None, accept: str | None = None) -> Options:
        """How this client's requests are made."""
        settings = self.settings
        return Options(
            settings.base_url,
            settings.server,
            settings.headers,
            settings.validate.requests,
            settings.validate.engine,
            content_type or settings.content_type,
            accept or settings.accept,
        )


class AsyncCaller(Caller):
    """Makes the calls of an AsyncClient: each is a coroutine, and nothing happens before it is awaited."""

    __slots__ = ()

    def send(
        self, plan: Plan, bound: Bound, *, data_only: bool, content_type: str | None = None, accept: str | None = None
    ) -> Any:
        """Make a call: a coroutine that returns its data, or its HTTPResult."""
        return self._send(plan, bound, data_only=data_only, content_type=content_type, accept=accept)

    def stream(self, plan: Plan, bound: Bound) -> Any:
        """What makes a call when its ``async with`` statement begins, and leaves the response's body unread."""
        from dynclient._client._answers import AsyncStreaming

        return AsyncStreaming(*self._asked(plan, bound), self.session.transport)

    async def _send(
        self, plan: Plan, bound: Bound, *, data_only: bool, content_type: str | None, accept: str | None
    ) -> Any:
        flow = call(*self._asked(plan, bound, content_type, accept))
        result: HTTPResult = await drive_async(flow, self.session.transport)
        return result.data if data_only else result
