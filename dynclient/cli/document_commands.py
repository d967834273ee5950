"""``dynclient validate``, ``diff``, ``compile`` and ``cache``: commands for a whole document."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import cast

import click

from dynclient._escaping import counted
from dynclient._identifiers import near
from dynclient._settings import project_here
from dynclient.changes import KINDS, REPORTS, SEVERITIES, Severity, compare
from dynclient.cli.commands import Command
from dynclient.cli.documents import api_of, document_argument, format_option, loaded, located, overlays_of
from dynclient.cli.process import writing
from dynclient.exceptions import DocumentError, escaped

_REACHED = 3


@click.command(cls=Command)
@document_argument()
@format_option("text", "json", "yaml", text="The output format.")
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings, too.")
def validate(document: str, output: str, *, strict: bool) -> int:
    """Report every fault of DOCUMENT, one line each: file and line, JSON pointer, and message.

    Operations, callbacks, webhooks, components and schemas are checked; examples and defaults are validated against
    their schemas. Fields that are unknown to OpenAPI are warnings. The exit status is 1 if there is a fault.
    """
    from dynclient._load import load
    from dynclient.cli.document_faults import DocumentFault, find_faults
    from dynclient.cli.output import FORMATS, write

    source = located(document)
    name = source if isinstance(source, str) else source.name
    try:
        found = find_faults(loaded(partial(load, overlays=overlays_of(document)), document))
    except DocumentError as error:
        found = [DocumentFault.of(error)]
    if output == "text":
        sys.stdout.writelines(f"{escaped(str(fault))}\n" for fault in found)
    else:
        write(FORMATS[output]([fault.as_data() for fault in found]))
    sys.stdout.flush()  # so that the count comes last, also if both streams go to one place
    warnings = sum(fault.warning for fault in found)
    counts = counted(len(found) - warnings, "fault") + (f", {counted(warnings, 'warning')}" if warnings else "")
    click.echo(escaped(f"{name}: {counts}"), err=True)
    return 1 if len(found) > warnings or (strict and warnings) else 0


@click.command(cls=Command)
@document_argument("old")
@document_argument("new")
@format_option(*REPORTS, text="The output format.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit with status 3 for changes of this severity or worse."
)
@click.option("--severity", multiple=True, metavar="KIND=SEVERITY", help="Set the severity of a kind of change.")
@click.option("--accept", type=click.Path(), help="A file of accepted changes, which do not count for --fail-on.")
def diff(old: str, new: str, output: str, fail_on: str | None, severity: tuple[str, ...], accept: str | None) -> int:
    """Report the changes from the document OLD to NEW that matter to a Python caller.

    Each is a path, a URL, a short name, or a path at a git revision: main:openapi.yaml.

    A breaking change makes correct callers of OLD fail, or return them values that they could not get before; a warning
    needs attention.
    """
    project = project_here()
    severities = dict(_severities(project.table.get("severities", {}).items() if project is not None else ()))
    severities |= _severities(tuple(map(str.strip, each.partition("=")[::2])) for each in severity)
    changes = compare(api_of(old), api_of(new), severities=severities)
    if accept is not None:
        from dynclient.cli import accepted_changes

        today = dt.datetime.now(dt.UTC).date()
        changes, messages = accepted_changes.accept(changes, accepted_changes.read_accepted(accept), today)
        for message in messages:
            click.echo(escaped(message), err=True)
    text = REPORTS[output](changes)
    if text:
        click.echo(text)
    return _REACHED if fail_on is not None and changes.reach(cast("Severity", fail_on)) else 0


def _severities(pairs: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, Severity]]:
    for kind, rank in pairs:
        if kind not in KINDS:
            matches = near(kind, KINDS)
            hint = f"did you mean {' or '.join(matches)}?" if matches else "docs/changes.md lists the kinds"
            raise click.UsageError(escaped(f"--severity: there is no kind of change {kind}\nHint: {hint}"))
        if rank not in SEVERITIES:
            text = f"--severity: {kind} must be one of {', '.join(SEVERITIES)}, not {rank or 'nothing'}"
            raise click.UsageError(escaped(text))
        yield kind, rank


@click.command("compile", cls=Command)
@document_argument()
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .dync file.")
def compile_(document: str, output: Path) -> None:
    """Write DOCUMENT and everything that it refers to as one file, which loads in milliseconds."""
    from dynclient._client.downloads import AtomicFile
    from dynclient._load import compiled

    if output.suffix.lower() != ".dync":
        raise click.BadParameter("the file name must end in .dync", param_hint="-o")
    data = loaded(partial(compiled, overlays=overlays_of(document)), document)
    # click's atomic files replace the old one even if a write fails.
    with writing(output), AtomicFile(output) as file:
        file.write(data)
    click.echo(f"{output}: {len(data):,} bytes", err=True)


@click.command(cls=Command)
@click.option("--clear", is_flag=True, help="Remove all its contents.")
def cache(*, clear: bool) -> None:
    """Show the contents of the cache of compiled documents. It refills itself."""
    from dynclient._document import cache_of

    store = cache_of(True)
    if store is None:
        click.echo("the cache is off (DYNCLIENT_CACHE)", err=True)
        return
    if clear:
        click.echo(f"{store.folder}: {store.clear()} removed", err=True)
        return
    entries = store.entries()
    outdated = 0
    for entry in entries:
        if (source := store.source(entry)) == "-":
            outdated += 1
            continue
        used = dt.datetime.fromtimestamp(entry.used, dt.UTC).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{entry.size:>12,}  {used}  {source}")
    click.echo(f"{store.folder}: {len(entries)} documents, {sum(entry.size for entry in entries):,} bytes", err=True)
    if outdated:
        click.echo(f"{counted(outdated, 'form')} of other versions of dynclient are not listed", err=True)
