"""``dynclient overlay apply`` and ``check``: apply overlays to a document, and show what each action selects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynclient._escaping import counted, escaped
from dynclient._tables import aligned
from dynclient.cli.commands import Command
from dynclient.cli.documents import complete_documents, format_option, located
from dynclient.cli.output import FORMATS, write
from dynclient.cli.process import writing
from dynclient.exceptions import ArgumentError

if TYPE_CHECKING:
    from dynclient._overlays import Applied
    from dynclient.drift import Recorder


@click.group()
def overlay() -> None:
    """Apply OpenAPI Overlays (1.0 and 1.1) to a document, or check what they select."""


@overlay.command(cls=Command, short_help="Write the resulting document.")
@click.argument("document", shell_complete=complete_documents)
@click.argument("overlays", metavar="OVERLAY...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), help="YAML or JSON.  [by the file name]")
@click.option("--strict", is_flag=True, help="Write nothing if an action has no effect.")
def apply(document: str, overlays: tuple[str, ...], output: Path | None, form: str | None, *, strict: bool) -> int:
    """Apply each OVERLAY to DOCUMENT, in this order, and write the result.

    Paths, URLs, or - for standard input; DOCUMENT may be a short name. References are not followed.
    """
    applied = _applied(document, overlays)
    _warn(applied)
    if strict and applied.warnings:
        return 1
    if output is None:
        write(_as_text(applied.tree, document, form))
    else:
        _save(applied.tree, output, form)
        click.echo(escaped(f"{output}: {counted(len(applied.results), 'action')} applied"), err=True)
    return 0


@overlay.command(cls=Command, short_help="Show what each action selects.")
@click.argument("document", shell_complete=complete_documents)
@click.argument("overlays", metavar="OVERLAY...", nargs=-1, required=True, type=click.Path())
@click.option("--strict", is_flag=True, help="Exit with status 1 if an action has no effect.")
@format_option("text", "json", "yaml", text="The output format.")
def check(document: str, overlays: tuple[str, ...], output: str, *, strict: bool) -> int:
    """Show each action of each OVERLAY with the number of nodes that it selects in DOCUMENT; nothing is written.

    An action that selects nothing is a warning.
    """
    applied = _applied(document, overlays)
    rows = [
        {
            "overlay": result.overlay.name,
            "line": result.overlay.line(result.action.pointer),
            "action": result.action.kind or "nothing",
            "selected": result.selected,
            "target": result.action.target,
            "description": result.action.description,
        }
        for result in applied.results
    ]
    if output == "text":
        lines = [
            [escaped(" ".join(str("" if cell is None else cell).split())) for cell in row.values()] for row in rows
        ]
        write(aligned([["OVERLAY", "LINE", "ACTION", "NODES", "TARGET", ""], *lines]))
    else:
        write(FORMATS[output](rows))
    _warn(applied)
    return int(strict and bool(applied.warnings))


drift_option = click.option(
    "--drift",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write an overlay that makes the document accept the responses that differ from it.",
)
"""The option of commands that check traffic; :func:`save_drift` carries it out."""


def save_drift(recorder: Recorder, file: Path | None) -> None:
    """Write the overlay for the recorded differences, if a file is given, and print the number of its actions."""
    if file is None:
        return
    try:
        overlay = recorder.report().to_overlay()
    except ArgumentError as error:
        click.echo(escaped(f"{file} is not written: {error.message}"), err=True)
        return
    _save(overlay, file)
    click.echo(escaped(f"{file}: {counted(len(overlay['actions']), 'action')}; read it before you use it"), err=True)


def _as_text(tree: Any, name: str, form: str | None = None) -> str:
    """A tree as JSON or YAML: by ``form`` or the file's suffix."""
    return FORMATS[form or ("json" if name.lower().endswith(".json") else "yaml")](tree)


def _save(tree: Any, file: Path, form: str | None = None) -> None:
    from dynclient._client.downloads import AtomicFile

    with writing(file), AtomicFile(file) as opened:
        opened.write(_as_text(tree, file.name, form).rstrip("\n").encode() + b"\n")


def _applied(document: str, overlays: Sequence[str]) -> Applied:
    from dynclient._document import open_document, read_overlays
    from dynclient.options import Limits

    found = read_overlays(map(located, overlays), Limits(), None)
    if found is None:
        raise click.UsageError("give one or more overlays")
    opened = open_document(located(document))
    return found.applied(opened.root, opened.uri)


def _warn(applied: Applied) -> None:
    for warning in applied.warnings:
        click.echo(escaped(f"warning: {warning}"), err=True)
