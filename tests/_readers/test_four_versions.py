"""One API, written in each version: the model is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dynclient
from dynclient._schemas import shape
from dynclient.model import API, Header, MediaType, Operation, Parameter, Response, Schema


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


VERSIONS = ("2.0", "3.0", "3.1", "3.2")


def seen_schema(schema: Schema | None, depth: int = 3) -> Any:
    """The contents of a schema, without its location."""
    if schema is None:
        return None
    found = shape(schema)
    below = {name: seen_schema(child, depth - 1) for name, child in found.properties.items()} if depth else None
    return {
        "name": found.name,
        "types": sorted(found.types),
        "enum": found.enum,
        "format": found.format,
        "constraints": dict(found.constraints),
        "required": sorted(found.required),
        "read_only": found.read_only,
        "description": found.description,
        "properties": below,
        "items": seen_schema(found.items, depth - 1) if depth and found.items is not None else None,
    }


def seen_content(content: dict[str, MediaType]) -> dict[str, Any]:
    return {media_range: seen_schema(media_type.schema) for media_range, media_type in content.items()}


def seen_parameter(parameter: Parameter) -> dict[str, Any]:
    left_out = {"schema", "media_type", "examples", "pointer", "extensions"}
    words = {key: value for key, value in parameter._asdict().items() if key not in left_out}
    return {**words, "schema": seen_schema(parameter.schema)}


def seen_header(header: Header) -> dict[str, Any]:
    return {"name": header.name, "schema": seen_schema(header.schema), "explode": header.explode}


def seen_response(response: Response) -> dict[str, Any]:
    return {
        "description": response.description,
        "headers": [seen_header(header) for header in response.headers.values()],
        "content": seen_content(dict(response.content)),
    }


def seen(operation: Operation) -> dict[str, Any]:
    """All of an operation that the version it is written in may not change."""
    body = operation.body
    return {
        "row": operation.row[:9],
        "description": operation.description,
        "parameters": [seen_parameter(parameter) for parameter in operation.parameters],
        "body": body and (body.required, seen_content(dict(body.content))),
        "responses": {status: seen_response(response) for status, response in operation.responses.items()},
        "security": operation.security,
        "servers": [server.url for server in operation.servers],
    }


@pytest.fixture(scope="module")
def apis(root: Path) -> dict[str, API]:
    return {version: load(root / "openapi" / f"voice.{version}.yaml") for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_operations_are_the_same(apis: dict[str, API], version: str) -> None:
    ours, theirs = apis[version], apis["3.2"]
    assert [row.key for row in ours.rows] == [row.key for row in theirs.rows]
    for row, other in zip(ours.rows, theirs.rows, strict=True):
        assert seen(ours.read(row)) == seen(theirs.read(other))


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_the_rest_is_the_same(apis: dict[str, API], version: str) -> None:
    ours, theirs = apis[version], apis["3.2"]
    assert list(ours.schemas) == list(theirs.schemas)
    assert (ours.title, ours.version) == (theirs.title, theirs.version)
    assert [server.url for server in ours.servers] == [server.url for server in theirs.servers]
    assert [tag[:2] for tag in ours.tags] == [tag[:2] for tag in theirs.tags]
    kinds = [[(one.name, one.type, one.scheme) for one in api.security_schemes.values()] for api in (ours, theirs)]
    assert kinds[0] == kinds[1]
