"""Pairs of documents and the changes between them, as data."""

from __future__ import annotations

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

import dynclient
from dynclient.changes import ASPECTS, KINDS, SIDES, Changes, compare

CASES = Path(__file__).resolve().parent.parent / "cases" / "changes"
SCHEMAS: list[dict[str, Any]] = yaml.safe_load((CASES / "schemas.yaml").read_text(encoding="utf-8"))
OPERATIONS: dict[str, Any] = yaml.safe_load((CASES / "operations.yaml").read_text(encoding="utf-8"))
TODAY = date(2026, 6, 1)
SENT = {"parameter", "request"}
PUT = ("paths", "/things/{id}", "put")

COMPONENTS = {
    "Cat": {"type": "object", "required": ["kind", "name"], "properties": {"kind": {"type": "string"}}},
    "Dog": {"type": "object", "required": ["kind", "name"], "properties": {"bark": {"type": "string"}}},
    "Node": {"type": "object", "properties": {"next": {"$ref": "Node"}}},
}


def document(version: str, sides: tuple[str, ...], schema: Any) -> dict[str, Any]:
    """A document in which a schema stands where the sides say."""
    old_style = version == "2.0"
    location = "#/definitions/" if old_style else "#/components/schemas/"
    schemas = pointed(COMPONENTS, location)
    schema = pointed(schema, location)
    wrapped = {"type": "object", "properties": {"value": schema}}
    operation: dict[str, Any] = {"parameters": [], "responses": {"200": {"description": "ok"}}}
    answer = operation["responses"]["200"]
    typed = dict(schema) if old_style else {"schema": schema}
    content = {"schema": wrapped} if old_style else {"content": {"application/json": {"schema": wrapped}}}
    if "parameter" in sides:
        operation["parameters"].append({"name": "other", "in": "query", **typed})
    if "response-header" in sides:
        answer["headers"] = {"X-Value": typed}
    if "request" in sides and old_style:
        operation["parameters"].append({"name": "body", "in": "body", **content})
    elif "request" in sides:
        operation["requestBody"] = content
    if "response" in sides:
        answer.update(content)
    whole: dict[str, Any] = {"info": {"title": "T", "version": "1"}, "paths": {"/x": {"post": operation}}}
    if old_style:
        return {"swagger": "2.0", **whole, "produces": ["application/json"], "definitions": schemas}
    return {"openapi": f"{version}.0", **whole, "components": {"schemas": schemas}}


def pointed(node: Any, location: str) -> Any:
    """The same with the names of components as references."""
    if isinstance(node, list):
        return [pointed(item, location) for item in node]
    if not isinstance(node, dict):
        return node
    names = {key: value for key, value in node.items() if key in {"$ref", "mapping"}}
    whole = {key: pointed(value, location) for key, value in node.items()}
    if isinstance(names.get("$ref"), str):
        whole["$ref"] = location + names["$ref"]
    if isinstance(names.get("mapping"), dict):
        whole["mapping"] = {tag: location + name for tag, name in names["mapping"].items()}
    return whole


