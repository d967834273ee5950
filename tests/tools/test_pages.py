"""The pages have what a generated SDK's pages have, and what they say is so."""

from __future__ import annotations

import re

import pytest

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


def test_what_the_sections_say(page):
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
