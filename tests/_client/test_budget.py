"""The retry budget over sockets: threads of one client share it, and a forked child starts with a new one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

import dynclient
from dynclient import exceptions
from dynclient._call import Budget

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Budget", "version": "1"},
    "paths": {"/a": {"get": {"operationId": "get", "responses": {"503": {"description": "busy"}}}}},
}
ORIGIN = ("http", "h", 80)


def test_a_server_in_trouble_is_left_alone(httpserver):
    httpserver.expect_request("/a").respond_with_data(status=503)
    retry = dynclient.Retry(base=0, throttle_base=0)
    with dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), retry=retry) as client:
        patient = client.with_options(timeout=30)

        def call(number):
            with pytest.raises(exceptions.ServerError) as caught:
                (patient if number % 2 else client).get()
            return caught.value.retry_suppressed

        with ThreadPoolExecutor(8) as threads:
            suppressed = list(threads.map(call, range(200)))
    assert len(httpserver.log) <= 1.2 * 200
    assert sum(suppressed) > 150


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_a_budget_of_its_own():
    budget = Budget()
    assert budget.spend(ORIGIN, 14, 14)
    budget._lock.acquire()
    child = os.fork()
    if not child:
        os._exit(0 if budget.spend(ORIGIN, 14, 14) else 1)
    budget._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not budget.spend(ORIGIN, 14, 14)
