"""Each system call fails in turn: whatever fails, only a DynclientError is raised, and no resource leaks.

A scenario is run again and again; in the n-th run the n-th call of the operating system fails that it makes through
sockets, TLS or files. It is over when a run makes fewer calls than that.
"""

from __future__ import annotations

import builtins
import errno
import json
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme
from case import AGAIN, AUTH, answer, document, ok

import dynclient
from dynclient import exceptions
from dynclient.options import TLS, Timeout

# A failed write leaves the answer to be waited for, which never comes where nothing arrived.
SOON = Timeout(connect=2, read=0.1, write=2, total=10, pool=2)
ERRORS = (errno.ECONNRESET, errno.EMFILE)
MOST = 400


class Failing:
    """Counts calls in its thread and that thread's children; the n-th one fails."""

    def __init__(self, number: int, code: int, path: str) -> None:
        self.count = 0
        self.number = number
        self.code = code
        self.path = path
        self.on = False

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **keywords: Any) -> Any:
            # The server lives in the same process: only the client's threads are tortured.
            if self.on and not threading.current_thread().name.startswith("fault"):
                self.count += 1
                if self.count == self.number:
                    raise OSError(self.code, os.strerror(self.code))
            return function(*args, **keywords)

        return call

    def ours(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same, of calls that dynclient or urllib3 makes: event loops have sockets of their own."""
        counted = self.counted(function)

        def call(*args: Any, **keywords: Any) -> Any:
            caller = sys._getframe(1).f_globals["__name__"]
            return (counted if caller.startswith(("dynclient.", "urllib3.")) else function)(*args, **keywords)

        return call

    def opened(self, function: Callable[..., Any]) -> Callable[..., Any]:
        counted = self.counted(function)

        def call(file: Any, *args: Any, **keywords: Any) -> Any:
            return (counted if self.path and self.path in str(file) else function)(file, *args, **keywords)

        return call


CALLS = [
    (socket, "getaddrinfo"),
    (socket.socket, "connect"),
    (socket.socket, "sendall"),
    (socket.socket, "recv_into"),
    (socket.socket, "makefile"),
    (ssl.SSLContext, "wrap_socket"),
    (ssl.SSLSocket, "send"),
    (ssl.SSLSocket, "recv"),
    (ssl.SSLContext, "load_verify_locations"),
    (ssl.SSLContext, "wrap_bio"),
    (ssl.SSLObject, "do_handshake"),
    (ssl.SSLObject, "read"),
    (ssl.SSLObject, "write"),
]
OUR_CALLS = [(socket.socket, name) for name in ("connect_ex", "getsockopt", "setsockopt", "recv", "send")]


@contextmanager
def failing(number: int, code: int, path: str) -> Iterator[Failing]:
    made = Failing(number, code, path)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in CALLS:
            patch.setattr(owner, name, made.counted(getattr(owner, name)))
        for owner, name in OUR_CALLS:
            patch.setattr(owner, name, made.ours(getattr(owner, name)))
        patch.setattr(builtins, "open", made.opened(builtins.open))
        made.on = True
        yield made
        made.on = False


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def own_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.name.startswith("fault")}


def run(way: str, source: Any, calls: list[tuple[str, dict[str, Any]]], **options: Any) -> list[Any]:
    options = {"auth": AUTH, "timeout": SOON, "retry": AGAIN, "cache": False, **options}
    if way == "sync":
        with dynclient.Client.load(source, **options) as client:
            return [getattr(client, name)(**given) for name, given in calls]

    async def main() -> list[Any]:
        async with dynclient.AsyncClient.load(source, **options) as client:
            return [await getattr(client, name)(**given) for name, given in calls]

    return anyio.run(main, backend=way)


GOOD = (("answers", lambda request: ok()),)
KEPT = (("answers", lambda request: ok().replace(b"Connection: close\r\n", b"")),)
MADE = (("answers", lambda request: answer(201)),)
GET, POST = ("get_thing", {}), ("post_thing", {"body": {"a": 1}})
GONE = (("answers", lambda request: answer(302, b"", b"Location: /open") if b"/thing" in request else ok()),)
SCENARIOS = {
    "get": ("sync", KEPT, [GET]),
    "get_async": ("asyncio", KEPT, [GET]),
    "two_connections_async": ("trio", GOOD, [GET, POST]),
    "upload_async": ("asyncio", MADE, [("upload", {"body": b"x" * 300_000})]),
    "tls_async": ("asyncio", KEPT, [GET, GET]),
    "post": ("sync", KEPT, [POST]),
    "two_on_one_connection": ("sync", KEPT, [GET, GET]),
    "two_connections": ("sync", GOOD, [GET, POST]),
    "redirect": ("sync", GONE, [GET]),
    "upload": ("sync", MADE, [("upload", {"body": b"x" * 300_000})]),
    "tls": ("sync", KEPT, [GET]),
    "document_in_a_file": ("sync", KEPT, [GET]),
    "document_from_the_network": ("sync", KEPT, [GET]),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    made = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return context, str(path)


def _source(name: str, url: str, folder: Path) -> Any:
    made = document(url.replace("http:", "https:") if name.startswith("tls") else url)
    if name == "document_in_a_file":
        schema = {"$ref": "thing.json"}
        made["paths"]["/thing"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
        (folder / "thing.json").write_text('{"type": "object"}')
        (folder / "api.json").write_text(json.dumps(made))
        return folder / "api.json"
    return made


def _scripts(name: str, scripts: Any, authority: Any) -> tuple[Any, ...]:
    if name.startswith("tls"):
        return ((("secure", authority[0]), *scripts),)
    if name == "document_from_the_network":
        described = {**document("/"), "servers": [{"url": "/"}]}
        whole = ok(json.dumps(described).encode())
        return ((("answers", lambda request: whole if b"openapi.json" in request else ok()),),)
    return (scripts,)


@pytest.mark.parametrize("code", ERRORS, ids=lambda code: errno.errorcode[code])
@pytest.mark.parametrize("name", SCENARIOS)
def test_torture(name, code, serve, tmp_path, authority):
    way, scripts, calls = SCENARIOS[name]
    server = serve(*_scripts(name, scripts, authority))
    source = _source(name, server.url, tmp_path)
    if name == "document_from_the_network":
        source = server.url + "/openapi.json"
    options = {"tls": TLS(ca_file=authority[1])} if name.startswith("tls") else {}
    run(way, source, calls, **options)
    threads = own_threads()
    server.settle()
    before = descriptors()
    for number in range(1, MOST):
        with failing(number, code, str(tmp_path)) as made, suppress(exceptions.DynclientError):
            run(way, source, calls, **options)
        if made.count < number:
            break
    else:
        pytest.fail("it never came to an end")
    assert number > 3
    server.settle()
    assert descriptors() <= before
    for thread in own_threads() - threads:
        # An event loop's workers are asked to end, and not joined.
        thread.join(10)
    assert own_threads() <= threads
    run(way, source, calls, **options)
