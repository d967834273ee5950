"""The table of SECURITY.md, "Who receives what": each of its cells, with real servers, sync and async.

Every server speaks TLS and asks for a certificate, so that all rows go the same ways.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import Cookie, CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import trustme

import dynclient
from dynclient import exceptions
from dynclient._load import load as load_api
from dynclient.options import TLS, OAuth2

CANARY = "canary-1234567890"
TOKEN = "token-of-the-server"
ROOT = Path(__file__).parents[2]


class Site:
    """A server on loopback: it keeps what it was sent, answers JSON, and can be a proxy."""

    def __init__(self, context: ssl.SSLContext) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                shown = "certificate" if self.connection.getpeercert() else ""
                site.seen.append((self.path, f"{self.headers}{body!r}{shown}"))
                status, value = site.pages.get(self.path, (200, {}))
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Location", value if status // 100 == 3 else "")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def do_CONNECT(self) -> None:
                shown = "certificate" if self.connection.getpeercert() else ""
                site.seen.append((self.path, f"{self.headers}{shown}"))
                self.send_response(200)
                self.end_headers()
                host, _, port = self.path.partition(":")
                with socket.create_connection((host, int(port))) as there:
                    pipe(self.connection, there)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        class Server(ThreadingHTTPServer):
            def finish_request(self, request: Any, address: Any) -> None:
                with contextlib.suppress(OSError), context.wrap_socket(request, server_side=True) as secured:
                    super().finish_request(secured, address)
                    secured.settimeout(5)
                    secured.unwrap()

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self.reset()

    def reset(self) -> None:
        self.seen: list[tuple[str, str]] = []
        token = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
        self.pages: dict[str, tuple[int, Any]] = {"/token": (200, token)}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pipe(ours: ssl.SSLSocket, there: socket.socket) -> None:
    """Carry bytes both ways until one side has no more."""
    while True:
        ready = [ours] if ours.pending() else select.select([ours, there], [], [], 20)[0]
        for end, other in ((ours, there), (there, ours)):
            if end in ready:
                data = end.recv(65536)
                if not data:
                    return
                other.sendall(data)
        if not ready:
            return


class Way(NamedTuple):
    """How a request gets to the receiver of a column. ``place`` is what of its requests counts."""

    source: str
    receiver: Site
    place: str = "/x"
    options: Mapping[str, Any] = MappingProxyType({})


class Given(NamedTuple):
    """What the sites and the document of a case are."""

    a: Site
    b: Site
    file: Path
    document: Callable[..., dict[str, Any]]

    def local(self, server: str, **members: Any) -> str:
        self.file.write_text(json.dumps(self.document(server, **members)))
        return str(self.file)

    def remote(self, server: str, site: Site) -> str:
        site.pages["/openapi.json"] = 200, self.document(server)
        return f"{site.url}/openapi.json"


def redirected_document(given: Given) -> Way:
    given.a.pages["/openapi.json"] = 302, given.remote("/", given.b)
    return Way(f"{given.a.url}/openapi.json", given.b)


def reference(given: Given) -> Way:
    given.a.pages["/item.json"] = 200, {"servers": [{"url": given.b.url}], **given.document("")["paths"]["/x"]}
    source = given.local(given.a.url, paths={"/x": {"$ref": f"{given.a.url}/item.json"}})
    return Way(source, given.b, options={"references": [given.a.url]})


def redirect(given: Given, to: Site) -> Way:
    given.a.pages["/x"] = 302, f"{to.url}/y"
    return Way(given.local(given.a.url), to, "/y", {"redirects": "any"})


def overlay(given: Given, site: Site) -> Way:
    """A local document to which an overlay of a site gives a server."""
    actions = [{"target": "$.servers[0]", "update": {"url": given.b.url}}]
    site.pages["/fix.json"] = 200, {"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions}
    return Way(given.local(given.a.url), given.b, options={"overlays": [f"{site.url}/fix.json"]})


COLUMNS: dict[str, Callable[[Given], Way]] = {
    "document": lambda given: Way(given.remote("/", given.a), given.a),
    "document redirect": redirected_document,
    "local": lambda given: Way(given.local(given.b.url), given.b),
    "base_url": lambda given: Way(given.remote("/", given.a), given.b, options={"base_url": given.b.url}),
    "other server": lambda given: Way(given.remote(given.b.url, given.a), given.b),
    "reference": reference,
    "overlay": lambda given: overlay(given, given.b),
    "overlay's other server": lambda given: overlay(given, given.a),
    "redirect": lambda given: redirect(given, given.a),
    "redirect elsewhere": lambda given: redirect(given, given.b),
    "plain http": lambda given: Way(given.local("http://api.test"), given.b, "", {"proxy": given.b.url}),
    "proxy": lambda given: Way(given.local(given.a.url), given.b, urlsplit(given.a.url).netloc, {"proxy": given.b.url}),
}

BEARER = {"type": "http", "scheme": "bearer"}
CLIENT = {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}


class Row(NamedTuple):
    """A kind of credential: its security scheme, how it is given, and what is looked for."""

    scheme: dict[str, Any] | None = None
    options: Mapping[str, Any] = MappingProxyType({})
    found: str = CANARY
    kept: str = ""


ROWS = {
    "`auth=`": Row(BEARER, {"auth": CANARY}),
    "`headers=`": Row(None, {"headers": {"X-Api-Key": CANARY}}),
    "cookie": Row({"type": "apiKey", "in": "cookie", "name": "session"}, {"auth": CANARY}),
    "kept cookies": Row(None, {"cookies": True}),
    "certificate": Row(None, {}, "certificate"),
    "stored login": Row(BEARER, kept="login"),
    "environment": Row(BEARER, kept="environment"),
    "OAuth 2 token": Row({"type": "oauth2", "flows": CLIENT}, {"auth": ("id", CANARY)}, TOKEN),
    "client secret": Row({"type": "oauth2", "flows": CLIENT}, {"auth": ("id", CANARY)}, "Basic aWQ6Y2FuYXJ5"),
}


def table() -> Iterator[tuple[str, str, str]]:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## Who receives what")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    rows = rows[: 2 + len(ROWS)]
    assert rows[0][1:] == list(COLUMNS)
    assert [row[0] for row in rows[2:]] == list(ROWS)
    for row in rows[2:]:
        yield from ((row[0], column, cell) for column, cell in zip(COLUMNS, row[1:], strict=True))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
    return str(folder / "ca.pem"), str(folder / "own.pem")


@pytest.fixture(scope="module")
def sites(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    made = Site(context), Site(context)
    yield made
    for site in made:
        site.close()


def document(scheme: Any) -> Callable[..., dict[str, Any]]:
    def made(server: str, **members: Any) -> dict[str, Any]:
        operation = {"operationId": "go", "responses": {"200": {"description": ""}}}
        return {
            "openapi": "3.1.0",
            "info": {"title": "Voice", "version": "1"},
            "servers": [{"url": server}],
            "paths": {"/x": {"get": operation}},
            "components": {"securitySchemes": {"K": scheme}} if scheme else {},
            "security": [{"K": []}] if scheme else [],
            **members,
        }

    return made


def jar() -> CookieJar:
    """A jar with a cookie for this machine, and one for the server that is none."""
    made = CookieJar()
    for host in ("127.0.0.1", "api.test"):
        rest: dict[str, Any] = {"comment": None, "comment_url": None, "rest": {}}
        rest |= {"port": None, "port_specified": False, "domain_specified": False, "domain_initial_dot": False}
        rest |= {"path": "/", "path_specified": True, "secure": False, "expires": None, "discard": True}
        made.set_cookie(Cookie(0, "session", CANARY, domain=host, **rest))
    return made


def token_endpoint(way: Way, column: str, given: Given, scheme: dict[str, Any]) -> Way:
    """The same for the client's secret: the API is trusted, and its authorization server is the receiver."""
    elsewhere = {"document redirect", "other server", "reference"}
    scheme = {**scheme, "flows": {"clientCredentials": {"tokenUrl": f"{given.b.url}/token", "scopes": {}}}}
    options = {name: value for name, value in way.options.items() if name != "redirects"}
    place = way.place if column == "proxy" else "/token"
    if column in elsewhere:
        made = given._replace(document=document(scheme if column != "reference" else {"$ref": f"{given.a.url}/k.json"}))
        given.a.pages["/k.json"] = 200, scheme
        if column == "document redirect":
            return redirected_document(made)._replace(place=place, options={"base_url": given.a.url})
        source = made.local(given.a.url) if column == "reference" else made.remote("/", given.a)
        return Way(source, given.b, place, options)
    if column.startswith("redirect"):
        given.a.pages["/token"] = 307, f"{way.receiver.url}/y"
        return way._replace(place="/y")
    if column == "base_url":
        made = given._replace(document=document(scheme))
        return Way(made.remote("/", given.a), given.b, place, options)
    return way._replace(place=place if column != "plain http" else "")


