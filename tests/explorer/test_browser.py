"""The explorer in a real browser: the walk of a user, the keyboard alone, what a page may load, and how large it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = "axe-core@4"
LARGE = [
    ("petstore", "find pets by status", "find_pets_by_status"),
    ("github", "create an issue", "issues_create"),
    ("stripe", "create customer", "post_customers"),
]

expect.set_options(timeout=20_000)

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not on PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Seen:
    """A page, with what it asked for and what went wrong."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("dialog", lambda dialog: self.wrong.append("a dialog") or dialog.dismiss())
        self.page.goto(url)

    def _said(self, message: Any) -> None:
        # What the browser says of answers that are errors is no fault of the page.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)

    def foreign(self, own: str) -> list[str]:
        return [url for url in self.asked if not url.startswith((own, "data:"))]


def opened(browser: Any, site: Any, path: str = "/", **options: Any) -> Seen:
    seen = Seen(browser, site.url + path, **options)
    if "java_script_enabled" not in options:
        seen.page.wait_for_selector(".row")
    return seen


def shows(page: Any, selector: str, text: str) -> None:
    """Wait until an element has this text in it. The page's policy forbids functions that are texts."""
    expect(page.locator(selector)).to_contain_text(text)


def valid(page: Any) -> None:
    shows(page, "#verdict", "valid")


@pytest.fixture
def demo(browser, explored) -> Iterator[Seen]:
    site = explored(mock=True)
    seen = opened(browser, site)
    yield seen
    assert seen.wrong == []
    assert seen.foreign(site.url) == []
    seen.context.close()


def test_the_walk(demo):
    page = demo.page
    page.fill("#search", "add a todo")
    shows(page, "#found", "found")
    page.click('.row[data-name="create_todo"]')
    valid(page)
    page.fill("#body", '{"title": 5}')
    page.wait_for_selector("#e-body .line")
    assert "title: must be a string" in page.inner_text("#e-body")
    page.fill("#body", '{"title": "Buy milk"}')
    valid(page)
    assert "create_todo(" in page.inner_text("#export")
    page.click("#tab-curl")
    assert page.inner_text("#export").startswith("curl -X POST")
    page.click("#send")
    page.click("#confirm-no")
    assert page.is_hidden("#answer")
    page.click("#send")
    assert "POST /todos" in page.inner_text("#confirm")
    page.click("#confirm-yes")
    page.wait_for_selector("#answer .s2")
    assert '"title": "Buy milk"' in page.inner_text("#answer-body")
    page.click("#send")  # the second time nobody is asked
    page.wait_for_selector("#answer .s2")
    page.click("#history-button")
    expect(page.locator("#history-list li")).to_have_count(2)
    page.click("#history-list button >> text=As a test >> nth=0")
    page.wait_for_selector("#history-list pre:not([hidden])")
    assert "def test_create_todo" in page.inner_text("#history-list pre >> nth=0")
    page.click("#history-list button >> text=Open >> nth=0")
    expect(page.locator("#body")).to_have_value(re.compile("Buy milk"))


