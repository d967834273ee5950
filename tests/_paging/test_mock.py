"""The stateful mock pages what was created, and ends: by cursor, page, offset, last id, URL and Link header."""

from __future__ import annotations

import pytest

import dynclient
from dynclient import testing

S, N = {"type": "string"}, {"type": "integer"}
NEW = {"type": "object", "required": ["name"], "properties": {"name": S}}
THING = {"type": "object", "required": ["id", "name"], "properties": {"id": S, "name": S}}
LIST = {"type": "array", "items": THING}


def obj(**members):
    return {"type": "object", "properties": members, "required": list(members)[:1]}


WAYS = {
    "cursor": ({"cursor": S, "limit": N}, obj(data=LIST, next_cursor={"type": ["string", "null"]})),
    "page": ({"page": N, "per_page": N}, LIST),
    "offset": ({"offset": N, "limit": N}, obj(items=LIST, total=N)),
    "last": ({"starting_after": S, "limit": N}, obj(data=LIST, has_more={"type": "boolean"})),
    "url": ({"page": N, "page_size": N}, obj(results=LIST, next={"type": ["string", "null"], "format": "uri"})),
    "link": ({"page": N, "per_page": N}, LIST),
}


def answer(status, schema, **more):
    return {status: {"description": "", "content": {"application/json": {"schema": schema}}, **more}}


def operations(name):
    parameters, schema = WAYS[name]
    query = [{"name": one, "in": "query", "schema": kind} for one, kind in parameters.items()]
    headers = {"Link": {"schema": S}} if name == "link" else {}

    body = {"required": True, "content": {"application/json": {"schema": NEW}}}
    return {
        "get": {
            "operationId": f"list_{name}",
            "parameters": query,
            "responses": answer("200", schema, headers=headers),
        },
        "post": {"operationId": f"create_{name}", "requestBody": body, "responses": answer("201", THING)},
    }


@pytest.fixture(scope="module")
def client():
    paths = {f"/{name}": operations(name) for name in WAYS}
    one = {"name": "id", "in": "path", "required": True, "schema": S}
    paths |= {f"/{name}/{{id}}": {"get": {"parameters": [one], "responses": answer("200", THING)}} for name in WAYS}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    with testing.serve(document, stateful=True) as made, dynclient.load(document, base_url=made.url) as client:
        yield client


@pytest.mark.parametrize("way", WAYS)
def test_what_was_created_is_paged_and_ends(client, way):
    made = [client.operations[f"create_{way}"](name=f"n{number}") for number in range(7)]
    operation = client.operations[f"list_{way}"]
    found = list(operation.paginate(page_size=3))
    assert [item["name"] for item in found] == [item["name"] for item in made]
    sizes = [len(page.items) for page in operation.paginate(page_size=3).pages()]
    assert [size for size in sizes if size] == [3, 3, 1]
