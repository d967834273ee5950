"""Unix sockets and the proxies of the environment, and hints if a server can't be reached."""

from __future__ import annotations

import contextlib
import pickle
import socket
import threading

import pytest
import trustme

import dynclient
from dynclient import exceptions
from dynclient.transports import HTTPTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/x": {"get": {"operationId": "look", "responses": {"200": {"description": ""}}}}},
}
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


needs_unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")


@pytest.fixture
def unix_socket(tmp_path):
    """The path of a socket behind which each connection is answered once; what it was asked."""
    path, asked = str(tmp_path / "s"), []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def run():
            while True:
                connection, _ = listening.accept()
                with connection:
                    data = connection.recv(65_536)
                    if not data:
                        return
                    asked.append(data)
                    connection.sendall(OK)

        thread = threading.Thread(target=run)
        thread.start()
        yield path, asked
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(path)
        thread.join(10)


@needs_unix
def test_requests_by_a_unix_socket(unix_socket, make, way):
    path, asked = unix_socket
    transport = way.transport(unix_socket=path)
    for _ in range(2):
        assert way(transport, make("http://docker/v1/info")).body == b"ok"
    way.close(transport)
    assert asked[0].startswith(b"GET /v1/info HTTP/1.1\r\nHost: docker\r\n")


@needs_unix
def test_a_unix_socket_that_is_not_there(tmp_path, make, way):
    transport = way.transport(unix_socket=tmp_path / "none")
    with pytest.raises(exceptions.ConnectError, match=r"localhost at the Unix socket .*none") as caught:
        way(transport, make("http://localhost/x"))
    assert not caught.value.outcome_unknown


@needs_unix
def test_a_unix_socket_whose_queue_is_full(tmp_path, make, way):
    path = str(tmp_path / "s")
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(socket.socket(socket.AF_UNIX))
        listening.bind(path)
        listening.listen(0)
        opened.enter_context(socket.socket(socket.AF_UNIX)).connect(path)
        with pytest.raises(exceptions.ConnectError) as caught:
            way(way.transport(unix_socket=path), make("http://localhost/x"))
    assert not caught.value.outcome_unknown


@needs_unix
def test_a_client_by_a_unix_socket(unix_socket):
    with dynclient.load(DOCUMENT, base_url="http://localhost", unix_socket=unix_socket[0]) as client:
        assert client.look() == b"ok"
        with pickle.loads(pickle.dumps(client)) as copy:
            assert copy.look() == b"ok"


