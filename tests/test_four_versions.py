"""One API, written in each version of OpenAPI: to a caller they are the same.

Each case is done with the documents of 2.0, 3.0 and 3.1, and the result is compared with that of 3.2.
"""

from __future__ import annotations

import inspect
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import XML

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

import dynclient
from dynclient.exceptions import DynclientError, RequestValidationError

VERSIONS = ("2.0", "3.0", "3.1", "3.2")
NAMES = ("create_call", "get_call_state", "update_call", "update_call_bxml")
ACCOUNT = "9900000"
CALL = "c-1"
BODY = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer",
    "answerUrl": "https://example.com/answer",
}
BXML = '<?xml version="1.0" encoding="UTF-8"?>\n<Bxml><SpeakSentence>Grüße</SpeakSentence></Bxml>'
ANY_PATH = re.compile(".*")
NEW_YEAR = datetime(2022, 1, 1, tzinfo=UTC)
Case = tuple[str, tuple[Any, ...], dict[str, Any]]


@pytest.fixture(scope="module")
def clients(root: Path) -> dict[str, dynclient.Client]:
    return {
        version: dynclient.load(root / "openapi" / f"voice.{version}.yaml", auth=("user", "password"))
        for version in VERSIONS
    }


def same(clients: dict[str, dynclient.Client], see: Any) -> Any:
    """What is seen of each client, which has to be the same of all."""
    seen = {version: see(client) for version, client in clients.items()}
    for version in VERSIONS[:-1]:
        assert seen[version] == seen["3.2"], version
    return seen["3.2"]


def test_names(clients: dict[str, dynclient.Client]) -> None:
    assert same(clients, lambda client: tuple(client.operations)) == NAMES
    assert same(clients, lambda client: repr(client.operations))
    assert same(clients, lambda client: [name for name in dir(client) if not name.startswith("_")])
    assert "create_call" in same(clients, lambda client: dir(client.calls))


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_docstring(clients: dict[str, dynclient.Client], name: str) -> None:
    assert (
        same(clients, lambda client: seen_signature(inspect.signature(client.operations[name])))[0][0] == "account_id"
    )
    assert "Args:\n    account_id (str)" in same(clients, lambda client: client.operations[name].__doc__)
    assert f"{name}(" in same(clients, lambda client: repr(client.operations[name]))
    assert same(clients, lambda client: client.operations[name].example())["account_id"]


def seen_signature(signature: inspect.Signature) -> list[tuple[Any, ...]]:
    """Parameters and what is returned; of the types of objects, which each client makes, what is in them."""
    parameters = [(one.name, one.kind, one.default, seen_type(one.annotation)) for one in signature.parameters.values()]
    return [*parameters, ("return", seen_type(signature.return_annotation))]


def seen_type(annotation: Any) -> Any:
    fields = getattr(annotation, "__annotations__", None)
    if fields is None:
        return str(annotation)
    required = getattr(annotation, "__required_keys__", None)
    return annotation.__name__, required, {key: seen_type(value) for key, value in fields.items()}


