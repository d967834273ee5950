"""TLS: the identity of servers, proxies, and secrets that are never shown."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import logging
import pickle
import select
import socket
import ssl
import traceback

import pytest
import trustme

from dynclient import exceptions
from dynclient.messages import Headers
from dynclient.options import TLS, Timeout
from dynclient.transports import HTTPTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PAST = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def start(serve, make) -> tuple:
    """What starts a server, and what makes a Send."""
    return serve, make


def secured(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def context(authority) -> ssl.SSLContext:
    return secured(authority.issue_cert("127.0.0.1", "localhost"))


@pytest.mark.parametrize(("host", "version"), [("127.0.0.1", "1.2"), ("localhost", "1.2"), ("localhost", "1.3")])
def test_a_server_that_proves_who_it_is(host, version, context, ca_file, start, way):
    serve, make = start
    server = serve((("secure", context), "ask", OK, "ask", OK))
    transport = way.transport(tls=TLS(ca_file=ca_file, minimum_version=version))
    url = f"https://{host}:{server.port}/x"
    assert way(transport, make(url)).body == b"ok"
    assert way(transport, make(url, "POST", b"x" * 100_000)).body == b"ok"
    way.close(transport)
    assert server.connections == 1
    assert f"Host: {host}:{server.port}\r\n".encode() in server.requests[0]


BAD = [
    ("wrong host", lambda ca: ("secure", secured(ca.issue_cert("other.test"))), True),
    ("expired", lambda ca: ("secure", secured(ca.issue_cert("127.0.0.1", not_after=PAST))), True),
    ("untrusted", lambda ca: ("secure", secured(trustme.CA().issue_cert("127.0.0.1"))), True),
    ("untrusted by the system", lambda ca: ("secure", secured(ca.issue_cert("127.0.0.1"))), False),
    ("no TLS", lambda ca: OK, True),
    ("a handshake that hangs", lambda ca: "hang", True),
]


@pytest.mark.parametrize(("step", "own"), [pytest.param(*row[1:], id=row[0]) for row in BAD])
def test_a_server_that_does_not(step, own, authority, ca_file, start, way):
    serve, make = start
    server = serve((step(authority), "ask", OK))
    transport = way.transport(tls=TLS(ca_file=ca_file) if own else TLS())
    with pytest.raises(exceptions.TLSError) as caught:
        way(transport, make(f"https://127.0.0.1:{server.port}/x", timeout=Timeout(connect=0.3)))
    assert not caught.value.outcome_unknown
    assert (server.connections, server.requests) == (1, [])


def test_a_broken_handshake_is_an_error_of_the_connection(ca_file, serve, make, way):
    # One that breaks before the handshake begins may leave a socket of Python's own unclosed.
    server = serve((lambda peer: peer.sock.recv(1), "reset"))
    transport = way.transport(tls=TLS(ca_file=ca_file))
    with pytest.raises((exceptions.ConnectError, exceptions.TLSError)):
        way(transport, make(f"https://127.0.0.1:{server.port}/x"))


def test_a_deadline_holds_over_the_handshake(ca_file, serve, make):
    server = serve(("hang",))
    transport = HTTPTransport(tls=TLS(ca_file=ca_file))
    with pytest.raises(exceptions.TimeoutError) as caught:
        transport.send(make(f"https://127.0.0.1:{server.port}/x", timeout=Timeout(connect=20, total=0.15)))
    assert caught.value.phase == "connect"


UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nid,role\n1,admin\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


def farewell(peer):
    """Send close_notify."""
    with contextlib.suppress(OSError):
        peer.sock.unwrap()


# The server's steps, and the body; None where nobody can know whether it is whole (RFC 9112, 9.8).
ENDS = [
    ("until closed, cut", (UNTIL_CLOSED,), None),
    ("until closed, said", (UNTIL_CLOSED, farewell), b"id,role\n1,admin\n"),
    ("a length, cut", (OK,), b"ok"),
    ("chunks, cut", (CHUNKED,), b"ok"),
    ("a length that is not reached", (OK[:-1], farewell), None),
    ("chunks without their end", (CHUNKED[:-5], farewell), None),
    ("a head, cut", (UNTIL_CLOSED[:12],), None),
]


@pytest.mark.parametrize(("steps", "body"), [pytest.param(*row[1:], id=row[0]) for row in ENDS])
def test_an_end_of_tls_without_close_notify_is_no_end_of_a_body(steps, body, context, ca_file, start, way):
    serve, make = start
    server = serve((("secure", context), "ask", *steps))
    transport = way.transport(tls=TLS(ca_file=ca_file))
    send = make(f"https://127.0.0.1:{server.port}/x")
    if body is None:
        with pytest.raises(exceptions.ConnectionLost) as caught:
            way(transport, send)
        assert caught.value.outcome_unknown
    else:
        assert way(transport, send).body == body
    way.close(transport)


def test_skipping_the_proof_warns(context, serve, make):
    server = serve((("secure", context), "ask", OK))
    transport = HTTPTransport(tls=TLS(insecure_skip_verify=True))
    with pytest.warns(UserWarning, match="insecure_skip_verify"):
        assert transport.send(make(f"https://127.0.0.1:{server.port}/x")).body == b"ok"
    transport.close()


@pytest.mark.parametrize("shown", [True, False])
def test_a_clients_certificate(shown, authority, ca_file, serve, make, tmp_path):
    context = secured(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    own = tmp_path / "own.pem"
    authority.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(own)
    server = serve((("secure", context), "ask", OK))
    transport = HTTPTransport(tls=TLS(ca_file=ca_file, certificate=str(own) if shown else None))
    send = make(f"https://127.0.0.1:{server.port}/x")
    if shown:
        assert transport.send(send).body == b"ok"
    else:
        with pytest.raises((exceptions.TLSError, exceptions.ConnectionLost)):
            transport.send(send)
    transport.close()


@pytest.mark.parametrize(
    ("tls", "text"),
    [
        (TLS(ca_file="/nowhere.pem"), "/nowhere.pem: No such file"),
        (TLS(ca_file=__file__), f"{__file__}: it is not"),
        (TLS(certificate=__file__), f"{__file__}: it is not"),
        (TLS(certificate=(__file__, "/nowhere.key")), "/nowhere.key: "),
        (TLS(minimum_version="1.0"), "minimum_version is one of"),
    ],
)
def test_options_that_cannot_be_met(tls, text, make):
    with pytest.raises(exceptions.ArgumentError, match=f"tls: .*{text}"):
        HTTPTransport(tls=tls).send(make("https://127.0.0.1:1/x"))


BASIC = b"Proxy-Authorization: Basic " + base64.b64encode(b"me:my password")


def test_a_proxy_is_asked_for_a_plain_url(serve, make, way):
    proxy = serve(("ask", OK, "ask", OK))
    transport = way.transport(proxy=f"http://me:my%20password@127.0.0.1:{proxy.port}")
    for _ in range(2):
        assert way(transport, make("http://api.test:8080/x?y=%2f")).body == b"ok"
    way.close(transport)
    lines = proxy.requests[1].split(b"\r\n")
    assert lines[:2] == [b"GET http://api.test:8080/x?y=%2f HTTP/1.1", b"Host: api.test:8080"]
    assert BASIC in lines
    assert proxy.connections == 1


def test_a_proxy_makes_a_tunnel_for_an_https_url(authority, ca_file, serve, make, way):
    inner = secured(authority.issue_cert("api.test"))
    proxy = serve(("ask", b"HTTP/1.1 200 Connected\r\n\r\n", ("secure", inner), "ask", OK))
    transport = way.transport(tls=TLS(ca_file=ca_file), proxy=f"http://me:my%20password@127.0.0.1:{proxy.port}")
    assert way(transport, make("https://api.test/x")).body == b"ok"
    way.close(transport)
    asked, sent = proxy.requests
    assert asked.startswith(b"CONNECT api.test:443 HTTP/1.")
    assert BASIC in asked
    assert sent.startswith(b"GET /x HTTP/1.1\r\nHost: api.test\r\n")
    assert b"Proxy-Authorization" not in sent


@pytest.mark.parametrize("script", [("ask", b"HTTP/1.1 407 No\r\n\r\n"), ("ask",)])
def test_a_proxy_that_refuses(script, ca_file, serve, make, way):
    proxy = serve(script)
    transport = way.transport(tls=TLS(ca_file=ca_file), proxy=f"http://me:canary@127.0.0.1:{proxy.port}")
    with pytest.raises(exceptions.ConnectError) as caught:
        way(transport, make("https://api.test/x"))
    assert "canary" not in everything(caught.value)
    assert not caught.value.outcome_unknown, "the request has not left"


def test_a_server_behind_a_proxy_that_does_not_prove_who_it_is(ca_file, serve, make, way):
    other = secured(trustme.CA().issue_cert("api.test"))
    proxy = serve(("ask", b"HTTP/1.1 200 Connected\r\n\r\n", ("secure", other)))
    transport = way.transport(tls=TLS(ca_file=ca_file), proxy=f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(exceptions.TLSError) as caught:
        way(transport, make("https://api.test/x", "POST", b"{}"))
    assert not caught.value.outcome_unknown, "the request has not left"


def relayed(port: int):
    """A step: carry bytes between the client and a server on this port, until one of them closes."""

    def run(peer) -> None:
        with socket.create_connection(("127.0.0.1", port)) as inner:
            others = {peer.sock: inner, inner: peer.sock}
            while True:
                ready = [peer.sock] if peer.sock.pending() else select.select(list(others), [], [], 10)[0]
                for sock in ready:
                    piece = sock.recv(65_536)
                    if not piece:
                        return
                    others[sock].sendall(piece)

    return run


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_proves_who_it_is(scheme, context, ca_file, start, way):
    serve, make = start
    server = serve((*((("secure", context),) if scheme == "https" else ()), "ask", OK))
    tunnel = ("ask", b"HTTP/1.1 200 Connected\r\n\r\n") if scheme == "https" else ()
    proxy = serve((("secure", context), *tunnel, relayed(server.port)))
    transport = way.transport(tls=TLS(ca_file=ca_file), proxy=f"https://localhost:{proxy.port}")
    assert way(transport, make(f"{scheme}://127.0.0.1/x", "POST", b"x" * 100_000)).body == b"ok"
    way.close(transport)
    assert (proxy.connections, server.connections) == (1, 1)
    assert server.requests[0].endswith(b"x" * 100_000)


@pytest.mark.parametrize("proxy", ["127.0.0.1:80", "socks4://h:1", "http://", "http://h:x"])
def test_a_proxy_that_is_none(proxy):
    with pytest.raises(exceptions.ArgumentError, match="proxy"):
        HTTPTransport(proxy=proxy)


def test_proxies_of_the_environment_are_not_used(serve, make, transport, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = serve(("ask", OK))
    assert transport.send(make(server.url + "/x")).body == b"ok"


def everything(error: BaseException) -> str:
    """All that is ever shown or kept of an error."""
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return shown + repr(error) + str(error) + str(vars(error)) + pickle.dumps(error).decode("latin-1")


FAULTS = [("ask", "reset"), ("ask",), ("ask", b"garbage\n"), ("ask", b"HTTP/1.1 200 OK\r\nodd header\r\n\r\n")]
ODD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("script", [*FAULTS, ("ask", ODD), ("ask", OK)])
def test_no_secret_is_shown_or_logged(script, serve, make, way, transport, caplog):
    caplog.set_level(logging.DEBUG)
    server = serve(script)
    send = make(
        server.url + "/x?key=canary1&q=1",
        headers=Headers({"Authorization": "Bearer canary2", "X-Key": "canary3"}),
        secrets=frozenset({("query", "key"), ("header", "x-key")}),
    )
    try:
        shown = repr(way(transport, send))
    except exceptions.DynclientError as error:
        shown = everything(error)
    assert "canary" not in shown
    assert "canary" not in caplog.text
