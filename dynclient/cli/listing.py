"""``dynclient ls`` and ``dynclient show``: what there is, and what one operation takes and gives."""

from __future__ import annotations

import json
from typing import Any

import click

from dynclient import inspection
from dynclient._client import Client
from dynclient.exceptions import escaped


@click.command(short_help="List the operations of a document.")
@click.argument("document")
@click.argument("words", nargs=-1)
@click.option("--tag", help="Only the operations of this tag.")
@click.option("-o", "--output", type=click.Choice(["table", "json", "names"]), default="table", show_default=True)
def ls(document: str, words: tuple[str, ...], tag: str | None, output: str) -> None:
    """List the operations of DOCUMENT, a path or URL: all, or those in whose name, path or summary are all WORDS."""
    api = Client.load(document).api
    kept = tuple(row for row in api.rows if _fits(row, words, tag))
    if output == "names":
        for row in kept:
            click.echo(row.name)
    elif output == "json":
        click.echo(json.dumps([_as_data(row) for row in kept], indent=2, ensure_ascii=False))
    else:
        click.echo(inspection.table(api._replace(rows=kept)))


def _fits(row: Any, words: tuple[str, ...], tag: str | None) -> bool:
    text = f"{row.name} {row.operation_id} {row.key} {row.summary}".lower()
    return all(word.lower() in text for word in words) and (tag is None or tag in row.tags)


def _as_data(row: Any) -> dict[str, Any]:
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
@click.argument("document")
@click.argument("operation")
def show(document: str, operation: str) -> None:
    """Describe OPERATION of DOCUMENT: its arguments, body, answers, and an example.

    OPERATION is an operationId, a Python name, or "POST /accounts/{accountId}/calls".
    """
    method = Client.load(document).operations[operation]
    click.echo(f"{method.__name__}{method.__signature__}\n")
    click.echo(escaped(method.__doc__ or ""))
