"""``dynclient bulk``: send a table of calls with a journal, inspect the run, and resume it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynclient import bulk as product
from dynclient._escaping import escaped
from dynclient._schemas import read_json
from dynclient.cli import credentials, documents
from dynclient.cli.calls import call_options, with_settings
from dynclient.cli.commands import Group, inform, needing, save, with_options
from dynclient.cli.input_values import SHARED_OPTIONS
from dynclient.cli.output import write

if TYPE_CHECKING:
    from dynclient._client import Client
    from dynclient.bulk import BulkRun, Summary

_COMMAND = "command.json"
_OF_THE_CLIENT = ("auth", "anonymous", "header", "server", "base_url", "timeout", "retries", "validate", "profile")
_SETTINGS = ("concurrency", "rate", "max_failures", "on_invalid", "limit")
_SOME_NOT_DONE, _UNKNOWN_LEFT = 1, 3
_MINUTE = 60.0
_OUTCOMES = ("done", "refused", "failed", "invalid", "unknown")


_run_options = with_options(
    click.Option(["--concurrency"], type=click.IntRange(1), help="Concurrent rows in each process.  [16]"),
    click.Option(["--rate"], metavar="N/TIME", help="A rate limit, such as 50/s or 600/m."),
    click.Option(
        ["--max-failures"],
        type=click.IntRange(0),
        help="Stop after N consecutive failures, or a tenth of 200 rows or more; 0: never.  [50]",
    ),
    click.Option(
        ["--on-invalid"], type=click.Choice(("stop", "skip")), help="What to do with a row that violates the document."
    ),
    click.Option(["--limit"], type=click.IntRange(0), help="Send only the first N rows of the table."),
    click.Option(["--workers"], type=click.IntRange(1), metavar="N", help="Send with N processes on this machine."),
    click.Option(["--accept-changed-document"], is_flag=True, help="Continue even if the document has changed."),
    click.Option(["--dask"], metavar="ADDRESS", help="Send with the cluster of a Dask scheduler, tcp://HOST:PORT."),
    *(option for option in SHARED_OPTIONS if option.name in _OF_THE_CLIENT),
)
_journal = click.argument("journal", metavar="DIR", type=click.Path(exists=True, file_okay=False))


@click.group(cls=Group)
def bulk() -> None:
    """Call an operation for each row of a table, with a journal that survives a crash."""


@bulk.command(short_help="Call an operation for each row of a table.")
@documents.document_argument()
@click.argument("operation", shell_complete=documents.complete_operations)
@click.option("--from", "table", required=True, type=click.Path(exists=True, dir_okay=False), metavar="TABLE")
@click.option("--journal", required=True, type=click.Path(file_okay=False), metavar="DIR", help="The journal's folder.")
@click.option("--key", metavar="COLUMN", help="The column that names the rows.  [the row's number]")
@click.option(
    "--set", "arguments", multiple=True, metavar="NAME=VALUE", help="An argument; $COLUMN is the value of a column."
)
@click.option("--check", is_flag=True, help="Build all rows first, and report all invalid ones.")
@click.option("--partition-size", type=click.IntRange(1), help="Rows of each log and each task.  [1000]")
@_run_options
def run(document: str, operation: str, table: str, journal: str, **given: Any) -> int:
    """Call OPERATION of DOCUMENT for each row of TABLE: CSV, TSV, JSON Lines or Parquet.

    Each column is an argument, unless --set defines them: --set to='$phone' --set amount:=3. After a crash, run the
    same command line again, or `dynclient bulk resume DIR`. The exit status is 0 if all rows are done, 1 if some are
    not, 3 if some are unknown: sent, but the response was lost.
    """
    with _method(document, operation, given) as (method, more):
        names = ("key", "check", "partition_size", "accept_changed_document")
        named = {name: given[name] for name in names if given[name] is not None}
        if given["arguments"]:
            named["arguments"] = _arguments(given["arguments"])
        made = product.create(method, table, journal=journal, **named, **more)
        kept = {name: given[name] for name in _OF_THE_CLIENT}
        kept["auth"] = [word for word in kept["auth"] if not word.endswith("=-")]
        word = str(Path(document).resolve()) if Path(document).is_file() else document
        text = json.dumps({"document": word, "operation": operation, "options": kept})
        Path(made.path, _COMMAND).write_text(text, encoding="utf-8")
        return _driven(made, made.resume)


@bulk.command(short_help="Resume a run.")
@_journal
@_run_options
def resume(journal: str, **given: Any) -> int:
    """Resume a run: send the unsent rows, and those without a response that can be repeated."""
    with _found(journal, given) as (found, more):
        return _driven(found, found.resume, **more)


@bulk.command(short_help="Send rows with an outcome again.")
@_journal
@click.option(
    "--outcome", type=click.Choice(_OUTCOMES[1:]), default="failed", show_default=True, help="The rows to send again."
)
@click.option("--may-repeat", is_flag=True, help="Send unknown rows again, even though they may have been done.")
@_run_options
def retry(journal: str, outcome: str, *, may_repeat: bool, **given: Any) -> int:
    """Send rows with an outcome again."""
    with _found(journal, given) as (found, more):
        return _driven(found, found.retry, outcome=outcome, may_repeat=may_repeat, **more)


@bulk.command(short_help="Count the rows of a run by outcome.")
@_journal
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(journal: str, *, as_json: bool) -> int:
    """Count the rows of a run by outcome; the exit status is that of the run."""
    summary = product.open(journal).summary
    write(json.dumps(asdict(summary)) if as_json else str(summary))
    return _status(summary)


@bulk.command(short_help="Print the results of a run.")
@_journal
@click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only rows with this outcome.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE: .jsonl or .parquet.")
def results(journal: str, outcome: str | None, output: str | None) -> None:
    """Print the results of a run, one line of JSON for each row."""
    found = product.open(journal)
    if output is not None and output.endswith(".parquet"):
        found.to_parquet(output, outcome)
        return
    rows = found.results() if outcome is None else found.rows(outcome)
    lines = (json.dumps(asdict(each), ensure_ascii=not sys.stdout.isatty(), default=str) for each in rows)
    if output is None:
        sys.stdout.writelines(escaped(line) + "\n" for line in lines)
        return
    save(Path(output), (f"{line}\n".encode() for line in lines))


@bulk.command(short_help="List the rows whose response was lost.")
@_journal
def unknown(journal: str) -> int:
    """List the keys of the unknown rows: sent, but the response was lost."""
    found = product.open(journal)
    for each in found.rows("unknown"):
        click.echo(escaped(each.key))
    return _UNKNOWN_LEFT if found.summary.unknown else 0


@bulk.command(short_help="Write a report about a run.")
@_journal
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False), metavar="FILE", help="The HTML file to write."
)
def report(journal: str, output: str) -> None:
    """Write an HTML report about a run: outcomes, pace and latency over time, statuses, faults, unknown rows."""
    from dynclient.bulk.report import page

    save(Path(output), page(product.open(journal)).encode())


def _arguments(words: tuple[str, ...]) -> dict[str, Any]:
    """Arguments as ``NAME=VALUE``, or ``NAME:=JSON``."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.rstrip(":"):
            raise click.UsageError(f"--set takes NAME=VALUE or NAME:=JSON, not {word}")
        try:
            found[name.rstrip(":")] = read_json(value) if name.endswith(":") else value
        except ValueError as error:
            raise click.UsageError(f"--set {name}= is not JSON: {error}") from None
    return found


