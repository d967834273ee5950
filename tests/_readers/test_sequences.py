"""The schema of a sequence's items in older documents, which only have the schema of the whole."""

from __future__ import annotations

import pytest

import dynclient

OBJECT = {"type": "object", "properties": {"n": {"type": "integer"}}}


def document(version, media_range, schema):
    content = {media_range: {"schema": schema}}
    responses = {"200": {"description": "", "content": content}}
    if version == "2.0":
        responses = {"200": {"description": "", "schema": schema}}
    operation = {
        "operationId": "op",
        "responses": responses,
        **({"produces": [media_range]} if version == "2.0" else {}),
    }
    key = "swagger" if version == "2.0" else "openapi"
    return {key: version, "info": {"title": "X", "version": "1"}, "paths": {"/x": {"get": operation}}}


@pytest.mark.parametrize("version", ["2.0", "3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("media_range", "schema", "is_item"),
    [
        ("application/jsonl", OBJECT, True),
        ("application/json-seq; a=b", OBJECT, True),
        ("application/jsonl", {"type": "array", "items": OBJECT}, False),
        ("application/jsonl", {"type": "string"}, False),
        ("application/jsonl", {"$ref": "#/nowhere"}, False),
        ("application/json", OBJECT, False),
    ],
)
def test_an_object_is_an_item(version, media_range, schema, is_item):
    client = dynclient.load(document(version, media_range, schema), base_url="http://127.0.0.1:9")
    media_type = client.operations["op"].operation.responses["200"].content[media_range]
    assert (media_type.schema is None, media_type.item_schema is not None) == (is_item, is_item)
