"""Check whether the types of a project (``dynclient_types``) were made from the document that is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dynclient.model import API


def compare(source: Any, api: API) -> None:
    """Log once if ``dynclient_types`` was made from another version of the document."""
    if documents := _documents():
        from dynclient.inspection.emitted import check

        check(documents, source, api)


@cache
def _documents() -> Mapping[str, str]:
    """The documents of the project's ``dynclient_types`` with their hashes; empty without such a package."""
    spec = find_spec("dynclient_types")
    # The package that is installed with dynclient has no code: it is for type checkers only.
    if spec is None or not spec.has_location:
        return {}
    found = getattr(import_module("dynclient_types"), "DOCUMENTS", {})
    return found if isinstance(found, Mapping) else {}
