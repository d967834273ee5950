"""Whether a project has types for the document that is loaded, and whether they are of this version of it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from dynclient.model import API


def compare(source: Any, api: API) -> None:
    """Log once where ``dynclient_types`` was made of another version of the document."""
    if _has_types():
        from dynclient.inspection.emitted import check_in_place

        check_in_place(source, api)


@cache
def _has_types() -> bool:
    """Whether there is a package with code; what is installed with dynclient is for type checkers only."""
    spec = find_spec("dynclient_types")
    return spec is not None and spec.has_location
