"""mkdocs builds the pages strictly: every link has a target, and every page is in the navigation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynclient.cli import main


def built(document: Path, folder: Path, theme: str = "mkdocs") -> tuple[str, set[str], set[str]]:
    """What mkdocs says, the pages that were written, and those that it made of them."""
    pages = folder / "docs"
    options = ["--mkdocs", str(folder / "mkdocs.yml"), "--theme", theme]
    assert main(["docs", str(document), "--out", str(pages), *options]) == 0
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(folder / "mkdocs.yml")]
    # mkdocs-material advertises its successor otherwise.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=environment)
    made = {path.parent.name for path in (folder / "site").glob("*/index.html")}
    # Of an anchor that is not there it tells as information, even where it is strict.
    usual = r"^INFO +- +(Cleaning site directory|Building documentation to directory|Documentation built in).*\n?"
    said = re.sub(usual, "", done.stdout + done.stderr, flags=re.MULTILINE)
    return said, {path.stem for path in pages.glob("*.md")} - {"README"}, made


@pytest.mark.parametrize(("name", "theme"), [("voice", "mkdocs"), ("orders", "mkdocs"), ("voice", "material")])
def test_mkdocs_builds_the_pages_strictly(root, tmp_path, name, theme):
    said, written, made = built(root / "openapi" / f"{name}.yaml", tmp_path, theme)
    assert said == ""
    assert len(written) > 5
    assert written <= made
    front = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert all(f'href="{page}/"' in front for page in made & written)
    assert 'href="pages.css"' in front
    assert (tmp_path / "site" / "pages.css").is_file()
    # A reader's browser asks no other site for anything.
    fetched = re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"(\w+:)?//", front)
    assert not fetched


def test_a_configuration_belongs_to_its_pages(root, tmp_path, capsys):
    configuration = tmp_path / "mkdocs.yml"
    for folder, status in (("a", 0), ("a", 0), ("b", 1)):
        options = ["--out", str(tmp_path / folder), "--mkdocs", str(configuration)]
        assert main(["docs", str(root / "openapi" / "voice.yaml"), *options]) == status
    assert 'is for the pages in "a"' in capsys.readouterr().err
    assert 'dynclient.load("voice.yaml")' in (tmp_path / "a" / "README.md").read_text("utf-8")


def test_mkdocs_reports_a_broken_link(root, tmp_path):
    assert built(root / "openapi" / "voice.yaml", tmp_path)[0] == ""
    with (tmp_path / "docs" / "CallsApi.md").open("a") as page:
        page.write("\n[gone](Gone.md)\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(tmp_path / "mkdocs.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "Gone.md" in done.stderr


@pytest.mark.large
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["stripe/spec3.json", "github/api.github.com.json"])
def test_mkdocs_builds_large_ones_too(shared, tmp_path, name):
    said, written, made = built(shared / "corpus" / name, tmp_path)
    assert said == ""
    assert len(written) > 100
    assert written <= made
