"""``dynclient ls`` and ``dynclient show``: what there is, and what one operation takes and gives."""

from __future__ import annotations

import sys
from typing import Any

import click

from dynclient import inspection
from dynclient.cli.answers import FORMATS, write
from dynclient.cli.documents import (
    OperationType,
    TagType,
    api_of,
    client_of,
    document_argument,
    method_of,
)
from dynclient.model import API, OperationRow


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
def ls(document: str, words: tuple[str, ...], tag: str | None, output: str) -> None:
    """List the operations of DOCUMENT: all, or those with all WORDS in their names, texts or parameters, best first."""
    api = api_of(document)
    found = inspection.search(api.rows, " ".join(words), api.read) if words else api.rows
    kept = api._replace(rows=tuple(row for row in found if tag is None or tag in row.tags))
    if output == "names":
        sys.stdout.writelines(f"{row.name}\n" for row in kept.rows)
    elif output == "table":
        _table(kept, () if words or tag else inspection.lost(api), flat=bool(words))
    else:
        write(FORMATS[output]([_as_data(row) for row in kept.rows]))
    if output != "table":
        for fault in inspection.lost(api):
            click.echo(f"broken: {fault}", err=True)


def _table(api: API, faults: tuple[str, ...], *, flat: bool) -> None:
    rows = [row._replace(tags=() if flat else row.tags) for row in inspection.rows(api)]
    coloured = inspection.as_coloured(rows, faults, sys.stdout) if inspection.is_coloured(sys.stdout) else None
    sys.stdout.write((coloured if coloured is not None else inspection.as_text(rows, faults)) + "\n")


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
    method = method_of(client_of(document), operation)
    _ = method.operation  # one that is broken says so here
    if output == "text" and not schema:
        write(repr(method))
    else:
        write(FORMATS["json" if output == "text" else output](method.schema if schema else method.describe()))
