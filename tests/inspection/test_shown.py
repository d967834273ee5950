"""Signatures, docstrings, tables and descriptions, as people see them."""

from __future__ import annotations

import inspect
import warnings

import pytest

import dynclient
from dynclient.exceptions import DocumentError


@pytest.fixture(scope="module")
def voice(voice_path):
    with dynclient.load(voice_path) as client:
        yield client


def test_the_signature_of_create_call(voice):
    signature = inspect.signature(voice.create_call)
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


def test_a_response_without_a_body_is_none(voice):
    assert str(inspect.signature(voice.update_call_bxml)) == "(account_id: str, call_id: str, body: str) -> None"


def test_the_docstring_of_create_call(voice):
    text = voice.create_call.__doc__
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
        "Body:\n    application/json: CreateCall\n",
        "create_call(account_id='9900000', create_call={'to': '+19195551234'",
    ):
        assert line in text


def test_a_secret_default_is_not_shown(method_of):
    method = method_of(
        """
        parameters:
          - {name: pin, in: query, required: true, example: hunter1,
             schema: {type: string, format: password, default: hunter2, examples: [hunter3]}}
        """
    )
    assert "hunter" not in method.__doc__
    assert "hunter" not in repr(method.describe())


def test_descriptions_of_arguments_are_one_line(method_of):
    text = method_of('{summary: "a\\u2028b", parameters: [{name: q, in: query, description: "c\\r\\nd\\x1b"}]}').__doc__
    assert "    q (Any, optional): c d [query]" in text
    assert "\x1b" not in text


def test_a_table_marks_broken_and_deprecated_operations():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {"get": {"summary": "fine\x1b[31m", "responses": {}, "deprecated": True}},
            "/b": {"get": {"parameters": [{"$ref": "#/nowhere"}], "responses": {}}},
        },
    }
    lines = repr(dynclient.load(document).operations).splitlines()
    assert lines[0].split() == ["name", "method", "path", "summary"]
    assert lines[1].endswith("[deprecated] fine\\x1b[31m")
    assert lines[2].endswith("[broken]")


def test_html_is_escaped():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/<script>": {"get": {"summary": "<img src=x>", "responses": {}}}},
    }
    html = dynclient.load(document).operations._repr_html_()
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


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
def test_returns(method_of, responses):
    assert method_of(f"responses: {responses}", version="3.2.0").describe()["returns"] == RETURNS[responses]


@pytest.mark.large
def test_every_operation_of_the_corpus_can_be_shown(shared):
    for name in ("discord/openapi.json", "xero/xero_accounting.yaml"):
        with warnings.catch_warnings(), dynclient.load(shared / "corpus" / name) as client:
            warnings.simplefilter("error")
            for method in client.operations.values():
                assert str(inspect.signature(method)).startswith("(")
                assert method.__doc__


def test_a_broken_operation_has_no_signature():
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"$ref": "#/no"}}]}}},
    }
    method = dynclient.load(document).operations["GET /a"]
    with pytest.raises(DocumentError):
        inspect.signature(method)
