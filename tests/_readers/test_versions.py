"""The supported versions, and the errors for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dynclient
from dynclient._readers.api import READERS
from dynclient._readers.checking import objects
from dynclient.dialects import DIALECTS
from dynclient.exceptions import DocumentError, InvalidDocument, UnsupportedVersion
from dynclient.model import API


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


# The version as it stands in a document, and the dialect that its schemas are read by.
VERSIONS: list[tuple[dict[str, Any], str]] = [
    ({"swagger": "2.0"}, "2.0"),
    ({"swagger": 2.0}, "2.0"),
    ({"swagger": 2}, "2.0"),
    ({"openapi": "3.0.0"}, "3.0"),
    ({"openapi": "3.0.4"}, "3.0"),
    ({"openapi": "3.0.0-rc2"}, "3.0"),
    ({"openapi": 3.0}, "3.0"),
    ({"openapi": 3}, "3.0"),
    ({"openapi": "3.1.1"}, "3.1"),
    ({"openapi": 3.1}, "3.1"),
    ({"openapi": "3.2.0"}, "3.2"),
    ({"openapi": " 3.2 "}, "3.2"),
]
SCHEMA = {"components": {"schemas": {"A": {}}}, "definitions": {"A": {}}}


@pytest.mark.parametrize(("told", "version"), VERSIONS, ids=str)
def test_version_is_found(told: dict[str, Any], version: str) -> None:
    api = load({**told, "info": {}, "paths": {}, **SCHEMA})
    assert api.schemas["A"].dialect == DIALECTS[version]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "has no version; its keys are none"),
    ({"info": {}, "paths": {}}, "has no version; its keys are info, paths"),
    ({"swagger": "1.2"}, "swagger: 1.2"),
    ({"swagger": "3.0.0"}, "swagger: 3.0.0"),
    ({"openapi": "2.0"}, "openapi: 2.0"),
    ({"openapi": "3.3.0"}, "openapi: 3.3.0"),
    ({"openapi": "4.0.0"}, "openapi: 4.0.0"),
    ({"openapi": "30.0"}, "openapi: 30.0"),
    ({"openapi": "three"}, "openapi: three"),
    ({"openapi": None}, "openapi: null"),
    ({"openapi": {"version": 3}}, "openapi: an object"),
    ({"openapi": [3, 1]}, "openapi: an array"),
    ({"openapi": "x\n" * 100}, "openapi: x"),
]


@pytest.mark.parametrize(("document", "said"), REFUSED, ids=str)
def test_unknown_version_is_told_in_one_line(document: dict[str, Any], said: str) -> None:
    with pytest.raises(UnsupportedVersion) as caught:
        load(document)
    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert "3.x.y" in caught.value.hint


def test_every_version_has_a_reader_and_a_list_of_fields() -> None:
    assert READERS.keys() == DIALECTS.keys()
    assert all("Operation" in objects(version) for version in DIALECTS)


PATHS: list[tuple[str, Any, str]] = [
    ("2.0", 5, "`paths` must be an object, not a number"),
    ("3.0.0", None, "`paths` is missing"),
    ("3.1.0", [], "`paths` must be an object, not an array"),
    ("3.2.0", "x", "`paths` must be an object, not a string"),
    ("2.0", ..., "`paths` is missing"),
    ("3.0.0", ..., "`paths` is missing"),
]


@pytest.mark.parametrize(("version", "paths", "said"), PATHS, ids=str)
def test_paths_have_to_be_an_object(version: str, paths: Any, said: str) -> None:
    document = {"swagger" if version == "2.0" else "openapi": version, "info": {}}
    with pytest.raises(InvalidDocument) as caught:
        load(document if paths is ... else {**document, "paths": paths})
    assert caught.value.message == said


@pytest.mark.parametrize(
    ("key", "hint"), [("path", "is `path` meant to be `paths`?"), ("pahts", "`pahts`"), ("x", None), (5, None)]
)
def test_paths_that_are_misspelt_are_guessed(key: Any, hint: str | None) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load({"openapi": "3.0.0", "info": {}, key: {}})
    assert caught.value.message == "`paths` is missing"
    assert hint in caught.value.hint if hint else not caught.value.hint


@pytest.mark.parametrize("other", ["webhooks: {a: {post: {}}}", "components: {}", "{}"])
def test_later_documents_may_lack_paths(api_of: Callable[..., API], other: str) -> None:
    assert api_of(other).rows == ()


@pytest.mark.parametrize("text", ["<!DOCTYPE html>\n<p>x", "[1]\n", "null\n", "", "5\n"])
def test_what_is_no_object_is_no_document(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(text)
    assert "\n" not in caught.value.message


def test_json_schema_dialect_is_carried(api_of: Callable[..., API]) -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    api = api_of({"jsonSchemaDialect": draft, **SCHEMA})
    assert api.schemas["A"].dialect.json_schema == draft
    with pytest.raises(InvalidDocument, match="jsonSchemaDialect"):
        api_of({"jsonSchemaDialect": 7})


def test_json_schema_dialect_changes_nothing_but_schemas(api_of: Callable[..., API]) -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    reference = {"$ref": "#/components/parameters/a", "description": "here"}
    api = api_of(
        {
            "jsonSchemaDialect": draft,
            "paths": {"/x": {"get": {"parameters": [reference]}}},
            "components": {"parameters": {"a": {"name": "a", "in": "query", "description": "there"}}},
        }
    )
    assert api.read(api.rows[0]).parameters[0].description == "here"


def test_what_the_document_says_of_itself(rich: dict[str, dict[str, Any]]) -> None:
    api = load(rich["v3"])
    assert (api.title, api.version, api.summary, api.description) == ("Rich", "1.0", "Everything", "All of it.")
    assert (api.remote, api.document_name, list(api.schemas)) == (False, "<mapping>", ["Thing"])
    assert [tuple(tag) for tag in api.tags] == [
        ("Things", "things", "All things", "Things of all kinds", "Top", "nav"),
        ("Top", "top", "", "", None, ""),
    ]
    assert len(api.fingerprint) == 64
