"""Every row of SECURITY.md has a case in the table, or tests that are named here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from table import CASES

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = re.findall(r"^\| ([SRTCXL]\d+) \|", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)

# Rows that are not a single call: the file, and a test in it.
ELSEWHERE = {
    "S23": "tests/faults/test_private_addresses.py::test_a_name_that_changes_its_meaning_wins_nothing",
    "S25": "tests/_overlays/test_application.py::test_actions_that_want_too_much",
    "S26": "tests/security/test_who_receives_what.py::test_a_cell",
    "T3": "tests/transports/test_pool.py::test_a_connection_that_the_server_closed_is_not_written_to",
    "T4": "tests/faults/test_concurrency.py::test_a_connection_that_closes_while_it_is_used",
    "T14": "tests/transports/test_pool.py::test_an_answer_that_nobody_asked_for_is_not_taken",
    "T20": "tests/transports/test_tls.py::test_a_server_that_does_not",
    "T21": "tests/faults/test_slow_way.py::test_a_slow_way_changes_no_result",
    "T22": "tests/transports/test_tls.py::test_an_end_of_tls_without_close_notify_is_no_end_of_a_body",
    "T23": "tests/_call/test_retry.py::test_a_connection_that_broke_when_it_was_used_again_costs_nothing",
    "T24": "tests/testing/test_reverse_proxy.py::test_a_request_that_was_cut_off_is_neither_passed_on_nor_taken",
    "C3": "tests/faults/test_rows.py::test_nothing_of_urllib3_repeats_or_redirects",
    "C4": "tests/faults/test_concurrency.py::test_nothing_is_taken_from_the_environment",
    "C9": "tests/security/test_oauth2.py::test_fifty_rejected_at_once_make_one_refresh",
    "C10": "tests/transports/test_tls.py::test_a_proxy_makes_a_tunnel_for_an_https_url",
    "C14": "tests/_client/test_cookies.py::test_cookies_do_not_go_to_servers_that_are_not_trusted",
    "C15": "tests/_client/test_http_cache.py::test_each_credential_has_its_own",
    "X1": "tests/faults/test_concurrency.py::test_each_call_has_its_own_answer",
    "X2": "tests/faults/test_concurrency.py::test_a_fork_in_the_middle_of_calls",
    "X3": "tests/faults/test_pickles.py::test_a_pickled_client",
    "X4": "tests/transports/test_pool.py::test_closing_lets_what_is_under_way_end",
    "X5": "tests/transports/test_pool.py::test_a_full_pool_is_waited_for",
    "X6": "tests/faults/test_concurrency.py::test_an_interrupt_at_each_read_and_write_and_wait_spoils_no_later_call",
    "X7": "tests/faults/test_concurrency.py::test_random_numbers_are_the_systems",
    "X8": "tests/transports/test_native.py::test_two_event_loops_at_once_are_refused",
    "L2": "tests/faults/test_concurrency.py::test_no_descriptor_is_left",
    "L3": "tests/faults/test_concurrency.py::test_the_clock_of_the_wall_may_jump",
    "L5": "tests/faults/test_torture.py::test_torture",
}
# Rows without any test, and why.
UNTESTED = {
    "L4": "a matter of speed, which is measured and not tested; the budget is S18's",
}


def test_there_are_cases_enough():
    assert len({case.id for case in CASES}) == len(CASES) >= 120


def test_every_row_is_covered():
    covered = {case.row for case in CASES} | set(ELSEWHERE) | set(UNTESTED)
    assert sorted(set(ROWS) - covered) == []
    assert sorted(covered - set(ROWS)) == []
    assert sorted({case.row for case in CASES} & (set(ELSEWHERE) | set(UNTESTED))) == []


@pytest.mark.parametrize("row", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there(row):
    path, _, name = ELSEWHERE[row].partition("::")
    assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


def test_nothing_of_urllib3_repeats_or_redirects():
    found = [
        (path.name, word)
        for path in (ROOT / "dynclient").rglob("*.py")
        for word in ("PoolManager(", "ProxyManager(", "urlopen(", "Retry.from_int")
        if word in path.read_text(encoding="utf-8") and "_request_export" not in path.name
    ]
    assert found == []
