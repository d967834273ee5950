"""Errors of calls and their classes. Nothing invalid is sent, and no received data is lost."""

from __future__ import annotations

import json
import logging
import pickle
import re

import pytest
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient.options import Validation

ACCOUNT = "9900000"
CALL_ID = "c-1"
ANY_PATH = re.compile(".*")
BODY = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer-5679-tyui",
    "answerUrl": "https://example.com/answer",
}


# name: (operation, args, keywords), the argument at fault, near matches
ARGUMENTS = {
    "missing": (("create_call", (), {}), "account_id", ()),
    "missing body": (("create_call", (ACCOUNT,), {}), "create_call", ()),
    "unknown": (("create_call", (ACCOUNT, BODY), {"acount_id": "1"}), "acount_id", ("account_id",)),
    "unknown property": (("create_call", (ACCOUNT,), {"aplication_id": "1"}), "aplication_id", ("application_id",)),
    "twice": (("create_call", (ACCOUNT, BODY), {"account_id": "1"}), "account_id", ()),
    "twice, by wire name": (("create_call", (), {"account_id": "1", "accountId": "1", "body": BODY}), "account_id", ()),
    "too many": (("get_call_state", (ACCOUNT, CALL_ID, "x"), {}), "", ()),
    "body and properties": (("create_call", (ACCOUNT, BODY), {"tag": "x"}), "tag", ()),
    "ill-typed": (("get_call_state", (ACCOUNT, 7), {}), "call_id", ()),
    "no plain value": (("create_call", (ACCOUNT, {"to": object()}), {}), "$.to", ()),
    "leaves its segment": (("get_call_state", (ACCOUNT, ".."), {}), "callId", ()),
    "empty segment": (("get_call_state", (ACCOUNT, ""), {}), "callId", ()),
}


@pytest.mark.parametrize("case", ARGUMENTS.values(), ids=ARGUMENTS)
def test_argument_error(voice, httpserver, case):
    (name, args, keywords), argument, matches = case
    with pytest.raises(exceptions.ArgumentError) as caught:
        voice()(name, *args, **keywords)
    assert isinstance(caught.value, TypeError)
    assert caught.value.argument == argument
    assert caught.value.matches[: len(matches)] == matches
    assert httpserver.log == []


def test_every_fault_of_a_body_is_told_and_nothing_is_sent(voice, httpserver):
    body = {
        "to": 5,
        "applicationId": "x",
        "answerUrl": "no url at all",
        "callTimeout": 301,
        "answerMethod": "PATCH",
        "machineDetection": {"mode": "fast", "detectionTimeout": "soon"},
        "tag": "x" * 257,
        "password": "hunter2" * 200,
    }
    with pytest.raises(exceptions.RequestValidationError) as caught:
        voice()("create_call", ACCOUNT, body)

    found = {(fault.path, fault.keyword) for fault in caught.value.errors}
    assert found == {
        ("$.from", "required"),
        ("$.to", "type"),
        ("$.answerUrl", "format"),
        ("$.callTimeout", "maximum"),
        ("$.answerMethod", "enum"),
        ("$.machineDetection.mode", "enum"),
        ("$.machineDetection.detectionTimeout", "type"),
        ("$.tag", "maxLength"),
        ("$.password", "maxLength"),
    }
    for fault in caught.value.errors:
        assert fault.location.document.endswith("voice.yaml")
        assert fault.location.line > 1
        assert fault.location.pointer.startswith("/components/schemas/")
    assert isinstance(caught.value, ValueError)
    assert caught.value.operation_id == "createCall"
    assert "$.machineDetection.mode" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert httpserver.log == []
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.errors) == (str(caught.value), caught.value.errors)


def test_bxml_that_is_not_well_formed_is_not_sent(voice, httpserver):
    with pytest.raises(exceptions.EncodeError) as caught:
        voice()("update_call_bxml", ACCOUNT, CALL_ID, "<Bxml>\n  <SpeakSentence>Hi</Bxml>")
    assert (caught.value.line, httpserver.log) == (2, [])
    assert caught.value.column > 1


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_what_is_wrong_goes_out_when_asked_to(voice, httpserver, caplog, mode):
    httpserver.expect_request(ANY_PATH).respond_with_data(status=204)
    with caplog.at_level(logging.WARNING, "dynclient"):
        assert voice(validate=mode)("update_call_bxml", ACCOUNT, CALL_ID, "<Bxml>") is None
    assert httpserver.log[0][0].get_data() == b"<Bxml>"
    assert bool(caplog.records) == (mode == "warn")


def answered(data, status=200, content_type="application/json"):
    body = data if isinstance(data, (bytes, str)) else json.dumps(data)
    headers = {"Content-Type": content_type} if content_type else {}
    response = Response(body, status, headers=headers)
    if content_type is None:
        response.headers.remove("Content-Type")
    return response


