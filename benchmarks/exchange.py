"""The two calls that are measured, as a document and as bytes: a list of phone calls, and the making of one.

They are those of the Voice API, with the queries that listing takes, so that an SDK generated for that API can make
them too. Whoever is measured sends and gets the same bytes.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from typing import Any

ACCOUNT = "9900000"
QUERY = {"to": "+19195551234", "pageSize": 5}
_CALLBACK = "https://calls.example/voice/production/eu-central-1/accounts/9900000/applications/04e88489/webhooks/v2/"


def _state(number: int) -> dict[str, Any]:
    return {
        "applicationId": "04e88489-df02-4e34-a0ee-27a91849555f",
        "accountId": ACCOUNT,
        "callId": f"c-{number:08x}-1331029c-2cb0-4a07-b215-b22865662d85",
        "to": "+19195551234",
        "from": "+19195554321",
        "direction": "outbound",
        "state": "disconnected",
        "enqueuedTime": "2026-11-16T13:15:07.160Z",
        "startTime": "2026-11-16T13:15:07.160Z",
        "answerTime": "2026-11-16T13:15:18.126Z",
        "endTime": "2026-11-16T13:15:18.314Z",
        "disconnectCause": "hangup",
        "lastUpdate": "2026-11-16T13:15:18.314Z",
    }


STATE = _state(1)
LISTED = [_state(number) for number in range(5)]
GIVEN: dict[str, Any] = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "04e88489-df02-4e34-a0ee-27a91849555f",
    "answerUrl": f"{_CALLBACK}answer",
    "answerMethod": "POST",
    "answerFallbackUrl": f"{_CALLBACK}answer-fallback",
    "answerFallbackMethod": "POST",
    "disconnectUrl": f"{_CALLBACK}disconnect",
    "disconnectMethod": "POST",
    "username": "callback-user",
    "password": "callback-password",
    "fallbackUsername": "fallback-user",
    "fallbackPassword": "fallback-password",
    "callTimeout": 30,
    "callbackTimeout": 15,
    "priority": 5,
    "tag": "order 4711, as agreed with the customer on the phone; " * 4,
}
MADE = {
    **{key: value for key, value in GIVEN.items() if key not in {"fallbackUsername", "fallbackPassword", "tag"}},
    "accountId": ACCOUNT,
    "callId": STATE["callId"],
    "callUrl": f"{_CALLBACK}calls/1",
    "enqueuedTime": "2026-11-16T13:15:07.160Z",
}
ANSWERS = {name: json.dumps(value, separators=(",", ":")) for name, value in
           {"state": STATE, "listed": LISTED, "made": MADE}.items()}  # fmt: skip
"""The server's responses to ``GET …/calls/{callId}``, ``GET …/calls`` and ``POST …/calls``."""

_TEXT = {"type": "string"}
_NUMBER = {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"}
_TIME = {"type": "string", "format": "date-time"}
_METHOD = {"type": "string", "enum": ["GET", "POST"]}
_SECONDS = {"type": "integer", "minimum": 1, "maximum": 300}
_ID = {"type": "string", "maxLength": 60}


def _schemas() -> dict[str, Any]:
    state = {
        "type": "object",
        "required": ["callId", "accountId", "to", "from", "direction", "state"],
        "properties": {
            **dict.fromkeys(("applicationId", "accountId", "state", "disconnectCause"), _TEXT),
            **dict.fromkeys(("to", "from"), _NUMBER),
            **dict.fromkeys(("enqueuedTime", "startTime", "answerTime", "endTime", "lastUpdate"), _TIME),
            "callId": _ID,
            "direction": {"type": "string", "enum": ["inbound", "outbound"]},
        },
    }
    given = {
        "type": "object",
        "required": ["to", "from", "applicationId", "answerUrl"],
        "properties": {
            **dict.fromkeys(("applicationId", "answerUrl", "answerFallbackUrl", "disconnectUrl"), _TEXT),
            **dict.fromkeys(("username", "password", "fallbackUsername", "fallbackPassword"), _TEXT),
            **dict.fromkeys(("answerMethod", "answerFallbackMethod", "disconnectMethod"), _METHOD),
            **dict.fromkeys(("to", "from"), _NUMBER),
            **dict.fromkeys(("callTimeout", "callbackTimeout"), _SECONDS),
            "priority": {"type": "integer", "minimum": 1, "maximum": 5},
            "tag": {"type": "string", "maxLength": 256},
        },
    }
    made = {"accountId": _TEXT, "callId": _ID, "callUrl": _TEXT, "enqueuedTime": _TIME}
    created = {"type": "object", "required": ["callId"], "properties": {**given["properties"], **made}}  # type: ignore[dict-item]  # a mapping of schemas
    return {"CallState": state, "CreateCall": given, "CreateCallResponse": created}


def document(url: str) -> dict[str, Any]:
    """The two operations in OpenAPI 3.1, served at ``url``."""

    def answer(status: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {status: {"description": "Done", "content": {"application/json": {"schema": schema}}}}

    listed = {"type": "array", "items": {"$ref": "#/components/schemas/CallState"}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CreateCall"}}}, "required": True}
    account = {"name": "accountId", "in": "path", "required": True, "schema": _TEXT}
    sizes = {"type": "integer", "minimum": 1, "maximum": 1000}
    queries = [
        {"name": "to", "in": "query", "schema": _NUMBER},
        {"name": "pageSize", "in": "query", "schema": sizes},
    ]
    about = {"tags": ["Calls"], "parameters": [account]}
    get = {"operationId": "listCalls", **about, "parameters": [account, *queries], "responses": answer("200", listed)}
    made = answer("201", {"$ref": "#/components/schemas/CreateCallResponse"})
    post = {"operationId": "createCall", **about, "requestBody": body, "responses": made}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voice", "version": "1"},
        "servers": [{"url": url}],
        "paths": {"/accounts/{accountId}/calls": {"get": get, "post": post}},
        "components": {"schemas": _schemas()},
    }


def document_2_0(url: str) -> dict[str, Any]:
    """The same in OpenAPI 2.0, for clients that read no other version."""
    newer = json.loads(json.dumps(document(url)).replace("#/components/schemas/", "#/definitions/"))
    paths = newer["paths"]
    for operation in paths["/accounts/{accountId}/calls"].values():
        operation["parameters"] = [
            {**{key: value for key, value in one.items() if key != "schema"}, **one["schema"]}
            for one in operation["parameters"]
        ]
        body = operation.pop("requestBody", None)
        if body is not None:
            schema = body["content"]["application/json"]["schema"]
            operation["parameters"].append({"name": "body", "in": "body", "required": True, "schema": schema})
        for response in operation["responses"].values():
            response["schema"] = response.pop("content")["application/json"]["schema"]
    scheme, _, host = url.partition("://")
    return {
        "swagger": "2.0",
        "info": newer["info"],
        "host": host,
        "schemes": [scheme],
        "basePath": "/",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": paths,
        "definitions": newer["components"]["schemas"],
    }
