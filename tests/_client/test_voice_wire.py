"""The four calls of the Voice API over a real socket with both clients: the exact bytes sent, and the results."""

from __future__ import annotations

import base64
import json
import re

import pytest
from werkzeug import Response

from dynclient import Retry, exceptions

ACCOUNT = "9900000"
CALL_ID = "c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85"
BODY = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer-5679-tyui",
    "answerUrl": "https://example.com/answer",
}
KEYWORDS = {
    "to": BODY["to"],
    "from_": BODY["from"],
    "application_id": BODY["applicationId"],
    "answer_url": BODY["answerUrl"],
}
CREATED = {
    **BODY,
    "accountId": ACCOUNT,
    "callId": CALL_ID,
    "callUrl": f"https://voice.example.com/calls/{CALL_ID}",
    "answerMethod": "POST",
    "disconnectMethod": "POST",
}
STATE = {"callId": CALL_ID, "state": "disconnected", "direction": "outbound", "startTime": "2022-06-16T13:15:07.160Z"}
BXML = '<?xml version="1.0" encoding="UTF-8"?>\n<Bxml><SpeakSentence>Grüße</SpeakSentence></Bxml>'
FAULT = {"type": "validation", "description": "something is wrong"}

ANY_PATH = re.compile(".*")
CALLS = "/api/v2/accounts/9900000/calls"
JSON_BODY = json.dumps(BODY, separators=(",", ":")).encode()

# name: operation, positional arguments, keywords, method, path, Content-Type, body, answer, value
EXCHANGES = {
    "create, body by position": (
        "create_call", (ACCOUNT, BODY), {}, "POST", CALLS, "application/json", JSON_BODY, (201, CREATED), CREATED,
    ),
    "create, in its namespace": (
        "calls.create_call", (ACCOUNT, BODY), {}, "POST", CALLS, "application/json", JSON_BODY, (201, CREATED), CREATED,
    ),
    "create, body by its schema's name": (
        "create_call", (), {"account_id": ACCOUNT, "create_call": BODY}, "POST", CALLS, "application/json", JSON_BODY,
        (201, CREATED), CREATED,
    ),
    "create, body=": (
        "create_call", (ACCOUNT,), {"body": BODY}, "POST", CALLS, "application/json", JSON_BODY,
        (201, CREATED), CREATED,
    ),
    "create, properties as keywords": (
        "create_call", (ACCOUNT,), KEYWORDS, "POST", CALLS, "application/json", JSON_BODY, (201, CREATED), CREATED,
    ),
    "create, wire names": (
        "create_call", (), {"accountId": ACCOUNT, **BODY}, "POST", CALLS, "application/json", JSON_BODY,
        (201, CREATED), CREATED,
    ),
    "get": (
        "get_call_state", (ACCOUNT, CALL_ID), {}, "GET", f"{CALLS}/{CALL_ID}", None, b"", (200, STATE), STATE,
    ),
    "a path value stays in its segment": (
        "get_call_state", (ACCOUNT, "a/b?c#ü"), {}, "GET", f"{CALLS}/a%2Fb%3Fc%23%C3%BC", None, b"",
        (200, STATE), STATE,
    ),
    "update": (
        "update_call", (ACCOUNT, CALL_ID), {"state": "completed"}, "POST", f"{CALLS}/{CALL_ID}", "application/json",
        b'{"state":"completed"}', (200, None), None,
    ),
    "bxml": (
        "update_call_bxml", (ACCOUNT, CALL_ID, BXML), {}, "PUT", f"{CALLS}/{CALL_ID}/bxml", "application/xml",
        BXML.encode(), (204, None), None,
    ),
}  # fmt: skip


def answer(status, data):
    if data is None:
        return Response(b"", status)
    return Response(json.dumps(data), status, content_type="application/json; charset=utf-8")


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_exchange(voice, httpserver, exchange):
    operation, args, keywords, method, path, content_type, body, answered, value = exchange
    httpserver.expect_request(ANY_PATH).respond_with_response(answer(*answered))

    assert voice()(operation, *args, **keywords) == value

    (request, _) = httpserver.log[0]
    assert len(httpserver.log) == 1
    assert (request.method, request.environ["REQUEST_URI"]) == (method, path)
    assert request.get_data() == body
    assert request.headers.get("Content-Type") == content_type
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode("user:pässword".encode()).decode()
    assert request.headers.get("Content-Length") == (str(len(body)) if body else None)
    assert "Transfer-Encoding" not in request.headers


# What each operation documents, as status -> class of error.
ERRORS = {
    400: exceptions.BadRequest,
    401: exceptions.Unauthorized,
    403: exceptions.Forbidden,
    404: exceptions.NotFound,
    405: exceptions.ApiError,
    415: exceptions.ApiError,
    429: exceptions.RateLimited,
    500: exceptions.ServerError,
}
CALLED = {
    "create_call": (ACCOUNT, BODY),
    "get_call_state": (ACCOUNT, CALL_ID),
    "update_call": (ACCOUNT, CALL_ID, {"state": "completed"}),
    "update_call_bxml": (ACCOUNT, CALL_ID, BXML),
}
DOCUMENTED = [(name, status) for name in CALLED for status in ERRORS] + [
    ("update_call", 409),
    ("update_call_bxml", 409),
]


@pytest.mark.parametrize(("name", "status"), DOCUMENTED)
def test_documented_error(voice, httpserver, name, status):
    httpserver.expect_request(ANY_PATH).respond_with_response(answer(status, FAULT))

    with pytest.raises(exceptions.ApiError) as caught:
        voice(retry=Retry(attempts=1))(name, *CALLED[name])

    error = caught.value
    assert type(error) is ERRORS.get(status, exceptions.Conflict)
    assert (error.status, error.data) == (status, FAULT)
    assert error.headers["content-type"] == "application/json; charset=utf-8"
    assert error.problem is None
    assert error.__cause__ is None
    assert "pässword" not in str(error)
    assert base64.b64encode("user:pässword".encode()).decode() not in repr(error.request) + str(error)