def test_the_keyboard_alone(demo):
    page = demo.page
    page.keyboard.press("/")
    page.keyboard.type("get todo")
    page.keyboard.press("Enter")  # before the search has answered
    page.wait_for_selector('.operation[data-name="get_todo"]')
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.focus("#f-id")
    page.keyboard.press("Control+A")
    page.keyboard.type("x")
    page.wait_for_selector("#e-id .line")
    page.keyboard.press("Control+A")
    page.keyboard.type("999")
    valid(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#answer .s4")
    assert "NotFound" in page.inner_text("#answer")
    page.focus("#tab-dynclient")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-curl"
    page.focus("h1")
    page.keyboard.press("h")
    page.wait_for_selector("#history[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#history", state="hidden")


@pytest.mark.parametrize("name", ["by_cursor", "by_link"])
def test_a_list_goes_on_by_next_page_and_by_all_pages(browser, lists, name):
    seen = opened(browser, lists, f"/o/{name}")
    page = seen.page
    valid(page)
    page.click("#send")
    for number in (1, 2):
        shows(page, "#answer", f"page {number}")
        shows(page, "#answer-body", f'"id": {2 * number - 1}')
        page.click("#answer >> text=Next page")
    shows(page, "#answer-body", '"id": 4')
    expect(page.locator("#answer >> text=Next page")).to_have_count(0)
    page.click("#send")
    page.click("#answer >> text=All pages")
    shows(page, "#answer", "3 pages, the end")
    expect(page.locator("#answer .items li")).to_have_count(3)
    page.fill("#f-cursor", "2")
    valid(page)
    page.click("#send")
    shows(page, "#answer-body", '"id": 2')
    assert seen.wrong == []
    seen.context.close()


def test_links_theme_and_back(demo):
    page = demo.page
    page.click('.row[data-name="get_todo"]')
    page.wait_for_selector('.operation[data-name="get_todo"]')
    page.fill("#f-id", "7")
    page.click('.row[data-name="list_todos"]')
    page.wait_for_selector('.operation[data-name="list_todos"]')
    page.go_back()
    page.wait_for_selector('.operation[data-name="get_todo"]')
    assert page.input_value("#f-id") == "7"
    before = page.evaluate("document.documentElement.dataset.theme")
    page.click("#theme")
    page.reload()
    page.wait_for_selector('.operation[data-name="get_todo"]')
    assert page.evaluate("document.documentElement.dataset.theme") != before


@pytest.mark.parametrize("width", [360, 768, 1180, 1600])
def test_nothing_stands_out_of_the_page(browser, explored, width):
    seen = opened(browser, explored("openapi/voice.yaml"), "/o/create_call")
    seen.page.set_viewport_size({"width": width, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    if width == 360:
        assert seen.page.is_hidden("#search")
        seen.page.click("#menu")
        seen.page.click('.row[data-name="update_call"]')
        seen.page.wait_for_selector('.operation[data-name="update_call"]')
        assert seen.page.is_hidden("#search")
    seen.context.close()


def test_without_javascript(browser, explored):
    site = explored()
    seen = opened(browser, site, "/", java_script_enabled=False)
    seen.page.click('a[href="/all"]')
    seen.page.click('a[href="/o/get_todo"]')
    assert "/todos/{id}" in seen.page.inner_text("article")
    seen.context.close()


def test_the_link_opens_the_page_once(browser, explored):
    site = explored(token="a" * 32)
    seen = opened(browser, site, "/#" + "a" * 32)
    assert seen.page.url == f"{site.url}/"
    seen.page.reload()
    seen.page.wait_for_selector(".row")
    other = Seen(browser, site.url + "/#" + "a" * 32)
    shows(other.page, "#locked-text", "has been used")
    for each in (seen, other):
        assert each.wrong == []
        each.context.close()


def test_another_page_can_neither_send_nor_frame(browser, explored, tmp_path):
    site = explored()
    attacks = f"""<!doctype html><title>evil</title>
    <iframe src="{site.url}/" name="framed"></iframe>
    <form action="{site.url}/send/list_todos" method="post" enctype="text/plain" target="posted"><input name='{{"a' value='"}}'></form>
    <iframe name="posted"></iframe>
    <script>
    document.forms[0].submit();
    window.done = Promise.allSettled([
      fetch("{site.url}/send/list_todos", {{method: "POST", body: "{{}}", mode: "no-cors"}}),
      fetch("{site.url}/send/list_todos", {{method: "POST", body: "{{}}", headers: {{"Content-Type": "application/json", "X-Dynclient-Explorer": "1"}}}}),
      fetch("{site.url}/list").then((answer) => answer.text()),
    ]).then((all) => all.map((one) => one.status + ":" + (one.value?.type || one.value?.length || "")));
    </script>"""  # noqa: E501
    page_file = tmp_path / "evil.html"
    page_file.write_text(attacks)
    seen = Seen(browser, page_file.as_uri())
    assert set(seen.page.evaluate("window.done")) <= {"fulfilled:opaque", "rejected:"}  # nothing can be read
    framed = next(frame for frame in seen.page.frames if frame.name == "framed")
    assert framed.locator(".brand").count() == 0
    assert site.ask("GET", "/history").data == []
    seen.context.close()


@pytest.fixture(scope="module")
def axe(root) -> str:
    folder = root / "build" / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            pytest.skip("npm is not on PATH")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            pytest.skip("axe-core can't be had")
    return script.read_text()


@pytest.mark.large
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, explored, axe, theme):
    site = explored("openapi/voice.yaml", mock=True, auth=("user", "password"))
    seen = opened(browser, site, "/", color_scheme=theme, bypass_csp=True)
    page = seen.page
    page.evaluate(axe)
    found = []

    def look(where: str) -> None:
        serious = [one for one in page.evaluate("axe.run()")["violations"] if one["impact"] in {"serious", "critical"}]
        found.extend((where, one["id"], [node["target"] for node in one["nodes"]][:3]) for one in serious)

    look("start")
    page.click('.row[data-name="create_call"]')
    valid(page)
    look("operation")
    page.fill("#body", "{")
    page.wait_for_selector("#e-body .line")
    look("fault")
    page.fill("#body", '{"to": "+1", "from": "+2", "applicationId": "x", "answerUrl": "https://a.example/x"}')
    valid(page)
    page.check("#mock")
    page.click("#send")
    page.wait_for_selector("#answer .status")
    look("answer")
    page.click("#history-button")
    page.wait_for_selector("#history[open]")
    look("history")
    assert found == []
    seen.context.close()


def test_the_script_is_small(root):
    folder = Path(root) / "dynclient" / "explorer" / "static"
    assert sum(file.stat().st_size for file in folder.glob("*.js")) <= 60_000


@pytest.mark.large
@pytest.mark.skipif("DYNCLIENT_SHARED" not in os.environ, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize(("name", "words", "wanted"), LARGE)
def test_large_documents(browser, explored, shared, name, words, wanted):
    document = max((shared / "corpus" / name).iterdir(), key=lambda file: file.stat().st_size)
    site = explored(str(document), mock=True)
    seen = opened(browser, site)
    page = seen.page
    page.fill("#search", words)
    shows(page, "#found", "found")
    page.click(f'.row[data-name="{wanted}"]')
    valid(page)
    page.check("#mock")
    page.click("#send")
    page.wait_for_selector("#answer .status")
    assert page.locator("#answer .s2").count() == 1, page.inner_text("#answer")
    heap = page.evaluate("performance.memory.usedJSHeapSize")
    assert heap < 30 * 2**20
    assert (seen.wrong, seen.foreign(site.url)) == ([], [])
    seen.context.close()
