"""What goes along with each request of a call: hooks that add header lines to it, and are told how it ended.

Rule 1: what a hook adds is of the request that is sent, and of no other: ``prepare()`` and the next attempt lack it.
Rule 2: it replaces no credential, and does not follow a redirect to another origin, where nothing of the caller's goes.
Rule 3: whoever began is told of the end, once: also where the call is given up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from dynclient._records import Record
from dynclient.exceptions import escaped
from dynclient.messages import SECRET_HEADERS, Request, Response


class ExchangeEvent(Record):
    """A request is about to be sent, once.

    ``call`` is the same number in all events of a call, and ``attempt`` counts its requests from 1, for whatever reason
    they are sent. ``url`` is without values of its query; ``origin`` is scheme, host and port. ``template`` is the path
    as the document has it, ``/calls/{callId}``, or "" where the request is for a token or goes where a redirect leads.
    """

    call: int
    operation_id: str
    method: str
    url: str
    origin: tuple[str, str, int]
    template: str
    attempt: int


class ExchangeEnd(Record):
    """How an exchange ended: with a ``status``, with an ``error``, or with both where its body was at fault.

    Of a streamed response only the head has come. ``error`` is a GeneratorExit where the call was interrupted or
    cancelled. ``elapsed`` is in seconds.
    """

    status: int | None
    error: BaseException | None
    elapsed: float


class Companion(Record):
    """What a hook wants of an exchange: ``headers`` that go with its request, and to be told how it ``ended``."""

    headers: Mapping[str, str]
    ended: Callable[[ExchangeEnd], object]


class ExchangeHook(Protocol):
    """Goes along with requests."""

    def on_exchange(self, event: ExchangeEvent, /) -> Companion | None:
        """A request is about to be sent; None goes not along with it."""


class Leg(Record):
    """Which part of a call a request is of: one for what was asked for, or another one.

    ``foreign``: a redirect has led to another origin.
    """

    template: str = ""
    foreign: bool = False


class Company:
    """The companions of one exchange."""

    __slots__ = ("_clock", "_ended", "_started")

    def __init__(self, companions: list[Companion], clock: Callable[[], float]) -> None:
        """Take them, and the call's clock."""
        self._ended = [companion.ended for companion in companions]
        self._clock = clock
        self._started = clock()

    def left(self, response: Response | None, error: BaseException | None = None) -> None:
        """The exchange is over."""
        status = response.status if response is not None else getattr(error, "status", None) or None
        end = ExchangeEnd(status, error, self._clock() - self._started)
        for ended in self._ended:
            ended(end)


def joined(request: Request, companions: list[Companion], leg: Leg) -> Request:
    """The request with the headers of those that go along with it."""
    headers = request.headers
    for companion in companions:
        for name, value in companion.headers.items():
            secret = name.lower() in SECRET_HEADERS or ("header", name.lower()) in request.secrets
            if not secret and not leg.foreign:
                headers = headers.replace(name, value)
    return request if headers is request.headers else replace(request, headers=headers)


def event_of(call: int, operation_id: str, request: Request, leg: Leg, attempt: int) -> ExchangeEvent:
    """What hooks are told of a request."""
    url, template = escaped(request.logged_url), escaped(leg.template)
    return ExchangeEvent(call, operation_id, request.method, url, request.origin, template, attempt)
