"""Client - mock - client, for every operation of large documents: a generated request gets a documented answer.

An answer is the document's own example where it has one, and some of those break their own schemas: the client says so,
and then the answer that is made from the schema has to be right.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import dynclient
from dynclient.exceptions import ResponseValidationError
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
]
# Operations without a successful response: (document, operation) to the reason.
_EMPTY = "the example's inmost objects are empty, to keep it small, and a form can't express an empty object"
NO_SUCCESS = {
    ("stripe/spec3.json", "PostSubscriptionSchedules"): _EMPTY,
    ("stripe/spec3.json", "PostSubscriptionSchedulesSchedule"): _EMPTY,
    ("docker/swagger.yaml", "Session"): "101 is documented, and no final answer",
}


def load(path):
    api = dynclient.load(path).api
    mock = MockTransport(api)
    auth = {
        name: ("user", "password") if scheme.type == "http" and scheme.scheme == "basic" else "token"
        for name, scheme in api.security_schemes.items()
    }
    return dynclient.load(path, base_url=BASE, auth=auth or None, transport=mock, retry=1)


def round_trip(method):
    try:
        return method.with_http_info(**method.example()).status
    except ResponseValidationError:
        # The document's example breaks the document: an answer made from the schema must not.
        made = method.with_options(headers={"Prefer": "dynamic=true"})
        return made.with_http_info(**method.example()).status


def faults(path, name):
    found = {}
    with load(path) as client:
        for method in client.operations.values():
            try:
                status = round_trip(method)
            except dynclient.DynclientError as error:  # each operation is on its own
                found[name, method.operation.id] = str(error)
            else:
                if not 200 <= status < 400:
                    found[name, method.operation.id] = str(status)
    return found


def test_voice():
    assert faults(VOICE, "voice") == {}


@pytest.mark.large
@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation(shared, name):
    found = faults(shared / "corpus" / name, name)
    assert {key: text for key, text in found.items() if key not in NO_SUCCESS} == {}
    assert {key for key in NO_SUCCESS if key[0] == name} == found.keys()
