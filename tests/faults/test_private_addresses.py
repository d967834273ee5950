"""A client that blocks private addresses connects to the address that it has checked, however the call is made.

The resolver is a faked one, by which a public address leads to a server of the test.
"""

from __future__ import annotations

import json
import pickle
import socket
import ssl

import anyio
import pytest
import trustme
from case import answer, document, ok

import dynclient
from dynclient import exceptions
from dynclient.options import TLS, OAuth2, Retry
from dynclient.transports.connecting import is_public

PUBLIC, PUBLIC6 = "8.8.8.8", "2001:4860:4860::8888"


class Resolver:
    """Resolves a name to a list of addresses one by one, the last one always; the public one is the test's server."""

    def __init__(self, monkeypatch, **names):
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked = []
        self._real, connect = socket.getaddrinfo, socket.socket.connect_ex
        monkeypatch.setattr(socket, "getaddrinfo", self)
        # urllib3 looks up the address that it connects to; the asynchronous transport connects to it at once.
        here = {PUBLIC: "127.0.0.1"}
        monkeypatch.setattr(
            socket.socket, "connect_ex", lambda sock, to: connect(sock, (here.get(to[0], to[0]), *to[1:]))
        )

    def __call__(self, host, port, *args, **kwargs):
        host = host.decode() if isinstance(host, bytes) else host
        if host in self.names and kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        self.asked.append(host)
        if host in self.names:
            answers = self.names[host]
            addresses = answers.pop(0) if len(answers) > 1 else answers[0]
            kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
            return [(kind, 1, 6, "", (address, port)) for kind, address in zip(kinds, addresses, strict=True)]
        return self._real("127.0.0.1" if host == PUBLIC else host, port, *args, **kwargs)


@pytest.fixture(params=["sync", "async"])
def call(request):
    """Load a document and call get_open or another operation with either client."""

    def make(source, name="get_open", **options):
        options = {"block_private": True, "retry": Retry(base=0), "cache": False, **options}
        if request.param == "sync":
            with dynclient.load(source, **options) as client:
                return getattr(client, name)()
        return anyio.run(awaited, source, name, options)

    async def awaited(source, name, options):
        async with dynclient.AsyncClient.load(source, **options) as client:
            return await getattr(client, name)()

    return make


def at(server, host):
    return f"http://{host}:{server.port}"


def test_a_name_that_changes_its_meaning_wins_nothing(call, serve, monkeypatch):
    server = serve(("ask", ok(b"1")))
    resolver = Resolver(monkeypatch, api_test=[[PUBLIC], ["127.0.0.1"]])
    assert call(document(at(server, "api.test"))) == 1
    assert resolver.asked.count("api.test") == 1
    assert b"Host: api.test:%d\r\n" % server.port in server.requests[0]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"], ["169.254.169.254"]])
def test_what_is_not_public_is_refused(addresses, call, serve, monkeypatch):
    server = serve(("ask", ok(b"1")))
    Resolver(monkeypatch, api_test=[addresses])
    with pytest.raises(exceptions.BlockedAddress, match=r"api\.test") as caught:
        call(document(at(server, "api.test")))
    assert (server.connections, caught.value.host) == (0, "api.test")
    assert caught.value.addresses == tuple(text for text in addresses if text != PUBLIC)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_an_address_in_the_url_is_looked_at_too(host, call, serve):
    server = serve(("ask", ok(b"1")))
    with pytest.raises(exceptions.BlockedAddress):
        call(document(at(server, host)))
    assert server.connections == 0


def test_without_the_option_any_address_is_asked(call, serve):
    server = serve(("ask", ok(b"1")))
    assert call(document(server.url), block_private=False) == 1


def test_a_redirect_is_looked_at(call, serve, monkeypatch):
    inside = serve(("ask", ok(b"1")))
    server = serve(("ask", answer(302, b"", b"Location: " + at(inside, "inside.test").encode())))
    Resolver(monkeypatch, api_test=[[PUBLIC]], inside_test=[["192.168.0.1"]])
    with pytest.raises(exceptions.BlockedAddress, match=r"inside\.test"):
        call(document(at(server, "api.test")), redirects="any")
    assert (server.asked, inside.connections) == (1, 0)


def test_a_redirect_within_the_origin_is_looked_at_again(call, serve, monkeypatch):
    server = serve(("ask", answer(302, b"", b"Location: /there")))
    Resolver(monkeypatch, api_test=[[PUBLIC], ["127.0.0.1"]])
    with pytest.raises(exceptions.BlockedAddress):
        call(document(at(server, "api.test")))
    assert server.asked == 1


