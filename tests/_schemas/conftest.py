from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynclient._document import open_document
from dynclient.dialects import DIALECTS
from dynclient.model import Schema

Make = Callable[..., Schema]


@pytest.fixture
def make() -> Make:
    """Make a schema of a node, in a document with named schemas, of any version."""

    def made(node: Any, version: str = "3.1", /, **named: Any) -> Schema:
        dialect = DIALECTS[version]
        components = {"definitions": named} if version == "2.0" else {"components": {"schemas": named}}
        document = open_document({"x-here": node, **components})
        return Schema(f"{document.uri}#/x-here", node, dialect, document)

    return made
