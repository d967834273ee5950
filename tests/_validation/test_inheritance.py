"""Inheritance by ``allOf`` with discriminators over several levels, in every version of OpenAPI."""

from __future__ import annotations

import inspect

import pytest

import dynclient
from dynclient._schemas import bundle
from dynclient._validation import validator
from dynclient.changes import compare
from dynclient.inspection.hints import definition
from dynclient.testing import MockTransport

VERSIONS = ("2.0", "3.0.3", "3.1.1", "3.2.0")
TEXT = {"type": "string"}


def document(version, schemas, body="announcement", answer="entity"):
    """A document with one operation, whose body and response have schemas of these names."""
    info = {"title": "t", "version": "1"}
    if version == "2.0":
        parameters = [{"name": "thing", "in": "body", "required": True, "schema": ref(version, body)}]
        responses = {"200": {"description": "ok", "schema": ref(version, answer)}}
        operation = {"operationId": "x", "parameters": parameters, "responses": responses}
        types = {"consumes": ["application/json"], "produces": ["application/json"]}
        head = {"swagger": "2.0", "host": "a.example", "schemes": ["https"], **types}
        return {**head, "info": info, "definitions": schemas, "paths": {"/x": {"patch": operation}}}
    json = {kind: {"application/json": {"schema": ref(version, name)}} for kind, name in (("b", body), ("a", answer))}
    responses = {"200": {"description": "ok", "content": json["a"]}}
    operation = {"operationId": "x", "requestBody": {"required": True, "content": json["b"]}, "responses": responses}
    servers = [{"url": "https://a.example"}]
    rest = {"components": {"schemas": schemas}, "paths": {"/x": {"patch": operation}}}
    return {"openapi": version, "info": info, "servers": servers, **rest}


def ref(version, name):
    return {"$ref": f"#/{'definitions' if version == '2.0' else 'components/schemas'}/{name}"}


def three_levels(version, *, mapping=True):
    """entity, announcement within it, issue within that one; the discriminators of the last stand in its ``allOf``."""

    def discriminator(*names):
        mapped = {f"#{name}": ref(version, name)["$ref"] for name in names}
        if version == "2.0":
            return {"discriminator": "kind"}
        return {"discriminator": {"propertyName": "kind", **({"mapping": mapped} if mapping else {})}}

    properties = {"kind": TEXT, "id": TEXT}
    entity = {"type": "object", "required": ["kind"], "properties": properties}
    inner = {"type": "object", "properties": {"kind": TEXT, "title": TEXT}}
    return {
        "entity": {**entity, **discriminator("announcement", "issue")},
        "announcement": {"allOf": [ref(version, "entity"), {**inner, **discriminator("issue")}]},
        "issue": {
            "allOf": [
                ref(version, "announcement"),
                {"type": "object", "properties": {"resolved": {"type": "boolean"}}},
            ]
        },
    }


# Of a kind with these members; the faults.
VALUES = [
    ("issue", {"title": "a", "resolved": True}, []),
    ("issue", {"title": "a", "resolved": "yes"}, ["$.resolved"]),
    ("issue", {"title": 5}, ["$.title"]),
    ("issue", {"id": 5, "title": 5, "resolved": 5}, ["$.id", "$.resolved", "$.title"]),
    ("announcement", {"title": "a", "resolved": "yes"}, []),
    ("announcement", {"id": 5}, ["$.id"]),
    ("entity", {"title": "a"}, []),
]


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def schemas_of(client):
    """The schemas of the operation's body and of its response."""
    operation = client.x.operation
    found = operation.body.content["application/json"], operation.responses["200"].content["application/json"]
    return [media_type.schema for media_type in found]


@pytest.mark.parametrize("engine", ["jsonschema", "auto"])
@pytest.mark.parametrize("mapping", [True, False], ids=["mapping", "names"])
def test_a_value_is_validated_by_its_subtype_and_all_bases_once(version, mapping, engine):
    client = dynclient.load(document(version, three_levels(version, mapping=mapping)))
    assert client.x.fault is None
    for kind, members, faults in VALUES:
        value = {"kind": f"#{kind}" if mapping and version != "2.0" else kind, **members}
        for schema, direction in zip(schemas_of(client), ("request", "response"), strict=True):
            found = validator(schema, direction).faults(value, engine=engine)
            assert sorted(fault.path for fault in found) == faults, (kind, members, direction)


def test_a_subtype_in_the_place_of_its_own_is_no_other_one(version):
    client = dynclient.load(document(version, three_levels(version, mapping=False), body="issue"))
    body, _ = schemas_of(client)
    assert [fault.path for fault in validator(body, "request").faults({"kind": "issue", "resolved": 1})] == [
        "$.resolved"
    ]


def test_examples_hints_and_pages(version):
    made = document(version, three_levels(version))
    client = dynclient.load(made)
    example = client.x.example()
    assert client.x.prepare(**example).body
    (body,) = example.values()
    assert body["kind"] in {"#announcement", "announcement"}
    assert "Announcement" in str(inspect.signature(client.x))
    assert "PATCH /x" in client.x.__doc__
    found = definition(schemas_of(client)[0], "response")
    assert sorted(member.tags[-1][1].strip("#") for member in found.members) == ["announcement", "issue"]
    with dynclient.load(made, transport=MockTransport(made)) as mocked:
        assert mocked.x(body)["kind"]


