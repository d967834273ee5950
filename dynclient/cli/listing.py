"""``dynclient ls`` and ``dynclient show``: what there is, and what one operation takes and gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from dynclient._readers import listed
from dynclient._rows import OperationRow
from dynclient._tables import for_stream, row_of
from dynclient.cli.documents import (
    OperationType,
    TagType,
    api_of,
    client_of,
    document_argument,
    located,
    method_of,
)


@click.command(short_help="List the operations of a document.")
@document_argument()
@click.argument("words", nargs=-1)
@click.option("--tag", type=TagType(), help="Only the operations of this tag.")
@click.option(
    "-o",
    "--format",
    "output",
    type=click.Choice(["table", "json", "yaml", "names"]),
    default="table",
    show_default=True,
    help="How they are shown.",
)
@click.option("--check", is_flag=True, help="Read each operation, and tell those that are broken.")
def ls(document: str, words: tuple[str, ...], tag: str | None, output: str, *, check: bool) -> None:
    """List the operations of DOCUMENT: all, or those with all WORDS in their names, texts or parameters, best first."""
    found, faults = _found(document, words)
    rows = [row for row in found if tag is None or tag in row.tags]
    broken = _broken(document, rows) if check else {}
    told = [f"{name}: {fault}" for name, fault in broken.items()]
    if not rows and (words or tag):
        click.echo(f"no operation has {' and '.join([*words, *([f'the tag {tag}'] if tag else [])])}", err=True)
    if output == "names":
        sys.stdout.write("".join([f"{row.name}\n" for row in rows]))
    elif output == "table":
        shown = [row_of(row._replace(tags=()) if words else row, broken.get(row.name, "")) for row in rows]
        sys.stdout.write(for_stream(shown, told if words or tag else [*faults, *told], sys.stdout) + "\n")
    else:
        from dynclient.cli.answers import FORMATS, write

        write(FORMATS[output]([_as_data(row) | ({"broken": broken.get(row.name)} if check else {}) for row in rows]))
    if output != "table":
        for fault in (*faults, *told):
            click.echo(f"broken: {fault}", err=True)


def _broken(document: str, rows: list[OperationRow]) -> dict[str, str]:
    """What is broken in operations, by their names."""
    operations = client_of(document).operations
    faults = {row.name: operations[row.name].fault for row in rows}
    return {name: " ".join(str(fault).split()) for name, fault in faults.items() if fault is not None}


def _found(document: str, words: tuple[str, ...]) -> tuple[Sequence[OperationRow], tuple[str, ...]]:
    """The operations, and what could not be listed; from the cache, where nothing but the list is asked for."""
    kept = None if words else listed(located(document))
    if kept is not None:
        return kept.rows, ()
    from dynclient import inspection

    api = api_of(document)
    return inspection.search(api.rows, " ".join(words), api.read) if words else api.rows, inspection.lost(api)


def _as_data(row: OperationRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "operationId": row.operation_id,
        "method": row.method,
        "path": row.path,
        "summary": row.summary,
        "tags": list(row.tags),
        "deprecated": row.deprecated,
    }


@click.command(short_help="Describe an operation.")
@document_argument()
@click.argument("operation", type=OperationType())
@click.option(
    "-o",
    "--format",
    "output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How it is shown.",
)
@click.option("--schema", is_flag=True, help="Show the JSON Schema of the body instead.")
def show(document: str, operation: str, output: str, *, schema: bool) -> None:
    """Describe OPERATION of DOCUMENT: its arguments, bodies, answers, security, servers, and an example.

    OPERATION is a name such as create-call, an operationId, or "POST /accounts/{accountId}/calls".
    """
    from dynclient.cli.answers import FORMATS, write

    method = method_of(client_of(document), operation)
    _ = method.operation  # one that is broken says so here
    if output == "text" and not schema:
        write(repr(method))
    else:
        write(FORMATS["json" if output == "text" else output](method.schema if schema else method.describe()))
