"""Links, callbacks, pages and waits in every description of an operation."""

from __future__ import annotations

import json

import pytest

import dynclient
from dynclient import cli

S = {"type": "string"}
LISTED = {"type": "object", "properties": {"data": {"type": "array", "items": S}, "next_cursor": S}}


def responses(status, schema, **more):
    return {status: {"description": "", "content": {"application/json": {"schema": schema}}, **more}}


LINK = {"operationId": "getOrder", "parameters": {"orderId": "$response.body#/id"}, "description": "The order."}
PATHS = {
    "/orders": {
        "get": {
            "operationId": "listOrders",
            "parameters": [{"name": "cursor", "in": "query", "schema": S}],
            "responses": responses("200", LISTED),
        },
        "post": {
            "operationId": "createOrder",
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"url": S}}}}},
            "responses": responses("202", {}, headers={"Operation-Location": {"schema": S}}, links={"Made": LINK}),
            "callbacks": {"paid": {"{$request.body#/url}/paid": {"post": {"responses": {"200": {"description": ""}}}}}},
        },
    },
    "/orders/{orderId}": {
        "get": {
            "operationId": "getOrder",
            "parameters": [{"name": "orderId", "in": "path", "required": True, "schema": S}],
            "responses": responses("200", {}),
        }
    },
}
# Operation -> parts of what is told of it.
TOLD = {
    "create_order": [
        "Made: 202, getOrder(orderId=$response.body#/id), The order.",
        "paid: {$request.body#/url}/paid",
        "header (certain)",
    ],
    "list_orders": ["query cursor <- $.next_cursor (certain), items $.data"],
}


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "orders.json"
    document = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "servers": [{"url": "https://a.test"}]}
    found.write_text(json.dumps({**document, "paths": PATHS}))
    return found


@pytest.mark.parametrize("name", TOLD)
def test_help_and_show_tell_it(name, path, capsys):
    cli.main(["show", str(path), name])
    for text in (capsys.readouterr().out, dynclient.load(path).operations[name].__doc__):
        assert [part for part in TOLD[name] if part not in text] == []
    assert "Callbacks" not in dynclient.load(path).get_order.__doc__


def test_a_description_has_it_as_data(path):
    client = dynclient.load(path)
    made, listed = client.create_order.describe(), client.list_orders.describe()
    assert made["links"] == [
        {"name": "Made", "status": "202", "operation": "getOrder", "parameters": LINK["parameters"]}
    ]
    assert made["callbacks"] == {"paid": ["{$request.body#/url}/paid"]}
    assert made["waiter"] == "header (certain)"
    assert listed["pagination"] == {
        "items": "$.data",
        "next": "query cursor <- $.next_cursor",
        "confidence": "certain",
    }


@pytest.mark.parametrize("command", ["docs", "stubs"])
def test_what_is_generated_tells_it(command, path, tmp_path):
    assert cli.main([command, str(path), "--out", str(tmp_path / "out")]) == 0
    text = "\n".join(file.read_text() for file in (tmp_path / "out").rglob("*") if file.suffix in {".md", ".pyi"})
    wanted = [part for parts in TOLD.values() for part in parts]
    if command == "docs":  # links are a table there
        wanted[0] = "| 202 | Made: The order. | [get_order](DefaultApi.md#get_order) |"
    assert [part for part in wanted if part not in text] == []
