"""Threads that all validate by a new schema at the same time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import dynclient
from dynclient._validation import validator

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {},
    "components": {"schemas": {"A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
                               "B": {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}}}},
}  # fmt: skip


@pytest.fixture
def hasty() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_what_is_worked_out_once_is_worked_out_whole(hasty: None):
    faults: list[Any] = []

    def check(client: dynclient.Client, name: str, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            assert not validator(client.api.schemas[name], "response").faults({"b": {}, "a": {}})
        except BaseException as error:  # noqa: BLE001  # told below
            faults.append(error)

    for _ in range(25):
        barrier = threading.Barrier(8)
        with dynclient.load(DOCUMENT) as client:
            threads = [threading.Thread(target=check, args=(client, "AB"[n % 2], barrier)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert faults == []
