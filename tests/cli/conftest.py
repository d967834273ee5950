"""A command line that runs in this process, and the mock of the voice API."""

from __future__ import annotations

import pytest

from dynclient import cli, testing


@pytest.fixture
def run(capsys):
    """Run a command line: its exit status, standard output and standard error."""

    def run(*arguments):
        status = cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

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
