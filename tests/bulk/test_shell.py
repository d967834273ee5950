"""``dynclient bulk``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dynclient import bulk, cli


@pytest.fixture
def shell(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*words):
        status = cli.main([str(word) for word in ("bulk", *words)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_run_from_the_shell(shell, document, table, server, tmp_path):
    server.answer = lambda sku: {"sku-1": 422, "sku-2": None, "sku-3": 503}.get(sku, 201)
    journal = tmp_path / "run"
    words = ("run", document, "create-order", "--from", table, "--journal", journal, "--key", "id", "--retries", 0)
    status, out, errors = shell(*words)
    assert (status, out) == (3, "")
    assert "50 rows: 47 done, 1 refused, 1 failed, 1 unknown" in errors
    assert shell("unknown", journal) == (3, "o-2\n", "")
    status, out, _ = shell("status", journal, "--json")
    assert (status, json.loads(out)["done"]) == (3, 47)
    status, out, _ = shell("results", journal, "--outcome", "refused")
    assert (status, json.loads(out)["key"]) == (0, "o-1")
    server.answer = lambda sku: 201
    assert shell("retry", journal)[0] == 3
    status, _, errors = shell("retry", journal, "--outcome", "unknown")
    assert status == 1
    assert "--may-repeat" in errors
    assert shell("retry", journal, "--outcome", "unknown", "--may-repeat")[0] == 1
    assert shell("retry", journal, "--outcome", "refused")[0] == 0
    assert shell("resume", journal)[0] == 0
    assert shell(*words)[0] == 0
    assert sum(server.counts.values()) == 53
    out = tmp_path / "out.jsonl"
    shell("results", journal, "--output", out)
    assert len(out.read_text().splitlines()) == 50


def test_arguments_by_set(shell, document, table, server, tmp_path):
    given = ("--set", "sku=$id", "--set", "amount:=2", "--limit", 3, "--rate", "1000/s")
    status, _, errors = shell("run", document, "createOrder", "--from", table, "--journal", tmp_path / "r", *given)
    assert (status, set(server.counts)) == (1, {"o-0", "o-1", "o-2"})
    assert "47 pending" in errors


def test_faults_are_told_by_line(shell, document, table, server, tmp_path):
    path = Path(table)
    path.write_text(path.read_text().replace("sku-4,5", "sku-4,none"))
    words = ("run", document, "create-order", "--from", table, "--journal", tmp_path / "run", "--key", "id")
    status, _, errors = shell(*words, "--check")
    assert (status, server.counts) == (1, {})
    assert "row 5, line 6, key 'o-4'" in errors
    assert "--on-invalid skip sends the others" in errors
    assert not (tmp_path / "run").exists()


def test_a_changed_document_is_refused_until_it_is_accepted(shell, document, table, server, tmp_path):
    journal = tmp_path / "run"
    assert (
        shell("run", document, "createOrder", "--from", table, "--journal", journal, "--key", "id", "--limit", 9)[0]
        == 1
    )
    path = Path(document)
    path.write_text(path.read_text().replace('"version": "1"', '"version": "2"'))
    status, _, errors = shell("resume", journal)
    assert status == 1
    assert "the document has changed" in errors
    assert "--accept-changed-document" in errors
    assert shell("resume", journal, "--accept-changed-document")[0] == 0
    assert set(server.counts.values()) == {1}


def test_credentials_are_named_and_never_kept(shell, document, table, tmp_path, monkeypatch, server):
    monkeypatch.setenv("TOKEN_OF_MINE", "s3cr3t-t0ken")
    words = ("run", document, "create-secret-order", "--from", table, "--journal", tmp_path / "run", "--key", "id")
    assert shell(*words, "--auth", "token=env:TOKEN_OF_MINE", "--limit", 9)[0] == 1
    assert shell("resume", tmp_path / "run")[0] == 0
    assert not [path for path in (tmp_path / "run").rglob("*.*") if b"s3cr3t" in path.read_bytes()]


@pytest.mark.large
def test_processes_of_this_machine(document, table, tmp_path, monkeypatch, server):
    monkeypatch.setenv("TOKEN_OF_MINE", "s3cr3t-t0ken")
    words = ("run", document, "create-secret-order", "--from", table, "--journal", tmp_path / "run", "--key", "id")
    given = ("--auth", "token=env:TOKEN_OF_MINE", "--workers", 2, "--partition-size", 10)
    command = [sys.executable, "-m", "dynclient", "bulk", *map(str, words + given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (0, ["50 rows: 50 done"])
    assert set(server.counts.values()) == {1}
    assert bulk.open(tmp_path / "run").summary.done == 50
