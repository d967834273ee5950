"""The hints of operations that can be waited for: ``wait`` and ``start`` with the call's arguments."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dynclient_tools.emitting import write
from dynclient_tools.stubs import stubs

import dynclient

STATE = {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["queued", "done"]}}}
ANSWER = {
    "200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}}
}
ACCEPTED = {"202": {"description": "", "headers": {"Location": {"schema": {"type": "string"}}}}}
TIMEOUT = [{"name": "timeout", "in": "query", "schema": {"type": "integer"}}]
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Jobs", "version": "1"},
    "servers": [{"url": "https://a.test"}],
    "components": {"schemas": {"State": STATE}},
    "paths": {
        "/look": {"get": {"operationId": "look", "responses": ANSWER}},
        "/begin": {"post": {"operationId": "begin", "parameters": TIMEOUT, "responses": ACCEPTED}},
        "/other": {"post": {"operationId": "other", "responses": {**ANSWER, "202": {"description": ""}}}},
    },
}
USED = """\
from collections.abc import AsyncIterator, Iterator
from typing import Any
import jobs
import dynclient
from dynclient.types import AsyncJob, Job, State
from typing_extensions import assert_type

def used(client: jobs.Client) -> None:
    assert_type(client.look.wait(until="final", timeout=3), jobs.State)
    assert_type(client.look.wait(until={"status": "done"}, timeout=None, follow=True), Iterator[State])
    job = client.begin.start(timeout=5)
    assert_type(job, Job)
    assert_type(job.poll(), State)
    assert_type(job.state, State | None)
    assert_type(client.begin.wait(timeout=5, timeout_=2.5), Any)
    assert_type(client.other.wait(timeout=3), Any)
    client.look.wait(until="final")  # type: ignore[call-overload]
    client.begin.start(timout=5)  # type: ignore[call-arg]
    assert_type(dynclient.resume(client, job.resume), Any)

async def awaited(client: jobs.AsyncClient) -> None:
    assert_type(await client.look.wait(until="final", timeout=3), jobs.State)
    assert_type(client.look.wait(until="final", timeout=3, follow=True), AsyncIterator[State])
    job = await client.begin.start()
    assert_type(job, AsyncJob)
    assert_type(await job.poll(), State)
"""


def test_wait_has_the_call_s_arguments():
    (operations,) = (
        text for name, text in stubs(dynclient.load(DOCUMENT), "jobs.yaml").items() if "operations_" in name
    )
    written = [line.strip() for line in operations.splitlines() if "def wait" in line or "def start" in line]
    returned = [line.partition(" -> ")[2].partition(":")[0] for line in written]
    assert returned == [
        "State", "_Iterator[_State]", "_Job", "State", "_AsyncIterator[_State]", "_AsyncJob",
        "Any", "_Iterator[_State]", "_Job", "Any", "_AsyncIterator[_State]", "_AsyncJob",
    ]  # fmt: skip
    assert "*, timeout: int=..., timeout_: float | None, until: Any=..., " in written[6]


@pytest.mark.large
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_take_the_hints(tmp_path, checker):
    write(tmp_path / "jobs", stubs(dynclient.load(DOCUMENT), "jobs.yaml"))
    (tmp_path / "used.py").write_text(USED)
    options = ["--strict", "--cache-dir", str(tmp_path)] if checker == "mypy" else ["--pythonpath", sys.executable]
    found = subprocess.run(
        [sys.executable, "-m", checker, *options, "used.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
