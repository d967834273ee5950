"""The command line in this process, and the mock of the voice API."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from dynclient import cli, testing

# Tests are not a package: the authorization server is found beside the tests of credentials.
sys.path.insert(0, str(Path(__file__).parents[1] / "security"))


@pytest.fixture(autouse=True)
def _no_stored_credentials(tmp_path, monkeypatch):
    """Do not use stored credentials and settings of the person who runs the tests."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DYNCLIENT_PROFILE", raising=False)


@pytest.fixture
def run(capsys):
    """Run a command line: its exit status, standard output and standard error."""

    def run(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def voice_server(voice_path):
    """The mock of the voice API, which takes any user and password."""
    with testing.serve(voice_path, stateful=True) as server:
        yield server


@pytest.fixture
def voice(run, voice_path, voice_server, monkeypatch):
    """Call an operation of the voice API at its mock, as a known user."""
    monkeypatch.setenv("DYNCLIENT_VOICE_BASIC", "user:password")

    def call(*arguments):
        return run("call", voice_path, *arguments, "--base-url", voice_server.url)

    return call


@pytest.fixture
def document(tmp_path):
    """Write a document of one operation, ``look``, at ``/a``; returns its path."""

    def write(responses=None, *, method="get", name="d.json", **operation):
        responses = responses or {"200": {"description": "", "content": {"application/json": {}}}}
        paths = {"/a": {method: {"operationId": "look", "responses": responses, **operation}}}
        file = tmp_path / name
        file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}))
        return file

    return write
