"""Operations and schemas made of a few lines of YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from dynclient._load import load
from dynclient.model import API, Operation, Schema


@pytest.fixture(scope="session")
def operation_of() -> Callable[..., Operation]:
    """``POST /x``, or ``/x/{id}``, of the YAML of an Operation Object; ``schemas`` is that of the components."""

    def read(text: str, *, schemas: str = "{}", version: str = "3.1.0") -> Operation:
        operation = {"responses": {"200": {"description": "ok"}}, **yaml.safe_load(text)}
        path = "/x/{id}" if "in: path" in text else "/x"
        api = _api({path: {"post": operation}}, yaml.safe_load(schemas), version)
        return api.read(api.rows[0])

    return read


@pytest.fixture(scope="session")
def schema_of() -> Callable[..., Schema]:
    """A schema of YAML, as the component ``It`` or, with ``named=False``, as an item of a list."""

    def read(text: str, *, schemas: str = "{}", version: str = "3.1.0", named: bool = False) -> Schema:
        known = {**yaml.safe_load(schemas), "It": yaml.safe_load(text), "List": {"type": "array", "items": None}}
        known["List"]["items"] = {"$ref": "#/components/schemas/It"} if named else known.pop("It")
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/List"}}}
        api = _api({"/x": {"get": {"responses": {"200": {"description": "ok", "content": content}}}}}, known, version)
        from dynclient._schemas import shape

        schema = api.read(api.rows[0]).responses["200"].content["application/json"].schema
        assert schema is not None
        items = shape(schema).items
        assert items is not None
        return items

    return read


def _api(paths: dict[str, Any], schemas: dict[str, Any], version: str) -> API:
    return load(
        {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": paths, "components": {"schemas": schemas}}
    )
