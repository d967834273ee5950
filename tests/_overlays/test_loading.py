"""Documents with overlays: where overlays come from, what errors point to, the cache, and reading again."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import dynclient
from dynclient import _load
from dynclient._document import cache
from dynclient._load import compiled, load
from dynclient.exceptions import ArgumentError, DynclientError, InvalidDocument, RequestValidationError

PAD = "# " + "x" * 2100 + "\n"
DOCUMENT = """\
openapi: 3.1.0
info: {title: Vendor, version: "1"}
servers:
  - url: https://api.example.com
paths:
  /things/{id}:
    get:
      operationId: getThing
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
components:
  schemas:
    Thing: {type: object, properties: {id: {type: integer}}}
"""
OVERLAY = """\
overlay: 1.1.0
info: {title: Fixes, version: "1"}
actions:
  - target: $.paths.*.get.parameters[?@.name=='id'].schema
    update:
      minimum: 5
  - target: $.paths
    update:
      /new:
        get:
          operationId: addedOne
          parameters:
            - name: q
              in: query
              schema: {type: integer}
          responses: {"200": {description: ok}}
"""


@pytest.fixture
def vendor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("vendor.yaml").write_text(DOCUMENT)
    Path("fix.overlay.yaml").write_text(OVERLAY)
    return tmp_path


def ids(api):
    return [row.operation_id for row in api.rows]


def given(kind, httpserver):
    if kind == "url":
        httpserver.expect_request("/fix.yaml").respond_with_data(OVERLAY, content_type="application/yaml")
        return httpserver.url_for("/fix.yaml")
    if kind == "mapping":
        import yaml

        return yaml.safe_load(OVERLAY)
    return {"path": "fix.overlay.yaml", "Path": Path("fix.overlay.yaml"), "text": OVERLAY, "bytes": OVERLAY.encode()}[
        kind
    ]


@pytest.mark.parametrize("kind", ["path", "Path", "url", "mapping", "text", "bytes"])
def test_where_an_overlay_is_from(kind, vendor, httpserver):
    overlay = given(kind, httpserver)
    for overlays in ([overlay], overlay) if kind in {"path", "Path", "mapping"} else ([overlay],):
        assert ids(load("vendor.yaml", overlays=overlays if isinstance(overlays, list) else [overlays])) == [
            "getThing",
            "addedOne",
        ]
        assert "added_one" in dir(dynclient.load("vendor.yaml", overlays=overlays))


@pytest.mark.parametrize("version", ["swagger", "3.0.3", "3.1.0", "3.2.0"])
@pytest.mark.parametrize("kind", ["path", "mapping", "json", "url"])
def test_documents_of_all_kinds_and_versions(version, kind, vendor, httpserver):
    member = {"swagger": "2.0"} if version == "swagger" else {"openapi": version}
    paths = {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "ok"}}}}}
    document = {**member, "info": {"title": "t", "version": "1"}, "paths": paths}
    httpserver.expect_request("/d.json").respond_with_json(document)
    Path("d.json").write_text(json.dumps(document))
    source = {"path": "d.json", "mapping": document, "json": json.dumps(document), "url": httpserver.url_for("/d.json")}
    change = {"target": "$.paths['/a']", "update": {"delete": {"responses": {"200": {"description": "ok"}}}}}
    overlay = {"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [change]}
    assert [row.key for row in load(source[kind], overlays=[overlay]).rows] == ["GET /a", "DELETE /a"]
    assert [row.key for row in load(source[kind]).rows] == ["GET /a"]
    assert list(document["paths"]["/a"]) == ["get"]


def test_overlays_are_applied_in_order(vendor):
    def title(text):
        return {
            "overlay": "1.1.0",
            "info": {"title": "t", "version": "1"},
            "actions": [{"target": "$.info.title", "update": text}],
        }

    assert load("vendor.yaml", overlays=[title("a"), title("b")]).title == "b"
    assert load("vendor.yaml", overlays=[title("b"), title("a")]).title == "a"


@pytest.mark.parametrize("warm", [False, True])
def test_errors_point_into_the_file_that_a_member_came_from(vendor, warm, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", {})
    if warm:
        monkeypatch.setattr(cache, "_YOUNG", -(10**12))
        load("vendor.yaml", overlays=["fix.overlay.yaml"])
        monkeypatch.setattr(_load, "_HELD", {})
    client = dynclient.load("vendor.yaml", overlays=["fix.overlay.yaml"])
    with pytest.raises(RequestValidationError) as caught:
        client.get_thing.prepare(4)
    (fault,) = caught.value.errors
    assert fault.location == ("fix.overlay.yaml", "/actions/0/update/minimum", 6)
    with pytest.raises(ArgumentError, match=r"\(vendor.yaml, line 10, #/paths"):
        client.get_thing.prepare("x")
    explained = client.added_one.explain(q=1)
    assert [str(one.location) for one in (explained, *explained.ways)] == [
        "fix.overlay.yaml, line 10, #/actions/1/update/~1new/get",
        "fix.overlay.yaml, line 13, #/actions/1/update/~1new/get/parameters/0",
    ]


def test_a_broken_part_of_an_overlay_is_shown_there(vendor):
    Path("bad.yaml").write_text(OVERLAY.replace("in: query", "in: nowhere\n              required: true"))
    client = dynclient.load("vendor.yaml", overlays=["bad.yaml"])
    with pytest.raises(InvalidDocument) as caught:
        client.added_one.prepare(q=1)
    assert (caught.value.location.document, caught.value.location.line) == ("bad.yaml", 13)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.yaml: expected"),
        ("[1]", "bad.yaml is not an Overlay"),
        (OVERLAY.replace("$.paths.*", "$.paths[*"), "bad.yaml: action 1 `target: $.paths[*.get"),
        (OVERLAY.replace("minimum: 5", "minimum: &a [*a]"), "a value contains itself"),
        (OVERLAY.replace("minimum: 5", "minimum: " + "[" * 600 + "]" * 600), "nests deeper than 512"),
        (
            "a: &a0 [1,1]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 9)),
            "aliases",
        ),
        (OVERLAY + "x-a: 1\nx-a: 2\n", "duplicate key 'x-a'"),
    ],
)
def test_overlays_that_are_wrong_or_hostile(vendor, text, message):
    Path("bad.yaml").write_text(text)
    with pytest.raises(DynclientError) as caught:
        load("vendor.yaml", overlays=["bad.yaml"])
    assert message in str(caught.value)


def test_an_overlay_that_is_not_there(vendor):
    with pytest.raises(DynclientError, match=r"none.yaml: can't be read"):
        load("vendor.yaml", overlays=["none.yaml"])


def test_a_warm_load_reads_no_overlay_and_needs_no_library(vendor):
    program = (
        "import sys, dynclient; client = dynclient.load('vendor.yaml', overlays=['fix.overlay.yaml']);"
        "print(*sorted(client.operations), *(name for name in ('jsonpath_rfc9535', 'yaml') if name in sys.modules))"
    )
    for file in ("vendor.yaml", "fix.overlay.yaml"):
        os.utime(file, (10**9, 10**9))
    environment = {
        **os.environ,
        "DYNCLIENT_CACHE": str(vendor / "cache"),
        "PYTHONPATH": str(Path(dynclient.__file__).parent.parent),
    }

    def run():
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
        )
        return done.stdout.split()

    assert run() == ["added_one", "get_thing", "jsonpath_rfc9535", "yaml"]
    found = run()
    assert found == ["added_one", "get_thing"]
    Path("fix.overlay.yaml").write_text(OVERLAY.replace("addedOne", "addedTwo"))
    assert run()[0] == "added_two"


def test_reading_again(vendor):
    client = dynclient.load("vendor.yaml", overlays=["fix.overlay.yaml"])
    assert not client.reload()
    Path("fix.overlay.yaml").write_text(OVERLAY.replace("addedOne", "addedTwo"))
    assert client.reload()
    assert "added_two" in dir(client)
    Path("vendor.yaml").write_text(DOCUMENT.replace("getThing", "getOne"))
    assert client.reload()
    assert {"get_one", "added_two"} <= set(dir(client))


def test_a_url_and_a_mapping_are_read_again_with_their_overlays(vendor, httpserver):
    httpserver.expect_request("/v.yaml").respond_with_data(DOCUMENT, headers={"ETag": '"1"'})
    clients = [
        dynclient.load(source, overlays=["fix.overlay.yaml"])
        for source in (httpserver.url_for("/v.yaml"), json.loads(json.dumps(__import__("yaml").safe_load(DOCUMENT))))
    ]
    assert not any(client.reload() for client in clients)
    Path("fix.overlay.yaml").write_text(OVERLAY.replace("addedOne", "addedTwo"))
    assert all(client.reload() for client in clients)
    assert all("added_two" in dir(client) for client in clients)


def test_a_pickled_client_has_its_overlays(vendor, monkeypatch):
    client = dynclient.load("vendor.yaml", overlays=["fix.overlay.yaml"])
    text = pickle.dumps(client)
    (vendor / "below").mkdir()
    monkeypatch.chdir(vendor / "below")
    assert "added_one" in dir(pickle.loads(text))
    Path("../fix.overlay.yaml").write_text(OVERLAY.replace("minimum: 5", "minimum: 6"))
    with pytest.raises(DynclientError, match="has changed since"):
        pickle.loads(text)


def test_a_compiled_document(vendor):
    form = compiled("vendor.yaml", overlays=["fix.overlay.yaml"])
    assert str(vendor).encode() not in form
    client = dynclient.load(form)
    assert "added_one" in dir(client)
    with pytest.raises(RequestValidationError) as caught:
        client.get_thing.prepare(4)
    assert caught.value.errors[0].location == ("fix.overlay.yaml", "/actions/0/update/minimum", None)
    with pytest.raises(ArgumentError, match="a compiled document takes no overlays"):
        dynclient.load(form, overlays=["fix.overlay.yaml"])


@pytest.mark.parametrize("overlays", [1, [1], [["a"]], [["a", True, 2]]])
def test_a_compiled_document_that_lies_about_its_overlays(vendor, overlays):
    form = compiled("vendor.yaml", overlays=["fix.overlay.yaml"])
    from dynclient._document.compiled import Bytes, opened

    lying = b"".join(opened(Bytes(form)).noted(overlays=overlays))
    with pytest.raises(DynclientError):
        dynclient.load(lying).get_thing.prepare(4)
    few = b"".join(opened(Bytes(form)).noted(origins=[0, 5, 0]))
    with pytest.raises(DynclientError, match="damaged"):
        dynclient.load(few).get_thing.prepare(4)


def test_a_number_that_is_too_long(vendor):
    actions = [{"target": "$.info", "update": {"x-a": 10**5000}}]
    with pytest.raises(DynclientError, match="can't take overlays, or be one"):
        load("vendor.yaml", overlays=[{"overlay": "1.1.0", "info": {"title": "", "version": ""}, "actions": actions}])


def test_what_selects_nothing_is_warned_of(vendor, caplog):
    Path("fix.overlay.yaml").write_text(OVERLAY + "  - {target: $.pathz, remove: true}\nextends: other.yaml\n")
    load("vendor.yaml", overlays=["fix.overlay.yaml"], cache=False)
    assert "fix.overlay.yaml, line 17, #/actions/2: the target $.pathz selects nothing" in caplog.text
    assert "fix.overlay.yaml, line 18, #/extends: it was made for other.yaml, but is applied to file:" in caplog.text


def test_without_the_library(vendor, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("jsonpath_rfc9535", "dynclient._overlays"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jsonpath_rfc9535", None)
    with pytest.raises(
        ArgumentError, match=r"overlays need jsonpath_rfc9535\nHint: pip install 'dynclient\[overlay\]'"
    ):
        load("vendor.yaml", overlays=["fix.overlay.yaml"], cache=False)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_an_overlay_says_of_lists_and_waits_is_read(version, vendor):
    items = {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
    query = [{"name": "c", "in": "query", "schema": {"type": "string"}}]
    operation = {"operationId": "list", "parameters": query, "responses": items}
    document = {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": operation}}}
    dialect = {"items": "$.rows", "next": "query c <- $.cursor"}
    waits = {"status": "$.state", "success": ["done"]}
    overlay = {
        "overlay": "1.1.0",
        "info": {"title": "t", "version": "1"},
        "actions": [{"target": "$.paths['/a'].get", "update": {"x-pagination": dialect, "x-waiter": waits}}],
    }
    Path("d.yaml").write_text(json.dumps(document))
    Path("p.yaml").write_text(json.dumps(overlay, indent=1))
    client = dynclient.load("d.yaml", overlays=["p.yaml"])
    found = client.list.pagination
    assert (found.items, found.confidence, found.evidence[0].location.document) == ("$.rows", "certain", "p.yaml")
    assert client.list.waiter is not None
    assert dynclient.load("d.yaml").list.pagination is None