def patched(node: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(node) if isinstance(node, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result


def told(changes: Changes) -> dict[str, str]:
    return {change.id: change.severity for change in changes}


def schema_cases() -> list[Any]:
    return [
        pytest.param(case, version, id=f"{number}-{version}-{','.join(case['expect'])}")
        for number, case in enumerate(SCHEMAS)
        for version in case.get("versions", ["2.0", "3.0", "3.1"])
    ]


@pytest.mark.parametrize(("case", "version"), schema_cases())
def test_schemas(case: dict[str, Any], version: str, tmp_path: Path):
    sides, file, apis = case.get("sides", SIDES), tmp_path / "api.json", []
    # A document that was changed in its place, as for `reload()`: its schemas have the URIs that they had before.
    for which in ("old", "new"):
        file.write_text(json.dumps(document(version, sides, case[which])), encoding="utf-8")
        apis.append(dynclient.load(file, cache=False).api)
    old, new = apis
    expected = {
        f"{side}-{aspect}": pair[0 if side in SENT else 1] for side in sides for aspect, pair in case["expect"].items()
    }
    assert told(compare(old, new)) == expected
    assert len(compare(old, old)) == 0


def operation_pairs(case: dict[str, Any], version: str) -> list[Any]:
    found = []
    for whole, put in (("old", "old_put"), ("new", "put")):
        patch = case.get(put)
        for key in reversed(PUT):
            patch = {key: patch}
        made = patched(OPERATIONS[version], case.get(whole, {}))
        found.append(dynclient.load(patched(made, patch) if put in case else made).api)
    return found


def operation_cases() -> list[Any]:
    return [
        pytest.param(case, version, id=f"{number}-{version}-{','.join(case['expect'])}")
        for number, case in enumerate(OPERATIONS["cases"])
        for version in case.get("versions", ["3.1"])
    ]


@pytest.mark.parametrize(("case", "version"), operation_cases())
def test_operations(case: dict[str, Any], version: str):
    old, new = operation_pairs(case, version)
    changes = compare(old, new, today=TODAY)
    assert told(changes) == case["expect"]
    assert {change.id for change in changes.breaking} == {
        kind for kind, severity in case["expect"].items() if severity == "breaking"
    }


def test_every_kind_has_a_case():
    """Of the aspects, every one; of the other kinds, every one."""
    expected = {kind for case in OPERATIONS["cases"] for kind in case["expect"]}
    aspects = {aspect for case in SCHEMAS for aspect in case["expect"]}
    aspects |= {kind.removeprefix(f"{side}-") for kind in expected for side in SIDES if kind.startswith(side)}
    # Its schemas are large: test_speed has them.
    assert {aspect.name for aspect in ASPECTS} - aspects == {"not-compared"}
    of_schemas = {f"{side}-{aspect.name}" for side in SIDES for aspect in ASPECTS}
    assert KINDS.keys() - of_schemas - expected == set()
    assert len(KINDS) > 60


def operations_at(**paths: str) -> dict[str, Any]:
    """Operations by name, each with its path; the parameters of one path may have other names in another."""
    document: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": "Alike", "version": "1"}, "paths": {}}
    for name, path in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        parameters = [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in names]
        answer = {"200": {"description": "", "content": {"application/json": {"schema": {"const": name}}}}}
        document["paths"][path] = {"put": {"operationId": name, "parameters": parameters, "responses": answer}}
    return document


ALIKE = {"any": "/{kind}/{id}", "cat": "/{kind}/{cat}", "dog": "/{kind}/{dog}"}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (ALIKE, []),
        (dict(reversed(ALIKE.items())), []),
        ({**ALIKE, "dog": "/{kind}/{hound}"}, ["dog parameter-renamed", "dog argument-renamed"]),
        ({name: path for name, path in ALIKE.items() if name != "cat"}, ["cat operation-removed"]),
        ({**ALIKE, "cow": "/{kind}/{cow}"}, ["cow operation-added"]),
    ],
)
def test_operations_whose_paths_differ_in_names_only_are_paired(after: dict[str, str], expected: list[str]):
    changes = compare(*(dynclient.load(operations_at(**paths)).api for paths in (ALIKE, after)))
    assert [f"{change.operation} {change.id}" for change in changes] == expected


@pytest.mark.parametrize(
    "mapping", [{}, {"mapping": {"c": "#/components/schemas/Cat", "d": "#/components/schemas/Dog"}}]
)
@pytest.mark.parametrize("changed", ["Cat", "Dog"])
def test_a_change_behind_a_discriminator_is_found(changed: str, mapping: dict[str, Any]):
    def made(type_: str) -> Any:
        kinds = {
            name: {"type": "object", "properties": {"kind": {}, "size": {"type": "integer"}}} for name in COMPONENTS
        }
        kinds[changed]["properties"]["size"] = {"type": type_}
        union = {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", **mapping},
        }
        document = operations_at(cat="/{cat}")
        answer = document["paths"]["/{cat}"]["put"]["responses"]["200"]
        answer["content"]["application/json"]["schema"] = {"type": "array", "items": union}
        return dynclient.load({**document, "components": {"schemas": kinds}}).api

    assert not compare(made("integer"), made("integer"))
    assert {change.severity for change in compare(made("integer"), made("string"))} == {"breaking"}