# name: answer to get_call_state, class of error, what the error's data holds
ANSWERS = {
    "does not match its schema": (answered({"callId": 5}), exceptions.ResponseValidationError, {"callId": 5}),
    "undocumented status": (answered({"a": 1}, 418), exceptions.undocumented(418), {"a": 1}),
    "undocumented success": (answered({"callId": 1}, 202), exceptions.UndocumentedStatus, {"callId": 1}),
    "a page of HTML": (answered("<html>no", 200, "text/html"), exceptions.UnexpectedMediaType, "<html>no"),
    "malformed Content-Type": (answered({}, 200, "json"), exceptions.UnexpectedMediaType, b"{}"),
    "cut JSON": (answered(b'{"callId": "c'), exceptions.DecodeError, b'{"callId": "c'),
    "duplicate keys": (answered(b'{"a": 1, "a": 2}'), exceptions.DecodeError, b'{"a": 1, "a": 2}'),
    "not a number": (answered(b'{"a": NaN}'), exceptions.DecodeError, b'{"a": NaN}'),
    "not UTF-8": (answered(b'{"tag": "\xff"}'), exceptions.DecodeError, b'{"tag": "\xff"}'),
    "empty": (answered(b""), exceptions.DecodeError, None),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_wrong_answer(voice, httpserver, case):
    response, error_class, data = case
    httpserver.expect_request(ANY_PATH).respond_with_response(response)
    with pytest.raises(exceptions.ResponseError) as caught:
        voice()("get_call_state", ACCOUNT, CALL_ID)
    error = caught.value
    assert type(error) is error_class
    assert error.data == data
    assert error.response.status == response.status_code
    assert error.operation_id == "getCallState"
    assert error.request.url.endswith("/accounts/9900000/calls/c-1")
    assert len(str(error)) <= 2000
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_error_status_keeps_its_class_whatever_its_body(voice, httpserver):
    httpserver.expect_request(ANY_PATH).respond_with_response(answered("<h1>no", 404, "text/html"))
    with pytest.raises(exceptions.NotFound) as caught:
        voice()("get_call_state", ACCOUNT, CALL_ID)
    assert caught.value.data == "<h1>no"
    assert isinstance(caught.value.__cause__, exceptions.UnexpectedMediaType)
    assert "not as documented" in str(caught.value)


@pytest.mark.parametrize(("mode", "warns"), [("warn", True), ("off", False), (Validation(responses="off"), False)])
def test_a_wrong_answer_is_taken_when_asked_to(voice, httpserver, caplog, mode, warns):
    httpserver.expect_request(ANY_PATH).respond_with_json({"callId": 5})
    with caplog.at_level(logging.WARNING, "dynclient"):
        assert voice(validate=mode)("get_call_state", ACCOUNT, CALL_ID) == {"callId": 5}
    assert bool(caplog.records) == warns


def test_no_content_type_is_forgiven_where_there_is_one_choice(voice, httpserver):
    httpserver.expect_request(ANY_PATH).respond_with_response(answered({"callId": "c"}, 200, None))
    assert voice()("get_call_state", ACCOUNT, CALL_ID) == {"callId": "c"}


def test_nobody_listens(voice):
    with pytest.raises(exceptions.ConnectError) as caught:
        voice(base_url="http://127.0.0.1:1/api")("get_call_state", ACCOUNT, CALL_ID)
    assert caught.value.outcome_unknown is False
    assert caught.value.operation_id == "getCallState"


def test_a_credential_that_is_missing(voice, httpserver):
    with pytest.raises(exceptions.MissingCredential) as caught:
        voice(auth=...)("get_call_state", ACCOUNT, CALL_ID)
    assert caught.value.schemes == ("Basic",)
    assert "auth=None" in str(caught.value)
    assert httpserver.log == []


def test_without_a_credential_on_purpose(voice, httpserver):
    httpserver.expect_request(ANY_PATH).respond_with_json({"callId": "c"})
    assert voice(auth=None)("get_call_state", ACCOUNT, CALL_ID) == {"callId": "c"}
    assert "Authorization" not in httpserver.log[0][0].headers


def test_a_name_that_is_none():
    client = dynclient.load(
        {
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": {"operationId": "getThing", "responses": {}}}},
        }
    )
    with pytest.raises(exceptions.NoSuchOperation, match="did you mean get_thing"):
        client.get_thng  # noqa: B018
    assert not hasattr(client, "nothing")
    with pytest.raises(KeyError):
        client.operations["get_thng"]
    assert getattr(client, "nothing", 5) == 5


def test_a_closed_client(voice_path):
    client = dynclient.load(voice_path, auth=("u", "p"), base_url="http://127.0.0.1:1")
    client.close()
    with pytest.raises(exceptions.ClientClosed):
        client.get_call_state(ACCOUNT, CALL_ID)
