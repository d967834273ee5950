"""Real documents of other people: each loads, and each operation can be read or reports its error."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest

import dynclient
from dynclient.exceptions import DocumentError
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


# Operations that can't be read, and why: the document and the key; the error's class and what it says.
BROKEN = {
    ("fixtures/openapi3/broken-ref.yaml", "GET /example"): (
        "UnresolvableReference",  # the point of that document
        "#/components/responses/Missing",
    ),
}


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize(("name", "count"), documents(), ids=lambda value: str(value) if isinstance(value, str) else "")
def test_document(shared: Path, name: str, count: int) -> None:
    api = load(shared / "corpus" / name)
    assert len(api.rows) == count
    assert api.faults == ()
    assert len({row.name for row in api.rows}) == count
    broken = {}
    for row in api.rows:
        try:
            operation = api.read(row)
        except DocumentError as error:  # each operation is on its own
            broken[name, row.key] = (type(error).__name__, error.message)
        else:
            assert {one.name for one in operation.parameters if one.in_ == "path"} == set(_names(row.path))
    expected = {key: value for key, value in BROKEN.items() if key[0] == name}
    assert broken.keys() == expected.keys()
    for key, (class_name, said) in expected.items():
        assert broken[key][0] == class_name
        assert said in broken[key][1]
    assert all(api.security_schemes[one].name == one for one in api.security_schemes)
    assert all(api.schemas[one].value is not None for one in api.schemas)


def _names(path: str) -> list[str]:
    return [piece.partition("}")[0] for piece in path.split("{")[1:]]
