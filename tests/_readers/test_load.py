"""Load an API from the sources that a person may pass."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from dynclient._load import load
from dynclient.exceptions import DocumentError, UnsafeDocument
from dynclient.messages import Headers, Response, Send
from dynclient.options import Limits

DOCUMENT = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"get": {"operationId": "a"}}}}
TEXT = json.dumps(DOCUMENT)


class Canned:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def send(self, send: Send) -> Response:
        return Response(200, Headers({"Content-Type": "application/json"}), self.body, send.request)

    def close(self) -> None:
        pass


SOURCES = [DOCUMENT, TEXT, TEXT.encode(), TEXT.encode("utf-16"), io.StringIO(TEXT), io.BytesIO(TEXT.encode())]


@pytest.mark.parametrize("source", SOURCES, ids=["mapping", "text", "bytes", "utf-16", "text file", "file"])
def test_a_document_from_anywhere(source: object) -> None:
    api = load(source)
    assert ([row.name for row in api.rows], api.remote) == (["a"], False)


def test_a_document_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(TEXT)
    for source in (path, str(path)):
        api = load(source)
        assert (api.document_uri, api.document_name) == (path.as_uri(), str(path))


def test_a_document_from_the_network() -> None:
    api = load("https://example.com/a.json", transport=Canned(TEXT.encode()))
    assert (api.remote, api.document_uri) == (True, "https://example.com/a.json")
    assert [server.url for server in api.servers] == ["https://example.com/"]


def test_limits_hold() -> None:
    with pytest.raises(UnsafeDocument):
        load(TEXT, limits=Limits(document_bytes=10))


def test_other_folders_may_be_allowed(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/item.json").write_text(json.dumps({"get": {"operationId": "far"}}))
    path = tmp_path / "api/a.json"
    path.write_text(json.dumps({**DOCUMENT, "paths": {"/x": {"$ref": "../shared/item.json"}}}))
    refused = load(path)
    assert refused.rows == ()
    assert [type(fault) for fault in refused.faults] == [UnsafeDocument]
    allowed = load(path, references=[str(tmp_path / "shared")])
    assert [row.name for row in allowed.rows] == ["far"]


def test_what_is_not_there_is_the_document_s_fault(tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        load(tmp_path / "none.yaml")
