"""The documents in openapi/ are complete and have valid examples, and the voice API is the same in each version."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry

import dynclient
from dynclient.json_pointer import join


def document_of(source: Any, **options: Any) -> Any:
    """Load a document; returns what resolves its references, which has its root too."""
    return dynclient.load(source, cache=False, **options).api.references


FOLDER = Path(__file__).resolve().parents[2] / "openapi"
DOCUMENTS = sorted(FOLDER.glob("*.yaml"), key=lambda path: path.name)
ONE_API = [path for path in DOCUMENTS if path.name.startswith("voice.") and path.name != "voice.yaml"]
VOICE = FOLDER / "voice.yaml"


def walk(node, pointer=""):
    """Every collection in a tree, with its pointer."""
    stack = [(pointer, node)]
    while stack:
        pointer, node = stack.pop()
        yield pointer, node
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        stack += [(join(pointer, key), child) for key, child in entries if isinstance(child, dict | list)]


def test_there_are_the_documents_that_should_be():
    assert [path.name for path in DOCUMENTS] == [
        "orders.yaml",
        "voice.2.0.yaml",
        "voice.3.0.yaml",
        "voice.3.1.yaml",
        "voice.3.2.yaml",
        "voice.yaml",
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_reference_leads_somewhere_and_every_component_is_led_to(path):
    document = document_of(path)
    led_to = set()
    for pointer, node in walk(document.root):
        if isinstance(node, dict) and "$ref" in node:
            led_to.add(node["$ref"].removeprefix("#"))
            assert document.resolve(node["$ref"], f"{document.uri}#{pointer}")[1]
    for kind, named in document.root.get("components", document.root).items():
        if kind in {"schemas", "definitions", "responses", "parameters", "examples", "requestBodies"} and isinstance(
            named, dict
        ):
            start = f"/components/{kind}" if "components" in document.root else f"/{kind}"
            assert {join(start, name) for name in named} <= led_to


def follow(document, node):
    return document.resolve(node["$ref"], document.uri)[1] if "$ref" in node else node


def media_types(document):
    """Every media type with its schema and the values of its examples."""
    for pointer, node in walk(document.root):
        if isinstance(node, dict) and "content" in node and isinstance(node["content"], dict):
            for name, media_type in node["content"].items():
                examples = [follow(document, example)["value"] for example in media_type["examples"].values()]
                yield join(pointer, "content", name), media_type["schema"], examples


def multiple_of(_, divisor, value, __):
    # 19.99 is a multiple of 0.01 when both are taken as they are written.
    if isinstance(value, int | float) and Decimal(str(value)) % Decimal(str(divisor)):
        yield ValidationError(f"{value} is no multiple of {divisor}")


Exact = extend(Draft202012Validator, {"multipleOf": multiple_of})


def validator(document, schema):
    whole = {**schema, "components": document.root["components"]}
    return Exact(whole, registry=Registry(), format_checker=FormatChecker())


@pytest.mark.parametrize("path", [VOICE, FOLDER / "orders.yaml", *ONE_API[2:]], ids=lambda path: path.name)
def test_every_body_has_examples_that_fit_its_schema(path):
    document = document_of(path)
    seen = 0
    for pointer, schema, examples in media_types(document):
        assert examples, pointer
        for example in examples:
            seen += 1
            assert not list(validator(document, schema).iter_errors(example)), pointer
            if pointer.endswith("application~1xml") and isinstance(example, str):
                assert ET.fromstring(example).tag == "Bxml"
    assert seen > 10


@pytest.mark.parametrize("path", [VOICE, FOLDER / "orders.yaml"], ids=lambda path: path.name)
def test_every_schema_is_one_and_its_own_examples_fit_it(path):
    document = document_of(path)
    for name, schema in document.root["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["description"], name
        for pointer, node in walk(schema):
            own = node if isinstance(node, dict) and "type" in node and isinstance(node["type"], str | list) else {}
            for value in [*own.get("examples", ()), *([own["default"]] if "default" in own else ())]:
                assert not list(validator(document, own).iter_errors(value)), (name, pointer)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_operation_is_described_and_tells_its_errors(path):
    document = document_of(path)
    for url, item in document.root["paths"].items():
        for method in item.keys() & {"get", "put", "post", "delete"}:
            operation = item[method]
            assert operation.keys() >= {"operationId", "summary", "description", "tags", "responses"}, (url, method)
            for status, response in operation["responses"].items():
                assert follow(document, response)["description"], (url, method, status)


STATUSES = {"BadRequest": 400, "Unauthorized": 401, "NotFound": 404, "Conflict": 409, "UnsupportedMediaType": 415}


def test_problems_tell_the_status_that_they_come_with():
    examples = document_of(FOLDER / "orders.yaml").root["components"]["examples"]
    assert {name: examples[name]["value"]["status"] for name in STATUSES} == STATUSES


VENDOR = {
    ("CreateCall", "callTimeout"): {"minimum": 1, "maximum": 300, "default": 30, "format": "double"},
    ("CreateCall", "callbackTimeout"): {"minimum": 1, "maximum": 25, "default": 15, "format": "double"},
    ("CreateCall", "priority"): {"minimum": 1, "maximum": 5, "default": 5},
    ("CreateCall", "displayName"): {"maxLength": 256},
    ("CreateCall", "answerUrl"): {"maxLength": 2048, "format": "uri"},
    ("CreateCall", "username"): {"maxLength": 1024},
    ("CreateCall", "tag"): {"maxLength": 256},
    ("MachineDetection", "detectionTimeout"): {"default": 15, "format": "double"},
    ("MachineDetection", "speechEndThreshold"): {"default": 5, "format": "double"},
    ("MachineDetection", "callbackUrl"): {"maxLength": 2048, "format": "uri"},
    ("UpdateCall", "tag"): {"maxLength": 256},
    ("CallState", "lastUpdate"): {"format": "date-time"},
}


@pytest.mark.parametrize(("name", "key"), VENDOR)
def test_bounds_are_those_that_the_vendor_states(name, key):
    schema = document_of(VOICE).root["components"]["schemas"][name]["properties"][key]
    stated = {word: value for word, value in schema.items() if word not in {"type", "description", "examples"}}
    assert stated == VENDOR[name, key]


def as_3_1(node):
    """A schema of an older version in the words of 3.1."""
    if isinstance(node, list):
        return [as_3_1(child) for child in node]
    if not isinstance(node, dict):
        return node
    node = {key: as_3_1(value) for key, value in node.items()}
    if node.pop("nullable", False) or node.pop("x-nullable", False):
        node["type"] = [node["type"], "null"]
    if "example" in node:
        node["examples"] = [node.pop("example")]
    if "$ref" in node:
        node["$ref"] = node["$ref"].replace("#/definitions/", "#/components/schemas/")
    return node


@pytest.mark.parametrize("path", ONE_API, ids=lambda path: path.name)
def test_the_voice_api_has_the_same_schemas_in_each_version(path):
    root = document_of(path).root
    schemas = root["definitions"] if "swagger" in root else root["components"]["schemas"]
    wanted = document_of(VOICE).root["components"]["schemas"]
    assert as_3_1(schemas) == wanted
    assert list(schemas) == list(wanted)


def described(document):
    """The contents of an operation, independent of the words of its version."""
    for url, item in document.root["paths"].items():
        for method, operation in item.items():
            parameters = [follow(document, each) for each in operation.get("parameters", ())]
            body = operation.get("requestBody") or next((each for each in parameters if each["in"] == "body"), {})
            responses = {status: follow(document, each) for status, each in operation["responses"].items()}
            yield {
                "operation": (method, url, operation["operationId"], operation["summary"], operation["description"]),
                "tags": operation["tags"],
                "parameters": [
                    (p["name"], p["in"], p["required"], p["description"]) for p in parameters if p["in"] == "path"
                ],
                "body": (body.get("description"), body.get("required")),
                "media types": list(body["content"]) if "content" in body else operation.get("consumes", []),
                "responses": {status: each["description"] for status, each in responses.items()},
                "headers": {status: list(each.get("headers", {})) for status, each in responses.items()},
                "data": {status: "schema" in each or "content" in each for status, each in responses.items()},
            }


@pytest.mark.parametrize("path", ONE_API, ids=lambda path: path.name)
def test_the_voice_api_has_the_same_operations_in_each_version(path):
    document, wanted = document_of(path), document_of(VOICE)
    assert list(described(document)) == list(described(wanted))
    for word in ("info", "tags", "security"):
        assert document.root[word] == wanted.root[word]


@pytest.mark.parametrize("path", ONE_API, ids=lambda path: path.name)
def test_the_voice_api_has_the_same_error_examples_in_each_version(path):
    root, wanted = document_of(path).root, document_of(VOICE).root
    for name, response in wanted["components"]["responses"].items():
        (example,) = response["content"]["application/json"]["examples"].values()
        if "swagger" in root:
            assert root["responses"][name]["examples"]["application/json"] == example["value"]
        else:
            assert root["components"]["responses"][name] == response
