"""The HTML that a real notebook shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
from html import unescape
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


# The page tells of itself: how cells are laid out, and the least contrast of a text with the page (WCAG 2.2).
LOOK = """
<script>
const light = text => {
  const part = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = text.match(/[0-9.]+/g).map(Number);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const cells = [...document.querySelectorAll("td, th")];
const page = matchMedia("(prefers-color-scheme: dark)").matches ? light("18, 18, 18") : light("255, 255, 255");
const contrasts = cells.map(cell => {
  const [low, high] = [light(getComputedStyle(cell).color), page].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
});
document.title = JSON.stringify({
  aligned: [...new Set(cells.map(cell => getComputedStyle(cell).textAlign))],
  width: document.documentElement.scrollWidth,
  lines: Math.max(...[...document.querySelectorAll("td")].map(cell => cell.offsetHeight)),
  contrast: Math.min(...contrasts),
  broken: getComputedStyle(document.querySelector(".broken td")).color,
  dark: page < 0.5,
});
</script>
"""
# As a notebook's own style has it.
AROUND = (
    "<meta name=color-scheme content='light dark'>"
    "<style>body {font: 14px sans-serif}"
    "html body table tbody tr td, html body table th {text-align: right; white-space: nowrap; max-width: 20em}</style>"
)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1200,1100",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_lays_the_tables_out(shown, root, tmp_path, scheme):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on PATH")
    page, picture = tmp_path / "page.html", root / "build" / f"notebook-{scheme}.png"
    picture.parent.mkdir(exist_ok=True)
    picture.unlink(missing_ok=True)
    tables = "".join(data.get("text/html", "") for data in shown)
    page.write_text(f"<!doctype html><meta charset=utf-8>{AROUND}{tables}{LOOK}", encoding="utf-8")
    words = [chromium, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={picture}", "--dump-dom"]
    if scheme == "dark":
        words.append("--blink-settings=preferredColorScheme=0")
    done = subprocess.run([*words, page.as_uri()], check=True, capture_output=True, text=True, timeout=90)
    seen = json.loads(unescape(re.search("<title>(.*?)</title>", done.stdout)[1]))
    assert seen["dark"] is (scheme == "dark")
    assert seen["aligned"] == ["left"]
    assert seen["width"] <= 1200
    assert seen["lines"] < 40  # every row is one line high
    assert seen["broken"] == "rgb(217, 54, 62)"
    assert seen["contrast"] > 4  # WCAG asks for 3 of large text and for 4.5 of small; [broken] is said in words too
    # A page on which nothing is drawn is a picture of one colour, which is a few kilobytes.
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000
