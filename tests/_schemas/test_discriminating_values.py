"""A discriminator without mapping picks a branch by the values that the branches declare, or else by their names."""

from __future__ import annotations

from typing import Any

import pytest

from dynclient._load import load
from dynclient._validation import validator

CONST = {"user": {"const": "u"}, "bot": {"const": "b"}}
ENUM = {"user": {"enum": ["u", "v"]}, "bot": {"enum": ["b"]}}
# Of both branches alike: these say nothing, so the names do.
SHARED = {"user": {"enum": ["user", "bot"]}, "bot": {"enum": ["user", "bot"]}}
FREE: dict[str, Any] = {"user": {"type": "string"}, "bot": {"type": "string"}}
INTEGERS = {"user": {"const": 1}, "bot": {"const": 2}}
# Two branches with one value: neither it nor a name can pick, so each is tried.
ALIKE = {"user": {"const": "u"}, "bot": {"const": "u"}}


@pytest.mark.parametrize(
    ("kinds", "kind", "expected"),
    [
        (CONST, "u", []),
        (CONST, "b", [("$.user", "required")]),
        (CONST, "user", [("$.kind", "enum")]),
        (ENUM, "v", []),
        (ENUM, "b", [("$.user", "required")]),
        (SHARED, "user", []),
        (SHARED, "bot", [("$.user", "required")]),
        (SHARED, "u", [("$.kind", "enum")]),
        (FREE, "user", []),
        (FREE, "u", [("$.kind", "enum")]),
        (INTEGERS, 1, []),
        (INTEGERS, 2, [("$.user", "required")]),
        (ALIKE, "u", []),
    ],
)
def test_values(kinds: dict[str, Any], kind: Any, expected: list[tuple[str, str]]) -> None:
    schemas = {
        name: {
            "type": "object",
            "properties": {"kind": said},
            "required": ["kind", "user" if name == "bot" else "name"],
        }
        for name, said in kinds.items()
    }
    schemas["any"] = {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in kinds],
        "discriminator": {"propertyName": "kind"},
    }
    info = {"title": "t", "version": "1"}
    api = load({"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas}})
    faults = validator(api.schemas["any"], "request").faults({"kind": kind, "name": "n"})
    assert [(fault.path, fault.keyword) for fault in faults] == expected
