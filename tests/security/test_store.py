"""The file of tokens: its owner, its mode, and writers at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dynclient import exceptions
from dynclient.security.oauth2 import store as stores
from dynclient.security.oauth2.store import FileStore

WRITER = """
import sys
from dynclient.security.oauth2.store import FileStore
for index in range(40):
    FileStore(sys.argv[1]).save(f"{sys.argv[2]} {index}", {"access_token": "x"})
"""


def test_processes_that_save_at_once_lose_nothing(tmp_path):
    path = tmp_path / "tokens.json"
    run = [sys.executable, "-W", "ignore", "-c", WRITER, str(path)]
    processes = [subprocess.Popen([*run, str(number)]) for number in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(json.loads(path.read_text())) == 120
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_entry_that_is_forgotten_leaves_nothing(tmp_path):
    store = FileStore(tmp_path / "tokens.json")
    store.save("a", {"access_token": "x"})
    store.save("b", {"access_token": "y"})
    store.save("a", {})
    assert json.loads((tmp_path / "tokens.json").read_text()) == {"b": {"access_token": "y"}}
    assert store.load("a") is None


def test_a_lock_that_is_not_let_go_of_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "_PATIENCE", 0.02)
    store = FileStore(tmp_path / "tokens.json")
    with store._locked(), pytest.raises(exceptions.ArgumentError, match="locked by another process"):
        store.save("a", {"access_token": "x"})
    store.save("a", {"access_token": "x"})
    assert store.load("a") == {"access_token": "x"}


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / ".tokens.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(exceptions.ArgumentError, match="can't be written"):
        FileStore(tmp_path / "tokens.json").save("a", {})


@pytest.mark.parametrize("call", [lambda store: store.load("a"), lambda store: store.save("b", {"access_token": "y"})])
def test_a_file_of_another_user_is_refused(tmp_path, monkeypatch, call):
    store = FileStore(tmp_path / "tokens.json")
    store.save("a", {"access_token": "x"})
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(exceptions.ArgumentError, match="belongs to another user"):
        call(store)
