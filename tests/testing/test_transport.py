"""MockTransport: expected calls, and responses given by a test, which are validated."""

from __future__ import annotations

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient.messages import Headers, Request, Send
from dynclient.options import Limits
from dynclient.testing import ANY, InvalidAnswer, MissingCall, MockTransport, UnexpectedCall

CALL = {"to": "+19195551234", "from": "+19195554321", "applicationId": "1", "answerUrl": "https://a.example/b"}
AUTH = ("user", "password")


@pytest.fixture
def mock(voice_path):
    return MockTransport(voice_path)


@pytest.fixture
def voice(voice_path, mock):
    with dynclient.load(
        voice_path, auth=AUTH, transport=mock, retry=dynclient.Retry(base=0, throttle_base=0)
    ) as client:
        yield client


def state(**changed):
    made = {"callId": "c-1", "accountId": "9900000", "applicationId": "1", "to": "+19195551234", "state": "active"}
    return {
        **made,
        "from": "+19195554321",
        "direction": "outbound",
        "enqueuedTime": "2022-06-16T13:15:07.160Z",
        **changed,
    }


def test_a_given_value_is_returned(voice, mock):
    mock.get_call_state.returns(state(state="initiated"), headers={"X-Trace": "7"})
    result = voice.get_call_state_with_http_info("9900000", "c-1")
    assert (result.data["state"], result.headers["x-trace"]) == ("initiated", "7")


def test_a_function_makes_the_response(voice, mock):
    mock.get_call_state.returns(lambda call: state(callId=call.arguments["call_id"]))
    assert voice.get_call_state("9900000", "c-7")["callId"] == "c-7"


def test_times_limits_an_error(voice, mock):
    mock.get_call_state.raises(503, times=2)
    result = voice.get_call_state_with_http_info("9900000", "c-1")
    assert (result.status, result.attempts) == (200, 3)
    assert [response.status for response in mock.responses] == [503, 503, 200]


def test_a_documented_error_has_the_documents_body_or_a_given_one(voice, mock):
    mock.get_call_state("9900000", "c-1").raises(404)
    mock.get_call_state("9900000", "c-2").raises(404, {"type": "not-found", "description": "gone", "id": None})
    for call_id in ("c-1", "c-2"):
        with pytest.raises(exceptions.NotFound) as caught:
            voice.get_call_state("9900000", call_id)
    assert caught.value.data["description"] == "gone"


def test_an_exception_is_raised_as_a_transport_would(voice, mock):
    mock.create_call.raises(exceptions.ConnectionLost("gone", outcome_unknown=True))
    with pytest.raises(exceptions.ConnectionLost, match="gone"):
        voice.create_call("9900000", CALL)


# the expected arguments; the difference that is reported
EXPECTED = {
    "by position": ((("9900000",), {}), None),
    "by name": (((), {"account_id": "9900000"}), None),
    "by wire name": (((), {"accountId": "9900000"}), None),
    "by a property": ((("9900000",), {"to": "+19195551234"}), None),
    "by properties in any order": (((), {"from_": "+19195554321", "to": ANY, "account_id": ANY}), None),
    "by the whole body": ((("9900000", CALL), {}), None),
    "by a body with ANY": ((("9900000", {**CALL, "answerUrl": ANY}), {}), None),
    "by a function": (((), {"to": lambda number: number.startswith("+1")}), None),
    "another account": ((("1",), {}), "account_id: expected '1', got '9900000'"),
    "another number": (((), {"to": "+1"}), "to: expected '+1', got '+19195551234'"),
    "more in the body": ((("9900000", {**CALL, "tag": "t"}), {}), "body.tag: expected 't', got nothing"),
    "less in the body": (((), {"body": {"to": ANY}}), "body.from: expected nothing, got '+19195554321'"),
    "a property that did not come": (((), {"tag": ANY}), "tag: expected <ANY>, got nothing"),
    "a function that says no": (
        ((), {"to": str.isdigit}),
        "to: expected a value that isdigit accepts, got '+19195551234'",
    ),
}


