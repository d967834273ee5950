"""Public values are frozen dataclasses, not tuples, and are compared only for equality."""

from __future__ import annotations

import copy
import dataclasses
import json
import operator
import pickle
import sys

import pytest

from dynclient import HTTPResult, Request, Response
from dynclient.messages import Headers
from dynclient.options import TLS, DeviceCode, Limits, OAuth2, Retry, Secret, Timeout, Validation

REQUEST = Request("GET", "https://h.example/x", Headers([("Authorization", "Bearer canary")]))
VALUES = {
    "Timeout": (Timeout(), {"read": 1.0}),
    "Retry": (Retry(), {"attempts": 1}),
    "Limits": (Limits(), {"body_depth": 64}),
    "TLS": (TLS(), {"minimum_version": "1.3"}),
    "Validation": (Validation(), {"requests": "warn"}),
    "OAuth2": (OAuth2("me"), {"scopes": ("read",)}),
    "DeviceCode": (DeviceCode("https://h.example", "A-B", None, 5.0), {"code": "C-D"}),
    "Request": (REQUEST, {"method": "HEAD"}),
    "Response": (Response(200, Headers([("A", "b")]), b"{}", REQUEST), {"attempts": 2}),
    "HTTPResult": (HTTPResult({"a": 1}, 200, Headers()), {"status": 201}),
}

value_and_changes = pytest.mark.parametrize(("value", "changes"), VALUES.values(), ids=VALUES)
value = pytest.mark.parametrize("value", [value for value, _ in VALUES.values()], ids=VALUES)


@value_and_changes
def test_a_changed_copy_is_another_value(value, changes):
    changed = dataclasses.replace(value, **changes)
    assert type(changed) is type(value)
    assert changed != value
    assert {name: getattr(changed, name) for name in changes} == changes
    assert dataclasses.replace(changed, **{name: getattr(value, name) for name in changes}) == value
    if sys.version_info >= (3, 13):
        assert copy.replace(value, **changes) == changed


@value
def test_a_value_equals_its_copies(value):
    assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


@value_and_changes
def test_values_have_no_order(value, changes):
    other = dataclasses.replace(value, **changes)
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        with pytest.raises(TypeError, match="not supported"):
            compare(value, other)


@value
def test_a_value_is_no_tuple(value):
    members = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    assert value != members
    for misuse in (len, operator.itemgetter(0), json.dumps):
        with pytest.raises(TypeError):
            misuse(value)


@pytest.mark.parametrize("value", [value for value, _ in VALUES.values() if type(value) is not HTTPResult])
def test_a_value_has_no_members_to_iterate(value):
    for misuse in (iter, lambda value: 200 in value):
        with pytest.raises(TypeError):
            misuse(value)


@value_and_changes
def test_a_value_is_frozen(value, changes):
    for name in changes:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, changes[name])
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(value, name)
    assert not hasattr(value, "__dict__")


def test_a_result_unpacks_into_data_status_and_headers():
    data, status, headers = HTTPResult([1], 201, Headers([("A", "b")]), attempts=2)
    assert (data, status, headers) == ([1], 201, Headers([("A", "b")]))
    assert HTTPResult[int] is not None


def test_hashable_where_the_members_are():
    assert len({Timeout(), Timeout(), Timeout(read=1), Limits(), TLS(), Retry(), Validation(), OAuth2("me")}) == 7


def test_match_by_position():
    match Timeout(1, 2):
        case Timeout(connect, read):
            assert (connect, read) == (1, 2)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Timeout(total=None), "Timeout(connect=5.0, read=30.0, write=30.0, total=None, pool=30.0)"),
        (Validation("warn"), "Validation(requests='warn', responses='strict', engine='auto', by={})"),
        (
            REQUEST,
            "Request('GET', 'https://h.example/x', headers=Headers([('Authorization', '***')]), body=NoneType)",
        ),
        (Response(204), "<Response 204 without Content-Type, 0 bytes>"),
        (
            HTTPResult({"a": 1}, 200, Headers()),
            "<HTTPResult 200: dict of 1>",
        ),
        (HTTPResult(None, 204, Headers()), "<HTTPResult 204: no data>"),
    ],
)
def test_a_value_shows_its_members(value, shown):
    assert repr(value) == shown


def test_no_secret_is_shown():
    auth = OAuth2(
        "me", "canary-1", password="canary-2", refresh_token=Secret("canary-3"), parameters={"assertion": "canary-4"}
    )
    assert "canary" not in repr(auth)
    assert "client_secret=***" in repr(auth)
    assert dataclasses.replace(auth, password="canary-5").password == Secret("canary-5")
