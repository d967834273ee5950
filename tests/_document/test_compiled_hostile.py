"""Compiled forms with every byte changed, cut at every byte, or edited by somebody who knows the format.

The result is the document's contents or an error of dynclient: no crash, no executed code, no invented operation.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import zlib
from weakref import WeakValueDictionary

import pytest

import dynclient
from dynclient import __version__, _load
from dynclient._client.state import OperationNames
from dynclient._document.compiled import _MARK, _TAIL, HEAD, Writer
from dynclient._load import compiled, load
from dynclient.exceptions import DocumentError, DynclientError, NoSuchOperation

OPERATION = {"operationId": "one", "responses": {"200": {"description": "ok"}}, "description": "d" * 210}
SMALL = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/one": {"get": OPERATION}}}
ROW = ["GET /one", "GET", "/one", "one", "one", [["t", "inner"]], "", ["t"], False, "/paths/~1one/get", "/paths/~1one"]


@pytest.fixture(autouse=True)
def unshared(monkeypatch):
    """Each load is that of a new process."""

    class Forgetful(dict):
        def __setitem__(self, key, value):
            pass

    monkeypatch.setattr(_load, "_HELD", Forgetful())


# An audit hook can't be removed, so the loads are those of another process. Imports run code too, that of files.
EVERY_BYTE = """
import json, sys
from dynclient._client.state import OperationNames
from dynclient._load import _HELD, compiled, load
from dynclient.exceptions import DynclientError
good = compiled(sys.stdin.buffer.read())
def said(data):
    _HELD.clear()
    api = load(data, cache=False)
    found = OperationNames(api.rows).find("GET /one")
    return repr([api.read(row) for row in (found, *api.rows)]), api.title, api.version
expected, ran, counts = said(good), [], {"same": 0, "refused": 0}
FORBIDDEN = {"pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect"}
def watch(event, arguments):
    made = event == "exec" and not arguments[0].co_filename.endswith(".py")
    if made or event in FORBIDDEN:
        ran.append(event)
sys.addaudithook(watch)
def check(data):
    try:
        result = said(data)
    except DynclientError:
        counts["refused"] += 1
    else:
        assert result == expected, data
        counts["same"] += 1
for at in range(len(good)):
    for mask in (0x01, 0x20, 0xFF):
        changed = bytearray(good)
        changed[at] ^= mask
        check(bytes(changed))
for length in range(len(good)):
    check(good[:length])
