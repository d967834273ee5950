"""Hooks of mkdocs: pages of the site that lie outside ``docs/``, and links to files that are not in the site.

``mkdocs.yml`` names this file. The address of the repository is in ``pyproject.toml`` alone.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
# A page of the site, and the file of the repository that it shows.
PAGES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "benchmarks.md": "benchmarks/README.md",
    "benchmarks-notes.md": "benchmarks/notes.md",
}
LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)#\s]+)")


def on_config(config: Any) -> Any:
    """Take the address of the repository from ``[project.urls]``."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    config.repo_url, config.repo_name = settings["project"]["urls"]["Repository"], "Repository"
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Add the pages that lie outside ``docs/``."""
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Turn relative links of the repository into links to pages of the site, or else to the repository."""
    # The README's links are absolute, since it is shown elsewhere too.
    markdown = re.sub(rf"\]\({re.escape(config.site_url)}([\w/-]+)/\)", r"](docs/\1.md)", markdown)
    markdown = markdown.replace(f"]({config.site_url}pictures/", "](docs/pictures/")
    here = page.file.src_uri
    if here.startswith("api/") or here == "changelog.md":
        page.meta["search"] = {"boost": 0.3}  # guides are found first
    folder = posixpath.dirname(PAGES.get(here, f"docs/{here}"))
    pages = {source: name for name, source in PAGES.items()}

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found[1]))
        name = pages.get(target, target.removeprefix("docs/"))
        if name in files.src_uris:
            return posixpath.relpath(name, posixpath.dirname(here) or ".")
        return f"{config.repo_url}/blob/main/{target}" if (ROOT / target).exists() else found[1]

    return LINK.sub(replaced, markdown)
