"""Names, texts and numbers of documents and servers: shown in one line, escaped, and never a foreign error."""

from __future__ import annotations

import json
import logging
import pydoc
import re
from html import unescape

import pytest
import yaml
from dynclient_tools.docs import docs, navigation
from dynclient_tools.stubs import stubs
from markdown_it import MarkdownIt

import dynclient
from dynclient import Retry, Timeout, cli
from dynclient.exceptions import ArgumentError, DynclientError, ResponseValidationError
from dynclient.testing import MockTransport

EVIL = "x\x1b[2J\u202e\r\n\nEvil: 1"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
OBJECT = {"type": "object", "properties": {EVIL: {"type": "integer"}}, "additionalProperties": {"type": "integer"}}


def document(schema=None, **more):
    operation = {"operationId": "go", "responses": {"200": {"description": "d"}}, **more}
    if schema is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "http://127.0.0.1:9"}],
        "paths": {"/x": {"post": operation}},
    }


def evil(text=EVIL):
    parameter = {"name": text, "in": "query", "description": text, "schema": {"type": "integer", "default": text}}
    answer = {"description": text, "content": {"application/json": {"schema": OBJECT}}}
    made = document(operationId=text, summary=text, tags=[text], security=[{text: [text]}])
    made["paths"]["/x"]["post"] |= {"parameters": [parameter], "responses": {"200": answer}}
    schemes = {text: {"type": "http", "scheme": "bearer"}}
    return {**made, "info": {"title": text, "version": text}, "components": {"securitySchemes": schemes}}


def only(client):
    return next(iter(client.operations.values()))


def test_what_is_shown_of_an_evil_document():
    client = dynclient.load(evil(), validate="warn")
    method = only(client)
    shown = [pydoc.plain(pydoc.render_doc(method)), method.__doc__, repr(method), repr(client), repr(client.api)]
    shown += [repr(client.operations), str(method.explain()), *docs(client, "d.json").values()]
    for ask in (lambda: method(zz=1), lambda: method(**{EVIL: "no"}), lambda: client.operations["zz"]):
        with pytest.raises(DynclientError) as raised:
            ask()
        shown.append(str(raised.value))
    for text in shown:
        assert not CONTROLS.search(text)
        assert not re.search(r"^\W*Evil: 1", text, re.MULTILINE)


def test_a_log_and_an_error_stay_in_their_lines(httpserver, caplog):
    caplog.set_level("DEBUG", "dynclient")
    httpserver.expect_request("/x").respond_with_json({EVIL: "text", "more" + EVIL: "text"})
    source = {**evil(), "security": []}
    source["paths"]["/x"]["post"]["security"] = []
    client = dynclient.load(source, base_url=httpserver.url_for(""), validate="warn")
    only(client)(**{EVIL: "no"})
    with pytest.raises(ResponseValidationError) as raised:
        only(client.with_options(validate="strict"))()
    assert "Evil: 1" in str(raised.value)
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("dynclient")]
    for text in (str(raised.value), *logged):
        assert not CONTROLS.search(text)
        assert not re.search(r"^\W*Evil: 1", text, re.MULTILINE)
    assert not any("\n" in text for text in logged)
    assert len(logged) > 3


def test_a_logger_formats_what_is_a_percent_sign():
    from dynclient._escaping import logger

    logging.getLogger("dynclient").addHandler(handler := logging.NullHandler())
    record = logging.LogRecord("dynclient", logging.INFO, "", 1, "%s", ("100% \n%s",), None)
    assert logger().filter(record)
    assert record.getMessage() == "100% \\n%s"
    logging.getLogger("dynclient").removeHandler(handler)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))![b](javascript:x)"


def test_pages_hold_no_script_when_they_are_rendered():
    source = evil(HOSTILE)
    source["info"]["description"] = source["paths"]["/x"]["post"]["description"] = f"{HOSTILE}\n\n    {HOSTILE}\n"
    source["components"]["schemas"] = {"S": {"title": HOSTILE, "description": HOSTILE, "enum": [HOSTILE]}}
    pages = docs(dynclient.load(source), "d.json")
    for page in pages.values():
        rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(page)
        assert not re.search(r"<(script|img|iframe)|(href|src)=\"javascript", rendered, re.IGNORECASE)
    assert any("alert(1)" in page for page in pages.values())


