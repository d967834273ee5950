"""Resumed downloads, from a range server that breaks off, changes its file, or sends unusual responses."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient.options import Retry

BODY, NEWER = os.urandom(300_000), os.urandom(280_000)
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Files", "version": "1"},
    "paths": {
        "/file": {
            "get": {
                "operationId": "get_file",
                "responses": {"200": {"description": "", "content": {"application/octet-stream": {}}}},
            }
        }
    },
}


class Files:
    """The server's file, and where its responses break off: each one after the next number of bytes in ``cuts``."""

    def __init__(self) -> None:
        self.body = BODY
        self.cuts: list[int] = []
        self.validator = "etag"
        self.ranges = True
        self.skew = 0
        self.length = True
        self.asked: list[tuple[str | None, str | None]] = []

    @property
    def fields(self) -> dict[str, str]:
        etag = '"' + hashlib.sha256(self.body).hexdigest()[:8] + '"'
        return {
            "etag": {"ETag": etag},
            "weak": {"ETag": f"W/{etag}"},
            "date": {"Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT", "Date": "Mon, 23 Nov 2026 11:00:00 GMT"},
            "young": {"Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT", "Date": "Mon, 23 Nov 2026 10:00:00 GMT"},
            "none": {},
        }[self.validator]


@pytest.fixture
def files():
    return Files()


@pytest.fixture
def url(files):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            wanted, condition = self.headers["Range"], self.headers["If-Range"]
            files.asked.append((wanted, condition))
            begin, size = 0, len(files.body)
            if wanted and files.ranges and condition in files.fields.values():
                begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) + files.skew
            if begin >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response_only(206 if begin else 200)
            for name, value in files.fields.items():
                self.send_header(name, value)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
            self.send_header("Content-Type", "application/octet-stream")
            if files.length:
                self.send_header("Content-Length", str(size - begin))
            else:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            rest = files.body[begin:]
            cut = files.cuts.pop(0) if files.cuts else len(rest)
            piece = rest[:cut]
            self.wfile.write(piece if files.length else b"%x\r\n%b\r\n" % (len(piece), piece))
            if cut < len(rest):
                self.close_connection = True
            elif not files.length:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "asyncio", "trio"])
def save(request, url):
    """Download by a client: in a thread, or in an event loop."""

    def run(path, **options):
        retry = options.pop("retry", Retry(attempts=3, base=0))
        if request.param == "sync":
            with dynclient.load(DOCUMENT, base_url=url, retry=retry) as client, client.get_file.stream() as answer:
                return answer.save(path, resume=True, **options)

        async def main():
            async with (
                dynclient.AsyncClient.load(DOCUMENT, base_url=url, retry=retry) as client,
                client.get_file.stream() as answer,
            ):
                return await answer.save(path, resume=True, **options)

        return anyio.run(main, backend=request.param)

    return run


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr("dynclient._client.downloads._PAUSE", 0)


def ranges(files):
    return [wanted for wanted, _ in files.asked]


def left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("validator", ["etag", "date"])
def test_a_download_that_breaks_is_continued(validator, length, save, files, tmp_path):
    files.cuts, files.validator, files.length = [100_000, 50_000], validator, length
    seen = []
    path = save(tmp_path / "f", progress=lambda size, total: seen.append((size, total)))
    assert path.read_bytes() == BODY
    assert ranges(files) == [None, "bytes=100000-", "bytes=150000-"]
    assert seen[-1] == (300_000, 300_000)
    assert left(tmp_path) == ["f"]


def test_each_piece_allows_another_try(save, files, tmp_path):
    files.cuts = [1000] * 20
    assert save(tmp_path / "f").read_bytes() == BODY
    assert len(files.asked) == 21


def test_a_download_is_continued_by_the_next_call(save, files, tmp_path):
    files.cuts = [100_000]
    with pytest.raises(exceptions.ConnectionLost):
        save(tmp_path / "f", retry=1)
    assert len(left(tmp_path)) == 1
    assert save(tmp_path / "f").read_bytes() == BODY
    assert ranges(files) == [None, None, "bytes=100000-"]
    assert left(tmp_path) == ["f"]


def test_another_version_is_read_from_its_beginning(save, files, tmp_path):
    files.cuts = [100_000]
    with pytest.raises(exceptions.ConnectionLost):
        save(tmp_path / "f", retry=1)
    files.body = NEWER
    assert save(tmp_path / "f").read_bytes() == NEWER
    assert left(tmp_path) == ["f"]


def test_a_version_that_changes_in_the_middle_is_read_from_its_beginning(save, files, tmp_path):
    files.cuts = [100_000, 90_000]

    def change(size, _):
        if size == 100_000:
            files.body = NEWER

    assert save(tmp_path / "f", progress=change).read_bytes() == NEWER
    assert ranges(files) == [None, "bytes=100000-", "bytes=90000-"]


@pytest.mark.parametrize("what", ["ranges", "skew", "beyond"])
def test_a_server_that_gives_no_rest_or_another_one(what, save, files, tmp_path):
    files.cuts = [100_000]
    files.ranges = what != "ranges"
    files.skew = {"skew": 5, "beyond": 10**6}.get(what, 0)
    assert save(tmp_path / "f").read_bytes() == BODY
    assert ranges(files)[:2] == [None, "bytes=100000-"]


def test_a_part_that_is_whole_already(save, files, tmp_path):
    files.length = False

    def broken(size, _):
        if size == len(BODY):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save(tmp_path / "f", progress=broken)
    # Of a body without a length, only the server knows that it is whole.
    assert save(tmp_path / "f").read_bytes() == BODY
    assert ranges(files) == [None, None, f"bytes={len(BODY)}-"]


@pytest.mark.parametrize("validator", ["weak", "young", "none"])
def test_without_a_strong_validator_nothing_is_continued(validator, save, files, tmp_path):
    files.cuts, files.validator = [100_000], validator
    with pytest.raises(exceptions.ConnectionLost):
        save(tmp_path / "f")
    assert left(tmp_path) == []
    assert save(tmp_path / "f").read_bytes() == BODY
    assert ranges(files) == [None, None]


def test_a_link_in_the_place_of_the_part_is_not_followed(save, files, tmp_path):
    files.cuts = [100_000]
    with pytest.raises(exceptions.ConnectionLost):
        save(tmp_path / "f", retry=1)
    (part,) = tmp_path.iterdir()
    part.unlink()
    (tmp_path / "victim").write_bytes(b"mine")
    part.symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):  # the system's own
        save(tmp_path / "f")
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_a_file_that_is_being_downloaded_is_left_alone(save, files, tmp_path):
    errors = []

    def twice(_, __):
        if not errors:
            with pytest.raises(FileExistsError) as caught:
                save(tmp_path / "f")
            errors.append(caught.value)

    def progress(size, total):
        thread = threading.Thread(target=twice, args=(size, total))
        thread.start()
        thread.join(20)

    assert save(tmp_path / "f", progress=progress).read_bytes() == BODY
    assert "already being downloaded" in str(errors[0])


def test_what_was_read_before_would_be_missing(url, tmp_path):
    with dynclient.load(DOCUMENT, base_url=url) as client, client.get_file.stream() as answer:
        next(answer.iter_bytes(10))
        with pytest.raises(exceptions.ArgumentError, match="already been read"):
            answer.save(tmp_path / "f", resume=True)
