"""Other people's clients against the mock of our document: bandwidth-sdk, curl, schemathesis."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dynclient import testing

VOICE = Path(__file__).parents[2] / "openapi" / "voice.yaml"
ACCOUNT = "9900000"
BXML = '<?xml version="1.0" encoding="UTF-8"?><Bxml><Hangup/></Bxml>'


@pytest.fixture
def voice():
    with testing.serve(VOICE, credentials=("user", "password"), stateful=True) as server:
        yield server


def test_the_vendors_sdk_makes_the_four_calls(voice):
    bandwidth = pytest.importorskip("bandwidth", reason="bandwidth-sdk is not installed")
    configuration = bandwidth.Configuration(username="user", password="password")
    configuration.host = voice.url
    configuration.ignore_operation_servers = True
    with bandwidth.ApiClient(configuration) as client:
        calls = bandwidth.CallsApi(client)
        wanted = bandwidth.models.CreateCall(
            to="+19195551234", var_from="+19195554321", application_id="1", answer_url="https://a.example/b"
        )
        made = calls.create_call(ACCOUNT, wanted)
        assert (made.to, made.account_id) == ("+19195551234", ACCOUNT)
        found = calls.get_call_state(ACCOUNT, made.call_id)
        assert (found.call_id, found.to) == (made.call_id, "+19195551234")
        assert calls.update_call(ACCOUNT, made.call_id, bandwidth.models.UpdateCall(state="completed")) is None
        assert calls.update_call_bxml(ACCOUNT, made.call_id, BXML) is None
        with pytest.raises(bandwidth.exceptions.NotFoundException):
            calls.get_call_state(ACCOUNT, "c-never-made")
    assert [response.status for response in voice.responses] == [201, 200, 200, 204, 404]
    assert voice.requests[0].operation_id == "createCall"


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(voice):
    import dynclient

    url = f"{voice.url}/accounts/{ACCOUNT}/calls"
    client = dynclient.load(VOICE, base_url=voice.url, auth=("user", "password"))
    with client:
        shown = client.create_call.prepare(ACCOUNT, **client.create_call.example()["create_call"]).to_curl()
    assert shown.startswith("curl -X POST ")
    body = '{"to":"+19195551234","from":"+19195554321","applicationId":"1","answerUrl":"https://a.example/b"}'
    status, made = curl("-u", "user:password", "--json", body, url)
    assert (status, '"to":"+19195551234"' in made) == (201, True)
    assert curl("-u", "user:wrong", "--json", body, url)[0] == 401
    assert curl("-u", "user:password", "--data", "to=1", url)[0] == 415
    assert curl("-X", "BREW", url)[0] == 405
    assert curl("--http1.0", "-u", "user:password", "--json", "{", url)[0] == 400


@pytest.mark.large
def test_schemathesis_finds_no_difference():
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    with testing.serve(VOICE, credentials=("user", "password")) as server:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(VOICE), "--url", server.url),
            *("--auth", "user:password", "--checks", "all", "--max-examples", "20", "--no-color"),
            "--generation-deterministic",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
