"""What people see: signatures, docstrings, tables, views."""

from __future__ import annotations

import inspect
import warnings

import pytest

from dynclient import inspection
from dynclient._load import load
from dynclient.exceptions import DocumentError


@pytest.fixture(scope="module")
def voice(voice_path):
    return load(voice_path)


@pytest.fixture(scope="module")
def create_call(voice):
    return next(voice.read(row) for row in voice.rows if row.name == "create_call")


def test_the_signature_of_create_call(create_call):
    signature = inspection.signature(create_call)
    parameters = list(signature.parameters.values())
    assert [p.name for p in parameters[:4]] == ["account_id", "create_call", "to", "from_"]
    assert parameters[0].default is inspect.Parameter.empty
    assert all(p.default is ... for p in parameters[1:])
    assert [p.kind for p in parameters[:3]] == [
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    ]
    assert signature.parameters["to"].annotation is str
    assert signature.parameters["priority"].annotation == int | None
    assert str(signature).startswith("(account_id: str, create_call: CreateCall = ..., *, to: str = ...")
    assert str(signature).endswith(" -> CreateCallResponse")


def test_no_data_is_none(voice):
    operation = next(voice.read(row) for row in voice.rows if row.name == "update_call_bxml")
    assert str(inspection.signature(operation)) == "(account_id: str, call_id: str, body: str) -> None"


def test_the_docstring_of_create_call(create_call):
    text = inspection.docstring(create_call, "create_call")
    assert text.startswith("Create Call\n\n")
    for line in (
        "Sends ``POST /accounts/{accountId}/calls``.",
        "Args:",
        "    account_id (str): The ID of your account. [path accountId]",
        "Returns:",
        "    CreateCallResponse: 201, ",
        "Raises:",
        "    Unauthorized: 401, ",
        "    RateLimited: 429, ",
        "    https://voice.bandwidth.com/api/v2",
        "Security:\n    Basic",
        "    create_call(account_id='9900000', create_call={'to': '+19195551234'",
    ):
        assert line in text


def test_a_default_that_is_secret_is_not_shown(operation_of):
    operation = operation_of(
        """
        parameters:
          - {name: pin, in: query, required: true, example: hunter1,
             schema: {type: string, format: password, default: hunter2, examples: [hunter3]}}
        """
    )
    assert "hunter" not in inspection.docstring(operation, "x")
    assert "hunter" not in repr(inspection.operation_view(operation)).replace(repr(operation), "")


def test_text_of_the_document_is_one_line_where_it_has_to_be(operation_of):
    operation = operation_of('{summary: "a\\u2028b", parameters: [{name: q, in: query, description: "c\\r\\nd\\x1b"}]}')
    text = inspection.docstring(operation, "x")
    assert "    q (Any, optional): c d [query]" in text
    assert "\x1b" not in text


def test_a_table_marks_what_is_broken_and_old():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {"get": {"summary": "fine\x1b[31m", "responses": {}, "deprecated": True}},
            "/b": {"get": {"parameters": [{"$ref": "#/nowhere"}], "responses": {}}},
        },
    }
    api = load(document)
    table = inspection.table(api, lambda row: inspection.broken(api, row))
    lines = table.splitlines()
    assert lines[0].split() == ["name", "method", "path", "summary"]
    assert lines[1].endswith("[deprecated] fine\\x1b[31m")
    assert lines[2].endswith("[broken]")
    assert "[broken]" not in inspection.table(api)
    assert isinstance(inspection.rows(api, lambda row: inspection.broken(api, row))[1].broken, str)


def test_html_is_escaped():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/<script>": {"get": {"summary": "<img src=x>", "responses": {}}}},
    }
    html = inspection.html_table(load(document))
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_the_page_of_an_operation_is_its_signature_and_its_docstring(create_call):
    text = inspection.page(create_call, "create_call", inspection.signature(create_call), call="voice.create_call()")
    assert text.splitlines()[0].startswith("create_call(account_id: str, ")
    assert text.endswith("Example:\n    voice.create_call()")
    assert "Body:\n    application/json: CreateCall\n" in text


RETURNS = {
    "{}": "Any",
    "{'204': {description: none}}": "None",
    "{'200': {description: a, content: {application/json: {schema: {type: string}}}}, '204': {}}": "str | None",
    "{'2XX': {description: a, content: {image/png: {}}}}": "bytes",
    "{'200': {description: a, content: {text/csv: {}}}}": "str",
    "{'200': {description: a, content: {application/jsonl: {itemSchema: {type: integer}}}}}": "list[int]",
    "{default: {description: a, content: {application/json: {schema: {type: integer}}}}}": "int",
    "{'200': {description: a}, default: {description: e, content: {application/json: {}}}}": "None",
}


@pytest.mark.parametrize("responses", RETURNS)
def test_returns(operation_of, responses):
    operation = operation_of(f"responses: {responses}", version="3.2.0")
    assert inspection.text(inspection.returns(operation)) == RETURNS[responses]


def test_views_of_schemas(schema_of):
    view = inspection.schema_view(
        schema_of(
            """
            type: object
            required: [id]
            properties:
              id: {type: integer, readOnly: true, minimum: 1}
              password: {type: string, writeOnly: true, default: hunter2}
            """,
            named=True,
        )
    )
    assert (view.name, view.kind) == ("It", "object")
    first, second = view.properties
    assert (first.wire, first.required, first.read_only, first.constraints) == ("id", True, True, (">= 1",))
    assert (second.write_only, second.constraints) == (True, ())


def test_every_operation_of_the_corpus_can_be_shown(shared):
    for name in ("discord/openapi.json", "xero/xero_accounting.yaml"):
        api = load(shared / "corpus" / name)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for row in api.rows:
                operation = api.read(row)
                assert str(inspection.signature(operation)).startswith("(")
                assert inspection.docstring(operation, row.name)


def test_what_is_broken_says_so():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/no"}}]}}},
    }
    api = load(document)
    with pytest.raises(DocumentError):
        inspection.signature(api.read(api.rows[0]))
