"""Real documents of other people: each loads, and each operation can be read or reports its error."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest

import dynclient
from dynclient.model import API


def load(source: Any, **options: Any) -> API:
    """Load a document as far as the list of its operations, by way of a client."""
    return dynclient.load(source, **options).api


FOLDER = os.environ.get("DYNCLIENT_SHARED")


def documents() -> list[tuple[str, int]]:
    """The documents (not the files that others refer to), and how many operations each has."""
    if not FOLDER:
        return []
    with (Path(FOLDER) / "corpus" / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(row["file"], int(row["ops"])) for row in rows if row["kind"] == "openapi"]


# The statuses of responses that can't be read.
BROKEN = {("fixtures/openapi3/broken-ref.yaml", "GET /example"): {"200"}}


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize(("name", "count"), documents(), ids=lambda value: str(value) if isinstance(value, str) else "")
def test_document(shared: Path, name: str, count: int) -> None:
    api = load(shared / "corpus" / name)
    assert len(api.rows) == count
    assert api.faults == ()
    assert len({row.name for row in api.rows}) == count
    for row in api.rows:
        operation = api.read(row)
        assert {one.name for one in operation.parameters if one.in_ == "path"} == set(_names(row.path))
        broken = {status for status, response in operation.responses.items() if response.fault is not None}
        assert broken == BROKEN.get((name, row.key), set())
    assert all(api.security_schemes[one].name == one for one in api.security_schemes)
    assert all(api.schemas[one].value is not None for one in api.schemas)


def _names(path: str) -> list[str]:
    return [piece.partition("}")[0] for piece in path.split("{")[1:]]
