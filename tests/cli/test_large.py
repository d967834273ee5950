"""Large JSON documents: `validate` reports all faults of parts that are otherwise read only when they are used."""

from __future__ import annotations

import json

import dynclient
from dynclient.exceptions import DocumentError

GOOD = {"responses": {"200": {"description": "fine"}}}


def large(folder, broken):
    """A document of more than a megabyte; the operations ``broken`` have a key twice, each is on a line of its own."""
    lines = ['{"openapi": "3.0.3", "info": {"title": "Large", "version": "1"}, "paths": {']
    for number in range(1_000):
        operation = json.dumps({"operationId": f"get{number}", "summary": "s" * 1_000, **GOOD})
        twice = operation[:-1] + ', "responses": {}}' if number in broken else operation
        lines.append(f'"/{number}": {{"get": {twice}}}{"," if number < 999 else ""}')
    path = folder / "large.json"
    path.write_text("\n".join([*lines, "}}"]))
    return path


def test_validate_reports_every_broken_part(run, tmp_path):
    path = large(tmp_path, {7, 500})
    for _ in range(2):
        status, out, err = run("validate", path, "-o", "json")
        assert (status, err) == (1, f"{path}: {len(json.loads(out))} faults\n")
        found = {(one["line"], one["pointer"], one["message"]) for one in json.loads(out)}
        assert (9, "/paths/~17/get/responses", "duplicate key 'responses' (first on line 9)") in found
        # Without msgspec the document is read as a whole, and that ends at the first fault.
        assert len(found) == 1 + _cuts()
    assert run("validate", large(tmp_path, ()))[0] == 0


def _cuts():
    try:
        import msgspec
    except ImportError:
        return False
    return msgspec is not None


def test_a_compiled_document_is_written_whole_or_not_at_all(run, tmp_path):
    path, form = large(tmp_path, ()), tmp_path / "large.dync"
    assert run("compile", path, "-o", form)[0] == 0
    before = form.read_bytes()
    status, out, err = run("compile", large(tmp_path, {3}), "-o", form)
    assert (status, out) == (1, "")
    assert "duplicate key 'responses'" in err
    assert form.read_bytes() == before
    assert len(dynclient.load(form, base_url="http://127.0.0.1").operations) == 1_000
    missing = tmp_path / "missing" / "x.dync"
    status, out, err = run("compile", form, "-o", missing)
    assert (status, out) == (1, "")
    assert str(missing) in err
    assert {file.name for file in tmp_path.iterdir()} == {"large.json", "large.dync"}


def test_broken_parts_do_not_stop_others(tmp_path):
    path = large(tmp_path, {3})
    try:
        client = dynclient.load(path, base_url="http://127.0.0.1", cache=False)
    except DocumentError as error:
        assert not _cuts()
        assert "duplicate key 'responses'" in str(error)
        return
    assert client.get2.prepare().url == "http://127.0.0.1/2"
    assert "duplicate key" in str(client.operations["get3"].fault)
    assert client.operations["get4"].fault is None
