"""The pages have the contents of a generated SDK's pages, and are correct."""

from __future__ import annotations

import re
import time

import pytest
from dynclient_tools.docs import docs
from dynclient_tools.markdown import prose
from dynclient_tools.stubs import stubs

import dynclient
from dynclient.testing import serve

# The sections of one operation, in their order; a line has to begin so.
SECTIONS = (
    "## {name}",
    "> `{name}(",
    "### Examples",
    "```python",
    "#### Using the {name}_with_http_info variant",
    "This returns an `HTTPResult`",
    "> `{name}_with_http_info(",
    "```python",
    "### Parameters",
    "| Name | Type | Description | Notes |",
    "### Return type",
    "### Authorization",
    "### HTTP request headers",
    "- **Content-Type**: ",
    "- **Accept**: ",
)
OPERATIONS = ("create_call", "get_call_state", "update_call", "update_call_bxml")


@pytest.fixture(scope="module")
def page(voice_files):
    return voice_files["docs/CallsApi.md"]


def section_of(page, name):
    return re.split(r"^## ", page.split(f"\n## {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_head_of_the_page(page):
    lines = page.splitlines()
    assert lines[2] == "# Voice: Calls"
    assert "All URIs are relative to *https://voice.bandwidth.com/api/v2*" in lines
    assert "| Method | HTTP request | Description |" in lines
    row = "| [**create_call**](CallsApi.md#create_call) | **POST** /accounts/{accountId}/calls | Create Call |"
    assert row in lines


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_section_in_its_order(page, name):
    lines = iter([f"## {name}", *section_of(page, name).splitlines()])
    for expected in (section.format(name=name) for section in SECTIONS):
        assert any(line.startswith(expected) for line in lines), expected


def test_the_text_of_the_sections(page):
    create, bxml = section_of(page, "create_call"), section_of(page, "update_call_bxml")
    assert "[**CreateCallResponse**](CreateCallResponse.md)" in create
    assert "| **create_call** | [**CreateCall**](CreateCall.md) | " in create
    assert "[Basic](README.md#basic)" in create
    assert "- **Content-Type**: application/json\n- **Accept**: application/json" in create
    assert "None (empty response body)" in bxml
    assert "- **Content-Type**: application/xml" in bxml
    assert "- **Content-Type**: Not defined" in section_of(page, "get_call_state")


def test_links_lead_somewhere(voice_files):
    anchors = {
        name.removeprefix("docs/"): {
            re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        }
        for name, text in voice_files.items()
        if name.startswith("docs/")
    }
    for name, text in voice_files.items():
        if name.startswith("docs/"):
            for target, _, anchor in (link.partition("#") for link in re.findall(r"\]\(([^)]*)\)", text)):
                assert target in anchors, (name, target)
                assert not anchor or anchor in anchors[target], (name, target, anchor)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_examples_run(root, page, name, monkeypatch, capsys):
    snippets = re.findall(r"```python\n(.*?)\n```", section_of(page, name), re.DOTALL)
    monkeypatch.chdir(root)
    load = dynclient.load
    with serve("openapi/voice.yaml") as server:
        monkeypatch.setattr(dynclient, "load", lambda *args, **options: load(*args, base_url=server.url, **options))
        names: dict[str, object] = {}
        call = names.setdefault("made", load("openapi/voice.yaml", base_url=server.url, auth=("u", "p")))
        known = call.create_call(**call.create_call.example())["callId"]
        for snippet in snippets:
            exec(snippet.replace("c-15ac29a2-1331029c-2cb0-4a07-b215-b22865662d85", known), names)
        names["voice"].close()
        call.close()
    output = capsys.readouterr().out
    assert "Error" not in output
    assert output


def test_many_operations_without_tags_are_grouped_by_the_namespaces_of_their_paths():
    answer = {"responses": {"204": {"description": ""}}}
    paths = {f"/v1/{kind}/{number}": {"get": answer} for kind in ("cats", "dogs") for number in range(61)}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}
    with dynclient.load(document) as client:
        written = docs(client, "t.yaml")
    counts = {name: text.count("\n## ") for name, text in written.items() if name.endswith("Api.md")}
    assert counts == {"CatsApi.md": 60, "CatsPart2Api.md": 1, "DogsApi.md": 60, "DogsPart2Api.md": 1}
    index = re.findall(r"\]\((\w+\.md)#(\w+)\)", written["README.md"])
    assert len(index) == 122
    assert all(f"\n## {anchor}\n" in written[file] for file, anchor in index)


def test_operations_with_different_servers_say_which_is_theirs():
    answer = {"responses": {"204": {"description": ""}}}
    paths = {"/a": {"get": {"operationId": "a", "servers": [{"url": "https://a.example"}], **answer}}}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}}
    with dynclient.load({**document, "paths": {**paths, "/b": {"get": {"operationId": "b", **answer}}}}) as client:
        page = docs(client, "t.yaml")["DefaultApi.md"]
    assert "All URIs" not in page
    assert "The URI is relative to *https://a.example*." in section_of(page, "a")
    assert "The URI is relative to `base_url=`, since the document has no server." in section_of(page, "b")


def test_properties_of_a_body_without_a_name_are_listed():
    schema = {
        "type": "object",
        "required": ["a-b"],
        "properties": {"a-b": {"type": "integer", "minimum": 1, "description": "How many."}, "c": {"type": "string"}},
    }
    content = {"application/json": {"schema": schema}}
    post = {"operationId": "x", "requestBody": {"content": content}, "responses": {"204": {"description": ""}}}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/x": {"post": post}}}
    with dynclient.load(document) as client:
        page = docs(client, "t.yaml")["DefaultApi.md"]
    assert "| **a_b** | **int** | How many. | wire name a-b; &gt;= 1 |\n| **c** | **str** |  | \\[optional" in page