print(json.dumps({"size": len(good), "ran": ran, **counts}))
"""


def test_every_byte_changed_and_every_length():
    data = json.dumps(SMALL).encode()
    run = subprocess.run([sys.executable, "-c", EVERY_BYTE], input=data, capture_output=True, timeout=100, check=False)
    assert run.returncode == 0, run.stderr.decode()[-2000:]
    told = json.loads(run.stdout)
    assert told["ran"] == []
    assert told["same"] + told["refused"] == 4 * told["size"]
    # Most are found out; where the list of operations is damaged, it is made anew.
    assert told["refused"] > 2 * told["size"] > 0
    assert told["same"] > 0


TOLD = {"declares": False, "validated": True, "about": {}}


class Forger:
    """Writes a form with correct checksums and the given offsets."""

    def __init__(self):
        self.data = bytearray(HEAD)

    def put(self, value, *, table=False):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        location = [len(self.data), len(data), zlib.crc32(data)]
        self.data += data
        return [*location, 1] if table else location

    def finished(self, entry, listing=None, *, files=None, about=None):
        named = {"uri": "root.yaml", "name": "root.yaml", "fingerprint": "0", **TOLD}
        index = {
            "about": about or {"release": __version__, "depends": {}},
            "files": files or [{**named, "entry": entry}],
            "listing": listing,
        }
        location = self.put(index)
        return bytes(self.data) + _TAIL.pack(*location) + _MARK


def ways(api):
    """Read everything in a form."""
    return [api.read(row) for row in api.rows], dict(api.schemas), api.servers, dict(api.security_schemes)


def paths_of(forger, entry):
    return {"openapi": ["3.1.0"], "info": [{"title": "t", "version": "1"}], "paths": entry}


def huge(forger):
    return forger.finished(forger.put(paths_of(forger, [len(HEAD), 10**30, 0]), table=True))


def negative(forger):
    return forger.finished(forger.put(paths_of(forger, [-1, 5, 0]), table=True))


def beyond_the_end(forger):
    return forger.finished(forger.put(paths_of(forger, [10**9, 10, 0]), table=True))


def fractions(forger):
    return forger.finished(forger.put(paths_of(forger, [0.5, 1e300, True]), table=True))


def nested(forger):
    return forger.finished(forger.put(paths_of(forger, forger.put(b"[" * 200_000 + b"]" * 200_000)), table=True))


def deep_index(forger):
    return forger.finished(json.loads("[" * 500 + "]" * 500))


def tables_below_tables(forger):
    entry = [SMALL["paths"]["/one"]]
    for _ in range(50):
        entry = forger.put({"/one": entry}, table=True)
    return forger.finished(forger.put(paths_of(forger, entry), table=True))


def one_slice_a_thousand_times(forger):
    item = forger.put({"get": {"responses": {}, "description": "x" * 10_000}})
    paths = forger.put({f"/{number}": item for number in range(1000)}, table=True)
    return forger.finished(forger.put(paths_of(forger, paths), table=True))


def no_files(forger):
    return forger.finished([{}], files=[])


def many_files(forger):
    named = {"name": "n", "fingerprint": "0", **TOLD, "declares": True, "entry": [{}]}
    return forger.finished([{}], files=[{**named, "uri": f"//[{number}"} for number in range(50)])


def wrong_types(forger):
    wrong = {"uri": 5, "name": None, "fingerprint": [], "declares": {}, "validated": 7, "entry": "x"}
    return forger.finished(5, files=[wrong])


FORGERIES = [huge, negative, beyond_the_end, fractions, nested, deep_index]
FORGERIES += [one_slice_a_thousand_times, no_files, many_files, wrong_types]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_form_edited_with_right_checksums_is_told(forgery):
    with pytest.raises(DynclientError):
        ways(load(forgery(Forger()), cache=False))


def test_tables_below_tables_hold_no_operations():
    api = load(tables_below_tables(Forger()), cache=False)
    assert api.rows == ()
    with pytest.raises(DynclientError):
        _ = load(deep_table(Forger()), cache=False).schemas["S"].value


BAD_TABLES = [
    b"",
    b"5",
    b"[" * 100_000,
    b"null",
    b"[]",
    b'[["/one",[1]]]',
    b'{"/one":1}',
    b'{"/one":null}',
    b'{"/one":{}}',
    b'{"/one":{"get":[{}]}}',
    b'{"/one":"abc"}',
    b'{"/one":[]}',
    b'{"/one":[1,2]}',
    b'{"/one":[0,"9",1]}',
    b'{"/one":[0,1e999,1]}',
    b'{"/one":[true,9,1]}',
    b'{"/one":[{}]',
    b'{"/one":[{}]}}',
]


@pytest.mark.parametrize("table", BAD_TABLES, ids=lambda table: repr(table[:40]))
def test_a_damaged_table_is_reported(table):
    forger = Forger()
    entry = forger.put(paths_of(forger, forger.put(table, table=True)), table=True)
    data = forger.finished(entry, forger.put(listing({}, ROW)))
    with pytest.raises(DynclientError):
        _ = load_client(data).one.operation
    with pytest.raises(DynclientError):
        dict(load(data, cache=False).references.root["paths"])


def test_every_byte_of_a_table_changed_with_a_right_checksum():
    good = json.dumps({"/one": [SMALL["paths"]["/one"]], "/two": [len(HEAD), 5, 7], "/x" * 2_500: [1]}).encode()
    for at in range(380):
        changed = bytearray(good)
        changed[at] ^= (0x01, 0x02, 0x20)[at % 3]
        forger = Forger()
        entry = forger.put(paths_of(forger, forger.put(bytes(changed), table=True)), table=True)
        data = forger.finished(entry, forger.put(listing({}, ROW)))
        for look in (lambda client: client.one.operation, lambda client: dict(client.api.references.root["paths"])):
            with contextlib.suppress(DynclientError):
                look(load_client(data))


def deep_table(forger):
    entry = [5]
    for _ in range(50):
        entry = forger.put({"S": entry}, table=True)
    components = forger.put({"schemas": entry}, table=True)
    return forger.finished(forger.put({**paths_of(forger, [{}]), "components": components}, table=True))


def small_form(listing):
    forger = Forger()
    paths = forger.put({"/one": [SMALL["paths"]["/one"]]}, table=True)
    entry = forger.put(paths_of(forger, paths), table=True)
    return forger.finished(entry, forger.put(listing))


def listing(namespaces, *rows):
    return json.dumps([namespaces, *zip(*rows, strict=True)]).encode()


def with_column(number, value):
    """A list whose row has another value in one place."""
    return listing({}, [*ROW[:number], value, *ROW[number + 1 :]])


BAD_LISTS = [
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b"[]",
    b"{}",
    b"5",
    listing([], ROW),
    listing({"t": 5}, ROW),
    listing({}, ROW[:8]),
    listing({}, [*ROW, "more"]),
    listing({}, ROW)[:-20],
    listing({}, ROW) + b"]",
    json.dumps([{}, *([column] for column in ROW[:-1]), []]).encode(),
    json.dumps([{}, *([column] for column in ROW[:-1]), ["/a", "/b"]]).encode(),
    json.dumps([{}, *(7 for _ in ROW)]).encode(),
    *(with_column(number, 7) for number in range(len(ROW))),
    *(with_column(number, {"x": "y"}) for number in range(len(ROW)) if number != 7),
    with_column(0, None),
    with_column(5, [["t"]]),
    with_column(5, [["t", "inner", "more"]]),
    with_column(5, [["t", 2]]),
    with_column(5, [7]),
    with_column(7, [7]),
    with_column(8, "true"),
]


@pytest.mark.parametrize("data", BAD_LISTS, ids=lambda data: repr(data[:90]))
def test_a_damaged_list_is_made_again(data):
    data = small_form(data)
    assert [row.operation_id for row in load(data, cache=False).rows] == ["one"]
    for name in ("one", "GET /one"):
        assert load_client(data).operations[name].operation.id == "one"
    assert load_client(data).one.operation.id == "one"


def load_client(data):
    return dynclient.load(data, cache=False, base_url="https://api.example")


def test_a_list_may_hide_what_the_document_has():
    client = load_client(small_form(listing({})))
    assert client.api.rows == ()
    with pytest.raises(NoSuchOperation):
        _ = client.one


def test_a_row_leads_to_no_other_operation():
    two = ["GET /two", "GET", "/two", "one", "two", [], "", [], False, "/paths/~1one/get", "/paths/~1one"]
    three = ["PUT /one", "PUT", "/one", "one", "three", [], "", [], False, "/paths/~1one/get", "/paths/~1one"]
    data = small_form(listing({}, ROW, two, three))
    api = load(data, cache=False)
    assert api.read(api.rows[0]).id == "one"
    for row in api.rows[1:]:
        with pytest.raises(DocumentError):
            api.read(row)
        with pytest.raises(DocumentError):
            _ = load_client(data).operations[row.name].operation


def test_every_byte_of_a_list_changed_with_a_right_checksum():
    good = listing({"t": "t"}, ROW)
    names = ("one", "t.inner", "GET /one")
    for at in range(len(good)):
        for mask in (0x01, 0x02, 0x20, 0xFF):
            changed = bytearray(good)
            changed[at] ^= mask
            names_of = OperationNames(load(small_form(bytes(changed)), cache=False).rows)
            for name in (*names, "t", "inner"):
                with contextlib.suppress(NoSuchOperation):
                    names_of.find(name)
            api = load(small_form(bytes(changed)), cache=False)
            for row in api.rows:
                with contextlib.suppress(DocumentError):
                    assert api.read(row).responses.keys() == {"200"}


def test_a_form_reads_no_file_that_it_names(tmp_path):
    secret = tmp_path / "secret.yaml"
    secret.write_text(json.dumps({**SMALL, "info": {"title": "canary", "version": "1"}}))
    forger = Forger()
    damaged = forger.put(paths_of(forger, [len(HEAD), 20, 1]), table=True)
    named = {"uri": secret.as_uri(), "name": str(secret), "fingerprint": "0", **TOLD, "declares": True}
    path = tmp_path / "x.dync"
    path.write_bytes(forger.finished(None, files=[{**named, "entry": damaged}]))
    with pytest.raises(DynclientError) as caught:
        ways(load(path))
    assert "canary" not in str(caught.value)


def test_a_form_of_another_release_is_listed_anew():
    writer = Writer()
    writer.add("root.yaml", "root.yaml", "0", SMALL, declares=False)
    two = ["GET /two", "GET", "/two", None, "two", [], "", [], False, "/paths/~1two/get", "/paths/~1two"]
    data = b"".join(writer.finished(listing({}, two), release="0.other", depends={}))
    assert [row.name for row in load(data, cache=False).rows] == ["one"]


@pytest.mark.parametrize("version", [b"1", b"9"])
def test_a_version_of_the_format_that_is_not_known_is_told(version):
    data = compiled(json.dumps(SMALL))
    other = HEAD.replace(b" 5\r", b" %b\r" % version)
    assert other != HEAD
    with pytest.raises(DocumentError, match="another version"):
        load(other + data[len(HEAD) :], cache=False)
    with pytest.raises(DynclientError):
        load(os.urandom(4096), cache=False)


def test_a_form_is_not_taken_for_the_document_that_it_says_it_is(monkeypatch):
    monkeypatch.setattr(_load, "_HELD", WeakValueDictionary())
    text = json.dumps(SMALL).encode()
    other = {**SMALL, "paths": {"/two": {"get": {"operationId": "two", "responses": {}}}}}
    writer = Writer()
    fingerprint = hashlib.sha256(text).hexdigest()
    writer.add(f"memory://document/{fingerprint}", "<bytes>", fingerprint, other, declares=False)
    forged = load(b"".join(writer.finished(None, release=__version__, depends={})), cache=False)
    assert [row.name for row in forged.rows] == ["two"]
    genuine = load(text, cache=False)
    assert [row.name for row in genuine.rows] == ["one"]
    assert load(text, cache=False) is genuine
