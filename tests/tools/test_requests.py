"""The requests in the pages are those that are sent; and their texts about links, security and schemas."""

from __future__ import annotations

import json
import re
import shlex
from xml.etree.ElementTree import fromstring

import pytest
from dynclient_tools.docs import docs

import dynclient
from dynclient import codecs
from dynclient._validation import validator
from dynclient.options import Limits

DOCUMENT = {
    "openapi": "3.2.0",
    "info": {"title": "Pets", "version": "1"},
    "servers": [{"url": "https://a.example"}],
    "security": [{"key": [], "flow": ["write:pets"]}, {"key": []}],
    "paths": {
        "/pets": {
            "post": {
                "operationId": "addPet",
                "x-idempotency": True,
                "requestBody": {
                    "content": {
                        media: {"schema": {"$ref": "#/components/schemas/Pet"}}
                        for media in ("application/json", "application/xml", "multipart/form-data")
                    }
                },
                "responses": {
                    "200": {
                        "description": "There it is.",
                        "headers": {"X-Rate": {"description": "Calls left.", "schema": {"type": "integer"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
                        "links": {"again": {"operationId": "getPet", "parameters": {"id": "$response.body#/id"}}},
                    },
                    "404": {"description": "No."},
                },
                "callbacks": {"sold": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}},
            }
        },
        "/pets/{id}": {
            "get": {
                "operationId": "getPet",
                "security": [{}],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"204": {"description": "Nothing."}},
            }
        },
    },
    "components": {
        "schemas": {
            "Pet": {
                "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
                "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "Dog"}},
            },
            **{
                name: {
                    "type": "object",
                    "required": ["kind"],
                    "properties": {
                        "kind": {"type": "string"},
                        "id": {"type": "integer", "readOnly": True},
                        "secretName": {"type": "string", "writeOnly": True},
                    },
                }
                for name in ("Cat", "Dog")
            },
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "flow": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {"write:pets": ""}}},
            },
        },
    },
}


SHOWN = re.compile(r"^`(\w+)` as `([^`]+)`, for example:\n\n```\w+\n(.*?)\n```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def pages():
    with dynclient.load(DOCUMENT) as client:
        return docs(client, "pets.yaml")


@pytest.fixture(scope="module")
def section(pages):
    return pages["DefaultApi.md"].split("## add_pet\n", 1)[1].split("\n## get_pet", 1)[0]


def test_a_body_in_each_media_type(section):
    assert (
        json.loads(re.search(r"As `application/json`:\n\n```json\n(.*?)\n```", section, re.DOTALL)[1])["kind"] == "cat"
    )
    markup = re.search(r"As `application/xml[^`]*`:\n\n```xml\n(.*?)\n```", section, re.DOTALL)[1]
    assert fromstring(markup).find("kind").text == "cat"
    assert "As `multipart/form-data; boundary=example`:" in section


def test_curl_is_what_prepare_gives(pages, voice_files, voice_path):
    with dynclient.load(voice_path) as client:
        for method in client.operations.values():
            command = method.prepare(**method.example()).to_curl()
            assert f"```sh\n{command}\n```" in voice_files["docs/CallsApi.md"]
            assert shlex.split(command)[0] == "curl"
    assert "curl -X GET https://a.example/pets/" in pages["DefaultApi.md"]


def test_security_links_callbacks_headers_and_retries(section, pages):
    assert (
        "[key](README.md#key) and [flow](README.md#flow) (`write:pets`; token from `https://a.example/token`)"
        " or [key](README.md#key)" in section
    )
    assert '| 200 | again | [get_pet](DefaultApi.md#get_pet) | `id` is `"$response.body#/id"` |' in section
    assert "### Callbacks\n\n- `sold: {$request.body#/url}`" in section
    assert "| `X-Rate`: **int**, Calls left. |  |" in section
    assert "| 404 | No. | None |  | NotFound |" in section
    assert "the call has an idempotency key. At most 3 attempts, unless `retry=` sets another number." in section
    assert ": GET is idempotent." in pages["DefaultApi.md"]


def test_schema_pages_list_branches_and_users(pages):
    assert '- [**Cat**](Cat.md), where `kind` is `"Cat"` or `"cat"`' in pages["Pet.md"]
    assert "## Example\n\n```python\n{" in pages["Pet.md"]
    assert "- [add_pet](DefaultApi.md#add_pet)" in pages["Pet.md"]
    assert "- [Pet](Pet.md)" in pages["Cat.md"]
    assert "| **id** | **int** |  | \\[optional\\]; read-only |" in pages["Cat.md"]
    assert "| **secretName** | **str** |  | \\[optional\\]; write-only |" in pages["Cat.md"]


def test_no_secret_in_the_example_of_a_schema():
    login = {
        "type": "object",
        "required": ["password", "name", "more"],
        "properties": {
            "name": {"type": "string"},
            "password": {"type": "string", "format": "password"},
            "more": {"type": "array", "items": {"oneOf": [{"$ref": "#/components/schemas/Key"}]}},
        },
        "example": {"name": "joe", "password": "hunter2", "more": [{"key": "hunter3"}]},
    }
    key = {"type": "object", "properties": {"key": {"type": "string", "writeOnly": True}}}
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Login"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Logins", "version": "1"},
        "paths": {"/me": {"get": {"operationId": "me", "responses": {"200": {"description": "", "content": answer}}}}},
        "components": {"schemas": {"Login": login, "Key": key}},
    }
    with dynclient.load(document) as client:
        page = docs(client, "logins.yaml")["Login.md"]
    assert '"name": "joe", "password": "YOUR SECRET", "more": [{"key": "YOUR SECRET"}]' in page
    assert "hunter" not in page


