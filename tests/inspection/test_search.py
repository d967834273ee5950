"""Search for operations by words: those in names count most, those in descriptions least."""

from __future__ import annotations

import pytest

import dynclient


def operation(name, **more):
    return {"get": {"operationId": name, "responses": {}, **more}}


PHONE = {"name": "phone", "in": "query", "description": "Whose", "schema": {"type": "string"}}
SIZE = {"type": "integer", "description": "In whole inches"}
CAUSE = {"type": "string", "description": "Why the line snapped."}
ANSWER = {
    "description": "It is there.",
    "content": {"application/json": {"schema": {"type": "object", "properties": {"causes": CAUSE}}}},
}
BODY = {"schema": {"type": "object", "properties": {"screenSize": SIZE}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/one": operation("listCalls", description="Not those after the hang-up."),
        "/two": operation("endCall", summary="Hang up"),
        "/hangup": operation("other"),
        "/four": operation("hangup", tags=["Calls"]),
        "/five": operation("hangupAll"),
        "/six": operation("find", parameters=[PHONE]),
        "/eight": {"post": {"operationId": "make", "requestBody": {"content": {"application/json": BODY}}}},
        "/nine": {"get": {"operationId": "look", "responses": {"200": ANSWER, "404": {"description": "mislaid"}}}},
        "/seven": operation("broken", parameters=[{"$ref": "#/nowhere"}]),
    },
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hangup", ["hangup", "hangup_all", "other", "end_call", "list_calls"]),
        ("HANGUP calls", ["hangup", "list_calls"]),
        ("phone", ["find"]),
        ("broken", ["broken"]),
        ("screen size", ["make"]),
        ("inches", ["make"]),
        ("causes", ["look"]),
        ("snapped", ["look"]),
        ("mislaid", []),
        ("nothing", []),
        ("", ["list_calls", "end_call", "other", "hangup", "hangup_all", "find", "make", "look", "broken"]),
    ],
)
def test_the_best_come_first(words, found):
    assert list(dynclient.load(DOCUMENT).operations.search(words)) == found
