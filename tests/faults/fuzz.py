"""Looks, led by coverage, for bytes that end in anything but a value or a DynclientError, or that take too long.

    python tests/faults/fuzz.py document|body|wire [libFuzzer's options]

``document``: what is loaded, and called. ``body``: a response's body, in each media type. ``wire``: all bytes that a
server sends, as the transport reads them from its socket. What was found lies in ``build/fuzz``, and is where the next
run begins. It wants atheris, which ``make fuzz`` installs.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["dynclient"]):
    import dynclient._client
    import dynclient._document
    import dynclient._readers
    import dynclient._request
    import dynclient._validation
    import dynclient.codecs
    import dynclient.transports.threads
    from dynclient import exceptions
    from dynclient.messages import Headers, Response, Send

import urllib3.util.connection
from case import AUTH, document, head

from dynclient.options import Timeout

ROOT = Path(__file__).resolve().parent.parent.parent
FOUND = ROOT / "build" / "fuzz"
URL = "http://127.0.0.1:9"
QUICK = Timeout(1, 1, 1, 2, 1)
OPERATIONS = {
    "get_thing": "application/json",
    "get_any": "application/json",
    "get_csv": "text/csv; charset=utf-16",
    "get_xml": "application/xml",
    "get_items": "application/jsonl",
    "get_events": "text/event-stream",
    "get_records": "application/json-seq",
    "get_form": "application/x-www-form-urlencoded",
    "get_parts": "multipart/form-data; boundary=a",
    "get_text": "text/plain; charset=utf-8",
}


class Canned:
    """A transport with one response for every request."""

    def __init__(self) -> None:
        self.response = Response(200)

    def send(self, send: Send) -> Response:
        return replace(self.response, request=send.request)

    def close(self) -> None:
        """Do nothing: there are no connections."""


def things() -> dict[str, Any]:
    """The document of the table's cases, with an operation for each further media type."""
    made = document(URL)
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}, "b": {}}}
    for name, content_type in list(OPERATIONS.items())[4:]:
        media_type = content_type.partition(";")[0]
        answers = {"200": {"description": "", "content": {media_type: {"schema": schema}}}}
        path = f"/{name}"
        made["paths"][path] = {"get": {"operationId": name, "responses": answers}}
    return made


def survives(call: Callable[[], object]) -> None:
    """Make the calls; any exception but ours ends the run as a finding."""
    try:
        call()
    except exceptions.DynclientError as error:
        if len(str(error)) > 2000:
            raise AssertionError("the error's text is too long") from error


def target_of_documents(data: bytes) -> None:
    def load() -> None:
        canned = Canned()
        canned.response = Response(200, Headers({"Content-Type": "application/json"}), b'{"id": 1}')
        with dynclient.load(data, auth=AUTH, retry=1, transport=canned, cache=False) as client:
            repr(client.operations)
            for name in list(client.operations)[:4]:
                survives(functools.partial(client.operations[name].send, {}))

    survives(load)


def target_of_bodies() -> Callable[[bytes], None]:
    canned = Canned()
    client = dynclient.load(things(), auth=AUTH, retry=1, transport=canned, cache=False)
    calls = [(getattr(client, name), content_type) for name, content_type in OPERATIONS.items()]

    def run(data: bytes) -> None:
        call, content_type = calls[data[0] % len(calls)] if data else calls[0]
        canned.response = Response(200, Headers({"Content-Type": content_type}), data[1:])
        survives(call)

    return run


def target_of_wires() -> Callable[[bytes], None]:
    sent = b""
    client = dynclient.load(things(), auth=AUTH, retry=1, cache=False, timeout=QUICK)
    calls = [getattr(client, name) for name in ("get_any", "get_text", "head_thing", "delete_thing")]

    def connected(*_: Any, **__: Any) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            theirs.sendall(sent)
        return ours

    # The one place in which urllib3 opens a socket.
    urllib3.util.connection.create_connection = connected

    def run(data: bytes) -> None:
        nonlocal sent
        sent = data[1:60_000]
        survives(calls[data[0] % len(calls)] if data else calls[0])

    return run


def seeds(target: str) -> list[bytes]:
    """The first inputs of a run, if there are none from an earlier one."""
    if target == "document":
        files = [path.read_bytes() for path in sorted((ROOT / "openapi").glob("voice.*.yaml"))]
        return [*files, json.dumps(things()).encode()]
    if target == "body":
        bodies = (
            b'{"id": 1, "a": [1.5e3, "\\ud83d\\ude00", null]}', b"[]", b"a\0,\0b\0",
            b"<?xml version='1.0'?><a b='c'>&lt;</a>",
            b'{"a": [1]}\n{"b": 2}\n', b'id: 1\nretry: 5\nevent: x\ndata: {"a": [1]}\n\n', b'\x1e{"a": [1]}\n',
            b"a=1&a=2&b=%C3%A9",
            b'--a\r\nContent-Disposition: form-data; name="b"\r\nContent-Type: application/json\r\n\r\n{}\r\n--a--\r\n',
            "Gr\u00fc\u00dfe".encode(),
        )  # fmt: skip  # as the table of operations
        return [bytes((number,)) + body for number, body in enumerate(bodies)]
    kind = b"Content-Type: application/json"
    return [
        b"\0" + head(200, kind, b"Content-Length: 2") + b"{}",
        b"\0" + head(103) + head(200, kind, b"Transfer-Encoding: chunked") + b"2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n",
        b"\1" + head(200, b"Content-Type: text/plain", b"Content-Encoding: deflate") + b"x\x9cK\x04\x00\x00b\x00b",
        b"\0" + head(302, b"Location: /x?y=\xe9", b"Set-Cookie: a=b", b" folded") + b"x",
        b"\0" + head(429, b"Retry-After: Mon, 23 Nov 2026 08:00:00 GMT", b"WWW-Authenticate: Digest realm=a") + b"x",
    ]


def main() -> None:
    """Run libFuzzer on one target."""
    target, *options = sys.argv[1:]
    logging.disable()
    os.environ["DYNCLIENT_CACHE"] = str(FOUND / "cache")
    corpus = FOUND / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(seed)
    runs = {"document": lambda: target_of_documents, "body": target_of_bodies, "wire": target_of_wires}
    limits = ["-timeout=20", "-rss_limit_mb=1500", "-max_len=20000", f"-artifact_prefix={FOUND}/{target}-"]
    atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], runs[target]())
    atheris.Fuzz()


if __name__ == "__main__":
    main()
