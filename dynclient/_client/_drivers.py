"""The two drivers of a call: all I/O of a client happens in these few lines."""

from __future__ import annotations

import time
from typing import Any

from dynclient._call import Flow
from dynclient.exceptions import DynclientError
from dynclient.messages import HTTPResult, Send
from dynclient.transports import AsyncTransport, Transport


def drive(flow: Flow, transport: Transport) -> HTTPResult:
    """Run a call to its end in this thread."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = transport.send(step)
            else:
                time.sleep(step.seconds)
        except DynclientError as error:
            fault = error


async def drive_async(flow: Flow, transport: AsyncTransport) -> HTTPResult:
    """Run a call to its end in this task, on asyncio or trio."""
    import anyio

    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = await transport.send(step)
            else:
                await anyio.sleep(step.seconds)
        except DynclientError as error:
            fault = error
