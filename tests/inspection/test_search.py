"""Search for operations by words: those in names count most, those in descriptions least."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

import dynclient


def operation(name, **more):
    return {"get": {"operationId": name, "responses": {}, **more}}


SHADE = {"name": "shade", "in": "query", "description": "Whose", "schema": {"type": "string"}}
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
        "/six": operation("find", parameters=[SHADE]),
        "/eight": {"post": {"operationId": "make", "requestBody": {"content": {"application/json": BODY}}}},
        "/nine": {"get": {"operationId": "look", "responses": {"200": ANSWER, "404": {"description": "mislaid"}}}},
        "/seven": operation("broken", parameters=[{"$ref": "#/nowhere"}]),
    },
}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("hangup", ["hangup", "other", "hangup_all", "end_call"]),
        ("HANGUP calls", ["hangup", "end_call", "list_calls", "other", "hangup_all"]),
        ("please hang up all the calls", ["end_call", "hangup", "other", "list_calls", "hangup_all"]),
        ("endCall", ["end_call", "list_calls"]),
        ("the shades", ["find"]),
        ("shade", ["find"]),
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


def crud(path, item, singular, plural):
    answers = {"responses": {}}
    return {
        path: {
            "get": {"operationId": f"list{plural}", **answers},
            "post": {"operationId": f"create{singular}", **answers},
        },
        f"{path}/{item}": {
            "get": {"operationId": f"get{singular}", **answers},
            "patch": {"operationId": f"update{singular}", **answers},
            "delete": {"operationId": f"delete{singular}", **answers},
        },
    }


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("how do I make an order", "create_order"),
        ("I'd like to see all orders", "list_orders"),
        ("show me an order", "get_order"),
        ("reopen the order", "update_order"),
        ("a customer's order, please delete it", "delete_order"),
        ("add a pr", "create_pull_request"),
        ("list PRs", "list_pull_requests"),
        ("is there a way to change a pull request?", "update_pull_request"),
    ],
)
def test_the_verb_picks_the_method_and_the_number_the_path(words, first):
    paths = {
        **crud("/orders", "{id}", "Order", "Orders"),
        **crud("/pulls", "{id}", "PullRequest", "PullRequests"),
        **crud("/orders/{id}/items", "{item}", "OrderItem", "OrderItems"),
    }
    assert next(iter(dynclient.load(DOCUMENT | {"paths": paths}).operations.search(words)), None) == first


ODD = {
    "/list": [],
    "/text": {
        "get": {"operationId": "text", "description": 5, "parameters": 5, "responses": [], "x-a": {"summary": "no"}}
    },
    "/circle": {
        "get": {
            "operationId": "circle",
            "requestBody": {"$ref": "#/components/requestBodies/A"},
            "responses": {200: {"description": "Moon", "content": {"a/b": {"schema": {"properties": {1: 2}}}}}, 3: 4},
        }
    },
    "/item": {"$ref": "#/components/pathItems/Item"},
}


def test_what_is_odd_or_in_a_circle_is_indexed():
    circle = {
        "properties": {"comet": {"$ref": "#/components/schemas/A"}},
        "allOf": [{"$ref": "#/components/schemas/A"}],
    }
    components = {
        "schemas": {"A": circle},
        "requestBodies": {"A": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
        "pathItems": {"Item": {"get": {"operationId": "item", "description": "Sun", "responses": {}}}},
    }
    operations = dynclient.load(DOCUMENT | {"paths": ODD, "components": components}).operations
    assert [list(operations.search(word)) for word in ("moon", "comet", "sun", "text")] == [
        ["circle"],
        ["circle"],
        ["item"],
        ["text"],
    ]


@pytest.mark.parametrize("words", ["read " * 9000, "-", "\u202e", "1", "ß ñ", "a" * 100_000, "un" * 5000])
def test_any_words_can_be_searched(words):
    started = time.process_time()
    assert isinstance(list(dynclient.load(DOCUMENT).operations.search(words)), list)
    assert time.process_time() - started < 2


WISHES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "wishes.yaml").read_text(encoding="utf-8"))
DOCUMENTS = {
    "github": "github/api.github.com.json",
    "stripe": "stripe/spec3.json",
    "kubernetes": "kubernetes/swagger.json",
    "twilio": "twilio/twilio_api_v2010.json",
    "openai": "openai/openapi.yaml",
    "slack": "slack/web-api/slack_web_openapi_v2.json",
}


@pytest.mark.large
def test_wishes_in_plain_words_find_their_operation_among_the_first_five(shared):
    missed, seconds = [], []
    for name, wishes in WISHES.items():
        client = dynclient.load(shared / "corpus" / DOCUMENTS[name])
        rows, operations = {row.name: row.key for row in client.api.rows}, client.operations
        operations.search("warm")
        for wish, keys in wishes:
            started = time.process_time()
            found = list(operations.search(wish))[:5]
            seconds.append(time.process_time() - started)
            if not any(fnmatchcase(rows[one], key) for one in found for key in keys):
                missed.append(wish)
    assert len(missed) <= len(seconds) / 10, missed
    assert sorted(seconds)[len(seconds) // 2] < 0.05