def test_a_request_for_a_token_is_looked_at(call, serve, monkeypatch):
    tokens, server = serve(("ask", ok())), serve(("ask", ok(b"1")))
    Resolver(monkeypatch, api_test=[[PUBLIC]], tokens_test=[["10.1.1.1"]])
    flow = {"clientCredentials": {"tokenUrl": "https://unused.test/", "scopes": {}}}
    source = document(at(server, "api.test"), security=[{"O": []}])
    source["components"] = {"securitySchemes": {"O": {"type": "oauth2", "flows": flow}}}
    auth = OAuth2("me", "secret", token_url=f"https://tokens.test:{tokens.port}/")
    origins = [at(server, "api.test")]
    with pytest.raises(exceptions.BlockedAddress, match=r"tokens\.test"):
        call(source, "get_thing", auth=auth, allow_origins=origins)
    assert (tokens.connections, server.connections) == (0, 0)


def test_the_document_is_looked_at(call, serve, monkeypatch):
    server = serve(("ask", ok(b"{}")))
    Resolver(monkeypatch, doc_test=[["10.0.0.1"]])
    with pytest.raises(exceptions.UnsafeDocument, match=r"10\.0\.0\.1"):
        call(at(server, "doc.test") + "/openapi.json")
    assert server.connections == 0


def test_a_redirect_of_the_document_is_looked_at(call, serve, monkeypatch):
    inside = serve(("ask", ok(b"{}")))
    server = serve(("ask", answer(302, b"", b"Location: " + at(inside, "inside.test").encode() + b"/openapi.json")))
    Resolver(monkeypatch, doc_test=[[PUBLIC]], inside_test=[["10.0.0.1"]])
    with pytest.raises(exceptions.UnsafeDocument, match=r"10\.0\.0\.1"):
        call(at(server, "doc.test") + "/openapi.json")
    assert (server.asked, inside.connections) == (1, 0)


def test_a_reference_is_looked_at(call, serve, monkeypatch):
    inside, api = serve(("ask", ok(b"{}"))), serve(("ask", ok(b"1")))
    source = document(at(api, "api.test"))
    there = f"{at(inside, 'inside.test')}/schema.json"
    source["paths"]["/open"]["get"]["responses"]["200"] = {"$ref": there}
    server = serve(("ask", ok(json.dumps(source).encode())))
    Resolver(monkeypatch, doc_test=[[PUBLIC]], api_test=[[PUBLIC]], inside_test=[["10.0.0.1"]])
    with pytest.raises(exceptions.UnsafeDocument, match=r"10\.0\.0\.1"):
        call(at(server, "doc.test") + "/openapi.json", references=[there])
    assert inside.connections == 0


def test_the_server_proves_its_name_and_not_its_address(call, serve, monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.test").configure_cert(context)
    server = serve((("secure", context), "ask", ok(b"1")))
    resolver = Resolver(monkeypatch, api_test=[[PUBLIC], ["127.0.0.1"]])
    url = f"https://api.test:{server.port}"
    assert call(document(url), tls=TLS(ca_file=str(tmp_path / "ca.pem"))) == 1
    assert resolver.asked.count("api.test") == 1


@pytest.mark.parametrize("more", [{"proxy": "http://proxy.test:3128"}, {"transport": object()}])
def test_it_is_not_promised_where_it_can_not_be_held(more):
    with pytest.raises(exceptions.ArgumentError, match="block") as caught:
        dynclient.load(document("http://api.test"), block_private=True, **more).close()
    assert caught.value.argument == "block_private"


def test_a_pickled_client_still_blocks(tmp_path):
    path = tmp_path / "things.json"
    path.write_text(json.dumps(document("http://127.0.0.1:9")), encoding="utf-8")
    with dynclient.load(path, block_private=True) as client:
        copied = pickle.dumps(client)
    with pickle.loads(copied) as copy, pytest.raises(exceptions.BlockedAddress):
        copy.get_open()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, True), (PUBLIC6, True), ("1.1.1.1", True), ("172.32.0.1", True), ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True), ("2002:808:808::1", True),
        ("0.0.0.0", False), ("10.255.255.255", False), ("100.100.100.200", False), ("127.0.0.53", False),
        ("168.63.129.16", False), ("169.254.169.254", False), ("172.31.255.255", False), ("192.168.1.1", False),
        ("198.18.0.1", False), ("224.0.0.1", False), ("239.255.255.250", False), ("255.255.255.255", False),
        ("::", False), ("::1", False), ("::127.0.0.1", False), ("::ffff:127.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),         ("64:ff9b::a9fe:a9fe", False), ("64:ff9b:1::808:808", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),         ("2001:0:808:808::", False), ("2001:db8::1", False), ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False), ("fe80::1%eth0", False), ("fec0::1", False), ("ff02::1", False), ("100::1", False),
        ("nonsense", False), ("", False),
    ],
)  # fmt: skip  # a table
def test_which_addresses_are_public(address, expected):
    assert is_public(address) is expected
