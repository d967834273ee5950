"""Operations and schemas made from a few lines of YAML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

import dynclient


@pytest.fixture(scope="session")
def method_of() -> Callable[..., Any]:
    """The method of ``POST /x``, or ``/x/{id}``, from the YAML of an Operation Object and of named schemas."""

    def load(text: str, *, schemas: str = "{}", version: str = "3.1.0") -> Any:
        operation = {"operationId": "x", "responses": {"200": {"description": "ok"}}, **yaml.safe_load(text)}
        path = "/x/{id}" if "in: path" in text else "/x"
        document = {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {path: {"post": operation}}}
        return dynclient.load({**document, "components": {"schemas": yaml.safe_load(schemas)}}).x

    return load


@pytest.fixture(scope="session")
def answering(method_of: Callable[..., Any]) -> Callable[..., Any]:
    """A method that returns JSON of a schema, and takes it as its body, if ``sent`` is true."""

    def load(schema: str, *, sent: bool = False, **options: Any) -> Any:
        content = f"{{content: {{application/json: {{schema: {schema}}}}}}}"
        text = f"responses: {{'200': {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}}}"
        return method_of(f"{text}\nrequestBody: {content}" if sent else text, **options)

    return load