def test_no_secret_in_request_examples():
    login = {
        "type": "object",
        "required": ["password"],
        "properties": {"password": {"type": "string", "format": "password", "maxLength": 7, "example": "hunter2"}},
    }
    post = {
        "operationId": "logIn",
        "parameters": [
            {
                "name": "pin",
                "in": "query",
                "required": True,
                "schema": {"type": "string", "format": "password"},
                "example": "hunter4",
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": login}}},
        "responses": {"204": {"description": ""}},
    }
    document = {"openapi": "3.1.0", "info": {"title": "In", "version": "1"}, "paths": {"/in": {"post": post}}}
    with dynclient.load(document) as client:
        page = docs(client, "in.yaml")["DefaultApi.md"]
        given = client.log_in.example()
        command = client.log_in.with_options(base_url="https://example.com").prepare(**given).to_curl()
        assert "hunter" not in repr(client.log_in)
    assert "hunter" not in page
    assert given["pin"] == "YOUR SECRET"
    assert len(given["body"]["password"]) <= 7
    assert 'pin = "YOUR SECRET"' in page
    assert """pin='"$YOUR_PIN\"""" in command
    assert f"```sh\n{command}\n```" in page


@pytest.mark.parametrize("name", ["orders", "voice"])
def test_response_examples_are_valid(root, name):
    """Each kind of body once in each of its media types, read back by the codec and held to the schema."""
    with dynclient.load(root / "openapi" / f"{name}.yaml") as client:
        for file, page in docs(client, f"{name}.yaml").items():
            for method in client.operations.values() if file.endswith("Api.md") else ():
                section = page.split(f"\n## {method.__name__}\n")[1].split("\n## ")[0]
                shown = SHOWN.findall(section)
                content = {response: answer.content for response, answer in method.operation.responses.items()}
                for status, content_type, text in shown:
                    media_type = content[status][content_type]
                    codec = codecs.find(content_type)
                    value = codec.decode(text.encode(), media_type, content_type, Limits())
                    assert not validator(media_type.schema, "response").faults(value)
                assert [status for status, *_ in shown if status[0] == "2"] == [
                    status for status, offered in content.items() if status[0] == "2" for _ in offered
                ]
                media_types = {media_type for offered in content.values() for media_type in offered}
                assert {found[1] for found in shown} == media_types


def test_no_secret_in_response_examples():
    token = {"type": "object", "properties": {"token": {"type": "string", "format": "password"}}}
    content = {"application/json": {"schema": token, "example": {"token": "hunter2"}}}
    get = {"operationId": "token", "responses": {"200": {"description": "", "content": content}}}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/token": {"get": get}}}
    with dynclient.load(document) as client:
        written = docs(client, "t.yaml")
    assert '"token": "YOUR SECRET"' in written["DefaultApi.md"]
    assert not any("hunter2" in page for page in written.values())


@pytest.mark.parametrize("document", ["bandwidth/python-sdk/bandwidth.yml", "petstore/openapi.yaml"])
def test_curl_is_what_prepare_gives_for_other_documents(shared, document):
    with dynclient.load(shared / "corpus" / document) as client:
        pages = "".join(docs(client, "x.yaml").values())
        told = 0
        for method in client.operations.values():
            options = {} if "://" in method.operation.servers[0].url else {"base_url": "https://example.com"}
            command = method.with_options(**options).prepare(**method.example()).to_curl()
            told += f"```sh\n{command}\n```" in pages
    assert told >= 0.9 * len(client.operations)
