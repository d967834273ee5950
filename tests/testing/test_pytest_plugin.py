"""The pytest plugin in a session of its own, and the bridge to pytest-httpserver."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import dynclient
from dynclient import exceptions
from dynclient.testing import InvalidAnswer, expect_operation

CALL = {"to": "+19195551234", "from": "+19195554321", "applicationId": "1", "answerUrl": "https://a.example/b"}

SESSION = """
import dynclient

def test_in_process(mock_api):
    mock = mock_api({document!r})
    mock.get_call_state.raises(404, times=1)
    with dynclient.load({document!r}, auth=("u", "p"), transport=mock) as voice:
        try:
            voice.get_call_state("9900000", "c-1")
        except dynclient.exceptions.NotFound:
            return
    assert False

def test_over_http(dynclient_server):
    server = dynclient_server(stateful=True)
    with dynclient.load({document!r}, auth=("u", "p"), base_url=server.url) as voice:
        call = voice.create_call("9900000", {call!r})
        assert voice.get_call_state("9900000", call["callId"])["callId"] == call["callId"]
    assert len(server.requests) == 2
"""


def session(folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:schemathesis", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_fixtures_and_coverage(tmp_path, voice_path):
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ndynclient_document = {voice_path}\nfilterwarnings = error\n")
    (tmp_path / "test_it.py").write_text(SESSION.format(document=str(voice_path), call=CALL))
    done = session(tmp_path, "--openapi-coverage")
    assert done.returncode == 0, done.stdout
    assert "operations called" in done.stdout
    assert "  operations: 2 of 4\n" in done.stdout
    assert "  not called: updateCallBxml\n" in done.stdout
    assert "  createCall, statuses not seen: 400, " in done.stdout


RECORDED = """
import dynclient

def test_recorded(dynclient_recorder, dynclient_server):
    server = dynclient_server()
    recorder = dynclient_recorder({document!r})
    with dynclient.load({document!r}, auth=("u", "p"), base_url=server.url, transport=recorder) as voice:
        voice.get_call_state("9900000", "c-1")
    print("asked:", len(server.requests))
"""


@pytest.mark.large
def test_workers_send_their_coverage(tmp_path, voice_path):
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ndynclient_document = {voice_path}\nfilterwarnings = error\n")
    (tmp_path / "test_it.py").write_text(SESSION.format(document=str(voice_path), call=CALL))
    done = session(tmp_path, "--openapi-coverage", "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "  operations: 2 of 4\n" in done.stdout


@pytest.mark.large
def test_recordings_by_test(tmp_path, voice_path):
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ndynclient_document = {voice_path}\nfilterwarnings = error\n")
    (tmp_path / "test_it.py").write_text(RECORDED.format(document=str(voice_path)))
    for options, asked in (((), 1), (("--record-mode", "none"), 0), (("--record-mode", "all"), 1)):
        done = session(tmp_path, "-s", *options)
        assert f"asked: {asked}" in done.stdout, done.stdout
    assert (tmp_path / "cassettes" / "test_it" / "test_recorded.jsonl").is_file()


def test_the_plugin_costs_next_to_nothing():
    code = (
        "import sys, pytest; before = set(sys.modules); import dynclient.testing.pytest_plugin;"
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('dynclient')));"
        "print(sorted(name for name in sys.modules if name.startswith('dynclient')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    others, ours = map(eval, done.stdout.splitlines())
    assert others == []
    light = ["dynclient", "dynclient._deferred", "dynclient._version", "dynclient.testing"]
    assert ours == [*light, "dynclient.testing.pytest_plugin"]


@pytest.fixture
def voice(voice_path, httpserver):
    with dynclient.load(voice_path, base_url=httpserver.url_for(""), auth=("user", "password"), retry=1) as client:
        yield client


def test_an_expected_operation_has_the_documented_response(voice, httpserver):
    expect_operation(httpserver, voice.create_call).respond_with_example()
    result = voice.create_call_with_http_info("9900000", CALL)
    assert (result.status, result.data["accountId"]) == (201, "9900000")


def test_an_operation_is_expected_with_its_arguments(voice, httpserver):
    expect_operation(httpserver, voice.create_call, "9900000", CALL).respond_with_example(400)
    with pytest.raises(exceptions.BadRequest):
        voice.create_call("9900000", CALL)
    with pytest.raises(exceptions.ServerError):
        voice.create_call("9900000", {**CALL, "to": "+19195550000"})


def test_its_response_is_validated(voice, httpserver):
    expected = expect_operation(httpserver, voice.get_call_state)
    with pytest.raises(InvalidAnswer, match="callId"):
        expected.respond_with({"callId": 1})
    expected.respond_with({"callId": "c-1"})
    assert voice.get_call_state("9900000", "c-1") == {"callId": "c-1"}
