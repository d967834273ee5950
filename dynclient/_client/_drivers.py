"""The two drivers of a call: all I/O of a client happens in these few lines.

A streamed response that a call does not return is closed here.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

from dynclient._call import Flow
from dynclient._client import _bodies
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.messages import Await, Read, Run, Send, Sleep
from dynclient.transports import AsyncTransport, Transport

T = TypeVar("T")


def drive(flow: Flow[T], transport: Transport) -> T:
    """Run a call to its end in this thread."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            _bodies.close(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            _bodies.close(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = transport.send(step)
            elif isinstance(step, Read):
                answer = _bodies.whole(step)
            elif isinstance(step, Run):
                answer = step.function()
            elif isinstance(step, Await):
                fault = _not_awaited(step)
            else:
                time.sleep(step.seconds)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted, or cancelled: what others wait for is given up.
            flow.close()
            raise


def _not_awaited(step: Await) -> ArgumentError:
    """The error of a thread that is asked to await a credential."""
    close = getattr(step.awaitable, "close", None)
    if close is not None:
        close()  # a coroutine that was never begun would warn of that
    return ArgumentError(
        "auth is an async function, which a Client can't await",
        argument="auth",
        hint="use dynclient.AsyncClient, or pass a plain function",
    )


async def _waited(step: Run | Sleep | Await) -> Any:
    """Await something, run a function that may block in a thread, or sleep."""
    if isinstance(step, Await):
        return await step.awaitable
    import anyio

    if isinstance(step, Run):
        return await anyio.to_thread.run_sync(step.function)
    return await anyio.sleep(step.seconds)


async def drive_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """Run a call to its end in this task, on asyncio or trio."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            await _bodies.close_async(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            await _bodies.close_async(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = await transport.send(step)
            elif isinstance(step, Read):
                answer = await _bodies.whole_async(step)
            else:
                answer = await _waited(step)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted, or cancelled: what others wait for is given up.
            flow.close()
            raise