@pytest.fixture(params=["sync", "async"])
def go(request) -> Callable[..., Any]:
    def sync(source: Any, **options: Any) -> Any:
        with dynclient.load(source, **options) as client:
            return client.go()

    def asynchronous(source: Any, **options: Any) -> Any:
        import anyio

        async def run() -> Any:
            async with dynclient.AsyncClient.load(source, **options) as client:
                return await client.go()

        return anyio.run(run)

    return sync if request.param == "sync" else asynchronous


@pytest.fixture
def stored(monkeypatch, tmp_path) -> Callable[..., Any]:
    """Find the credentials that a command line would find, which are stored first."""
    from dynclient.cli import credentials

    for name in ("XDG_DATA_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(credentials, "keyring", lambda: None)
    monkeypatch.chdir(tmp_path)

    def found(kept: str, source: str, **network: Any) -> Any:
        api = load_api(source, cache=False, **network)
        if kept == "login":
            credentials.Vault().save(credentials.key_of(api, "K"), {"text": CANARY})
        else:
            monkeypatch.setenv("DYNCLIENT_VOICE_K", CANARY)
        return credentials.gathered(api, ())[0]

    return found


@pytest.mark.parametrize("case", list(table()), ids=lambda case: " ".join(case[:2]).replace("`", ""))
def test_a_cell(case, go, sites, files, stored, tmp_path):
    (row, column, cell), (a, b) = case, sites
    for site in sites:
        site.reset()
    kind = ROWS[row]
    given = Given(a, b, tmp_path / "openapi.json", document(kind.scheme))
    way = COLUMNS[column](given)
    if row == "client secret":
        way = token_endpoint(way, column, given, kind.scheme)
    tls = TLS(ca_file=files[0], certificate=files[1] if row == "certificate" else None)
    options = {"cache": False, "retry": 1, "tls": tls, **way.options, **kind.options}
    if kind.kept:
        network = {name: way.options.get(name, ()) for name in ("references", "overlays")}
        options["auth"] = stored(kind.kept, way.source, tls=tls, **network)
    if row == "kept cookies":
        options["cookies"] = jar()
    for site in sites:
        site.seen.clear()
    error: Exception | None = None
    try:
        go(way.source, **options)
    except exceptions.DynclientError as raised:
        error = raised
    got = [text for place, text in way.receiver.seen if way.place in place]
    assert any(kind.found in text for text in got) is (cell == "yes"), (error, got)
    assert isinstance(error, exceptions.CredentialScopeError) is (cell == "refused"), (error, got)
    if cell == "no" and not isinstance(error, exceptions.DynclientError):
        assert got, "nothing was sent there: the case shows nothing"


def test_a_documents_url_is_shown_the_certificate_and_nobody_else_is(go, sites, files):
    a, b = sites
    for site in sites:
        site.reset()
    b.pages["/item.json"] = 200, document(None)("")["paths"]["/x"]
    b.pages["/real.json"] = 200, document(None)(a.url, paths={"/x": {"$ref": f"{b.url}/item.json"}})
    a.pages["/openapi.json"] = 302, f"{b.url}/real.json"
    tls = TLS(ca_file=files[0], certificate=files[1])
    go(f"{a.url}/openapi.json", cache=False, tls=tls, references=[b.url])
    assert {place for place, text in a.seen if "certificate" in text} == {"/openapi.json", "/x"}
    assert [place for place, _ in b.seen] == ["/real.json", "/item.json"]
    assert not any("certificate" in text for _, text in b.seen)


def test_a_connection_that_showed_a_certificate_is_not_used_without(sites, files):
    a, b = sites
    for site in sites:
        site.reset()
    a.pages["/openapi.json"] = 200, document(None)(b.url)
    tls = TLS(ca_file=files[0], certificate=files[1])
    with dynclient.load(f"{a.url}/openapi.json", cache=False, tls=tls) as client:
        trusting = client.with_options(allow_origins=(b.url,))
        for one in (client, trusting, client, trusting):
            one.go()
    assert ["certificate" in text for _, text in b.seen] == [False, True, False, True]


def oauth(server: str, token_url: str) -> dict[str, Any]:
    flows = {"clientCredentials": {"tokenUrl": token_url, "scopes": {}}}
    return document({"type": "oauth2", "flows": flows})(server)


@pytest.mark.parametrize("relative", [True, False])
def test_a_store_that_two_apis_share_gives_neither_the_tokens_of_the_other(go, sites, files, tmp_path, relative):
    a, b = sites
    for site in sites:
        site.reset()
    auth = OAuth2("id", CANARY, store=tmp_path / "tokens.json")
    b.pages["/token"] = 200, {"access_token": "token-of-b", "token_type": "Bearer", "expires_in": 3600}
    options = {"tls": TLS(ca_file=files[0]), "auth": auth, "retry": 1}
    go(oauth(a.url, "/token" if relative else f"{a.url}/token"), **options)
    other = oauth(b.url, "/token" if relative else f"{a.url}/token")
    if relative:
        go(other, **options)
        assert "token-of-b" in b.seen[-1][1]
    else:
        with pytest.raises(exceptions.CredentialScopeError):
            go(other, **options)
        go(other, **options, allow_origins=(a.url,))
        assert sum(place == "/token" for place, _ in a.seen) == 2
    assert relative is not any(TOKEN in text for _, text in b.seen)


@pytest.mark.parametrize("choice", [{"server": 1}, {"base_url": 1}])
def test_a_token_goes_to_no_server_that_has_an_authorization_server_of_its_own(sites, files, choice):
    a, b = sites
    for site in sites:
        site.reset()
    b.pages["/token"] = 200, {"access_token": "token-of-b", "token_type": "Bearer", "expires_in": 3600}
    source = {**oauth(a.url, "/token"), "servers": [{"url": a.url}, {"url": b.url}]}
    options = {name: b.url if name == "base_url" else value for name, value in choice.items()}
    with dynclient.load(source, tls=TLS(ca_file=files[0]), auth=("id", CANARY)) as client:
        for one in (client, client.with_options(**options), client):
            one.go()
    sent = [text for site in sites for place, text in site.seen if place == "/x"]
    assert [TOKEN in text for text in sent] == [True, True, False]
    assert "token-of-b" in sent[-1]


def test_a_compiled_document_gets_the_login_of_its_file_alone(stored, tmp_path):
    from dynclient._document.compiled import Writer

    source = tmp_path / "openapi.json"
    source.write_text(json.dumps(document(BEARER)("https://api.test")))
    assert stored("login", str(source)) == {"K": CANARY}
    writer = Writer()
    claim = {"declares": False, "remote": False}
    writer.add(source.as_uri(), "openapi.json", "0" * 64, document(BEARER)("https://evil.test"), **claim)
    (tmp_path / "tool.dync").write_bytes(b"".join(writer.finished(None, release="0")))
    from dynclient.cli import credentials

    assert credentials.gathered(load_api(str(tmp_path / "tool.dync")), ())[0] is ...


def test_a_stored_token_is_for_the_server_whose_own_it_is(stored, tmp_path):
    from dynclient.cli import credentials
    from dynclient.security import CredentialRequest

    source = tmp_path / "openapi.json"
    source.write_text(json.dumps(oauth("https://api.test", "/token")))
    api = load_api(str(source))
    entry = {
        "client_id": "id",
        "client_secret": None,
        "flow": "authorizationCode",
        "token_url": "https://api.test/token",
    }
    entry |= {"server": "https://api.test", "client_auth": "basic", "scopes": [], "tokens": {"access_token": TOKEN}}
    credentials.Vault().save(credentials.key_of(api, "K"), entry)
    ask = credentials.gathered(api, ())[0]["K"]
    asked = [CredentialRequest(api.security_schemes["K"], (), "go", ("https", host, 443)) for host in ("api.test", "b")]
    assert [ask(request) for request in asked] == [TOKEN, None]
