"""The journal alone: logs that are cut or changed at every byte, claims, leases."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dynclient.bulk.journal import Attempt, Journal, JournalError, LeaseLost


def make(tmp_path, lease=30.0, durability="process") -> Journal:
    (tmp_path / "parts").mkdir(exist_ok=True)
    (tmp_path / "results").mkdir(exist_ok=True)
    return Journal(tmp_path, "1b4e28ba-2fa1-11d2-883f-0016d3cca427", lease=lease, durability=durability)


def claim(journal: Journal, name="000000") -> Attempt:
    attempt = journal.claim(name)
    assert attempt is not None
    return attempt


def log_of_three(journal: Journal) -> bytes:
    """The log of rows 0 (done), 1 (refused) and 2 (sent, and nothing more)."""
    attempt = claim(journal)
    for row in range(3):
        attempt.intend(row, repeatable=False)
    attempt.settle(0, "done", 201, {"key": "a", "data": {"id": 1}})
    attempt.settle(1, "refused", 422, {"key": "b"})
    attempt.flush()
    attempt._closing.set()
    attempt._beats.join()
    return Path(journal.log("000000", 1)).read_bytes()


def test_a_log_that_is_cut_at_any_byte_tells_every_whole_record(tmp_path):
    journal = make(tmp_path)
    data = log_of_three(journal)
    path = journal.log("000000", 1)
    for length in range(len(data)):
        Path(path).write_bytes(data[:length])
        state = journal.state("000000")
        assert state.damaged == []
        # What was done is in the results too.
        assert state.of(0) == "done"
        assert state.of(1) == "refused"
        assert (state.of(2) == "sent") == (length >= 52 + 3 * 24)


def test_a_log_that_is_cut_tells_intents_without_results(tmp_path):
    journal = make(tmp_path)
    data = log_of_three(journal)
    Path(journal.results("000000", 1)).unlink()
    for length in range(len(data)):
        Path(journal.log("000000", 1)).write_bytes(data[:length])
        whole = max(0, (length - 52) // 24)
        state = journal.state("000000")
        assert {row: state.of(row) for row in state.rows} == {
            **dict.fromkeys(range(min(whole, 3)), "sent"),
            **({0: "done"} if whole >= 4 else {}),
            **({1: "refused"} if whole >= 5 else {}),
        }


def test_no_row_of_a_log_with_any_flipped_byte_counts_as_not_sent(tmp_path):
    journal = make(tmp_path)
    data = log_of_three(journal)
    for position in range(len(data)):
        # The last checksum is that of all records before it, too.
        is_followed = 52 <= position < len(data) - 24 and (position - 52) % 24 < 4
        for bits in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[position] ^= bits
            Path(journal.log("000000", 1)).write_bytes(changed)
            state = journal.state("000000")
            assert bool(state.damaged) is not is_followed
            assert state.of(0) == "done"
            assert state.of(1) == "refused"
            assert state.of(2) == "sent"


def test_a_log_of_another_partition_or_run_is_damage(tmp_path):
    journal = make(tmp_path)
    data = log_of_three(journal)
    Path(journal.log("000001", 1)).write_bytes(data)
    assert journal.state("000001").damaged == [f"{journal.log('000001', 1)} at byte 0"]
    other = Journal(tmp_path, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", lease=30, durability="process")
    assert other.state("000000").damaged


def test_records_that_are_removed_from_the_middle_are_damage(tmp_path):
    journal = make(tmp_path)
    data = log_of_three(journal)
    Path(journal.log("000000", 1)).write_bytes(data[: 52 + 24] + data[52 + 48 :])
    state = journal.state("000000")
    assert state.damaged == [f"{journal.log('000000', 1)} at byte {52 + 24}"]
    assert state.of(1) == "refused"
    assert state.of(2) == "sent"


@pytest.mark.parametrize("durability", ["process", "machine"])
def test_an_attempt_that_has_ended_is_followed_at_once(tmp_path, durability):
    journal = make(tmp_path, durability=durability)
    first = claim(journal)
    assert journal.claim("000000") is None
    first.intend(7, repeatable=True)
    first.settle(7, "failed", 500, {"key": "7"})
    first.close()
    second = claim(journal)
    assert second.number == 2
    second.intend(7, repeatable=True)
    state = journal.state("000000")
    assert (state.of(7), state.attempts[7], state.outcome(7)) == ("sent", 2, None)
    second.settle(7, "done", 200, {"key": "7"})
    second.close()
    assert journal.state("000000").of(7) == "done"


def test_of_many_claims_at_once_one_is_taken(tmp_path):
    journal = make(tmp_path)
    won = []
    threads = [threading.Thread(target=lambda: won.append(journal.claim("000000"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (attempt,) = [each for each in won if each is not None]
    attempt.close()


def test_an_attempt_with_a_successor_sends_nothing_more(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("dynclient.bulk.journal.clock", lambda: now[0])
    journal = make(tmp_path)
    first = claim(journal)
    first._closing.set()  # its beats stop, as those of a process that is stopped
    first._beats.join()
    first.intend(0, repeatable=False)
    other = make(tmp_path)
    assert other.claim("000000") is None
    now[0] += 44
    assert other.claim("000000") is None
    now[0] += 2
    with pytest.raises(LeaseLost):  # the last beat is too old
        first.intend(1, repeatable=False)
    assert other.claim("000000") is None  # the log has grown
    now[0] += 46
    second = claim(other)
    assert set(other.state("000000").rows) == {0, 1}
    now[0] = 100.0
    with pytest.raises(LeaseLost):  # there is a successor
        first.intend(2, repeatable=False)
    first.settle(0, "done", 200, {"key": "0"})  # the answer that came late is still taken
    first.flush()
    assert other.state("000000").of(0) == "done"
    second.close()


def test_the_attempt_of_a_dead_process_is_followed_at_once(tmp_path):
    journal = make(tmp_path)
    script = """import os, sys
from dynclient.bulk.journal import Journal
journal = Journal(sys.argv[1], sys.argv[2], lease=30, durability="process")
journal.claim("000000").intend(3, repeatable=False)
os._exit(0)"""
    subprocess.run([sys.executable, "-c", script, journal.path, journal.run_id], check=True)
    claim(journal).close()
    assert journal.state("000000").of(3) == "sent"


def test_a_full_disk_is_an_error_and_nothing_may_be_sent(tmp_path, monkeypatch):
    journal = make(tmp_path)
    attempt = claim(journal)
    attempt.intend(0, repeatable=False)
    write = os.write

    def full(file, data):
        if len(data) < 5:
            raise OSError(28, "No space left on device")
        return write(file, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr("dynclient.bulk.journal.os.write", full)
        with pytest.raises(JournalError, match="No space left") as caught:
            attempt.intend(1, repeatable=False)
    assert "free some space" in caught.value.hint
    with pytest.raises(JournalError):  # nothing follows what is not whole
        attempt.intend(2, repeatable=False)
    attempt.close()
    state = journal.state("000000")
    assert (set(state.rows), state.damaged) == ({0}, [])
