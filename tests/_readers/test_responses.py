"""Responses of OpenAPI 3 and 2.0, with their headers, media types and links."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dynclient.model import Link, Operation

Reader = Callable[..., Operation]

# Keys of a Responses Object, and the statuses that they come to.
STATUSES = [
    ("{200: {}, '404': {}}", ["200", "404"]),
    ("{4xx: {}, 5XX: {}, 2Xx: {}}", ["4XX", "5XX", "2XX"]),
    ("{Default: {}}", ["default"]),
    ("{4XX: {}, 4xx: {}}", ["4XX"]),
    ("{' 200 ': {}}", ["200"]),
    ("{x-note: no, ok: {}, 20O: {}, 2000: {}, '600': {}, 20X: {}, 200.0: {}}", []),
    ("{}", []),
]


@pytest.mark.parametrize("version", [{"openapi": "3.0.0"}, {"swagger": "2.0"}], ids=str)
@pytest.mark.parametrize(("text", "statuses"), STATUSES, ids=[text for text, _ in STATUSES])
def test_statuses(operation_of: Reader, text: str, statuses: list[str], version: dict[str, str]) -> None:
    responses = operation_of(f"responses: {text}", **version).responses
    assert list(responses) == statuses == [response.status for response in responses.values()]


def test_responses_may_be_left_out(operation_of: Reader) -> None:
    assert operation_of("{}").responses == {}


def test_what_is_said_of_a_response(operation_of: Reader) -> None:
    text = """
    responses:
      "200":
        summary: Short
        description: " Long "
        headers:
          Content-Type: {schema: {type: string}}
          X-Rate: {required: true, explode: true, deprecated: true, description: Left, schema: {type: integer}}
          X-Json: {content: {application/json: {schema: {type: object}, encoding: {a: {headers: {X-A: {}}}}}}}
        content:
          application/json; charset=utf-8: {schema: true, example: 1}
        links:
          self: {operationId: getX, parameters: {id: $response.body#/id}, requestBody: {a: 1}, description: Same}
          other: {operationRef: "#/paths/~1x/get", parameters: none}
          broken: {$ref: "#/no"}
          worse: 5
    """
    response = operation_of(text).responses["200"]
    assert (response.summary, response.description) == ("Short", "Long")
    assert response.pointer == "/paths/~1x/get/responses/200"
    assert list(response.headers) == ["X-Rate", "X-Json"]
    rate = response.headers["X-Rate"]
    assert (rate.required, rate.explode, rate.deprecated, rate.description) == (True, True, True, "Left")
    json = response.headers["X-Json"].media_type
    assert json is not None
    assert (json.media_range, json.encoding) == ("application/json", {})
    assert list(response.content) == ["application/json; charset=utf-8"]
    assert [link.pointer for link in response.links] == [
        f"{response.pointer}/links/{name}" for name in ("self", "other")
    ]
    assert tuple(link._replace(pointer="") for link in response.links) == (
        Link("self", "getX", None, {"id": "$response.body#/id"}, {"a": 1}, "Same"),
        Link("other", None, "#/paths/~1x/get"),
    )


@pytest.mark.parametrize("links", ["5", "null", "[a]"])
def test_links_that_are_none_are_left_out(operation_of: Reader, links: str) -> None:
    assert operation_of(f"responses: {{'200': {{links: {links}}}}}").responses["200"].links == ()


OBJECT = "{schema: {type: object}}"
FILE = "{schema: {type: file}}"
TEXT = "{schema: {type: string}}"

# What an operation produces, its response; the media ranges of that.
PRODUCED = [
    ("[]", OBJECT, ["application/json"]),
    ("[application/json, application/xml]", OBJECT, ["application/json", "application/xml"]),
    ("[application/vnd.a+json]", OBJECT, ["application/vnd.a+json"]),
    ("[image/png]", OBJECT, ["image/png", "application/json"]),
    ("['*/*']", OBJECT, ["*/*"]),
    ("[text/plain]", TEXT, ["text/plain"]),
    ("[]", TEXT, ["application/json"]),
    ("[image/png, application/json]", FILE, ["image/png"]),
    ("[application/json]", FILE, ["*/*"]),
    ("[]", FILE, ["*/*"]),
    ("[application/json]", "{description: none}", []),
]


@pytest.mark.parametrize(("produces", "text", "ranges"), PRODUCED)
def test_content_of_2(operation_of: Reader, produces: str, text: str, ranges: list[str]) -> None:
    operation = operation_of(f"produces: {produces}\nresponses: {{200: {text}}}", swagger="2.0", produces=["a/b"])
    assert list(operation.responses["200"].content) == ranges


def test_what_is_said_of_a_response_of_2(operation_of: Reader) -> None:
    text = """
    responses:
      200:
        description: Fine
        schema: {$ref: "#/definitions/A"}
        headers:
          X-Rate: {type: integer, description: Left, x-example: 5}
          Content-Type: {type: string}
        examples: {application/json: {id: 1}, text/plain: no}
    """
    produces = ["application/json", "application/xml"]
    response = operation_of(text, swagger="2.0", produces=produces, definitions={"A": {}}).responses["200"]
    assert list(response.headers) == ["X-Rate"]
    schema = response.headers["X-Rate"].schema
    assert schema is not None
    assert schema.value == {"type": "integer", "x-example": 5}
    assert [example.value for example in response.content["application/json"].examples] == [{"id": 1}]
    assert response.content["application/xml"].examples == ()
