"""The hints of lists: ``paginate`` has the call's arguments, its own options, and the type of an item."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dynclient_tools.emitting import write
from dynclient_tools.stubs import stubs

import dynclient

ISSUE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
REFERENCE = {"type": "array", "items": {"$ref": "#/components/schemas/Issue"}}
ANSWERS = {
    "named": {"type": "object", "properties": {"data": REFERENCE, "next_cursor": {"type": "string"}}},
    "unclear": {"type": "object", "properties": {"a": {"type": "array"}, "b": {"type": "array"}, "next_cursor": {}}},
    "single": {"type": "object", "properties": {"id": {"type": "integer"}}},
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Lists", "version": "1"},
    "servers": [{"url": "https://a.test"}],
    "components": {"schemas": {"Issue": ISSUE}},
    "paths": {
        f"/{name}": {
            "get": {
                "operationId": name,
                "parameters": [
                    {"name": one, "in": "query", "schema": {"type": "string"}} for one in ("cursor", "unique")
                ],
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
            }
        }
        for name, schema in ANSWERS.items()
    },
}
USED = """\
from typing import Any
import lists
from dynclient.types import AsyncPages, Page, Pages, Pagination
from typing_extensions import assert_type

def used(client: lists.Client) -> None:
    pages = client.named.paginate(cursor="a", unique="own", unique_="id", page_size="max", by={"items": "$.data"})
    assert_type(pages, Pages[lists.Issue])
    for issue in pages:
        assert_type(issue["id"], int)
    for page in pages.pages():
        assert_type(page, Page[lists.Issue])
        assert_type(page.items, tuple[lists.Issue, ...])
    assert_type(pages.first(2), list[lists.Issue])
    assert_type(client.unclear.paginate(), Pages[Any])
    assert_type(client.named.pagination, Pagination | None)
    client.named.paginate(page_sise=1)  # type: ignore[call-arg]
    client.named.paginate(on_repeat="go")  # type: ignore[arg-type]
    client.single.paginate()  # type: ignore[attr-defined]

async def awaited(client: lists.AsyncClient) -> None:
    pages = client.named.paginate()
    assert_type(pages, AsyncPages[lists.Issue])
    async for issue in pages:
        assert_type(issue, lists.Issue)
    assert_type(await pages.to_list(max_items=2), list[lists.Issue])
"""


def test_paginate_gives_pages_of_the_item():
    (operations,) = (
        text for name, text in stubs(dynclient.load(DOCUMENT), "lists.yaml").items() if "operations_" in name
    )
    written = [line.strip() for line in operations.splitlines() if "def paginate" in line]
    items = ["Pages[Issue]", "AsyncPages[Issue]", "Pages[Any]", "AsyncPages[Any]"]
    assert [line.partition(" -> ")[2].partition(":")[0] for line in written] == items
    assert "unique: str=..., by: " in written[0]
    assert "unique_: str | None=..." in written[0]


@pytest.mark.large
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_type_checkers_take_the_hints(tmp_path, checker):
    write(tmp_path / "lists", stubs(dynclient.load(DOCUMENT), "lists.yaml"))
    (tmp_path / "used.py").write_text(USED)
    (tmp_path / "pyrightconfig.json").write_text('{"reportUnnecessaryTypeIgnoreComment": true}')
    options = ["--strict", "--cache-dir", str(tmp_path)] if checker == "mypy" else ["--pythonpath", sys.executable]
    found = subprocess.run(
        [sys.executable, "-m", checker, *options, "used.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
