"""``dynclient request``: requests that the document does not describe, with the API's server and credentials."""

from __future__ import annotations

from typing import Any

import click

from dynclient.cli import documents
from dynclient.cli.calls import BODY_HELP, SHARED_OPTIONS, PreparedCall, call_options, sent, with_settings
from dynclient.cli.commands import Command
from dynclient.cli.http_text import VerboseTransport
from dynclient.cli.input_values import body_fields, body_words, whole_body
from dynclient.cli.output import Printer
from dynclient.cli.results import FileToSave, show_result
from dynclient.cli.waits import DEFAULT, followed, resumed

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_NAME = "response"


@click.command(cls=Command, params=[option for option in SHARED_OPTIONS if option.name != "validate"])
@documents.document_argument()
@click.argument("method", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.argument("body_words", nargs=-1, metavar="[BODY]...")
@click.option("--query", "-q", multiple=True, metavar="NAME=VALUE", help="A query field; may be repeated.")
def request(document: str, method: str, path: str, **given: Any) -> int:
    """Send METHOD to PATH of the API of DOCUMENT, even if the document does not describe it.

    Server, credentials, retries and limits are those of a call; nothing is validated. PATH may be a URL of the same
    server. {body}
    """
    given = with_settings(documents.settings_of(document, given["profile"]), given)
    body = _body(given)
    query: dict[str, list[str]] = {}
    for word in given["query"]:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError("--query takes NAME=VALUE")
        query.setdefault(name, []).append(value)
    transport = VerboseTransport()
    with documents.client_of(document, transport=transport) as client:
        requests = client.with_options(**call_options(client, given, transport)).request
        more = {**({"query": query} if query else {}), **({} if body is ... else {"body": body})}
        prepared = PreparedCall(
            _NAME,
            lambda: requests.prepare(method, path, **more),
            lambda: requests.stream(method, path, **more),
            lambda: requests(method, path, **more),
        )
        return sent(prepared, body, given, transport)


if request.help is not None:
    request.help = request.help.replace("{body}", BODY_HELP)


def _body(given: dict[str, Any]) -> Any:
    """The body of the command line, ``...`` without one."""
    ways = [bool(given["body_words"]), given["body_text"] is not None, bool(given["body_field"])]
    if sum(ways) > 1:
        raise click.UsageError("give the body by words, by --body, or by --body-field, in only one of these ways")
    if given["body_words"]:
        return body_words(None, given["body_words"], given["content_type"])
    if given["body_text"] is not None:
        return whole_body(None, given["body_text"], given["content_type"])
    return body_fields(None, given["body_field"], "--body-field") or ...


_OF_A_CALL = {"body_text", "body_field", "content_type", "dry_run", "curl", "resume", "follow"}


@click.command(cls=Command, params=[option for option in SHARED_OPTIONS if option.name not in _OF_A_CALL])
@documents.document_argument()
@click.argument("text")
def wait(document: str, text: str, **given: Any) -> int:
    """Continue a wait of `call --wait` that has printed TEXT, with the API of DOCUMENT.

    The server and the credentials are those of a call. --timeout applies to the wait.  [10m]
    """
    longest, given = given["timeout"], {**given, "timeout": None, "resume": None}
    given = with_settings(documents.settings_of(document, given["profile"]), given)
    transport = VerboseTransport()
    with documents.client_of(document, transport=transport) as client:
        job = resumed(client.with_options(**call_options(client, given, transport)), text)
        printer = Printer(output=given["format"], expression=given["filter"], include=given["include"])
        saved = FileToSave.of(given["output"], _NAME, resume=False)
        return show_result(followed(job, longest or DEFAULT, document), printer, saved)
