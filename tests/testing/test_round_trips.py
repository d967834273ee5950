"""Client - mock - client, for every operation of large documents: a generated request gets a documented answer.

The client is strict and so is the mock: each validates what it sends and what it receives. Many examples of these
documents break their own schemas; the mock answers with a valid value then.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import dynclient
from dynclient.testing import MockTransport

VOICE = Path(__file__).parents[2] / "openapi" / "voice.yaml"
BASE = "http://127.0.0.1:9"

DOCUMENTS = [
    "bandwidth/python-sdk/bandwidth.yml",
    "bandwidth/api-docs/voice.yml",
    "bandwidth/api-docs/messaging.yml",
    "petstore/openapi.yaml",
    "docker/swagger.yaml",
    "github/api.github.com.json",
    "stripe/spec3.json",
    "kubernetes/swagger.json",
    "openai/openapi.yaml",
    "twilio/twilio_api_v2010.json",
]
# Operations without a successful response: (document, operation) to the reason.
_EMPTY = "the example's inmost objects are empty, to keep it small, and a form can't express an empty object"
NO_SUCCESS = {
    ("stripe/spec3.json", "PostSubscriptionSchedules"): _EMPTY,
    ("stripe/spec3.json", "PostSubscriptionSchedulesSchedule"): _EMPTY,
    ("docker/swagger.yaml", "Session"): "101 is documented, and no final answer",
    ("kubernetes/swagger.json", "logFileListHandler"): "401 alone is documented",
    ("kubernetes/swagger.json", "logFileHandler"): "401 alone is documented",
}


def load(path):
    api = dynclient.load(path).api
    mock = MockTransport(api)
    auth = {
        name: ("user", "password") if scheme.type == "http" and scheme.scheme == "basic" else "token"
        for name, scheme in api.security_schemes.items()
    }
    return dynclient.load(path, base_url=BASE, auth=auth or None, transport=mock, retry=1)


def faults(path, name):
    found = {}
    with load(path) as client:
        for method in client.operations.values():
            try:
                status = method.with_http_info(**method.example()).status
            except dynclient.DynclientError as error:  # each operation is on its own
                found[name, method.operation.id] = str(error)
            else:
                if not 200 <= status < 400:
                    found[name, method.operation.id] = str(status)
    return found


def test_voice():
    assert faults(VOICE, "voice") == {}


MAP = {"type": "object", "additionalProperties": {"type": "integer"}}
BRANCH = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}, "additionalProperties": False}
# Arguments of one call. The other parameters of an operation are not members of an object that has any members.
PARAMETERS = {
    "a map": ({"filter": MAP, "page": {"type": "string"}}, {"filter": {"a": 1}, "page": "x"}),
    "a map and a list": ({"m": MAP, "ids": {"type": "array", "items": {}}}, {"m": {"a": 1}, "ids": ["x", "y"]}),
    "alternatives": (
        {
            "filter": {"type": "object", "oneOf": [BRANCH, {**BRANCH, "required": ["x"]}]},
            "type": {"type": "string"},
        },
        {"filter": {"id": "x"}, "type": "y"},
    ),
    "a text with properties": ({"id": {"type": "string", "properties": {"id": {}}}}, {"id": "x"}),
}


@pytest.mark.parametrize("in_", ["query", "cookie"])
@pytest.mark.parametrize(("schemas", "arguments"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_are_told_apart(schemas, arguments, in_):
    parameters = [{"name": name, "in": in_, "schema": schema} for name, schema in schemas.items()]
    operation = {"operationId": "x", "parameters": parameters, "responses": {"204": {"description": ""}}}
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/x": {"get": operation}}}
    with dynclient.load(document, base_url=BASE, transport=MockTransport(document), retry=1) as client:
        client.x(**arguments)


def test_an_operation_of_the_same_path_takes_another_media_type():
    def put(name, media_type):
        body = {"required": True, "content": {media_type: {"schema": {}}}}
        return {"put": {"operationId": name, "requestBody": body, "responses": {"204": {"description": ""}}}}

    paths = {"/x#a": put("a", "application/json"), "/x#b": put("b", "text/plain")}
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths}
    with dynclient.load(document, base_url=BASE, transport=MockTransport(document), retry=1) as client:
        client.b("text")


@pytest.mark.large
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation(shared, name):
    found = faults(shared / "corpus" / name, name)
    assert {key: text for key, text in found.items() if key not in NO_SUCCESS} == {}
    assert {key for key in NO_SUCCESS if key[0] == name} == found.keys()
