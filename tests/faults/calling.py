"""Runs a case with each kind of client, and searches everything that it leaves behind for secrets."""

from __future__ import annotations

import base64
import io
import logging
import pickle
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import anyio
from case import AGAIN, AUTH, COOKIE_KEY, HEADER_KEY, PASSWORD, QUERY_KEY, QUICK, USER, Case, Place

import dynclient
from dynclient.transports import HTTPTransport, ThreadedTransport

CANARIES = (
    HEADER_KEY,
    QUERY_KEY,
    COOKIE_KEY,
    PASSWORD,
    base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
)


class Outcome(NamedTuple):
    """The outcome of a case: the value or the exception of its call, and the seconds that it took."""

    value: Any
    error: BaseException | None
    seconds: float
    client: Any


def _in_threads(options: Mapping[str, Any]) -> ThreadedTransport:
    """An asynchronous transport that sends in worker threads, with the case's options."""
    own = {name: options[name] for name in ("limits", "tls", "proxy") if name in options}
    return ThreadedTransport(HTTPTransport(**own))


def run(way: str, case: Case, place: Place) -> Outcome:
    """Load the case's document and make its call: ``sync``, on ``asyncio`` or ``trio``, or by ``threads``."""
    options = {"auth": AUTH, "timeout": QUICK, "retry": AGAIN, **case.options}
    if way == "threads":
        options["transport"] = _in_threads(options)
    client_class = dynclient.Client if way == "sync" else dynclient.AsyncClient
    backend = "asyncio" if way == "threads" else way
    if "references" in options:
        options["references"] = [place.other if text == "{other}" else text for text in options["references"]]
    source = case.source(place)
    started = time.monotonic()
    client: Any = None
    value: Any = None
    fault: BaseException | None = None
    try:
        client = client_class.load(source, **options)
        if case.call is not None:
            name, arguments = case.call
            # A case names the second server, whose port it can't know, as {other}.
            named = {key: place.other if text == "{other}" else text for key, text in arguments.items()}
            if way == "sync":
                value = _sync(client, name, named)
            else:
                value = anyio.run(_async, client, name, named, backend=backend)
    except Exception as error:  # noqa: BLE001  # the test compares it with the expected one
        fault = error
    finally:
        seconds = time.monotonic() - started
    return Outcome(value, fault, seconds, client)


def _sync(client: Any, name: str, arguments: dict[str, Any]) -> Any:
    with client:
        return getattr(client, name)(**arguments)


async def _async(client: Any, name: str, arguments: dict[str, Any]) -> Any:
    async with client:
        return await getattr(client, name)(**arguments)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collects everything that is logged at any level, by urllib3 too, with tracebacks."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def remains(outcome: Outcome, log: str) -> dict[str, str]:
    """Every text that a call leaves behind, by the name of its location."""
    shown = {"log": log, "client": f"{outcome.client!r} {vars(outcome.client) if outcome.client is not None else ''}"}
    error = outcome.error
    if error is not None:
        shown["str"] = str(error)
        shown["repr"] = repr(error)
        shown["vars"] = repr(vars(error))
        shown["traceback"] = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        shown["pickle"] = pickle.dumps(error).decode("latin-1")
        shown["causes"] = "".join(f"{one!r} {one} {vars(one)!r}" for one in _causes(error))
    return shown


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The causes and contexts of an error, also those that a traceback would not show."""
    seen: set[int] = set()
    waiting = [error.__cause__, error.__context__]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def leaks(outcome: Outcome, log: str) -> list[str]:
    """The locations that contain a secret."""
    places = remains(outcome, log)
    return [f"{canary} in {place}" for canary in CANARIES for place, text in places.items() if canary in text]
