"""Every case of the table with each kind of client: its outcome, the servers' requests, and no secret left behind."""

from __future__ import annotations

import pickle

import pytest
from calling import leaks, logged, run
from case import Case, Place
from table import CASES, EXCHANGES, TRANSPORT

from dynclient import exceptions

SILENT = (("until_closed",),)


WAYS = {"sync": CASES, "asyncio": CASES, "trio": EXCHANGES, "threads": TRANSPORT}
RUNS = [pytest.param(case, way, id=f"{case.id}-{way}") for way, cases in WAYS.items() for case in cases]


@pytest.mark.parametrize(("case", "way"), RUNS)
def test_case(case: Case, way: str, serve, tmp_path):
    server, other = serve(*case.scripts or SILENT), serve(*case.others or SILENT)
    with logged() as log:
        outcome = run(way, case, Place(server.url, other.url, tmp_path))
    if isinstance(case.expect, type):
        _is_as_expected(case, outcome.error)
    else:
        assert outcome.error is None
        assert outcome.value == case.expect
    assert (server.asked, other.asked) == (case.attempts, case.elsewhere)
    assert outcome.seconds < case.seconds
    seen = b"".join(server.requests + other.requests).lower()
    assert [part for part in case.sent if part not in seen] == []
    assert [part for part in case.unsent if part in b"".join(other.requests).lower()] == []
    assert leaks(outcome, log.getvalue()) == []


def _is_as_expected(case: Case, error: BaseException | None) -> None:
    assert type(error) is case.expect, repr(error)
    assert isinstance(error, exceptions.DynclientError)
    assert case.text in str(error)
    assert len(str(error)) <= 2000
    assert {name: getattr(error, name) for name in case.data} == dict(case.data)
    assert str(error) == str(pickle.loads(pickle.dumps(error)))
    assert all(char == "\n" or char.isprintable() for char in str(error))