@pytest.mark.parametrize("case", EXPECTED.values(), ids=EXPECTED)
def test_calls_are_expected(voice, mock, case):
    (args, keywords), difference = case
    mock.create_call(*args, **keywords).returns(headers={"X-Expected": "yes"})
    if difference is None:
        assert voice.create_call_with_http_info("9900000", CALL).headers["x-expected"] == "yes"
    else:
        with pytest.raises(UnexpectedCall) as caught:
            voice.create_call("9900000", CALL)
        assert "createCall: an unexpected call\n" in str(caught.value)
        assert difference in str(caught.value)


def test_expectations_may_be_met_in_any_order(voice, mock):
    for number in ("1", "2"):
        mock.get_call_state(ANY, f"c-{number}").returns(state(callId=f"c-{number}"), times=1)
    assert [voice.get_call_state("9900000", f"c-{number}")["callId"] for number in "21"] == ["c-2", "c-1"]


def test_strict_fails_calls_that_are_not_expected(voice_path):
    mock = MockTransport(voice_path, strict=True)
    with dynclient.load(voice_path, auth=AUTH, transport=mock) as voice:
        with pytest.raises(UnexpectedCall, match="no call of it is expected"):
            voice.get_call_state("9900000", "c-1")
        assert [call.operation_id for call in mock.get_call_state.calls] == ["getCallState"]


INVALID = {
    "a value": (lambda mock: mock.get_call_state.returns({"callId": 1}), "$.callId: must be"),
    "a status": (lambda mock: mock.get_call_state.returns(status=418), "documents no 418"),
    "an error": (lambda mock: mock.get_call_state.raises(422), "documents no 422"),
    "a body of an undocumented failure": (lambda mock: mock.get_call_state.raises(503, {"a": 1}), "documents no 503"),
    "a body where there is none": (lambda mock: mock.update_call_bxml.returns("x"), "no body for 204"),
    "a media type": (lambda mock: mock.get_call_state.returns(state(), content_type="text/csv"), "application/json"),
    "no data": (lambda mock: mock.get_call_state.returns(object()), "object"),
}


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_given_values_are_validated(mock, case):
    give, text = case
    with pytest.raises(InvalidAnswer) as caught:
        give(mock)
    assert text in str(caught.value)


def test_values_from_a_function_are_validated(voice, mock):
    mock.get_call_state.returns(lambda call: {"callId": 1})
    with pytest.raises(InvalidAnswer, match="callId: must be"):
        voice.get_call_state("9900000", "c-1")


