"""Runs by threads of one process: outcomes, coercion, faults with lines, and resuming."""

from __future__ import annotations

import datetime as dt
import errno
import json
import math
import os
import re
import shutil
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

import dynclient
from dynclient import bulk
from dynclient.exceptions import ArgumentError, MissingCredential

QUICK = {"concurrency": 4, "partition_size": 20}


def outcomes(run) -> dict[str, int]:
    summary = run.summary
    names = ("done", "refused", "failed", "invalid", "unknown", "pending")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


@pytest.fixture
def start(client, tmp_path, table):
    def started(operation="create_order", rows=None, **options):
        method = getattr(client, operation)
        given = {"journal": tmp_path / "run", "key": "id", **QUICK, **options}
        return bulk.run(method, table if rows is None else rows, **given)

    return started


def test_each_row_is_sent_once_and_its_answer_kept(start, server):
    run = start()
    assert outcomes(run) == {"done": 50}
    assert run.summary.is_complete
    assert set(server.counts.values()) == {1}
    results = list(run.results())
    assert [result.row for result in results] == list(range(1, 51))
    first = results[0]
    assert (first.key, first.outcome, first.status, first.attempts) == ("o-0", "done", 201, 1)
    assert first.data == {"sku": "sku-0", "authorization": ""}
    assert "<table" in run.results()._repr_html_()


def test_the_same_script_again_sends_nothing_again(start, server):
    start()
    assert outcomes(start()) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_a_run_is_found_by_its_journal(start, tmp_path):
    start()
    found = bulk.open(tmp_path / "run")
    assert outcomes(found) == {"done": 50}
    assert "50 rows: 50 done" in repr(found)
    assert outcomes(found.resume()) == {"done": 50}