def test_an_operation_without_a_summary_is_listed_by_the_first_sentence_of_its_description():
    described = "<p>Lists 1.5 million things, e.g. x. It takes long.</p>"
    get = {"description": described, "responses": {"204": {"description": "-"}}}
    document = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/x": {"get": get}}}
    with dynclient.load(document) as client:
        pages = docs(client, "t.yaml")
    for name in ("README.md", "DefaultApi.md"):
        assert "| **GET** /x | Lists 1.5 million things, e.g. x. |\n" in pages[name]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>A <code>Charge</code>.</p><p><b>Note:</b> it <i>costs</i></p>", "A `Charge`.\n\n**Note:** it *costs*"),
        ('<a href="https://a.example/b">more</a>', "[more](https://a.example/b)"),
        ('<a href="javascript:alert(1)">more</a>', '&lt;a href="javascript:alert(1)"&gt;more&lt;/a&gt;'),
        ('as <a href="/docs/search#a">shown</a> <a href="#b">below</a>', "as shown below"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n\n- two"),
        ("<b onclick=x>a</b>", "&lt;b onclick=x&gt;a&lt;/b&gt;"),
        ("<p># a</p>", "\\# a"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
    ],
)
def test_simple_html_is_markdown(html, expected):
    assert str(prose(html)).strip() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [`List` things](https://a.example/b)", "see [`List` things](https://a.example/b)"),
        ("see [a\nthing](https://a.example/b)", "see [a\nthing](https://a.example/b)"),
        ("see [a\n\nthing](https://a.example/b)", "see \\[a\n\nthing\\](https://a.example/b)"),
        (r"short\_name and \[no link\](https://a.example)", r"short\_name and \[no link\](https://a.example)"),
        (r"a \<b\> \\ c", r"a &lt;b&gt; \\ c"),
        (r"C:\temp", r"C:\\temp"),
    ],
)
def test_a_documents_own_markdown_stays(text, expected):
    assert str(prose(text)) == expected


def test_llms_txt_leads_to_a_text_for_each_tag(voice_path):
    with dynclient.load(voice_path) as client:
        files = docs(client, "openapi/voice.yaml", llms=True)
    assert files["llms.txt"].startswith("# Voice ")
    assert "- [Calls](CallsApi.llms.txt): `create_call`, `get_call_state`" in files["llms.txt"]
    text = files["CallsApi.llms.txt"]
    assert '`import dynclient; voice = dynclient.load("openapi/voice.yaml")`' in text
    assert "- `call_id`: `str`, required. " in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## {name}" for name in OPERATIONS]


@pytest.mark.large
@pytest.mark.timeout(600)
def test_pages_and_stubs_of_five_thousand_operations_are_written_in_time():
    thing = {"$ref": "#/components/schemas/Thing"}
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ok = {"description": "It.", "content": {"application/json": {"schema": thing}}}
    paths = {
        f"/things{number}/{{id}}": {
            "get": {"operationId": f"get{number}", "parameters": [identifier], "responses": {"200": ok}}
        }
        for number in range(5000)
    }
    schemas = {"Thing": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}}}
    document = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": paths}
    with dynclient.load({**document, "components": {"schemas": schemas}}) as client:
        started = time.process_time()
        written = docs(client, "things.yaml")
        pages = time.process_time() - started
        typed = stubs(client, "things.yaml")
        # Seconds each, on a machine with nothing else to do; a step that is quadratic would take minutes.
        assert (pages < 60, time.process_time() - started - pages < 60) == (True, True)
    assert sum(text.count("(_Described):") for text in typed.values()) == 2 * 5000
    assert sum(text.count("\n## ") for text in written.values()) > 5000


def named(name):
    return {"$ref": f"#/components/schemas/{name}"}


def test_pages_of_a_query_language_that_contains_itself_are_written_in_time():
    """Containers of exactly one of many kinds, whose unions overlap, and whose defaults are wrong."""
    text = {"type": "string"}
    kinds = {
        f"Kind{number}": {
            "type": "object",
            "properties": {
                "mode": {"default": "NONE", "allOf": [named("Mode")]},
                "value": {"oneOf": [text, {**text, "nullable": True}]},
                "missing": {"oneOf": [{"type": "integer"}, {"type": "number"}, text, {"type": "boolean"}]},
                "filter": {"type": "array", "items": named("Query")},
                "inner": named("Query"),
            },
        }
        for number in range(20)
    }
    one = {"type": "object", "minProperties": 1, "maxProperties": 1}
    query = {**one, "properties": {name.lower(): named(name) for name in kinds}}
    sent = {"type": "object", "properties": {"query": named("Query"), "size": {"type": "integer"}}}
    answer = {"type": "object", "properties": {"hits": {"type": "array", "items": named("Query")}}}

    def content(schema):
        return {"description": "", "content": {"application/json": {"schema": schema}}}

    search = {"requestBody": content(sent), "responses": {"200": content(answer)}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "Search", "version": "1"},
        "paths": {f"/{number}": {"post": {"operationId": f"search{number}", **search}} for number in range(10)},
        "components": {"schemas": {"Mode": {**text, "enum": ["none", "avg"]}, "Query": query, **kinds}},
    }
    with dynclient.load(document) as client:
        started = time.process_time()
        written = docs(client, "search.json")
        # Two seconds on a slow machine; when each value was made and checked as a whole, they were twenty.
        assert time.process_time() - started < 10
    assert re.search(r'"query": \{\s+"kind0": \{\s+"mode": "none",\s+"value": null,\s', written["DefaultApi.md"])
