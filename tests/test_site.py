"""The manual's site builds strictly, its internal links lead somewhere, and its reference has every public name."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import unittest.mock
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import dynclient

pytestmark = pytest.mark.large
MODULES = [
    "bulk",
    "changes",
    "explorer",
    "mcp",
    "options",
    "security",
    "telemetry",
    "testing",
    "transports",
    "webhooks",
]


class Page(HTMLParser):
    """The anchors of a page, and the targets of its links, pictures and scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in {"href", "src"}:
                self.targets.append(value or "")


@pytest.fixture(scope="module")
def site(root: Path) -> dict[Path, Page]:
    """Each page that mkdocs has written into build/site."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    # mkdocs-material advertises its successor otherwise.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path: Page(path) for path in (root / "build" / "site").rglob("*.html")}


def test_every_internal_link_leads_somewhere(site: dict[Path, Page]):
    broken = []
    for path, page in site.items():
        if path.name == "404.html":  # its links are of the site's root, wherever it is shown
            continue
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            other = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            other = other / "index.html" if other.is_dir() else other
            fragment = unquote(parts.fragment)
            if not other.exists() or (fragment and other in site and fragment not in site[other].ids):
                broken.append(f"{path.parent.name}: {target}")
    assert len(site) > 30
    assert broken == []


def test_the_reference_has_every_public_name(site: dict[Path, Page]):
    shown = set().union(*(page.ids for path, page in site.items() if "api" in path.parts))
    missing = []
    for module in [dynclient, *(importlib.import_module(f"dynclient.{name}") for name in MODULES)]:
        for name in module.__all__:
            value = getattr(module, name)
            places = {module.__name__, "dynclient.security", getattr(value, "__module__", "")}
            if value is not unittest.mock.ANY and not {f"{place}.{name}" for place in places} & shown:
                missing.append(f"{module.__name__}.{name}")
    assert missing == []
