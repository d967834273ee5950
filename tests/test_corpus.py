"""Real documents of other people, through the public API: each loads, and every operation of it can be used.

An operation is used as far as that goes without a server: signature, docstring, what checks its bodies and answers, and
the Request of a call with generated arguments, which has to be valid by the document. The tables tell which can't be.
"""

from __future__ import annotations

import csv
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import dynclient
from dynclient._response import match_status
from dynclient._validation import validator
from dynclient.exceptions import DocumentError, RequestError
from dynclient.inspection.arguments import arguments
from dynclient.messages import Headers, Response, Send
from dynclient.model import Operation, Schema

FOLDER = os.environ.get("DYNCLIENT_SHARED")
BASE = "http://127.0.0.1:9"
# So many operations are called in every run.
FEW = 30
# A document of more is read in `make test-large`.
MANY = 150
SQS = "apis-guru/amazonaws.com/sqs.json"


class Wrong(NamedTuple):
    """The error of an operation that can't be used, its location in the document, and why it is right."""

    error: str
    said: str
    line: int | None
    why: str


# What the document has broken: (document, operation) to what is said.
BROKEN = {
    ("fixtures/openapi3/broken-ref.yaml", "GET /example"): Wrong(
        "UnresolvableReference",
        "'#/components/responses/Missing' leads nowhere",
        10,
        "this document is made to have a reference that leads nowhere",
    ),
    ("fixtures/aiopenapi3/schema-itemSchema.yaml", "GET /jsonl"): Wrong(
        "UnresolvableReference",
        "'#/components/responses/LogEntry' leads nowhere",
        125,
        "LogEntry stands among the schemas, not among the responses",
    ),
}
# What no arguments can satisfy: (document, operation) to what is said of the generated ones.
CONTRADICTORY = {
    (SQS, f"GET /{{AccountNumber}}/{{QueueName}}/#Action={action}"): Wrong(
        "ArgumentError",
        "has an object within its value",
        None,
        "a list of objects in a query, for which style form has no form; AWS has its own",
    )
    for action in ("ChangeMessageVisibilityBatch", "DeleteMessageBatch", "SendMessageBatch")
}
# Documents of several files that do not all stand in the document's own folder: what has to be allowed.
REFERENCES = {"oai/learn/v2.0/json/petstore-separate/spec/swagger.json": ".."}


def documents() -> list[tuple[str, int]]:
    """The documents (not the files that others refer to), and how many operations each has."""
    if not FOLDER:
        return []
    with (Path(FOLDER) / "corpus" / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(row["file"], int(row["ops"])) for row in rows if row["kind"] == "openapi"]


def load(path: Path, name: str, **options: Any) -> dynclient.Client:
    more = [path.parent / REFERENCES[name]] if name in REFERENCES else []
    return dynclient.load(path, base_url=BASE, references=more, **options)


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize(
    ("name", "count"),
    [pytest.param(*row, marks=pytest.mark.large if row[1] > MANY else (), id=row[0]) for row in documents()],
)
def test_document(shared: Path, name: str, count: int) -> None:
    with load(shared / "corpus" / name, name) as client:
        assert len(client.operations) == count
        found: dict[tuple[str, str], DocumentError | RequestError] = {}
        for method in client.operations.values():
            try:
                use(method)
            except (DocumentError, RequestError) as error:  # each operation is on its own
                found[name, key(error, client)] = error
        expected = {**BROKEN, **CONTRADICTORY}
        assert {key: str(error) for key, error in found.items() if key not in expected} == {}
        assert found.keys() == {key for key in expected if key[0] == name}
        for key_, error in found.items():
            check_error(error, expected[key_])
        marked = [line for line in repr(client.operations).splitlines() if "  [broken" in line]
        assert len(marked) == sum(key[0] == name for key in BROKEN)


class Canned:
    """A transport whose responses have one status."""

    status = 404

    def send(self, send: Send) -> Response:
        return Response(self.status, Headers({"Content-Type": "text/plain"}), b"no", request=send.request)

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.large if count > FEW else ()) for name, count in documents()],
)
def test_an_error_is_caught_by_its_class_whatever_the_document_lists(shared: Path, name: str) -> None:
    transport, caught = Canned(), 0
    options: dict[str, Any] = {"auth": None, "validate": "off", "retry": 1, "transport": transport}
    with load(shared / "corpus" / name, name, **options) as client:
        for method in client.operations.values():
            try:
                arguments = method.example()
                method.prepare(**arguments)
            except (DocumentError, RequestError):
                continue  # the tables above have each of them
            for transport.status, kind in (
                (404, dynclient.exceptions.NotFound),
                (503, dynclient.exceptions.ServerError),
            ):
                with pytest.raises(kind) as error:
                    method(**arguments)
                assert isinstance(error.value, dynclient.ApiError)
                documented = match_status(method.operation, transport.status) is not None
                assert error.value.documented is documented
                assert isinstance(error.value, dynclient.exceptions.UndocumentedStatus) is not documented
                caught += 1
        assert caught or not client.operations or any(key[0] == name for key in BROKEN)


def key(error: DocumentError | RequestError, client: dynclient.Client) -> str:
    """The operation that an error names."""
    assert error.operation_id is not None
    row: Any = client.operations[error.operation_id]._row
    return str(row.key)


def use(method: Any) -> None:
    """Do with an operation what a program does, and a person at a prompt."""
    if method.fault is not None:
        raise method.fault
    signature = inspect.signature(method)
    docstring = method.__doc__
    operation: Operation = method.operation
    assert f"Sends ``{operation.method} {operation.path}``." in docstring
    assert all(f"\n    {name}" in docstring for name in signature.parameters)
    for schema in body_schemas(operation):
        validator(schema, "request")
    for schema in answer_schemas(operation):
        validator(schema, "response")
    example = method.example()
    signature.bind(**example)
    request = method.prepare(**example)
    assert request.method == operation.method
    assert request.url.startswith(f"{BASE}/")
    assert {"{", "}", "#", " "}.isdisjoint(request.url)
    bodies = {argument.name for argument in arguments(operation) if argument.kind == "body"}
    assert (request.body is not None) == any(example.get(name) is not None for name in bodies)


def body_schemas(operation: Operation) -> Iterator[Schema]:
    for media_type in operation.body.content.values() if operation.body is not None else ():
        yield from filter(None, (media_type.schema, media_type.item_schema))


def answer_schemas(operation: Operation) -> Iterator[Schema]:
    for response in operation.responses.values():
        for media_type in response.content.values():
            yield from filter(None, (media_type.schema, media_type.item_schema))
        yield from (header.schema for header in response.headers.values() if header.schema is not None)


def check_error(error: DocumentError | RequestError, expected: Wrong) -> None:
    """What is said is what the table has, and where."""
    assert type(error).__name__ == expected.error
    assert expected.said in str(error)
    location = (
        error.location if isinstance(error, DocumentError) else next((fault.location for fault in error.errors), None)
    )
    assert (location.line if location is not None else None) == expected.line