def test_arguments_name_columns_at_any_depth(start, server):
    rows = [{"id": 1, "Name": "a", "n": "3"}, {"id": 2, "Name": "b", "n": 4, "text": "hi"}]
    run = start(rows=rows, arguments={"body": {"sku": "$Name", "amount": "${n}", "note": "$text"}})
    assert outcomes(run) == {"done": 2}
    assert set(server.counts) == {"a", "b"}
    assert [result.key for result in run.results()] == ["1", "2"]
    constant = start(rows=rows, arguments={"sku": "$$Name", "amount": "2"}, journal=f"{run.path}-2")
    assert outcomes(constant) == {"done": 2}
    assert server.counts["$Name"] == 2


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_tables_of_other_formats(start, server, tmp_path, ending):
    path = tmp_path / f"orders.{ending}"
    if ending == "jsonl":
        path.write_text('{"sku": "a", "amount": 1}\n\n{"sku": "b", "amount": "2"}\n')
    else:
        duckdb = pytest.importorskip("duckdb")
        duckdb.sql(f"COPY (SELECT 'a' AS sku, 1 AS amount UNION ALL SELECT 'b', 2) TO '{path}' (FORMAT parquet)")
    run = start(rows=path, key=None)
    assert outcomes(run) == {"done": 2}
    assert sorted(result.key for result in run.results()) == ["1", "2"]
    assert server.counts == {"a": 1, "b": 1}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_of_another_delimiter_and_with_a_byte_order_mark(start, server, table, delimiter):
    path = Path(table)
    text = path.read_text().replace("sku,", " sku ,").replace(",", delimiter).replace("note", '"note, or none"')
    path.write_text("\ufeff\n" + text.replace("\n", "\r\n\r\n"), newline="")
    arguments = {"sku": "$sku", "amount": "$amount", "note": "$note, or none"}
    assert outcomes(start(check=True, arguments=arguments)) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_results_as_parquet(start, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    start().to_parquet(tmp_path / "out.parquet")
    found = duckdb.sql(f"SELECT key, outcome, data->>'$.sku' FROM '{tmp_path / 'out.parquet'}' ORDER BY row").fetchall()
    assert (len(found), found[1]) == (50, ("o-1", "done", "sku-1"))


JUDGED = [
    # operation, what the server does, outcome, requests
    ("create_order", 422, "refused", 1),
    ("create_order", 409, "failed", 1),
    ("create_order", 500, "unknown", 1),
    ("create_order", 503, "failed", 1),
    ("create_order", None, "unknown", 1),
    ("put_order", 500, "failed", 2),
    ("put_order", None, "failed", 2),
    ("create_keyed_order", 500, "failed", 2),
    ("create_keyed_order", None, "failed", 2),
]


@pytest.mark.parametrize(("operation", "status", "outcome", "requests"), JUDGED)
def test_a_row_ends_as_the_table_of_promises_says(  # noqa: PLR0917  # fixtures and cases
    client, table, tmp_path, server, operation, status, outcome, requests
):
    server.answer = lambda sku: status if sku == "sku-7" else 201
    client = client.with_options(retry=dynclient.Retry(attempts=2, base=0, throttle_base=0))
    run = bulk.run(getattr(client, operation), table, journal=tmp_path / "run", key="id")
    assert outcomes(run) == {"done": 49, outcome: 1}
    (result,) = run.rows(outcome)
    assert (result.key, result.status) == ("o-7", status)
    assert result.problem["type"]
    assert server.counts["sku-7"] == requests
    assert len(server.keys.get("sku-7", {1})) == 1


def test_retry_sends_only_those_rows_again(start, server):
    server.answer = lambda sku: 503 if sku in {"sku-3", "sku-4"} else 422 if sku == "sku-5" else 201
    run = start(operation="create_order")
    assert outcomes(run) == {"done": 47, "failed": 2, "refused": 1}
    server.answer = lambda sku: 201
    assert outcomes(run.retry("failed")) == {"done": 49, "refused": 1}
    assert outcomes(run.retry("refused")) == {"done": 50}
    assert {sku: count for sku, count in server.counts.items() if count > 1} == {"sku-3": 2, "sku-4": 2, "sku-5": 2}
    with pytest.raises(ArgumentError, match="there is no setting lease"):
        run.resume(limit=None, lease=2)
    with pytest.raises(ArgumentError, match="are not sent again"):
        run.retry("done")


def test_unknown_rows_are_sent_again_only_if_asked_twice(start, server):
    server.answer = lambda sku: None if sku == "sku-9" else 201
    run = start()
    assert outcomes(run.resume()) == {"done": 49, "unknown": 1}
    assert server.counts["sku-9"] == 1
    with pytest.raises(ArgumentError) as caught:
        run.retry("unknown")
    assert "reconcile()" in caught.value.hint
    server.answer = lambda sku: 201
    assert outcomes(run.retry("unknown", may_repeat=True)) == {"done": 50}


def test_reconcile_settles_unknown_rows(start, server, client):
    server.answer = lambda sku: None if sku in {"sku-1", "sku-2"} else 201
    run = start()
    server.counts["sku-2"] = 0
    server.answer = lambda sku: 201
    with pytest.raises(ArgumentError, match="look up by a GET"):
        run.reconcile(by=client.create_order)
    run.reconcile(by=client.find_order, match=lambda row, found: found and found[0], arguments={"sku": "$sku"})
    assert outcomes(run) == {"done": 49, "failed": 1}
    assert [result.key for result in run.rows("failed")] == ["o-2"]
    assert outcomes(run.retry()) == {"done": 50}
    assert server.counts["sku-2"] == 1


def bad_row(text: str):
    return lambda table: table.replace("o-30,sku-30,31,,true", text)


FAULTS = [
    # how the table is changed, what the error says
    (bad_row("o-30,sku-30,many,,true"), "row 31, line 32, key 'o-30': .*amount"),
    (bad_row("o-30,sku-30,0,,true"), "row 31, line 32, key 'o-30': .*minimum|row 31, line 32, key 'o-30': .*amount"),
    (bad_row("o-30,sku-30,31,,perhaps"), "row 31, line 32.*rush"),
    (bad_row("o-30,sku-30,,,true"), "row 31, line 32.*amount"),
    (bad_row("o-30,sku-30,31"), "row 31, line 32: 3 cells, but the first line has 5 columns"),
    (bad_row("o-29,sku-30,31,,true"), "row 31, line 32, key 'o-29': row 30, line 31 has the same key"),
    (bad_row(",sku-30,31,,true"), "row 31, line 32: the key column id is empty"),
    (bad_row('o-30,"sku\n30",x,,true'), "row 31, line 32.*amount"),
    (lambda table: table.replace("amount", "amonut"), "(?s)amonut.*did you mean amount"),
    (lambda table: table.replace("amount", "sku"), "line 1: the first line must name each column once: sku occurs"),
    (lambda table: table.replace("rush", ""), "line 1: the first line must name each column once: column 5 has no"),
    (lambda table: table.replace("id,", "order,"), "key: the table has no column id"),
    (lambda table: "", "line 1: the first line must name each column once"),
    (bad_row('o-30,"sku-30,31,,true'), "line 32: not CSV: unexpected end of data"),
    (bad_row(f"o-30,{'x' * 200_000},31,,true"), "(?s)line 32: not CSV: field larger.*Hint: csv.field_size_limit"),
    (lambda table: table.replace("sku-30", "caf\udce9"), "line 32: not in UTF-8: save the table in UTF-8"),
]


@pytest.mark.parametrize(("change", "message"), FAULTS)
def test_a_bad_table_is_told_by_row_and_line_and_nothing_is_sent(start, server, table, change, message, tmp_path):
    path = Path(table)
    path.write_text(change(path.read_text()), errors="surrogateescape")
    with pytest.raises((bulk.InvalidRows, ArgumentError)) as caught:
        start(check=True)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert server.counts == {}
    assert not (tmp_path / "run").exists()


BAD_ROWS = [
    # text of a JSON Lines file or rows, what the error says
    ('{"id": 1}\n\n{"id": ' + "[" * 100_000, "line 3: not JSON"),
    ('{"id": 1}\n{"id": 2,\n', "line 2: not JSON: Expecting property name"),
    ('{"id": "caf\udce9"}', "line 1: not in UTF-8"),
    ('[{"id": 1}]', "line 1: a row must be an object, not list"),
    ([{"id": 1, "sku": "a", "amount": 1}, ["b", 2]], "row 2 must be a mapping of columns to values, not list"),
    ([{"id": 1, "sku": "a", "amount": object()}], "row 1: .*amount: a value of type object can't be converted"),
    ({"id": [1]}, "a table is a path, a DataFrame or an iterable of mappings, not dict"),
    (None, "a table is a path, a DataFrame or an iterable of mappings, not NoneType"),
]


@pytest.mark.parametrize(("rows", "message"), BAD_ROWS)
def test_bad_rows_are_refused_with_their_number(client, server, tmp_path, rows, message):
    if isinstance(rows, str):
        (tmp_path / "rows.jsonl").write_bytes(rows.encode(errors="surrogateescape"))
        rows = tmp_path / "rows.jsonl"
    with pytest.raises((bulk.InvalidRows, ArgumentError), match=message):
        bulk.run(client.create_order, rows, journal=tmp_path / "run", key="id")
    assert server.counts == {}
    assert not (tmp_path / "run").exists()


def test_rows_of_python_values_are_converted_and_missing_values_left_out(start, server):
    rows = [
        {"id": UUID(int=1), "sku": dt.date(2026, 1, 2), "amount": Decimal("2.0"), "note": math.nan},
        {"id": UUID(int=2), "sku": b"raw", "amount": 3.0, "note": "\ud800"},
    ]
    run = start(rows=rows, on_invalid="skip")
    assert outcomes(run) == {"done": 1, "invalid": 1}
    assert server.counts == {"2026-01-02": 1}


class Frame:
    """The rows of a DataFrame, listed as polars, pyarrow or pandas do."""

    def __init__(self, name: str) -> None:
        setattr(self, name, lambda **options: [{"id": 1, "sku": str(options), "amount": 1}])


FRAMES = [("iter_rows", {"named": True}), ("to_pylist", {}), ("to_dict", {"orient": "records"})]


@pytest.mark.parametrize(("name", "options"), FRAMES)
def test_the_rows_of_a_data_frame_are_sent(start, server, name, options):
    assert outcomes(start(rows=Frame(name))) == {"done": 1}
    assert set(server.counts) == {str(options)}


BAD_OPTIONS = [
    ({"concurrency": 0}, "concurrency must be a whole number from 1, not 0"),
    ({"max_failures": 0}, "max_failures must be a whole number from 1, or None, not 0"),
    ({"limit": "3"}, "limit must be a whole number from 0, or None, not '3'"),
    ({"rate": 5}, "rate: a rate is a number and a time, such as '50/s'"),
    ({"rate": "fast"}, "rate: a rate is a number and a time"),
    ({"on_invalid": "ignore"}, "on_invalid must be 'stop' or 'skip', not 'ignore'"),
    ({"executor": 5}, "executor must be a distributed.Client or an Executor, or None, not 5"),
    ({"progress": 5}, "progress must be a function, or None, not 5"),
    ({"auth": "s3cr3t"}, "auth= must be a reference to credentials"),
    ({"partition_size": 0}, "partition_size must be a whole number from 1, not 0"),
    ({"lease": math.inf}, "lease must be a positive number of seconds, not inf"),
    ({"durability": "disk"}, "durability must be 'process' or 'machine', not 'disk'"),
    ({"key": 5}, "key must be the name of a column, or None, not 5"),
    ({"journal": ""}, "journal must be the path of a folder, not ''"),
    ({"arguments": ["sku"]}, "arguments must be a mapping"),
    ({"arguments": {"sku": object()}}, "a value of type object can't be converted"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS)
def test_a_wrong_option_is_refused_before_anything_is_made(start, server, tmp_path, options, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        start(**options)
    assert "s3cr3t" not in str(caught.value)
    assert server.counts == {}
    assert not (tmp_path / "run").exists()


def test_all_faults_are_reported_at_once(start, table):
    path = Path(table)
    path.write_text(path.read_text().replace(",true", ",maybe"))
    with pytest.raises(bulk.InvalidRows, match="50 rows are invalid; nothing was sent") as caught:
        start(check=True)
    assert [fault.line for fault in caught.value.faults] == list(range(2, 52))


def test_an_invalid_row_stops_the_run_or_is_skipped(start, server, table):
    path = Path(table)
    path.write_text(bad_row("o-30,sku-30,many,,true")(path.read_text()))
    with pytest.raises(bulk.InvalidRows, match="row 31, line 32"):
        start(concurrency=1)
    assert len(server.counts) == 30
    run = start(on_invalid="skip")
    assert outcomes(run) == {"done": 49, "invalid": 1}
    assert set(server.counts.values()) == {1}
    assert "amount" in str(next(iter(run.rows("invalid"))).problem)


def test_a_journal_of_another_run_is_refused(start, client, table, document, server):
    start()
    for options, message in [
        ({"operation": "put_order"}, "another operation"),
        ({"arguments": {"sku": "$id", "amount": 1}}, "the arguments differ"),
        ({"partition_size": 10}, "the partition size differs"),
    ]:
        with pytest.raises(bulk.JournalError, match=message):
            start(**options)
    path = Path(table)
    path.write_text(path.read_text() + "o-99,x,1,,true\n")
    with pytest.raises(bulk.JournalError, match="the table has changed"):
        start()
    with pytest.raises(bulk.JournalError, match="the table has changed"):
        bulk.open(f"{path.parent}/run").resume()
    changed = json.loads(Path(document).read_text())
    changed["info"]["version"] = "2"
    path.write_text(path.read_text().replace("o-99,x,1,,true\n", ""))
    Path(document).write_text(json.dumps(changed))
    with pytest.raises(bulk.JournalError, match="the document has changed"):
        bulk.open(f"{path.parent}/run").resume()
    other = dynclient.load(document)
    with pytest.raises(bulk.JournalError, match="accept_changed_document"):
        bulk.run(other.create_order, path, journal=f"{path.parent}/run", key="id", **QUICK)
    for method, message in [(other.create_order, "the document has changed"), (client.put_order, "another operation")]:
        with pytest.raises(bulk.JournalError, match=message):
            bulk.open(path.parent / "run", method)
    accepted = bulk.open(path.parent / "run", other.create_order, accept_changed_document=True)
    assert outcomes(accepted.resume()) == {"done": 50}
    again = {"journal": f"{path.parent}/run", "key": "id", **QUICK, "accept_changed_document": True}
    assert outcomes(bulk.run(other.create_order, path, **again)) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_what_is_no_journal_is_refused(start, tmp_path):
    with pytest.raises(bulk.JournalError, match="no run"):
        bulk.open(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(bulk.JournalError, match="is not empty"):
        start(journal=tmp_path / "other")
    (tmp_path / "run" / "parts").mkdir(parents=True)  # of a process that was killed at its start
    (tmp_path / "run" / "run.json.1").touch()
    run = start()
    facts = Path(run.path) / "run.json"
    facts.write_text(facts.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(bulk.JournalError, match="has version 2"):
        bulk.open(run.path)
    facts.write_text("[" * 100_000)
    with pytest.raises(bulk.JournalError, match="can't be read"):
        bulk.open(run.path)


DAMAGES = [
    ({"rows": "many"}, "damaged: rows"),
    ({"rows": -3}, "damaged: rows"),
    ({"partition_size": 0, "lease": 1}, "damaged: partition_size"),
    ({"columns": None, "settings": None}, "damaged: columns, settings"),
    ({"client": {"document": "orders.json", "lacking": 5}}, "client of run.json is damaged"),
    ({"client": {}}, "client of run.json is damaged"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGES)
def test_a_damaged_run_is_refused_and_nothing_is_sent_again(start, server, change, message):
    run = start()
    path = Path(run.path, "run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(bulk.JournalError, match=message):
        bulk.open(run.path).retry("failed")
    assert set(server.counts.values()) == {1}


def test_logs_that_are_not_of_the_run_do_not_count_and_lost_ones_are_reported(start, server):
    run = start()
    for name in ("junk.log", "zzz.a1.log", "000900.a1.log"):
        Path(run.path, "parts", name).write_bytes(b"x")
    assert outcomes(bulk.open(run.path)) == {"done": 50}
    shutil.rmtree(Path(run.path, "parts"))
    with pytest.raises(bulk.JournalError, match="can't be read"):
        bulk.open(run.path).summary  # noqa: B018  # it reads the journal
    with pytest.raises(bulk.JournalError, match="can't be"):
        start()
    assert set(server.counts.values()) == {1}


def test_the_run_stops_where_too_many_rows_fail(start, server):
    server.answer = lambda sku: 422
    with pytest.raises(bulk.TooManyFailures, match="3 rows in succession were not done") as caught:
        start(max_failures=3, concurrency=1)
    assert "max_failures=None" in caught.value.hint
    assert len(server.counts) == 3


def test_what_every_row_would_meet_stops_the_run(start, server, tmp_path):
    with pytest.raises(MissingCredential):
        start("create_secret_order", concurrency=1)
    assert server.counts == {}
    run = bulk.open(tmp_path / "run")
    assert outcomes(run) == {"failed": 1, "pending": 49}


def test_no_secret_is_written(client, table, tmp_path):
    secret = client.with_options(auth="s3cr3t-t0ken-of-mine")
    run = bulk.run(secret.create_secret_order, table, journal=tmp_path / "run", key="id")
    assert outcomes(run) == {"done": 50}
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]
    with pytest.raises(ArgumentError, match="the client had auth"):
        bulk.open(run.path).retry("failed")
    assert outcomes(bulk.open(run.path, auth="s3cr3t-t0ken-of-mine").resume()) == {"done": 50}


def test_an_opened_run_makes_its_client_again_or_says_why_not(client, document, table, tmp_path):
    validation = dynclient.Validation("warn", by={"createOrder": "warn"})
    retry = dynclient.Retry(attempts=2, statuses=frozenset({503, 429}))
    own = client.with_options(validate=validation, retry=retry, timeout=7)
    run = bulk.run(own.create_order, table, journal=tmp_path / "run", key="id", limit=2)
    found, given = bulk.open(run.path).resume(limit=4)._operation()._dispatcher.options, own._dispatcher.options
    assert (found.validate, found.retry, found.timeout) == (given.validate, given.retry, given.timeout)
    with dynclient.load(json.loads(Path(document).read_text())) as loaded:
        run = bulk.run(loaded.create_order, table, journal=tmp_path / "text", key="id", limit=2)
    with pytest.raises(ArgumentError, match="the document was loaded from memory") as caught:
        bulk.open(run.path).resume()
    assert "open(journal, client.operation)" in caught.value.hint


def test_only_some_rows_are_sent_with_a_limit(start, server):
    run = start(limit=25)
    assert outcomes(run) == {"done": 25, "pending": 25}
    assert outcomes(run.resume(limit=None)) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_operations_that_answer_with_a_file_are_refused(start, server):
    with pytest.raises(ArgumentError, match="returns a file"):
        start("get_file", arguments={})
    with pytest.raises(ArgumentError, match="takes a file or a stream"):
        start("put_file", arguments={})
    assert server.counts == {}


def test_operations_of_an_async_client(document, table, tmp_path, server):
    client = dynclient.AsyncClient.load(document)
    run = bulk.run(client.create_order, table, journal=tmp_path / "run", key="id", **QUICK)
    assert outcomes(run) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_a_second_driver_is_refused(start, client, table, tmp_path, server):
    errors = []

    def answer(sku):
        if sku == "sku-5" and not errors:
            try:
                bulk.run(client.create_order, table, journal=tmp_path / "run", key="id", **QUICK)
            except bulk.JournalError as error:
                errors.append(error)
        return 201

    server.answer = answer
    assert outcomes(start(lease=0.5)) == {"done": 50}
    assert "another process is at work" in str(errors[0])
    assert set(server.counts.values()) == {1}


def flipped(data: bytes, other: bytes) -> bytes:
    return data[:60] + bytes([data[60] ^ 0xFF]) + data[61:]


def forged(data: bytes, other: bytes) -> bytes:
    return other


@pytest.mark.parametrize(("change", "where"), [(flipped, 52), (forged, 0)])
def test_a_damaged_log_loses_no_row_and_sends_none_twice(start, server, tmp_path, change, where):
    run, other = start(limit=30, lease=1.0), start(limit=30, journal=tmp_path / "other")
    server.counts.clear()
    log, another = (sorted((Path(each.path) / "parts").glob("0*.log"))[1] for each in (run, other))
    log.write_bytes(change(log.read_bytes(), another.read_bytes()) + bytes(24))
    found = bulk.open(run.path)
    assert outcomes(found) == {"done": 30, "unknown": 10, "pending": 10}
    assert f"at byte {where}" in str(found.summary)
    assert outcomes(found.resume(limit=None)) == {"done": 40, "unknown": 10}
    assert set(server.counts.values()) == {1}
    assert len(server.counts) == 10


@pytest.mark.parametrize(
    "kept", [pytest.param(0, marks=pytest.mark.large), 51, pytest.param(52, marks=pytest.mark.large), 52 + 24 * 7 + 11]
)
def test_a_truncated_log_loses_no_row_and_sends_none_twice(start, server, kept):
    run = start(limit=30, lease=1.0)
    log = sorted((Path(run.path) / "parts").glob("0*.log"))[1]
    log.write_bytes(log.read_bytes()[:kept])
    assert outcomes(bulk.open(run.path).resume(limit=None)) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_a_partition_of_a_process_that_died_before_its_first_byte_is_sent_by_an_executor(start, server):
    run = start(limit=0, lease=0.2)
    Path(run.path, "parts", "000001.a1.log").touch()
    with ThreadPoolExecutor(2) as pool:
        assert outcomes(run.resume(limit=None, executor=pool)) == {"done": 50}
    assert set(server.counts.values()) == {1}


def test_a_full_disk_stops_the_run_and_what_was_done_stays_done(start, server, tmp_path, monkeypatch):
    written, write = [0], os.write

    def full(file, data):
        written[0] += len(data)
        if written[0] > 4000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("dynclient.bulk.journal.os.write", full)
        with pytest.raises(bulk.JournalError, match="No space left on device") as caught:
            start(lease=1.0)
    assert "free some space, then resume" in caught.value.hint
    sent = server.counts.copy()
    summary = bulk.open(tmp_path / "run").summary
    assert (summary.done + summary.unknown, summary.unknown <= 4) == (len(sent), True)
    assert bulk.open(tmp_path / "run").resume().summary.pending == 0
    assert set(server.counts.values()) == {1}
    assert len(server.counts) == 50


def test_progress_is_told(start):
    seen = []
    start(progress=seen.append)
    assert seen[-1] == bulk.Summary(50, done=50)


@pytest.mark.large
def test_a_report_is_one_page_that_asks_for_nothing(start, server, tmp_path):
    pytest.importorskip("matplotlib")
    server.answer = lambda sku: {"sku-1": 422, "sku-2": None}.get(sku, 201)
    from dynclient.bulk.report import page

    text = page(start())
    assert text.count("<svg") == 2
    assert ">o-2<" in text
    assert not re.search(r"<script|(src|href)=\"?http|url\(http|@import", text)
    assert "currentColor" in text
    if (chromium := shutil.which("chromium")) is not None:
        from playwright.sync_api import sync_playwright

        (tmp_path / "run.html").write_text(text)
        requests, messages = [], []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            opened = browser.new_page(color_scheme="dark")
            opened.on("request", lambda request: requests.append(request.url))
            opened.on("console", lambda message: messages.append(message.text))
            opened.goto((tmp_path / "run.html").as_uri())
            assert opened.locator("svg").count() == 2
            browser.close()
        assert (len(requests), messages) == (1, [])


@pytest.mark.large
def test_memory_does_not_grow_with_the_rows(client, tmp_path, write_table):
    peaks = []
    for count in (10_000, 10_000, 100_000):  # the first one also loads what every run needs
        table = write_table(tmp_path / "rows.csv", count)
        tracemalloc.start()
        run = bulk.create(client.create_order, table, journal=tmp_path / f"run-{len(peaks)}", key="id")
        assert sum(len(task.rows) for task in run.tasks()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 6_000_000, peaks
