"""What a notebook shows: a real one is run, and its HTML is read."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from html.parser import HTMLParser

import pytest

CELLS = [
    "import dynclient\nvoice = dynclient.load('openapi/voice.yaml')\nvoice",
    "voice.operations",
    "voice.operations.search('bxml')",
    "voice.get_call_state",
    "dynclient.load('tests/cases/things.yaml').operations",
]


class Table(HTMLParser):
    """The texts of a table's cells, row by row; it fails where an element is not closed."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def shown(root):
    """What each cell shows, by media type."""
    with warnings.catch_warnings():
        # Jupyter's own libraries warn of each other; what the kernel runs is another process.
        warnings.simplefilter("ignore")
        import nbclient
        import nbformat

        made = nbformat.v4
        notebook = made.new_notebook(cells=[made.new_code_cell(source) for source in CELLS])
        nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(root)}}).execute()
    return [cell.outputs[0].data for cell in notebook.cells]


def test_a_client_and_its_operations_are_tables(shown):
    for data in shown[:2]:
        rows = Table(data["text/html"]).rows
        assert rows[:3] == [
            ["name", "method", "path", "summary"],
            ["Calls"],
            ["create_call", "POST", "/accounts/{accountId}/calls", "Create Call"],
        ]
        assert len(rows) == 6
        assert "create_call" in data["text/plain"]
        assert "\x1b" not in data["text/plain"]
    assert "Client of Voice 2.0.0: 4 operations" in shown[0]["text/html"]


def test_what_was_searched_for_comes_best_first(shown):
    assert Table(shown[2]["text/html"]).rows[1][0] == "update_call_bxml"


def test_an_operation_is_its_page(shown):
    assert shown[3]["text/plain"].startswith("get_call_state(account_id: str, call_id: str)")
    assert "\nExample:\n" in shown[3]["text/plain"]


def test_what_is_broken_is_marked(shown):
    rows = Table(shown[4]["text/html"]).rows
    assert [row[0] for row in rows if "broken" in row[-1]] == ["broken"]


def test_chromium_lays_the_tables_out(shown, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on PATH")
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text("<!doctype html><meta charset=utf-8>" + "".join(data.get("text/html", "") for data in shown))
    words = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    subprocess.run(
        [*words, f"--screenshot={picture}", "--window-size=1200,900", page.as_uri()],
        check=True,
        capture_output=True,
        timeout=60,
    )
    # A page on which nothing is drawn is a picture of one colour, which is a few kilobytes.
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
