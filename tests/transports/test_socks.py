"""SOCKS5 proxies (RFC 1928, RFC 1929): the way to a server, and what can go wrong on it."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest
import trustme

from dynclient import exceptions
from dynclient.options import TLS, Timeout

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def read(peer: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = peer.sock.recv(size - len(data))
        if not piece:
            raise OSError("the client has gone")
        data += piece
    return data


class Socks:
    """A step of a server: a SOCKS5 proxy whose every name means a port of this machine."""

    def __init__(self, port: int, password: bytes | None = None, reply: bytes = b"\x05\0\0\x01\0\0\0\0\0\0") -> None:
        self.port = port
        self.password = password
        self.reply = reply
        self.asked: list[bytes] = []

    def __call__(self, peer: Any) -> None:
        methods = read(peer, read(peer, 2)[1])
        method = b"\0" if self.password is None else b"\x02"
        if method not in methods:
            peer.sock.sendall(b"\x05\xff")
            return
        peer.sock.sendall(b"\x05" + method)
        if self.password is not None:
            user = read(peer, read(peer, 2)[1])
            password = read(peer, read(peer, 1)[0])
            peer.sock.sendall(b"\x01\0" if (user, password) == (b"m@e", self.password) else b"\x01\x01")
        kind = read(peer, 4)[3]
        size = {1: 4, 4: 16}.get(kind) or read(peer, 1)[0]
        self.asked.append(read(peer, size))
        read(peer, 2)
        for byte in self.reply:
            peer.sock.sendall(bytes((byte,)))
        if self.reply[1:2] == b"\0":
            relay(peer, self.port)


def relay(peer: Any, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as inner:
        others = {peer.sock: inner, inner: peer.sock}
        while True:
            for sock in select.select(list(others), [], [], 10)[0]:
                piece = sock.recv(65_536)
                if not piece:
                    return
                others[sock].sendall(piece)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize("bound", [b"\x01\0\0\0\0", b"\x03\x04host", b"\x04" + bytes(16)], ids=["ipv4", "name", "ipv6"])
def test_the_proxy_looks_names_up(bound, serve, make, way):
    server = serve(("ask", OK, "ask", OK))
    proxy = Socks(server.port, reply=b"\x05\0\0" + bound + b"\0\0")
    transport = way.transport(proxy=f"socks5://127.0.0.1:{serve((proxy,)).port}")
    for _ in range(2):
        assert way(transport, make("http://api.test/x", "POST", b"abc")).body == b"ok"
    way.close(transport)
    assert proxy.asked == [b"api.test"]
    assert server.connections == 1
    assert server.requests[0].startswith(b"POST /x HTTP/1.1\r\nHost: api.test\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_addresses_are_sent_as_such(host, serve, make, way):
    server = serve(("ask", OK))
    proxy = Socks(server.port)
    transport = way.transport(proxy=f"socks5h://127.0.0.1:{serve((proxy,)).port}")
    assert way(transport, make(f"http://{host}/x")).body == b"ok"
    way.close(transport)
    assert [len(address) for address in proxy.asked] == [16 if ":" in host else 4]


@pytest.mark.parametrize("password", ["canary", "wrong"])
def test_tls_goes_through_it_with_a_name_and_password(password, authority, serve, make, way, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.test").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = serve((("secure", context), "ask", OK))
    proxy = serve((Socks(server.port, b"canary"),))
    tls = TLS(ca_file=str(tmp_path / "ca.pem"))
    transport = way.transport(proxy=f"socks5://m%40e:{password}@127.0.0.1:{proxy.port}", tls=tls)
    if password == "canary":
        assert way(transport, make("https://api.test/x")).body == b"ok"
    else:
        with pytest.raises(exceptions.ConnectError, match="refuses") as caught:
            way(transport, make("https://api.test/x"))
        assert "wrong" not in str(caught.value) + repr(vars(caught.value))
    way.close(transport)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ((lambda _: None,), "closed|reset"),
        ((b"HT",), "SOCKS"),
        ((b"\x05\xff",), "authentication"),
        ((Socks(9, b"canary"),), "authentication"),
        ((Socks(9, reply=b"\x05\x05\0\x01\0\0\0\0\0\0"),), "connection refused"),
        ((Socks(9, reply=b"\x05\0\0\x09\0\0"),), "SOCKS"),
    ],
    ids=["closed", "garbage", "no method", "a password is due", "refused", "an unknown address"],
)
def test_a_proxy_that_refuses(script, text, serve, make, way):
    transport = way.transport(proxy=f"socks5://127.0.0.1:{serve(script).port}")
    with pytest.raises(exceptions.ConnectError, match=text) as caught:
        way(transport, make("http://api.test/x", "POST", b"{}"))
    assert not caught.value.outcome_unknown
    way.close(transport)


def test_a_proxy_that_drips_ends_by_the_deadline(serve, make, way):
    server = serve((("drip", b"\x05\0"),))
    transport = way.transport(proxy=f"socks5://127.0.0.1:{server.port}")
    with pytest.raises((exceptions.ConnectError, exceptions.TimeoutError)) as caught:
        way(transport, make("http://api.test/x", timeout=Timeout(connect=0.3, total=0.5)))
    assert caught.value.elapsed < 2
    way.close(transport)


def test_a_proxy_that_is_silent_ends_by_the_deadline(serve, make, way):
    server = serve(("hang",))
    transport = way.transport(proxy=f"socks5://127.0.0.1:{server.port}")
    with pytest.raises(exceptions.ConnectError, match="in time"):
        way(transport, make("http://api.test/x", timeout=Timeout(connect=0.2)))
    way.close(transport)


def test_private_addresses_cannot_be_blocked_behind_it(way):
    with pytest.raises(exceptions.ArgumentError, match="block_private"):
        way.transport(proxy="socks5://h:1", block_private=True)


def test_without_socksio_it_says_what_to_install():
    code = (
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'socksio' else find(name, *more)\n"
        "from dynclient.transports import HTTPTransport\n"
        "try: HTTPTransport(proxy='socks5://h:1')\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "dynclient[socks]" in done.stdout
