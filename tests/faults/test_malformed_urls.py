"""URLs for which Python's own functions raise ValueError: they raise our errors, wherever they are given."""

from __future__ import annotations

import pytest
from case import QUICK, answer, document

import dynclient
from dynclient import exceptions

MALFORMED = ["http://[::1", "http://h:-1/", "http://h:99999/", "http://evil\u2100.com/", "http://h:1\u0661/"]
ARGUMENT = exceptions.ArgumentError


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize("option", ["base_url", "proxy"])
def test_as_an_option(option, url):
    with pytest.raises(ARGUMENT, match=option), dynclient.load(document("http://h"), **{option: url}) as client:
        client.get_open()


@pytest.mark.parametrize("url", MALFORMED)
def test_as_the_documents_place(url):
    with pytest.raises(ARGUMENT):
        dynclient.load(url + "openapi.json", timeout=QUICK)


@pytest.mark.parametrize("url", MALFORMED)
def test_as_a_server(url):
    with pytest.raises(exceptions.DynclientError), dynclient.load(document(url)) as client:
        client.get_open()


@pytest.mark.parametrize("url", MALFORMED)
def test_as_the_target_of_a_redirect(url, serve):
    target = answer(302, b"", b"Location: " + url.encode())
    document_server, api = serve(("ask", target)), serve(("ask", target))
    with pytest.raises((exceptions.DocumentError, ARGUMENT)):
        dynclient.load(document_server.url + "/openapi.json", timeout=QUICK)
    with pytest.raises(exceptions.RedirectError), dynclient.load(document(api.url), retry=1, timeout=QUICK) as client:
        client.get_open()


@pytest.mark.parametrize("url", MALFORMED)
def test_as_the_name_of_a_schema(url, serve):
    server = serve(("ask", answer(200, b"7", b"Content-Type: application/json")))
    made = document(server.url)
    made["components"]["schemas"] = {"A": {"$id": url, "type": "integer"}}
    schema = {"$ref": "#/components/schemas/A"}
    made["paths"]["/open"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
    with dynclient.load(made, timeout=QUICK) as client:
        assert client.get_open() == 7
