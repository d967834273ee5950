"""Documents are untrusted text: in pages they stay text, in Python they stay data, and they can't name files."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from dynclient_tools import markdown, syntax
from dynclient_tools.docs import docs
from dynclient_tools.emitting import NotOurs, write
from dynclient_tools.rendering import literal
from dynclient_tools.stubs import stubs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import dynclient

TEXTS = (
    '"""\nimport os; os.system("touch pwned")\n"""',
    "'''\nraise SystemExit\n'''",
    "\\",
    '\\"""',
    '""\\"',
    "a\r\nimport os",
    "a\u2028import os\u2029import os\u0085import os\x0cimport os\x0bimport os",
    "{{ 7*7 }}{% for x in y %}{# c #}",
    "{{ ''.__class__.__mro__ }}",
    "*/ --> <!-- ]]> </script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "\\[click](javascript:alert(1))",
    "![x](data:text/html;base64,xx)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "a | b | c\n|---|---|---|\n| d",
    "```\n# not a heading",
    "~~~\n# not a heading",
    "# heading\n\nheading\n=======\n\nheading\n---",
    "    # code\n\n- [ ] task\n1. one",
    "../../x",
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "`a``b```",
    "%s {0} {x!r} f'{1}'",
    "\ud800",
)
IMPORTED = {
    *("collections.abc", "os", "typing", "typing_extensions", "dynclient", "dynclient.exceptions"),
    *("dynclient.changes", "dynclient.model", "dynclient.types"),
    *("dynclient.inspection", "models", "_operations_1", None),
}
HTML = (
    *(
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<p>",
        "</p>",
        "<li>",
        "<br/>",
        "<code>",
        "</code>",
        '<a href="https://a.example">',
    ),
    *("</a>", "<a href='javascript:x'>", "<script>", "x", " ", "\n", "# ", "---", "`", "*", "[", "](javascript:x)"),
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def hostile(text):
    """A document in which every text and every name that may be anything is this one."""
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": text, "summary": text, "description": text},
        "servers": [{"url": f"https://{name}.example", "description": text} for name in "ab"],
        "tags": [{"name": text, "description": text}],
        "security": [{"key": [text]}, {"key": [], "flow": [text]}],
        "paths": {"/x": {"post": _operation(text)}},
        "components": {
            "schemas": {"It": _schema(text), text: _schema(text)},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x", "description": text},
                "flow": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": text, "scopes": {text: text}}}},
            },
        },
    }


def _operation(text):
    content = {
        "application/json": {"schema": {"$ref": "#/components/schemas/It"}},
        "application/xml": {"schema": {"type": "string"}, "example": text},
    }
    answer = {
        "description": text,
        "content": content,
        "headers": {"X-Some": {"description": text, "schema": {"enum": [text]}}},
        "links": {text: {"operationId": text, "description": text, "parameters": {text: text}}},
    }
    return {
        "operationId": text,
        "tags": [text],
        "summary": text,
        "description": text,
        "deprecated": True,
        "parameters": [
            {"name": "q", "in": "query", "description": text, "schema": {"enum": [text]}, "required": True},
            {"name": text, "in": "query", "description": text, "schema": {"default": text}},
        ],
        "requestBody": {"description": text, "content": content},
        "responses": {"200": answer, "400": {"description": text}},
        "externalDocs": {"url": text},
        "callbacks": {text: {"https://a.example": {"post": {"responses": {"200": {"description": text}}}}}},
    }


def _schema(text):
    named = {"type": "string", "description": text, "default": text, "pattern": re.escape(text), "format": text}
    return {
        "type": "object",
        "title": text,
        "description": text,
        "required": [text],
        "properties": {
            text: named,
            "kind": {"enum": [text, "b"], "description": text},
            "inner": {"type": "object", "properties": {text: {"const": text}}},
        },
        "example": {text: text},
    }


@cache
def emitted(text):
    with dynclient.load(hostile(text)) as client:
        return docs(client, "x.yaml"), stubs(client, "x.yaml")


@pytest.fixture(scope="module")
def harmless():
    return emitted("harmless")


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_stubs_contain_no_other_code(text):
    _, package = emitted(text)
    for source in package.values():
        syntax.check(source)
        source.encode("utf-8")
        comments = [line for line in source.splitlines() if line.startswith("#")]
        assert len(comments) <= 3 or '"""' in source
    for node in (node for source in package.values() for node in ast.walk(ast.parse(source))):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = {node.module} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}
            assert modules <= IMPORTED
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", node.name)


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_pages_keep_their_structure(text, harmless):
    pages, _ = emitted(text)
    assert len(pages) == len(harmless[0])
    for (name, page), usual in zip(pages.items(), harmless[0].items(), strict=True):
        assert re.fullmatch(r"[A-Za-z0-9_]+\.md", name)
        found, expected = _structure(page), _structure(usual[1])
        assert found["headings"] == expected["headings"], name
        assert found["cells"] == expected["cells"], name
        assert found["html"] == 1, name  # the head of the file
        assert found["images"] == 0, name
        assert all(re.match(r"https?://|mailto:|[A-Za-z0-9_]+\.md(#|$)", link) for link in found["links"]), name
        page.encode("utf-8")
        assert not re.search("[\u202e\u2028\x00\x1b]", page)


