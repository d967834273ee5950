"""Run a call's generator step by step on a fake clock, so that each case is exact and takes no time."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from dynclient import exceptions
from dynclient._call import call
from dynclient._request import CallOptions
from dynclient._response import ResponseReader
from dynclient.messages import Headers, Request, Response, Send, Sleep
from dynclient.model import Operation, OperationRow
from dynclient.model import Response as Documented
from dynclient.options import Limits, Timeout
from dynclient.transports.clock import Environment


class Driven(NamedTuple):
    """The steps that a call yielded, and its result or its error."""

    waits: list[float]
    sent: list[Request]
    end: object

    @property
    def outcome(self):
        """The status, or the class of an error without one."""
        if isinstance(self.end, exceptions.TransportError):
            return type(self.end)
        return self.end.status


@pytest.fixture
def reply():
    def make(status, **headers):
        return Response(status, Headers({name.replace("_", "-"): text for name, text in headers.items()}))

    return make


@pytest.fixture
def drive():
    return _drive


def _drive(
    request, replies, *, total=60.0, limits=Limits(), responses=("default",), operation=None, budget=None, **options
):
    """Run a call: the n-th request is answered with the n-th reply, and those beyond the last with the last."""
    row = OperationRow("k", request.method, "/a", "op", "op", (), "", (), False, "", "")
    documented = {status: Documented(status) for status in responses}
    reader = ResponseReader(operation or Operation(row, responses=documented), limits)
    now = 0.0
    keys = iter(f"key-{number}" for number in range(1, 99))
    environment = Environment(lambda: now, lambda: 0.5, lambda: next(keys))
    options = CallOptions(timeout=Timeout(total=total), **options)
    flow = call(request, reader, options, budget=budget, environment=environment)
    waits, sent, answer = [], [], None
    try:
        while True:
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            answer = None
            if isinstance(step, Sleep):
                waits.append(step.seconds)
                now += step.seconds
            else:
                assert isinstance(step, Send)
                assert step.deadline == total, "one deadline holds over all"
                sent.append(step.request)
                answer = replies[min(len(sent), len(replies)) - 1]
                if isinstance(answer, Response):
                    answer = replace(answer, request=step.request)
    except StopIteration as stop:
        end = stop.value
    except exceptions.DynclientError as error:
        end = error
    assert end.attempts == len(sent)
    return Driven(waits, sent, end)