def test_an_exception_of_a_function_reaches_the_caller(voice, mock):
    mock.get_call_state.returns(lambda call: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        voice.get_call_state("9900000", "c-1")


def test_unknown_names_get_a_suggestion(mock):
    with pytest.raises(AttributeError, match="did you mean create_call"):
        mock.create_cal.returns()
    with pytest.raises(exceptions.ArgumentError):
        mock.create_call(nothing=1)
    assert "create_call" in dir(mock)


def test_calls_are_recorded(voice, mock):
    voice.create_call("9900000", CALL)
    call = mock["createCall"].calls[0]
    assert (call.operation_id, call.arguments, call.body) == ("createCall", {"account_id": "9900000"}, CALL)
    assert call.request.headers["authorization"].startswith("Basic ")


def test_both_clients_have_the_same_transport(voice_path, mock):
    async def use():
        async with dynclient.AsyncClient.load(voice_path, auth=AUTH, transport=mock) as voice:
            mock.get_call_state.returns(state(callId="c-9"))
            return (await voice.get_call_state("9900000", "c-9"))["callId"]

    assert anyio.run(use) == "c-9"
    with dynclient.load(voice_path, auth=AUTH, transport=mock) as voice:
        assert voice.get_call_state("9900000", "c-9")["callId"] == "c-9"
    assert len(mock.calls) == 2


ROWS = {"application/jsonl": {"itemSchema": {"type": "object"}}}
STREAMS = {
    "openapi": "3.2.0",
    "info": {"title": "S", "version": "1"},
    "paths": {
        "/rows": {
            "post": {
                "operationId": "sendRows",
                "requestBody": {"content": ROWS},
                "responses": {"200": {"description": "", "content": ROWS}},
            }
        }
    },
}
BASE = "http://127.0.0.1:9"


async def rows():
    for name in ("first", "second"):
        yield b'{"name":"%s"}\n' % name.encode()


def test_bodies_are_streamed_both_ways():
    mock = MockTransport(STREAMS)
    mock.send_rows.returns([{"n": n} for n in range(2000)])

    async def use():
        async with (
            dynclient.AsyncClient.load(STREAMS, base_url=BASE, transport=mock) as client,
            client.send_rows.stream(iter([{"name": "first"}])) as answer,
        ):
            return [item["n"] async for item in answer.iter_items()]

    assert anyio.run(use) == list(range(2000))
    assert mock.calls[0].body == [{"name": "first"}]
    with (
        dynclient.load(STREAMS, base_url=BASE, transport=mock) as client,
        client.send_rows.stream(iter([{"name": "third"}])) as answer,
    ):
        assert sum(1 for _ in answer.iter_items()) == 2000
    assert mock.calls[1].body == [{"name": "third"}]


def test_an_asynchronous_body_is_read():
    mock = MockTransport(STREAMS)
    request = Request("POST", f"{BASE}/rows", Headers({"Content-Type": "application/jsonl"}), rows())

    async def send():
        return await mock.send(Send(request, dynclient.Timeout(), Limits()))

    assert anyio.run(send).status == 200
    assert mock.calls[0].body == [{"name": "first"}, {"name": "second"}]


def test_expected_calls_that_do_not_come_fail_at_the_end(voice_path):
    mock = MockTransport(voice_path)
    mock.create_call.returns()
    mock.update_call("9900000", state="active").returns()
    mock.get_call_state.returns(state(), times=2)
    with dynclient.load(voice_path, auth=AUTH, transport=mock) as voice:
        voice.create_call("9900000", CALL)
        voice.get_call_state("9900000", "c-1")
    expected = ["update_call(account_id='9900000', body={'state': 'active'}), 0 of 1 times"]
    expected += ["get_call_state(any arguments), 1 of 2 times"]
    assert mock.unmet == expected
    with pytest.raises(MissingCall, match=r"(?s)update_call.*get_call_state"), mock:
        pass


def test_an_error_within_goes_first(voice_path):
    mock = MockTransport(voice_path)
    mock.create_call.returns()
    with pytest.raises(ZeroDivisionError), mock:
        raise ZeroDivisionError


def test_all_expected_calls_came(voice_path):
    async def call():
        async with MockTransport(voice_path) as mock:
            mock.get_call_state.returns(state(), times=1)
            async with dynclient.AsyncClient.load(voice_path, auth=AUTH, transport=mock) as voice:
                await voice.get_call_state("9900000", "c-1")

    anyio.run(call)


@pytest.mark.parametrize(
    ("servers", "options", "url"),
    [
        ([], {}, "https://mock.example/things"),
        ([{"url": "/v1/"}], {}, "https://mock.example/v1/things"),
        ([{"url": "https://api.example/v2"}], {}, "https://api.example/v2/things"),
        ([{"url": "/v1"}], {"base_url": "https://test.example"}, "https://test.example/things"),
    ],
)
def test_a_document_without_an_absolute_server_needs_no_base_url(servers, options, url):
    operation = {"operationId": "list", "responses": {"200": {"description": "", "content": {"text/plain": {}}}}}
    operation["security"] = [{"Token": []}]
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/things": {"get": operation}}}
    document["components"] = {"securitySchemes": {"Token": {"type": "http", "scheme": "bearer"}}}
    if servers:
        document["servers"] = servers
    transport = MockTransport(document)
    with dynclient.load(document, auth="token", transport=transport, **options) as client:
        client.list()
    assert [request.url for request in transport.requests] == [url]