def test_a_change_of_a_subtype_is_found(version):
    old, new = three_levels(version), three_levels(version)
    new["issue"]["allOf"][1]["properties"]["resolved"] = TEXT
    apis = [dynclient.load(document(version, schemas)).api for schemas in (old, new)]
    assert "resolved" in str(compare(*apis))
    assert not compare(apis[0], apis[0])


@pytest.mark.parametrize("version", VERSIONS[1:])  # 2.0 has no oneOf
def test_a_union_within_a_picked_schema_may_know_fewer_values(version):
    names = ("puppy", "adult", "cat")
    plain = {name: {"type": "object", "required": ["kind", name], "properties": {"kind": TEXT}} for name in names}
    dog = {"oneOf": [ref(version, "puppy"), ref(version, "adult")], "discriminator": {"propertyName": "kind"}}
    mapping = {
        "dog": ref(version, "dog")["$ref"],
        "puppy": ref(version, "dog")["$ref"],
        "cat": ref(version, "cat")["$ref"],
    }
    pet = {"oneOf": [ref(version, "dog"), ref(version, "cat")]}
    pet["discriminator"] = {"propertyName": "kind", "mapping": mapping}
    client = dynclient.load(document(version, {**plain, "dog": dog, "pet": pet}, body="pet", answer="pet"))
    body, _ = schemas_of(client)
    for value, faults in [
        ({"kind": "puppy", "puppy": 1}, 0),
        ({"kind": "puppy", "adult": 1}, 1),
        ({"kind": "dog", "adult": 1}, 0),
        ({"kind": "dog"}, 1),
        ({"kind": "cat", "cat": 1}, 0),
        ({"kind": "bird", "cat": 1}, 1),
    ]:
        assert len(validator(body, "request").faults(value)) == faults, value


@pytest.mark.parametrize("version", VERSIONS[1:])  # 2.0 has no oneOf
def test_a_union_whose_branches_have_it_in_their_all_of(version):
    def union(*names, **values):
        mapping = {value: ref(version, name)["$ref"] for value, name in values.items()}
        branches = [ref(version, name) for name in names]
        return {"oneOf": branches, "discriminator": {"propertyName": "kind", "mapping": mapping}}

    pet = {"type": "object", "required": ["kind"], "properties": {"kind": TEXT}}
    schemas = {
        "pet": {**pet, **union("dog", "cat", puppy="dog", adult="dog", cat="cat")},
        "cat": {"allOf": [ref(version, "pet"), {"properties": {"claws": {"type": "integer"}}}]},
        "dog": {
            "allOf": [
                ref(version, "pet"),
                {
                    "type": "object",
                    "properties": {"bark": TEXT},
                    **union("puppy", "adult", puppy="puppy", adult="adult"),
                },
            ]
        },
        "puppy": {"allOf": [ref(version, "dog"), {"properties": {"age": {"type": "integer"}}}]},
        "adult": {"allOf": [ref(version, "dog"), {"properties": {"job": TEXT}}]},
    }
    for body, kinds in (("pet", {"puppy", "adult", "cat"}), ("dog", {"puppy", "adult"}), ("puppy", {"puppy"})):
        client = dynclient.load(document(version, schemas, body=body, answer=body))
        schema, _ = schemas_of(client)
        for value, faults in [
            ({"kind": "puppy", "age": 1, "bark": "w"}, []),
            ({"kind": "puppy", "age": "x"}, ["$.age"]),
            ({"kind": "puppy", "bark": 5}, ["$.bark"]),
        ]:
            assert [fault.path for fault in validator(schema, "request").faults(value)] == faults
        examples = [client.x.example(seed)[body] for seed in range(6)]
        assert {example["kind"] for example in examples} <= kinds, body
        assert all(client.x.prepare(example).body for example in examples)


def test_a_union_whose_branches_have_it_in_their_all_of_and_the_same_values():
    kinds = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["cat", "dog"]}}}
    schemas = {
        "Pet": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"type": "string"}},
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind"},
        },
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, kinds], "required": ["lives"]},
        "Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, kinds], "required": ["owner"]},
    }
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}}
    pet = dynclient.load({**document, "components": {"schemas": schemas}}).api.schemas["Pet"]
    check = validator(pet, "request")
    assert check.faults({"kind": "cat", "lives": 9}) == []
    assert check.faults({"kind": "cow", "lives": 9}) != []


def test_many_subtypes_are_compiled_twice_at_most():
    version, count = "3.0.3", 60
    kinds = [f"k{number}" for number in range(count)]

    def mapped(names):
        mapping = {name: ref(version, name)["$ref"] for name in names}
        return {"discriminator": {"propertyName": "kind", "mapping": mapping}}

    schemas = {"entity": {"type": "object", "required": ["kind"], "properties": {"kind": TEXT}, **mapped(kinds)}}
    for number, name in enumerate(kinds):
        base = f"k{number // 3}" if number else "entity"
        heirs = [f"k{one}" for one in range(number * 3, min(number * 3 + 3, count)) if one > number]
        part = {"type": "object", "properties": {name: TEXT, "other": ref(version, f"k{number * 7 % count}")}}
        schemas[name] = {"allOf": [ref(version, base), {**part, **(mapped(heirs) if heirs else {})}]}
    client = dynclient.load(document(version, schemas, body="k1"))
    assert client.x.fault is None
    assert len(bundle(schemas_of(client)[0], "request").schema["$defs"]) <= 2 * (count + 1)
    client.x.prepare(**client.x.example())
