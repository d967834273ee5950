"""Access to the explorer: attacks by pages, host names, other browsers and documents are refused or show nothing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

TOKEN = "t0ken-t0ken-t0ken-t0ken"

FOREIGN = [
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": None}, 403),
    ({"Origin": None, "Sec_Fetch_Site": "cross-site"}, 403),
    ({"Origin": None, "Sec_Fetch_Site": "same-site"}, 403),
    ({"Origin": None, "Sec_Fetch_Site": "none"}, 403),
    ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Content_Type": "text/plain"}, 403),
    ({"Content_Type": "application/x-www-form-urlencoded"}, 403),
    ({"X_Dynclient_Explorer": None}, 403),
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example"}, 421),
    ({"Host": "localhost.evil.example:80"}, 421),
    ({"Host": ""}, 421),
    ({"Origin": None, "Sec_Fetch_Site": "same-origin"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), FOREIGN)
def test_only_its_own_page_sends(site, headers, status):
    for path in ("/send/list_todos", "/check/list_todos"):
        assert site.ask("POST", path, {}, **headers).status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused(site, method):
    answer = site.ask(method, "/send/list_todos")
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/o/get_todo", "/list", "/static/explorer.js", "/nothing", "/history"])
def test_every_answer_has_the_headers(site, path):
    headers = site.ask("GET", path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert (policy["default-src"], policy["script-src"], policy["frame-ancestors"]) == ("'none'", "'self'", "'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_get_sends_nothing(site):
    for path in ("/send/list_todos", "/check/list_todos", "/items/list_todos", "/session"):
        assert site.ask("GET", path).status == 404


def test_the_link_opens_one_browser_once(explored):
    site = explored(token=TOKEN)
    hidden = ["/", "/o/get_todo", "/list", "/history", "/find?q=todo", "/all"]
    for path in hidden:
        answer = site.ask("GET", path)
        assert (answer.status, "todo" in answer.text.lower()) == (401, False)
    assert site.ask("POST", "/send/list_todos", {}).status == 401
    for wrong in ({"token": "x"}, {"token": ""}, {"token": None}, {}, []):
        assert site.ask("POST", "/session", wrong).status == 403
    assert site.ask("POST", "/session", {"token": TOKEN}, Origin="https://evil.example").status == 403
    opened = site.ask("POST", "/session", {"token": TOKEN})
    cookie = opened.headers["set-cookie"]
    assert (opened.status, "HttpOnly" in cookie, "SameSite=Strict" in cookie, TOKEN in cookie) == (
        204,
        True,
        True,
        False,
    )
    # The link was stolen, or opened in a second browser.
    assert site.ask("POST", "/session", {"token": TOKEN}).status == 403
    assert site.ask("GET", "/list").status == 401
    site.cookie = cookie.partition(";")[0]
    assert {site.ask("GET", path).status for path in hidden} == {200}
    assert site.ask("POST", "/send/list_todos", {}).status == 200
    site.cookie += "x"
    assert site.ask("GET", "/list").status == 401


def test_without_a_script_the_token_is_typed(explored):
    site = explored(token=TOKEN)
    assert '<form method="post" action="/session">' in site.ask("GET", "/").text
    opened = site.ask("POST", "/session", f"token={TOKEN}".encode(), Content_Type="application/x-www-form-urlencoded")
    assert (opened.status, opened.headers["location"]) == (303, "/")
    site.cookie = opened.headers["set-cookie"].partition(";")[0]
    assert 'href="/o/get_todo"' in site.ask("GET", "/all").text
    assert 'name="id"' in site.ask("GET", "/o/get_todo").text


UNCONFIRMED = [({}, 409), ({"confirmed": False}, 409), ({"confirmed": "true"}, 409), ({"confirmed": 1}, 409)]


@pytest.mark.parametrize(("form", "status"), UNCONFIRMED)
def test_what_changes_data_is_confirmed(site, form, status):
    for path in ("/send/create_todo", "/items/create_todo"):
        assert site.ask("POST", path, {"body": '{"title": "x"}', **form}).status == status


def test_read_only(explored):
    site = explored(read_only=True)
    form = {"body": '{"title": "x"}', "confirmed": True}
    assert site.ask("POST", "/send/create_todo", form).status == 403
    assert site.ask("POST", "/send/create_todo", {**form, "mock": True}).status == 403
    assert site.ask("POST", "/send/list_todos", {}).status == 200


# In each place where a document has text; a mark tells where it went.
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=javascript:alert(1)>x</a>{{7*7}}&lt;"
LINK = "[x](javascript:alert(1)) ![y](http://evil.example/a.png) <iframe src=//evil.example></iframe> [z](data:a,x)"
BAD = EVIL + LINK + "\u202e\u2066"  # text after these would be read from right to left


def hostile() -> dict:
    text = {"type": "string", "description": BAD, "title": BAD, "enum": [BAD, "b"], "pattern": "<b>"}
    noted = {"description": BAD, "example": BAD}
    header = {"type": "string", "default": BAD, "example": BAD}
    content = {
        "application/json": {
            "schema": {
                "type": "object",
                "title": BAD,
                "properties": {BAD: text, "n": noted},
            },
            "examples": {"<i>": {"summary": BAD, "value": {BAD: BAD}}},
        }
    }
    operation = {
        "operationId": f"go{BAD}",
        "summary": BAD,
        "description": BAD,
        "tags": [BAD],
        "deprecated": True,
        "parameters": [
            {"name": "<q>\"'", "in": "query", "description": BAD, "schema": text, "example": BAD},
            {
                "name": "h",
                "in": "header",
                "required": True,
                "schema": header,
            },
        ],
        "requestBody": {"description": BAD, "content": content},
        "responses": {
            "200": {"description": BAD, "headers": {"X-<b>": {"description": BAD}}, "content": content},
            "default": {"description": BAD},
        },
        "security": [{f"k{BAD}": []}],
        "externalDocs": {"url": "javascript:alert(1)", "description": BAD},
    }
    schemes = {f"k{BAD}": {"type": "apiKey", "in": "header", "name": "X-Key", "description": BAD}}
    return {
        "openapi": "3.1.0",
        "info": {"title": BAD, "version": BAD, "summary": BAD, "description": BAD},
        "servers": [{"url": "http://127.0.0.1:9", "description": BAD}],
        "tags": [{"name": BAD, "description": BAD}],
        "paths": {"/<b>{a}": {"post": operation}},
        "components": {"securitySchemes": schemes},
    }


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_a_hostile_document_runs_nothing(explored):
    site = explored(hostile(), auth={f"k{BAD}": "key-key-key"})
    name = site.ask("GET", "/list").data[0][0]
    pages = [site.ask("GET", path) for path in ("/", f"/o/{quote(name)}", f"/o/{quote(name)}?part=1", "/all")]
    assert {page.status for page in pages} == {200}
    for page in pages:
        elements = Elements(page.text).found
        assert not [tag for tag, _ in elements if tag in {"iframe", "img", "object", "embed", "base", "style", "svg"}]
        assert {attributes.get("src") for tag, attributes in elements if tag == "script"} <= {"/static/explorer.js"}
        assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
        links = [attributes["href"] for tag, attributes in elements if "href" in attributes]
        assert not [link for link in links if not re.match(r"(/|#|https?://)", link)]
        assert "49" not in page.text.replace("7*7", "")
    for page in (*pages, site.ask("GET", "/list")):
        assert set(page.text).isdisjoint("\u202e\u2066")
    json.loads(site.ask("GET", "/find?q=go").text)
