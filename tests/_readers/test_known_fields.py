"""The tables of the fields that OpenAPI's objects have."""

from __future__ import annotations

import pytest

from dynclient._readers.checking import known_to, objects


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_the_tables_refer_to_known_objects(version):
    known = objects(version)
    held = {field.strip("[]{}<>") for fields in known.values() for field in fields.values()} - {""}
    assert held == known.keys() - {"OpenAPI"}
    assert known_to("Schema", "type") == "3.2"
    assert known_to("Schema", "odd") == ""