@contextmanager
def _method(document: str, operation: str, given: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The operation and the settings of the run, with an executor if other processes send."""
    words = with_settings(document, given)
    more = {name: words[name] for name in _SETTINGS if words[name] is not None}
    if more.get("max_failures") == 0:
        more["max_failures"] = None
    with ExitStack() as stack:
        client = stack.enter_context(documents.client_of(document))
        options = call_options(client, {**words, "rate": None})
        if given["workers"] or given["dask"]:
            options.pop("auth", None)
            more["auth"] = _references(client, words["auth"])
            more["executor"] = stack.enter_context(_executor(given["workers"], given["dask"]))
        yield documents.method_of(client, operation).with_options(**options), more


def _references(client: Client, words: list[str]) -> dict[str, str] | None:
    """The credentials of workers: the names of variables of their environments."""
    found = {}
    for word in words:
        name, equals, source = word.partition("=")
        if not equals or not source.startswith("env:") or name not in client.api.security_schemes:
            raise click.UsageError("with --workers and --dask, --auth takes SCHEME=env:VARIABLE of the workers")
        found[name] = source
    for scheme in client.api.security_schemes.values():
        variable = credentials.variable(client.api, scheme)
        if scheme.name not in found and credentials.is_configured(client.api) and os.environ.get(variable):
            found[scheme.name] = f"env:{variable}"
    return found or None


@contextmanager
def _executor(workers: int | None, address: str | None) -> Iterator[Any]:
    """A client of a cluster: the one at an address, or processes on this machine."""
    if workers and address:
        raise click.UsageError("--workers starts local processes, --dask uses a cluster: use only one of them")
    with needing("each of --workers and --dask", "dask"):
        from distributed import Client, LocalCluster
    with ExitStack() as stack:
        if workers:
            address = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
            )
        yield stack.enter_context(Client(address))


@contextmanager
def _found(journal: str, given: dict[str, Any]) -> Iterator[tuple[BulkRun, dict[str, Any]]]:
    """The run of a journal, with the client of the command line that started it."""
    try:
        before = json.loads(Path(journal, _COMMAND).read_text(encoding="utf-8"))
        kept = {name: given[name] or before["options"].get(name) or given[name] for name in _OF_THE_CLIENT}
        document, operation = before["document"], before["operation"]
    except (OSError, ValueError, TypeError, KeyError):
        product.open(journal)
        raise click.ClickException(f"{journal} was not started by dynclient bulk run: resume it in Python") from None
    with _method(document, operation, {**given, **kept}) as (method, more):
        yield product.open(journal, method, accept_changed_document=given["accept_changed_document"]), more


def _driven(found: BulkRun, drive: Callable[..., BulkRun], **options: Any) -> int:
    """Send the rows, and show the progress; returns the exit status."""
    try:
        with _progress(found.total) as progress:
            drive(progress=progress, **options)
    except KeyboardInterrupt:
        inform(f"interrupted; to resume: dynclient bulk resume {found.path}")
        raise
    summary = found.summary
    inform(str(summary))
    return _status(summary)


def _status(summary: Summary) -> int:
    if summary.unknown:
        return _UNKNOWN_LEFT
    return 0 if summary.is_complete else _SOME_NOT_DONE


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Summary], None]]:
    """Show progress: a bar in a terminal, a line per minute elsewhere."""
    if not sys.stderr.isatty():
        last = [time.monotonic()]

        def line(summary: Summary) -> None:
            if time.monotonic() - last[0] >= _MINUTE:
                last[0] = time.monotonic()
                inform(str(summary))

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("", total=total)

        def show(summary: Summary) -> None:
            left = [f"{getattr(summary, name)} {name}" for name in _OUTCOMES[1:] if getattr(summary, name)]
            bars.update(bar, completed=total - summary.pending, description=", ".join(left))

        yield show
