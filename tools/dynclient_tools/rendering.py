"""Two environments of jinja2: one writes Markdown, one writes Python.

Rule 1: templates ship with the package; a document's text is only ever data.
Rule 2: what is written by an expression is escaped unless it is Markup: as Markdown in pages; in Python, where only
syntax trees are written, anything else is an error.
"""

from __future__ import annotations

from typing import Any

from jinja2 import PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from dynclient_tools import markdown


def pages() -> SandboxedEnvironment:
    """The environment of Markdown pages."""
    environment = _environment(_as_markdown)
    environment.filters.update(
        cell=markdown.cell, code=markdown.code, fence=markdown.fence, prose=markdown.prose, slug=markdown.slug
    )
    return environment


def sources() -> SandboxedEnvironment:
    """The environment of Python sources."""
    return _environment(_as_python)


def _environment(finalize: Any) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=PackageLoader("dynclient_tools"),
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
