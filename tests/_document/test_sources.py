"""Sources of documents: paths, URLs, bytes, text, file objects, mappings; and values that are not sources."""

from __future__ import annotations

import io
import os
import zipfile
from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from types import MappingProxyType

import pytest

from dynclient._document import source as sources
from dynclient._document.references import open_document
from dynclient.exceptions import ArgumentError, ResponseTooLarge, UnreadableDocument, UnsafeDocument
from dynclient.messages import Headers, Response
from dynclient.options import Limits

TEXT = "openapi: 3.1.0\npaths: {}\n"
ROOT = {"openapi": "3.1.0", "paths": {}}
URL = "https://api.example/openapi.yaml"


class Web:
    """A transport that answers from a table, and keeps the requests."""

    def __init__(self, pages):
        self.pages = pages
        self.sent = []

    def send(self, send):
        self.sent.append(send)
        answer = self.pages.get(send.request.url, (404, {}, b"nothing"))
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        return Response(status, Headers(headers), body, send.request)

    def close(self):
        pass

    @property
    def urls(self):
        return [send.request.url for send in self.sent]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "my api.yaml"
    path.write_text(TEXT)
    return path


def test_paths(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    for source in (path, str(path), path.name, os.fspath(path), path.as_uri()):
        document = open_document(source)
        assert document.root == ROOT
        assert document.uri == path.as_uri()
        assert not document.remote
    assert open_document(path.name).name == "my api.yaml"


def test_the_home_folder_is_found(path, monkeypatch):
    monkeypatch.setenv("HOME", str(path.parent))
    assert open_document("~/my api.yaml").uri == path.as_uri()


@pytest.mark.parametrize(
    "source",
    [
        TEXT,
        "\ufeff" + TEXT,
        TEXT.encode(),
        bytearray(TEXT.encode()),
        memoryview(TEXT.encode()),
        '{"openapi": "3.1.0", "paths": {}}',
    ],
)
def test_text_and_bytes(source):
    document = open_document(source)
    assert document.root == ROOT
    assert document.uri.startswith("memory://")
    assert document.name in ("<text>", "<bytes>")


def test_one_line_of_text():
    assert open_document("openapi: 3.1.0").root == {"openapi": "3.1.0"}
    assert open_document('  {"openapi": "3.1.0"}').root == {"openapi": "3.1.0"}


def test_file_objects(path):
    for make in (lambda: path.open("rb"), lambda: path.open("r", encoding="utf-8")):
        with make() as file:
            document = open_document(file)
        assert (document.root, document.uri, document.name) == (ROOT, path.as_uri(), str(path))
    for file in (io.BytesIO(TEXT.encode()), io.StringIO(TEXT)):
        document = open_document(file)
        assert (document.root, document.name) == (ROOT, "<file>")
        assert document.uri.startswith("memory://")


def test_a_member_of_an_archive_stands_for_no_file_of_the_disk(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.writestr("my api.yaml", TEXT)
    with zipfile.ZipFile("a.zip") as archive, archive.open("my api.yaml") as file:
        document = open_document(file)
    assert document.uri.startswith("memory://")
    assert document.name == "my api.yaml"


class Colour(str, Enum):  # noqa: UP042  # a str with an enum beside it is what users write
    RED = "red"


def test_mappings_become_plain_data_of_our_own():
    shared = {"x": (1, 2)}
    given = OrderedDict(
        {
            "openapi": "3.1.0",
            200: MappingProxyType({True: 1, None: 2, 1.5: 3}),
            "shared": [shared, shared],
            "when": date(2026, 3, 1),
            "at": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
            "price": Decimal("19.99"),
            "big": Decimal(2**70),
            "colour": Colour.RED,
        }
    )
    root = open_document(given).root
    assert root == {
        "openapi": "3.1.0",
        "200": {"true": 1, "null": 2, "1.5": 3},
        "shared": [{"x": [1, 2]}, {"x": [1, 2]}],
        "when": "2026-03-01",
        "at": "2026-03-01T12:30:00+00:00",
        "price": 19.99,
        "big": 2**70,
        "colour": "red",
    }
    assert type(root["colour"]) is str
    assert root["shared"][0] is root["shared"][1]
    shared["x"] = "changed later"
    assert root["shared"][0] == {"x": [1, 2]}


def test_fingerprints_tell_documents_apart(path):
    expected = sha256(TEXT.encode()).hexdigest()
    for source in (path, TEXT, TEXT.encode(), io.BytesIO(TEXT.encode())):
        assert open_document(source).fingerprint == expected
    assert open_document(ROOT).fingerprint == open_document(dict(reversed(ROOT.items()))).fingerprint
    assert open_document(ROOT).fingerprint != open_document({"openapi": "3.0.0"}).fingerprint
    assert open_document(ROOT).uri != open_document(ROOT).uri


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere/openapi.yaml", "No such file"),
        ("openapi.yaml\0", "can't be read"),
        (".", "Is a directory"),
        ("x" * 5000, "got a string"),
        ("", "is empty"),
    ],
)
def test_what_can_not_be_had(source, words):
    with pytest.raises(UnreadableDocument, match=words):
        open_document(source)


