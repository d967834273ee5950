"""Idempotency keys of a POST: how their header is named, and that each attempt has the same key."""

from __future__ import annotations

import pytest

from dynclient import exceptions
from dynclient.dialects import OAS31
from dynclient.messages import Headers, Request
from dynclient.model import Operation, OperationRow, Parameter, Schema
from dynclient.model import Response as Documented
from dynclient.options import Retry

LOST = exceptions.ConnectionLost("lost", outcome_unknown=True)


class Nothing:
    def resolve(self, reference, base):
        raise AssertionError

    def location(self, uri):
        return "d", "", None


def schema(**value):
    return Schema("mem:///d#/s", value, OAS31, Nothing())


# what the document says, what the caller says, headers given -> the header that each attempt has, or None: one attempt
CASES = {
    "nobody": ({}, Retry(), {}, None),
    "the caller": ({}, Retry(idempotency_key="X-Key"), {}, ("X-Key", "key-1")),
    "a parameter": ({"parameters": ("Idempotency-Key", None)}, Retry(), {}, ("Idempotency-Key", "key-1")),
    "a parameter that was given": (
        {"parameters": ("Idempotency-Key", None)}, Retry(), {"idempotency-key": "mine"}, ("Idempotency-Key", "mine"),
    ),
    "a parameter that takes no such key": (
        {"parameters": ("Idempotency-Key", {"type": "string", "maxLength": 3})}, Retry(), {}, None,
    ),
    "an extension": ({"extensions": {"x-idempotency": True}}, Retry(), {}, ("Idempotency-Key", "key-1")),
    "an extension with a name": ({"extensions": {"x-idempotency": "Once"}}, Retry(), {}, ("Once", "key-1")),
    "an extension that is a mapping": (
        {"extensions": {"x-idempotency": {"header": "Once"}}}, Retry(), {}, ("Once", "key-1"),
    ),
    "an extension that says no": ({"extensions": {"x-idempotency": False}}, Retry(), {}, None),
    "the caller goes before the document": (
        {"extensions": {"x-idempotency": True}}, Retry(idempotency_key="Mine"), {}, ("Mine", "key-1"),
    ),
    "a header that was given": ({}, Retry(), {"Idempotency-Key": "mine"}, ("Idempotency-Key", "mine")),
    "an empty header": ({}, Retry(), {"Idempotency-Key": ""}, None),
}  # fmt: skip


def operation(parameters=None, extensions=None):
    row = OperationRow("k", "POST", "/a", "op", "op", (), "", (), False, "", "")
    made = ()
    if parameters is not None:
        name, value = parameters
        made = (Parameter(name, "header", schema=None if value is None else schema(**value)),)
    return Operation(row, made, responses={"default": Documented("default")}, extensions=extensions or {})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_key_is_the_same_on_each_attempt(case, drive):
    document, retry, headers, expected = case
    request = Request("POST", "http://h/a", Headers(headers), b"{}")
    driven = drive(request, [LOST], retry=retry, operation=operation(**document))
    assert len(driven.sent) == (3 if expected else 1)
    if expected:
        assert {sent.headers.get(expected[0]) for sent in driven.sent} == {expected[1]}


@pytest.mark.parametrize(
    ("document", "retry"), [({"extensions": {"x-idempotent": True}}, Retry()), ({}, Retry(idempotent=True))]
)
def test_what_is_called_idempotent_is_repeated_without_a_key(document, retry, drive):
    driven = drive(Request("POST", "http://h/a"), [LOST], retry=retry, operation=operation(**document))
    assert [len(sent.headers) for sent in driven.sent] == [0, 0, 0]


def test_what_is_idempotent_by_itself_has_no_key(drive):
    driven = drive(Request("PUT", "http://h/a"), [LOST], retry=Retry(idempotency_key="Key"))
    assert [len(sent.headers) for sent in driven.sent] == [0, 0, 0]