def _structure(page):
    tokens = [token for block in MARKDOWN.parse(page) for token in (block, *(block.children or ()))]
    kinds = [token.type for token in tokens]
    return {
        "headings": kinds.count("heading_open"),
        "cells": kinds.count("td_open"),
        "html": kinds.count("html_block") + kinds.count("html_inline"),
        "images": kinds.count("image"),
        "links": [str(token.attrGet("href")) for token in tokens if token.type == "link_open"],
    }


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=40) | st.text("a#-+=*_`[]()<>!|\\~&;:1. \n", max_size=20)
)
def test_text_is_shown_unchanged(value):
    (token,) = [token for token in MARKDOWN.parse(str(markdown.text(f"x{value}"))) if token.type == "inline"] or [None]
    assert token is not None
    assert {child.type for child in token.children or ()} <= {"text", "text_special"}
    shown = "".join(child.content for child in token.children or ())
    printable = "".join(
        c if c.isprintable() or c.isspace() else c.encode("unicode_escape").decode() for c in f"x{value}"
    )
    assert shown == " ".join(printable.split())


@settings(max_examples=300, deadline=None)
@given(
    st.text("a#-+=*_`[]()<>!|\\~&;:1. \nhttps://", max_size=60)
    | st.text("a#-+=*1. \n\t", max_size=12)
    | st.text("`~ a\n<[](:", max_size=16)
    | st.lists(st.sampled_from(HTML), max_size=8).map("".join)
)
@example("- #")
@example("1\n-\n=")
def test_prose_makes_no_html_and_no_headings(value):
    found = _structure(str(markdown.prose(value)))
    assert (found["html"], found["images"], found["headings"]) == (0, 0, 0)
    assert all(re.match(r"https?://|mailto:", link) for link in found["links"])


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(_VALUES)
def test_values_in_examples_are_those_values(value):
    assert ast.literal_eval(literal(value)) == value


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_a_docstring_is_that_text(value):
    source = syntax.source(
        syntax.class_of("A", [], [syntax.annotated("a", "int"), *syntax.text(f"y{value}")], f"x{value}")
    )
    doc, _, attribute = ast.parse(source).body[0].body
    assert (doc.value.value, attribute.value.value) == (f"x{value}", f"y{value}")


@pytest.mark.parametrize("name", ["a b", "a\nb", "a: int", "class", "", "a..b", "a, b", "A)"])
def test_no_text_is_written_as_a_name(name):
    for builder in (
        lambda: syntax.annotated(name, "int"),
        lambda: syntax.class_of(name, [], []),
        lambda: syntax.arguments_of("self", [(name, "int", True)]),
        lambda: syntax.function(name, "", "None"),
    ):
        with pytest.raises(syntax.Unsafe):
            builder()


def test_files_that_were_not_generated_stay(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(NotOurs):
        write(tmp_path, {"A.md": "Generated by dynclient", "README.md": "Generated by dynclient"})
    assert not (tmp_path / "A.md").exists()
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotOurs):
        write(tmp_path, {"README.md": "Generated by dynclient"})
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["con", "NUL", "Com1", "x" * 5000, "\u0130", "../x", "."])
def test_a_schema_of_any_name_has_a_valid_file_name(name, tmp_path):
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/" + name.replace("/", "~1")}}}
    operation = {"tags": [name], "responses": {"200": {"description": "", "content": content}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/x": {"get": operation}},
        "components": {"schemas": {name: {"type": "object", "properties": {"a": {"type": "string"}}}}},
    }
    with dynclient.load(document) as client:
        pages = docs(client, "x.yaml")
    write(tmp_path / "pages", pages)
    assert len(pages) == 3
    for page in pages:
        assert len(page) <= 150
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d)\.", page, re.IGNORECASE)


@pytest.mark.parametrize("name", ["../x", "/x", "a/b/c", "a/../b", "a/", "", ".x", "a\0", "a\n"])
def test_a_path_is_not_a_file_name(tmp_path, name):
    with pytest.raises(ValueError, match="not a file name"):
        write(tmp_path, {name: ""})


def test_files_are_written_again(tmp_path):
    first = write(tmp_path / "new", {"A.md": "Generated by dynclient 1"})
    assert write(tmp_path / "new", {"A.md": "Generated by dynclient 2"}) == first
    assert first[0].read_text() == "Generated by dynclient 2"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["A.md"]