@pytest.mark.parametrize("source", [None, 12, [1], {1}, object()])
def test_what_is_no_source(source):
    with pytest.raises(ArgumentError, match="can't be read from"):
        open_document(source)


def test_a_url_is_asked_once_without_credentials():
    web = Web({URL: TEXT.encode()})
    document = open_document(URL + "#/paths", transport=web)
    assert (document.root, document.uri, document.name, document.remote) == (ROOT, URL, URL, True)
    (send,) = web.sent
    assert (send.request.method, send.request.url, send.request.body) == ("GET", URL, None)
    assert set(send.request.headers) == {"Accept"}
    assert send.limits.response_bytes == Limits().remote_document_bytes


def test_json_of_a_server_is_json():
    web = Web({URL: (200, {"Content-Type": "application/json; charset=utf-8"}, b"{a: 1}")})
    with pytest.raises(UnreadableDocument, match="is not JSON"):
        open_document(URL, transport=web)


def test_redirects_are_followed_thrice():
    hops = {f"https://h{n}.example/d": (302, {"Location": f"https://h{n + 1}.example/d#x"}, b"") for n in range(3)}
    document = open_document("https://h0.example/d", transport=Web({**hops, "https://h3.example/d": TEXT.encode()}))
    assert document.uri == "https://h3.example/d"
    hops["https://h3.example/d"] = (302, {"Location": "/e"}, b"")
    web = Web({**hops, "https://h3.example/e": TEXT.encode()})
    with pytest.raises(UnsafeDocument, match="redirected more than 3 times"):
        open_document("https://h0.example/d", transport=web)
    assert len(web.sent) == 4


@pytest.mark.parametrize(
    "location", ["http://api.example/x", "file:///etc/passwd", "ftp://x/", "https://u:p@api.example/x"]
)
def test_redirects_that_are_refused(location):
    web = Web({URL: (301, {"Location": location}, b"")})
    with pytest.raises(UnsafeDocument, match="was redirected"):
        open_document(URL, transport=web)
    assert web.urls == [URL]


@pytest.mark.parametrize("status", [204, 206, 302, 401, 404, 500])
def test_other_answers_are_no_document(status):
    web = Web({URL: (status, {}, b"openapi: 3.1.0")})
    with pytest.raises(UnreadableDocument, match=f"status {status}"):
        open_document(URL, transport=web)


@pytest.mark.parametrize("answer", [TEXT.encode() * 10, ResponseTooLarge("more", limit="response_bytes")])
def test_a_large_answer_is_refused(answer):
    with pytest.raises(UnsafeDocument, match="larger than the limit of 100 bytes"):
        open_document(URL, transport=Web({URL: answer}), limits=replace(Limits(), remote_document_bytes=100))


def test_a_login_page_is_told_as_such():
    page = b"<!doctype html><html><title>Log in</title></html>"
    with pytest.raises(UnreadableDocument, match=r"HTML: .*Log in") as caught:
        open_document(URL, transport=Web({URL: page}))
    assert "raw file" in caught.value.hint


def test_user_information_in_a_url_is_not_taken():
    with pytest.raises(ArgumentError) as caught:
        open_document("https://user:hunter2@api.example/openapi.yaml", transport=Web({}))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "posix", "windows"),
    [
        ("file:///C:/a%20b/x.yaml", "/C:/a b/x.yaml", "C:/a b/x.yaml"),
        ("file:///home/x.yaml", "/home/x.yaml", "/home/x.yaml"),
        ("file://localhost/D:/x.yaml#/paths", "/D:/x.yaml", "D:/x.yaml"),
    ],
)
def test_the_path_of_a_file_uri_has_no_slash_before_a_drive_of_windows(uri, posix, windows, monkeypatch):
    assert sources.path_of(uri) == posix
    monkeypatch.setattr(sources, "_IS_WINDOWS", True)
    assert sources.path_of(uri) == windows
