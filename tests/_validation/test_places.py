"""The location of a violated keyword in the document, which is looked up only on request."""

from __future__ import annotations

from pathlib import Path

from dynclient._load import load
from dynclient._validation import validator


def test_faults_without_places(tmp_path: Path) -> None:
    document = tmp_path / "api.yaml"
    document.write_text(
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\ncomponents:\n"
        "  schemas:\n    It:\n      anyOf:\n        - type: integer\n          minimum: 5\n        - type: boolean\n"
    )
    check = validator(load(document).schemas["It"], "request")
    (found,) = check.faults(4)
    assert found.location is not None
    assert (found.location.pointer, found.location.line) == ("/components/schemas/It/anyOf/0/minimum", 9)
    assert check.faults(4, places=False) == [found._replace(location=None, uri="")]