@pytest.mark.parametrize(
    "options",
    [
        {"unix_socket": "s", "proxy": "http://p"},
        {"unix_socket": "s", "block_private": True},
        {"block_private": True, "proxy": "environment"},
    ],
)
def test_ways_that_exclude_each_other(options):
    with pytest.raises(exceptions.ArgumentError, match="exclude"):
        HTTPTransport(**options)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment(name, environment, serve, make, way):
    proxy = serve(("ask", OK))
    environment(name, f"http://me:word@127.0.0.1:{proxy.port}")
    transport = way.transport(proxy="environment")
    assert way(transport, make("http://api.test/x")).body == b"ok"
    way.close(transport)
    assert proxy.requests[0].startswith(b"GET http://api.test/x HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6d29yZA==\r\n" in proxy.requests[0]


def test_https_goes_by_its_own_variable(environment, serve, make, way):
    proxy = serve(("ask", b"HTTP/1.1 502 No\r\n\r\n"))
    environment("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    environment("HTTP_PROXY", "http://127.0.0.1:1")
    transport = way.transport(proxy="environment")
    with pytest.raises(exceptions.ConnectError, match=r"through the proxy: the proxy answered 502"):
        way(transport, make("https://api.test/x"))
    assert proxy.requests[0].startswith(b"CONNECT api.test:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("exempt", ["127.0.0.1", "*", "x.test, 127.0.0.1", "127.0.0.1:{port}"])
def test_no_proxy(exempt, environment, serve, make, way):
    server = serve(("ask", OK))
    environment("HTTP_PROXY", "http://127.0.0.1:1")
    environment("NO_PROXY", exempt.format(port=server.port))
    transport = way.transport(proxy="environment")
    assert way(transport, make(server.url + "/x")).body == b"ok"
    way.close(transport)


def test_a_variable_that_names_no_proxy(environment, make):
    environment("HTTP_PROXY", "socks4://me:word@h")
    with pytest.raises(exceptions.ArgumentError, match="the environment's proxy for http") as caught:
        HTTPTransport(proxy="environment").send(make("http://api.test/x"))
    assert "word" not in str(caught.value)


@pytest.fixture
def refused() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_an_error_names_the_variables_that_were_not_used(environment, refused, make, way, transport):
    environment("HTTPS_PROXY", "http://other")
    environment("http_proxy", "http://secret")
    for url in (refused, "http://nowhere.invalid"):
        with pytest.raises(exceptions.ConnectError) as caught:
            way(transport, make(url))
        assert caught.value.hint == 'http_proxy is set but was not used: to use it, pass proxy="environment"'


def test_without_variables_nothing_is_said(refused, make, way, transport):
    with pytest.raises(exceptions.ConnectError) as caught:
        way(transport, make(refused))
    assert not caught.value.hint


@pytest.mark.parametrize("script", [(b"HTTP/1.1 400 Bad Request\r\n\r\n",), ("finish",)])
def test_https_to_a_port_without_tls_says_so(script, serve, make, way, transport):
    with pytest.raises((exceptions.TLSError, exceptions.ConnectError)) as caught:
        way(transport, make(f"https://127.0.0.1:{serve(script).port}/x"))
    assert "http://" in caught.value.hint


ALERT = b"\x15\x03\x03\x00\x02\x02\x46"


@pytest.mark.parametrize("script", [(ALERT,), ("ask", ALERT, "finish"), ("ask",), ("ask", "reset")])
def test_http_to_a_port_with_tls_says_so(script, serve, make, way, transport):
    with pytest.raises((exceptions.ProtocolError, exceptions.ConnectionLost)) as caught:
        way(transport, make(serve(script).url + "/x"))
    assert "https://" in str(caught.value)


def test_a_certificate_of_an_unknown_authority_names_ca_file(serve, make, way, transport):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = serve((("secure", context), "ask", OK))
    with pytest.raises(exceptions.TLSError) as caught:
        way(transport, make(f"https://127.0.0.1:{server.port}/x"))
    assert "TLS(ca_file=" in caught.value.hint


# An option that load() does not have, and what the error says.
OTHERS = {
    "verify": "insecure_skip_verify",
    "baseurl": "did you mean base_url",
    "cert": "TLS(certificate=",
    "uds": "unix_socket",
    "params": "query=",
    "api_key": "auth=",
    "max_retries": "retry=",
    "nonsense": "no option nonsense",
}


@pytest.mark.parametrize(("name", "text"), OTHERS.items(), ids=OTHERS)
@pytest.mark.parametrize("client", [dynclient.Client, dynclient.AsyncClient])
def test_an_option_that_load_does_not_have(client, name, text):
    with pytest.raises(exceptions.ArgumentError) as caught:
        client.load(DOCUMENT, **{name: False})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"proxy": {"https": "http://me:word@h"}}, "proxy must be a URL"),
        ({"unix_socket": 7}, "unix_socket must be a path"),
    ],
)
def test_a_way_of_a_wrong_type(options, text):
    with pytest.raises(exceptions.ArgumentError, match=text) as caught:
        dynclient.load(DOCUMENT, **options)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("value", [False, "ca.pem", None])
def test_tls_that_is_no_tls(value):
    with pytest.raises(exceptions.ArgumentError, match="tls must be"):
        dynclient.load(DOCUMENT, tls=value)
