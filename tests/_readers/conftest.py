"""Small documents, and ways to read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import dynclient
from dynclient.model import API, Operation


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


@pytest.fixture(scope="session")
def api_of() -> Callable[..., API]:
    """Read a document given as YAML, with ``info`` and, unless it is there, ``openapi: 3.1.0``."""

    def read(text: str | dict[str, Any], **more: Any) -> API:
        document = {**(yaml.safe_load(text) if isinstance(text, str) else text), **more}
        version = {} if {"openapi", "swagger"} & document.keys() else {"openapi": "3.1.0"}
        return load({**version, "info": {"title": "t", "version": "1"}, **document})

    return read


@pytest.fixture(scope="session")
def operation_of(api_of: Callable[..., API]) -> Callable[..., Operation]:
    """Read the only operation of a document: ``GET /x`` made of the YAML of an Operation Object, unless told else."""

    def read(text: str, *, path: str = "/x", method: str = "get", item: str = "{}", **more: Any) -> Operation:
        paths = {path: {**yaml.safe_load(item), method: yaml.safe_load(text) or {}}}
        api = api_of({"paths": paths}, **more)
        return api.read(api.rows[0])

    return read


@pytest.fixture(scope="session")
def rich(root: Path) -> dict[str, dict[str, Any]]:
    """A document of each reader that has something of everything."""
    folder = root / "tests" / "cases" / "readers"
    return {name: yaml.safe_load((folder / f"rich_{name}.yaml").read_text()) for name in ("v2", "v3")}
