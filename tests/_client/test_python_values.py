"""Texts as arguments (`coerce=`, `from_strings`), and data as Python objects (`convert=`)."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import enum
import json
import pickle
from decimal import Decimal
from typing import Any
from uuid import UUID

import anyio
import attrs
import msgspec
import pydantic
import pytest

import dynclient
from dynclient.exceptions import ArgumentError, DecodeError
from dynclient.testing import MockTransport

PET = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "bornAt": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "price": {"type": "string", "format": "decimal"},
        "weight": {"type": "number", "format": "decimal"},
        "color": {"$ref": "#/components/schemas/Color"},
        "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
        "note": {"type": "string"},
    },
}
CAT = {"type": "object", "required": ["lives"], "properties": {"lives": {"type": "integer"}}}
ANY = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Pet"}]}
SCHEMAS = {"Pet": PET, "Cat": CAT, "Any": ANY, "Color": {"type": "string", "enum": ["red", "blue"]}}
BODY = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "flag": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "integer"}},
        "more": {"type": "object", "properties": {"n": {"type": "number"}}},
        "text": {"type": "string"},
        "none": {"type": ["integer", "null"]},
    },
}


MAY_BE_EMPTY = {
    "day": {"type": "string", "format": "date"},
    "color": {"type": "string", "enum": ["red"]},
    "long": {"type": "string", "minLength": 1},
    "union": {"anyOf": [{"type": "integer"}, {"type": "string", "format": "date-time"}]},
}


def get(schema: str, media_type: str = "application/json") -> dict[str, Any]:
    content = {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"get": {"operationId": f"get{schema}", "responses": {"200": {"description": "", "content": content}}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "components": {"schemas": SCHEMAS},
    "servers": [{"url": "https://x.example"}],
    "paths": {
        "/pet": get("Pet"),
        "/any": get("Any"),
        "/stream": {"get": {**get("Pet", "application/x-ndjson")["get"], "operationId": "stream"}},
        "/rows/{id}": {
            "post": {
                "operationId": "put",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "ids", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}},
                    *({"name": name, "in": "query", "schema": schema} for name, schema in MAY_BE_EMPTY.items()),
                ],
                "requestBody": {"content": {"application/json": {"schema": BODY}}},
                "responses": {"200": {"description": ""}},
            }
        },
    },
}
DATA = {
    "id": "123e4567-e89b-42d3-a456-426614174000",
    "bornAt": "2026-01-02T03:04:05Z",
    "day": "2026-01-02",
    "price": "1.10",
    "weight": 0.1,
    "color": "red",
    "friends": [{"id": "123e4567-e89b-42d3-a456-426614174001"}],
    "note": "2026-01-02",
}
ID, OTHER = UUID(DATA["id"]), UUID(DATA["friends"][0]["id"])
BORN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def client(data: Any = DATA, operation: str = "get_pet", **options: Any) -> Any:
    mock = MockTransport(DOCUMENT)
    mock[operation].returns(data)
    return dynclient.load(DOCUMENT, transport=mock, **options)


FORMATS = [
    (None, {}),
    ("dates", {"bornAt": BORN, "day": dt.date(2026, 1, 2)}),
    ("uuids", {"id": ID, "friends": [{"id": OTHER}]}),
    ("decimals", {"price": Decimal("1.10"), "weight": Decimal("0.1")}),
    (["dates", "uuids"], {"bornAt": BORN, "day": dt.date(2026, 1, 2), "id": ID, "friends": [{"id": OTHER}]}),
    ({"format:date": len}, {"day": 10}),
]


@pytest.mark.parametrize(("convert", "changed"), FORMATS)
def test_formats(convert: Any, changed: dict[str, Any]) -> None:
    assert client(convert=convert).get_pet() == {**DATA, **changed}
    assert client().with_options(convert=convert).get_pet() == {**DATA, **changed}
    assert client(convert="dates").get_pet.with_options(convert=None)() == DATA


@pytest.mark.parametrize("digits", ["12345678901234567890.10", "1.10", "1.5E+30", "7"])
def test_a_decimal_has_the_digits_of_the_json_number(digits: str) -> None:
    pet = {
        "id": DATA["id"],
        "weight": Decimal(digits),
        "extra": 1.5,
        "more": {"a": [2.5]},
        "friends": [{"id": DATA["id"]}],
    }
    made = client(pet, convert="decimals").get_pet()
    assert str(made["weight"]) == str(Decimal(digits))
    assert client(pet).get_pet()["weight"] == float(digits)
    with client([pet], "stream", convert="decimals").stream.stream() as answer:
        assert [str(item["weight"]) for item in answer] == [str(Decimal(digits))]
    assert (type(made["extra"]), type(made["more"]["a"][0])) == (float, float)


@dataclasses.dataclass
class DataPet:
    id: Any
    born_at: Any = None
    color: Any = None
    friends: Any = ()


@attrs.define
class AttrsPet:
    id: Any
    born_at: Any = None
    color: Any = None
    friends: Any = ()


class StructPet(msgspec.Struct, rename="camel"):
    id: Any
    born_at: Any = None
    color: Any = None
    friends: Any = ()


class ModelPet(pydantic.BaseModel):
    id: UUID
    born_at: Any = pydantic.Field(default=None, alias="bornAt")
    color: Any = None
    friends: Any = ()


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Cat:
    lives: int


@pytest.mark.parametrize("kind", [DataPet, AttrsPet, StructPet, ModelPet])
def test_classes(kind: Any) -> None:
    made = client(convert=["dates", "uuids", {"Pet": kind, "Color": Color}]).get_pet()
    assert (type(made), made.id, made.born_at, made.color) == (kind, ID, BORN, Color.RED)
    assert [(type(friend), friend.id) for friend in made.friends] == [(kind, OTHER)]


@pytest.mark.parametrize(
    "text", ["2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000000Z", "2026-01-02T04:04:05+01:00"]
)
def test_every_form_of_a_time(text: str) -> None:
    assert client({**DATA, "bornAt": text}, convert="dates").get_pet()["bornAt"] == BORN


def test_a_leap_second() -> None:
    born = client({**DATA, "bornAt": "2016-12-31T23:59:60Z"}, convert="dates").get_pet()["bornAt"]
    assert born == dt.datetime(2016, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


def test_only_the_second_may_be_60() -> None:
    text = "2026-01-01T10:60:00Z"
    body = json.dumps({**DATA, "bornAt": text}).encode()

    class Canned:
        def send(self, send: Any) -> dynclient.Response:
            headers = dynclient.messages.Headers({"Content-Type": "application/json"})
            return dynclient.Response(200, headers, body, send.request)

        def close(self) -> None:
            """Do nothing: there are no connections."""

    pets = dynclient.load(DOCUMENT, transport=Canned(), convert="dates", validate="off")
    assert pets.get_pet()["bornAt"] == text


def test_a_branch_of_a_union_and_a_function() -> None:
    convert = {"Pet": DataPet, "Cat": Cat}
    assert client({"lives": 9}, "get_any", convert=convert).get_any() == Cat(9)
    assert type(client(DATA, "get_any", convert=convert).get_any()) is DataPet
    assert client({"lives": 9}, "get_any", convert={"Any": len}).get_any() == 1


def test_a_value_that_a_class_refuses() -> None:
    def refuse(_: Any) -> Any:
        raise KeyError("secret")

    with pytest.raises(DecodeError, match=r"\$\.color can't be converted by refuse: KeyError") as caught:
        client(convert={"Color": refuse}).get_pet()
    assert caught.value.data == DATA


def test_items_of_a_stream() -> None:
    options = {"convert": ["uuids", {"Pet": DataPet}]}
    with client([{"id": str(ID)}], "stream", **options).stream.stream() as answer:
        assert list(answer) == [DataPet(ID)]
    assert client([{"id": str(ID)}], "stream", **options).stream() == [DataPet(ID)]

    async def main() -> list[Any]:
        mock = MockTransport(DOCUMENT)
        mock.stream.returns([{"id": str(ID)}])
        async with (
            dynclient.AsyncClient.load(DOCUMENT, transport=mock, **options) as made,
            made.stream.stream() as answer,
        ):
            return [item async for item in answer]

    assert anyio.run(main, backend="trio") == [DataPet(ID)]


@pytest.mark.parametrize("convert", ["dated", {"Pet": 5}, 5, ["dates", "x"]])
def test_what_convert_does_not_take(convert: Any) -> None:
    with pytest.raises(ArgumentError, match="convert"):
        dynclient.load(DOCUMENT, convert=convert)


def test_a_misspelt_schema_of_convert_is_told_at_once() -> None:
    for load in (lambda: client(convert={"Pets": len}), lambda: client().get_pet.with_options(convert={"Pets": len})):
        with pytest.raises(ArgumentError, match=r"no schema 'Pets'; did you mean Pet") as caught:
            load()
        assert caught.value.matches == ("Pet",)
    # Another file may have it.
    elsewhere = {**DOCUMENT, "x-more": {"$ref": "other.yaml#/components/schemas/Pets"}}
    assert dynclient.load(elsewhere, convert={"Pets": len})


def test_a_client_that_converts_can_be_pickled() -> None:
    copied = pickle.loads(pickle.dumps(dynclient.load(DOCUMENT, convert=["dates", {"Pet": DataPet}])))  # ours
    assert copied.operations.keys() == dynclient.load(DOCUMENT).operations.keys()


TEXTS = [
    ({"count": "3"}, {"count": 3}),
    ({"flag": "TRUE"}, {"flag": True}),
    ({"flag": "0"}, {"flag": False}),
    ({"tags": "[1, 2]"}, {"tags": [1, 2]}),
    ({"tags": ["1", "2"]}, {"tags": [1, 2]}),
    ({"tags": "1"}, {"tags": [1]}),
    ({"more": '{"n": 1.5}'}, {"more": {"n": 1.5}}),
    ({"more": {"n": "1.5"}}, {"more": {"n": 1.5}}),
    ({"text": "3"}, {"text": "3"}),
    ({"none": "null"}, {"none": None}),
    ({"count": 4}, {"count": 4}),
]


@pytest.mark.parametrize(("given", "sent"), TEXTS)
def test_texts_are_read_by_their_schemas(given: dict[str, Any], sent: dict[str, Any]) -> None:
    coercing = dynclient.load(DOCUMENT, coerce=True)
    for request in (coercing.put.prepare("7", **given), coercing.put.prepare("7", body=given)):
        assert (request.url, json.loads(request.body)) == ("https://x.example/rows/7", sent)
    assert json.loads(coercing.put.prepare("7", body=json.dumps(sent)).body) == sent
    plain = dynclient.load(DOCUMENT)
    keywords = plain.put.from_strings({"id": "7", **given})
    assert json.loads(plain.put.prepare(**keywords).body) == sent
    with pytest.raises(dynclient.DynclientError):
        plain.put.prepare("x", **given)


def test_rows_of_a_csv_file() -> None:
    lines = ["id,ids,count,text,none", "7,[8],3,,", '8,"[1,2]",,x,5']
    plain = dynclient.load(DOCUMENT)
    found = [plain.put.from_strings(row) for row in csv.DictReader(lines)]
    assert found == [
        {"id": 7, "ids": [8], "count": 3, "text": ""},
        {"id": 8, "ids": [1, 2], "text": "x", "none": 5},
    ]
    assert plain.put.prepare(**found[1]).url == "https://x.example/rows/8?ids=1&ids=2"
    assert plain.put.from_strings({"id": "7", **dict.fromkeys(MAY_BE_EMPTY, "")}) == {"id": 7}


@pytest.mark.parametrize(("row", "said"), [({"cuont": "1"}, "did you mean count"), ({"more": "{"}, "not JSON")])
def test_rows_that_are_wrong(row: dict[str, str], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        dynclient.load(DOCUMENT).put.from_strings(row)


def test_a_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(dynclient.DynclientError, match="integer"):
        dynclient.load(DOCUMENT, coerce=True).put.prepare("seven")
