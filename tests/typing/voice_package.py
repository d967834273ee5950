"""Only type-checked: the package that ``dynclient stubs openapi/voice.yaml`` makes (tests/golden/stubs)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import voice
from typing_extensions import assert_type

import dynclient
from dynclient import HTTPResult, Request, options
from dynclient.changes import Changes
from dynclient.transports import Transport


def called(client: voice.Client) -> None:
    body: voice.CreateCall = {"to": "+1", "from": "+2", "applicationId": "a", "answerUrl": "https://a.example"}
    made = client.create_call("9900000", body)
    assert_type(made, voice.CreateCallResponse)
    assert_type(made["callId"], str)
    client.create_call("9900000", to="+1", from_="+2", application_id="a", answer_url="https://a.example", priority=None)
    assert_type(client.calls.get_call_state("9900000", call_id="c-1"), voice.CallState)
    client.update_call("9900000", "c-1", {"state": "completed"})
    client.update_call_bxml("9900000", "c-1", "<Bxml/>")


def called_in_other_ways(client: voice.Client) -> None:
    assert_type(client.create_call_with_http_info("9900000", to="+1"), HTTPResult[voice.CreateCallResponse])
    assert_type(client.create_call.with_http_info("9900000", to="+1"), HTTPResult[voice.CreateCallResponse])
    assert_type(client.create_call.prepare("9900000", to="+1"), Request)
    result = client.create_call.send({("path", "accountId"): "9900000"}, body={})
    assert_type(result.data, voice.CreateCallResponse)
    data, status, _ = result
    assert_type(data, voice.CreateCallResponse)
    assert_type(status, int)
    assert_type(client.get_call_state.with_options(timeout=5)("9900000", "c-1"), voice.CallState)
    with client.get_call_state.stream("9900000", call_id="c-1") as answer:
        assert_type(answer.status, int)
        assert_type(answer.read(), bytes)


def called_wrongly(client: voice.Client) -> None:
    client.create_cal("9900000")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    client.get_call_state.stream("9900000", no_such=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_call()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.create_call(9900000)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.create_call("9900000", too="+1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.update_call("9900000", "c-1", {"state": "gone"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]


async def awaited() -> None:
    async with voice.load_async(auth=("user", "password")) as client:
        assert_type(await client.create_call("9900000", to="+1"), voice.CreateCallResponse)
        assert_type(await client.calls.get_call_state("9900000", "c-1"), voice.CallState)
        async with client.get_call_state.stream("9900000", "c-1") as answer:
            assert_type(await answer.read(), bytes)


def loaded(hook: _Told, transport: Transport) -> None:
    with voice.load("openapi/voice.yaml", base_url="https://a.example") as client:
        assert_type(client, voice.Client)
        assert_type(client.reload(), Changes)
        assert_type(list(client.operations), list[str])
        assert_type(client.api.title, str)
        assert_type(client.with_options(auth=("user", "password"), accept="application/json"), voice.Client)
        assert_type(client.create_call.describe(), dict[str, Any])
        assert_type(client.create_call.example(seed=3), dict[str, Any])
    voice.load(
        base_url=None,
        server={"region": "eu"},
        auth={"Basic": ("user", "password")},
        allow_origins=("https://a.example",),
        headers={"X-A": "b"},
        timeout=dynclient.Timeout(connect=1),
        retry=dynclient.Retry(attempts=1),
        limits=options.Limits(body_depth=64),
        validate="warn",
        references=["https://a.example/", Path("parts")],
        overlays=["voice.overlay.yaml", {"overlay": "1.1.0"}],
        tls=options.TLS(),
        proxy="http://proxy.example",
        redirects="none",
        hooks=[hook],
        transport=transport,
        cache=False,
        watch=0.5,
    )


def loaded_wrongly() -> None:
    voice.load(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    voice.load(time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    voice.load(validate="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    voice.load(auth={"Basik": ("user", "password")})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    voice.load(auth=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    voice.load_async(watch="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    voice.load().with_options(limits=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    voice.load().create_call.with_options(watch=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class _Told:
    def on_reload(self, event: object) -> None:
        return None