REQUESTS: dict[str, Case] = {
    "body by position": ("create_call", (ACCOUNT, BODY), {}),
    "body by name": ("create_call", (), {"account_id": ACCOUNT, "create_call": BODY}),
    "body=": ("create_call", (ACCOUNT,), {"body": BODY}),
    "properties": (
        "create_call",
        (ACCOUNT,),
        {"to": "+1", "from_": "+2", "application_id": "a", "answer_url": "https://a.example/", "call_timeout": 30.5},
    ),
    "wire names": ("create_call", (), {"accountId": ACCOUNT, **BODY}),
    "nulls": ("create_call", (ACCOUNT, {**BODY, "tag": None, "callTimeout": None, "disconnectMethod": None}), {}),
    "nested": ("create_call", (ACCOUNT, {**BODY, "machineDetection": {"mode": "async", "detectionTimeout": 1}}), {}),
    "Python's own": ("create_call", (ACCOUNT, {**BODY, "callTimeout": Decimal("12.5")}), {}),
    "a path to encode": ("get_call_state", ("a/b?c#ü", CALL), {}),
    "enum": ("update_call", (ACCOUNT, CALL), {"state": "completed"}),
    "XML as text": ("update_call_bxml", (ACCOUNT, CALL, BXML), {}),
    "XML as an element": ("update_call_bxml", (ACCOUNT, CALL, XML("<Bxml><Hangup/></Bxml>")), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("options", [{}, {"base_url": "http://localhost:1/x"}, {"server": 0}], ids=str)
def test_requests(clients: dict[str, dynclient.Client], case: Case, options: dict[str, Any]) -> None:
    name, args, keywords = case

    def see(client: dynclient.Client) -> tuple[Any, ...]:
        request = client.with_options(**options).operations[name].prepare(*args, **keywords)
        return request.method, request.url, list(request.headers.pairs()), request.body, request.operation_id

    method, url, headers, body, _ = same(clients, see)
    assert method in {"GET", "POST", "PUT"}
    assert url.startswith(options.get("base_url", "https://voice.bandwidth.com/api/v2") + "/accounts/")
    assert ("Accept", "application/json") in headers
    assert isinstance(body, bytes) == (name != "get_call_state")


STATE = {"callId": CALL, "state": "disconnected", "direction": "outbound", "startTime": "2022-06-16T13:15:07.160Z"}
CREATED = {
    **BODY,
    "accountId": ACCOUNT,
    "callId": CALL,
    "callUrl": "https://a.example/",
    "answerMethod": "POST",
    "disconnectMethod": "POST",
}
FAULT = {"type": "validation", "description": "something is wrong"}
CALLED: dict[str, Case] = {
    "create_call": ("create_call", (ACCOUNT, BODY), {}),
    "get_call_state": ("get_call_state", (ACCOUNT, CALL), {}),
    "update_call": ("update_call", (ACCOUNT, CALL, {"state": "completed"}), {}),
    "update_call_bxml": ("update_call_bxml", (ACCOUNT, CALL, BXML), {}),
}
# name: operation, status, what is sent, its Content-Type; the value, or the error's class and the places in the data
ANSWERS: dict[str, tuple[str, int, Any, str, Any]] = {
    "created": ("create_call", 201, CREATED, "application/json", CREATED),
    "charset": ("get_call_state", 200, STATE, "application/json; charset=utf-8", STATE),
    "null": ("get_call_state", 200, {**STATE, "endTime": None}, "application/json", {**STATE, "endTime": None}),
    "more than documented": ("get_call_state", 200, {**STATE, "new": 1}, "application/json", {**STATE, "new": 1}),
    "nothing": ("update_call", 200, None, "", None),
    "no content": ("update_call_bxml", 204, None, "", None),
    "documented error": ("get_call_state", 404, FAULT, "application/json", ("NotFound", [])),
    "too many": ("create_call", 429, FAULT, "application/json", ("RateLimited", [])),
    "undocumented": ("get_call_state", 418, FAULT, "application/json", ("ApiError", [])),
    "another media type": ("get_call_state", 200, "<a/>", "text/html", ("UnexpectedMediaType", [])),
    "no JSON": ("get_call_state", 200, "{", "application/json", ("DecodeError", [])),
    "empty": ("create_call", 201, None, "application/json", ("DecodeError", [])),
    "lacking": ("create_call", 201, {}, "application/json", ("ResponseValidationError", [
        (f"$.{name}", "required") for name in CREATED
    ])),
    "ill-typed": ("get_call_state", 200, {**STATE, "callId": 5, "startTime": "yesterday"}, "application/json", (
        "ResponseValidationError", [("$.callId", "type"), ("$.startTime", "format")],
    )),
}  # fmt: skip


def served(content: Any, status: int, content_type: str) -> Response:
    body = content if isinstance(content, str) else "" if content is None else json.dumps(content)
    answer = Response(body, status)
    answer.headers["Content-Type"] = content_type
    if not content_type:
        del answer.headers["Content-Type"]
    return answer


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_answers(clients: dict[str, dynclient.Client], httpserver: HTTPServer, case: tuple[Any, ...]) -> None:
    name, status, content, content_type, expected = case
    httpserver.expect_request(ANY_PATH).respond_with_response(served(content, status, content_type))
    _, args, keywords = CALLED[name]

    def see(client: dynclient.Client) -> Any:
        method = client.with_options(base_url=httpserver.url_for("/api"), retry=1).operations[name]
        try:
            return method(*args, **keywords)
        except DynclientError as error:
            return type(error).__name__, sorted((fault.path, fault.keyword) for fault in getattr(error, "errors", ()))

    found = same(clients, see)
    if isinstance(expected, tuple):
        assert found == (expected[0], sorted(expected[1]))
    else:
        assert found == expected
    assert len({request.get_data() for request, _ in httpserver.log}) == 1
    assert len(httpserver.log) == len(VERSIONS)


# Bodies that do not match the document: what is wrong, and by which keyword.
BAD_BODIES: dict[str, tuple[Any, set[tuple[str, str]]]] = {
    "no object": ("text", {("$", "type")}),
    "an array": ([BODY], {("$", "type")}),
    "lacking": ({}, {(f"$.{name}", "required") for name in BODY}),
    "null that is not allowed": ({**BODY, "to": None}, {("$.to", "type")}),
    "many": (
        {
            "to": 5,
            "applicationId": "x",
            "answerUrl": "no url at all",
            "callTimeout": 301,
            "callbackTimeout": 0.5,
            "priority": 1.5,
            "answerMethod": "PATCH",
            "machineDetection": {"mode": "fast", "detectionTimeout": "soon"},
            "tag": "x" * 257,
        },
        {
            ("$.from", "required"),
            ("$.to", "type"),
            ("$.answerUrl", "format"),
            ("$.callTimeout", "maximum"),
            ("$.callbackTimeout", "minimum"),
            ("$.priority", "type"),
            ("$.answerMethod", "enum"),
            ("$.machineDetection.mode", "enum"),
            ("$.machineDetection.detectionTimeout", "type"),
            ("$.tag", "maxLength"),
        },
    ),
    "a time where none is due": ({**BODY, "priority": NEW_YEAR}, {("$.priority", "type")}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_bodies(clients: dict[str, dynclient.Client], case: tuple[Any, set[tuple[str, str]]]) -> None:
    body, expected = case

    def see(client: dynclient.Client) -> Any:
        with pytest.raises(RequestValidationError) as caught:
            client.create_call(ACCOUNT, body)
        assert all(fault.location is not None and fault.location.line for fault in caught.value.errors)
        return sorted((fault.path, fault.keyword, fault.message) for fault in caught.value.errors)

    assert {fault[:2] for fault in same(clients, see)} == expected


BAD_ARGUMENTS: dict[str, tuple[Case, str]] = {
    "missing": (("create_call", (), {}), "ArgumentError"),
    "unknown": (("create_call", (ACCOUNT, BODY), {"acount_id": "1"}), "ArgumentError"),
    "twice": (("create_call", (ACCOUNT, BODY), {"account_id": "1"}), "ArgumentError"),
    "ill-typed": (("get_call_state", (ACCOUNT, 7), {}), "ArgumentError"),
    "leaves its segment": (("get_call_state", (ACCOUNT, ".."), {}), "ArgumentError"),
    "no XML": (("update_call_bxml", (ACCOUNT, CALL, "<Bxml>"), {}), "EncodeError"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments(clients: dict[str, dynclient.Client], case: tuple[Case, str]) -> None:
    (name, args, keywords), expected = case

    def see(client: dynclient.Client) -> tuple[str, str]:
        with pytest.raises(DynclientError) as caught:
            client.operations[name].prepare(*args, **keywords)
        # The document's name and the line differ, of course.
        return type(caught.value).__name__, re.sub(r"voice\.\d\.\d\.yaml, line \d+, \S+", "", str(caught.value))

    assert same(clients, see)[0] == expected
