"""Two environments of jinja2: one writes Markdown, one writes Python.

Rule 1: templates ship with the package, and a user may put others in their place; a document's text is only ever
data.
Rule 2: what is written by an expression is escaped unless it is Markup: as Markdown in pages; in Python, where only
syntax trees are written, anything else is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from dynclient_tools import markdown


def pages(templates: Path | None = None) -> SandboxedEnvironment:
    """The environment of Markdown pages."""
    environment = _environment(_as_markdown, templates)
    environment.filters.update(
        cell=markdown.cell, code=markdown.code, fence=markdown.fence, prose=markdown.prose, slug=markdown.slug
    )
    return environment


def sources(templates: Path | None = None) -> SandboxedEnvironment:
    """The environment of Python sources."""
    return _environment(_as_python, templates)


def _environment(finalize: Any, templates: Path | None) -> SandboxedEnvironment:
    own = [FileSystemLoader(templates)] if templates is not None else []
    return SandboxedEnvironment(
        loader=ChoiceLoader([*own, PackageLoader("dynclient_tools")]),
        undefined=StrictUndefined,
        finalize=finalize,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _as_markdown(value: Any) -> Any:
    return value if isinstance(value, (Markup, StrictUndefined)) else markdown.text(str(value))


def _as_python(value: Any) -> Any:
    if isinstance(value, (Markup, StrictUndefined)):
        return value
    raise TypeError(f"only syntax trees may be written to Python, not {type(value).__name__}")