@pytest.mark.parametrize(
    "title", ["API \U0001f600", "<script>x</script>", "a\x1b\x85\u2028\ud800b", "a\nnav: b", 'q"&\\']
)
def test_titles_in_the_configuration_of_mkdocs(title):
    source = {**document(tags=[title]), "info": {"title": title, "version": "1"}}
    read = yaml.safe_load(navigation(dynclient.load(json.dumps(source)), "d.json", "docs"))
    names = [read["site_name"], *(name for entry in read["nav"] for name in entry)]
    assert not any("<" in name or CONTROLS.search(name) for name in names)
    if title.isprintable():
        assert unescape(read["site_name"]) == title


def nested(count, make, value):
    for _ in range(count):
        value = make(value)
    return value


HUGE, LONE = 10**400, "\ud800"
DEEP = nested(490, lambda value: [value], 1)
EXTREMES = {
    "minimum": document({"type": "number", "minimum": HUGE}),
    "minimum of integers": document({"type": "integer", "minimum": HUGE}),
    "multipleOf": document({"type": "number", "multipleOf": HUGE}),
    "exclusive": document({"type": "number", "exclusiveMinimum": -HUGE - 1, "exclusiveMaximum": -HUGE}),
    "minLength": document({"type": "string", "minLength": HUGE}),
    "example": document({"type": "object", "example": nested(495, lambda value: {"a": value}, 1)}),
    "enum": document({"enum": [DEEP]}),
    "default": document({"default": DEEP}),
    "anyOf": document(nested(240, lambda value: {"anyOf": [value]}, {"type": "string"})),
    "items": document(nested(240, lambda value: {"type": "array", "items": value}, {"type": "string"})),
    "lone title": {**document(), "info": {"title": LONE, "version": LONE}},
    "lone path": {**document(), "paths": {f"/{LONE}": document()["paths"]["/x"]}},
    "lone server": {**document(), "servers": [{"url": f"http://h/{LONE}"}]},
    "lone names": evil(LONE),
    "lone pattern": document({"type": "string", "pattern": LONE}),
    "lone example": document({"type": "string", "example": LONE}),
    "lone property": document({"required": [LONE], "properties": {LONE: {"enum": [LONE]}}}),
    "lone media type": document(requestBody={"content": {f"text/{LONE}": {}}}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_end_in_a_value_or_an_error_of_ours(name, capsys, tmp_path):
    text = json.dumps(EXTREMES[name])
    file = tmp_path / "d.json"
    file.write_text(text)
    client = dynclient.load(text, transport=MockTransport(text))
    method = only(client)
    asks = [
        method.example, lambda: method.__doc__, lambda: repr(method), lambda: method.__signature__,
        lambda: [page.encode() for page in docs(client, "d").values()],
        lambda: [page.encode() for page in stubs(client, "d").values()],
        lambda: method(**method.example()), lambda: method.prepare(**method.example()).to_curl(),
    ]  # fmt: skip
    for ask in asks:
        try:
            ask()
        except DynclientError as error:
            assert str(error)
    for words in (("ls", file), ("ls", file, "-o", "json"), ("show", file, method.__name__)):
        assert cli.main(list(map(str, words))) in {0, 1}
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "timeout",
    [
        float("nan"),
        float("inf"),
        0,
        -1,
        10**400,
        True,
        "1",
        Timeout(total=float("nan")),
        Timeout(total="x"),
        Timeout(read=-1),
        Timeout(pool=0),
        Timeout(connect=float("inf")),
    ],
)
def test_a_timeout_is_a_time(timeout):
    with pytest.raises(ArgumentError, match="positive number of seconds"):
        dynclient.load(document(), timeout=timeout)
    with pytest.raises(ArgumentError, match="positive number of seconds"):
        dynclient.load(document()).go.with_options(timeout=timeout)


def test_a_wait_of_retries_is_a_time():
    with pytest.raises(ArgumentError, match=r"Retry\(max_delay=\.\.\.\) must be a number from 0, not nan"):
        dynclient.load(document(), retry=Retry(max_delay=float("nan")))


@pytest.mark.parametrize("url", ["htp://user:canary@host/x", "user:canary@host", "http://u:canary@ho st:99999/"])
def test_a_password_in_a_mistyped_url_is_not_shown(url):
    for options in ({"base_url": url}, {"allow_origins": [url]}):
        with pytest.raises(DynclientError) as raised:
            dynclient.load(document(), **options)
        assert "canary" not in str(raised.value) + repr(vars(raised.value))
    with pytest.raises(DynclientError) as raised:
        dynclient.load({**document(), "servers": [{"url": url}]}).go()
    assert "canary" not in str(raised.value)
