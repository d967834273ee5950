"""``dynclient call``: one operation from the shell, with a command of its own that is made from the document.

Required parameters are positional, all else are options; a value is read by its schema.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dynclient._client import Client
from dynclient._schemas import shape, typed
from dynclient.exceptions import escaped
from dynclient.inspection import Argument, arguments
from dynclient.messages import HTTPResult
from dynclient.model import API, Operation, SecurityScheme

REDIRECTION = 3

_SHARED: tuple[Callable[[], click.Option], ...] = (
    lambda: click.Option(["--body", "body_text"], help="The body: JSON or text, @FILE, or - for standard input."),
    lambda: click.Option(["--content-type"], help="The body's media type, where there is a choice."),
    lambda: click.Option(["--accept"], help="The answer's media type, where there is a choice."),
    lambda: click.Option(["--base-url"], help="A server in place of the document's."),
    lambda: click.Option(["--timeout"], type=float, help="Seconds for the whole call."),
    lambda: click.Option(
        ["--validate"], type=click.Choice(["strict", "warn", "off"]), default="strict", show_default=True
    ),
    lambda: click.Option(["--include", "-i"], is_flag=True, help="Show status and headers too."),
    lambda: click.Option(["--curl"], is_flag=True, help="Send nothing; show the curl command that would."),
)


@click.command(
    short_help="Call an operation.", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("document")
@click.argument("operation")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def call(document: str, operation: str, arguments: tuple[str, ...]) -> int:
    """Call OPERATION of DOCUMENT; `dynclient call DOCUMENT OPERATION --help` tells its arguments.

    A credential is taken from the environment: DYNCLIENT_<TITLE>_<SCHEME>, as user:password or as a token.
    """
    client = Client.load(document)
    method = client.operations[operation]
    command = _command(method.__name__, client.api, method.operation, _Call(client, operation))
    # Without a parent, or the usage of this command would stand before the operation's own.
    with client, command.make_context(f"dynclient call {document} {operation}", list(arguments)) as made:
        status: int = command.invoke(made)
        return status


class _Call:
    """What an operation's command does when it is run."""

    def __init__(self, client: Client, operation: str) -> None:
        self._client = client
        self._operation = operation

    def __call__(self, **given: Any) -> int:
        method = self._client.operations[self._operation]
        auth = _credentials(self._client.api)
        options = {"base_url": given["base_url"], "timeout": given["timeout"], "auth": auth}
        method = method.with_options(
            validate=given["validate"], **{name: value for name, value in options.items() if value is not None}
        )
        parameters, body = _values(arguments(method.operation), given)
        if given["curl"]:
            click.echo(_prepared(method, parameters, body).to_curl())
            return 0
        result = method.send(parameters, body=body, content_type=given["content_type"], accept=given["accept"])
        _show(result, include=given["include"])
        return REDIRECTION if result.status // 100 == REDIRECTION else 0


def _prepared(method: Any, parameters: Mapping[tuple[str, str], Any], body: Any) -> Any:
    names = {(argument.in_, argument.wire): argument.name for argument in arguments(method.operation)}
    keywords = {names[key]: value for key, value in parameters.items()}
    return method.prepare(**keywords, **({} if body is ... else {"body": body}))


def _command(name: str, api: API, operation: Operation, callback: Callable[..., int]) -> click.Command:
    shared = [make() for make in _SHARED]
    taken = {option for parameter in shared for option in parameter.opts}
    params: list[click.Parameter] = []
    for index, argument in enumerate(arguments(operation)):
        if argument.kind == "parameter" and argument.required:
            params.append(click.Argument([_key(index)], metavar=argument.name.upper()))
        elif argument.kind != "body":
            params.append(_option(index, argument, taken))
    variables = ", ".join(_variable(api, scheme) for scheme in api.security_schemes.values())
    return click.Command(
        name,
        callback=callback,
        params=[*params, *shared],
        help=escaped(operation.description or operation.row.summary),
        epilog=f"Credentials: {variables}" if variables and operation.security else None,
    )


def _key(index: int) -> str:
    return f"argument_{index}"


def _option(index: int, argument: Argument, taken: set[str]) -> click.Option:
    flag = "--" + argument.name.strip("_").replace("_", "-")
    flag = f"--parameter-{flag[2:]}" if flag in taken else flag
    taken.add(flag)
    seen = shape(argument.schema) if argument.schema is not None else None
    choices = ", ".join(str(value) for value in (seen.enum or ())) if seen is not None else ""
    text = " ".join(argument.description.split())
    return click.Option(
        [flag, _key(index)],
        multiple=seen is not None and "array" in seen.types,
        help=escaped(f"{text} [{choices}]" if choices else text),
    )


def _values(found: tuple[Argument, ...], given: Mapping[str, Any]) -> tuple[dict[tuple[str, str], Any], Any]:
    """Parameters by location and wire name, and the body, ``...`` where there is none."""
    parameters: dict[tuple[str, str], Any] = {}
    properties: dict[str, Any] = {}
    for index, argument in enumerate(found):
        text = given.get(_key(index))
        if text is None or text == ():
            continue
        value = _value(argument, text)
        if argument.kind == "parameter":
            parameters[argument.in_, argument.wire] = value
        else:
            properties[argument.wire] = value
    whole = given["body_text"]
    if whole is not None and properties:
        raise click.UsageError("the body is given whole by --body, and by its properties too")
    if whole is not None:
        return parameters, _body(whole)
    return parameters, properties or ...


def _value(argument: Argument, text: str | tuple[str, ...]) -> Any:
    if argument.schema is None:
        return text
    texts = list(text) if isinstance(text, tuple) else None
    if texts is not None and (len(texts) > 1 or not texts[0].lstrip().startswith("[")):
        return typed(argument.schema, texts)
    one = texts[0] if texts is not None else str(text)
    if one.lstrip()[:1] in {"{", "["} and "string" not in shape(argument.schema).types:
        return _json(one)
    return typed(argument.schema, one)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{text[:40]!r} is no JSON: {error}") from None


def _body(text: str) -> Any:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            content = Path(text[1:]).read_bytes()
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            return content
    try:
        return json.loads(text)
    except ValueError:
        return text


def _variable(api: API, scheme: SecurityScheme) -> str:
    return "DYNCLIENT_" + "_".join(
        re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") for name in (api.title, scheme.name)
    )


def _credentials(api: API) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for scheme in api.security_schemes.values():
        text = os.environ.get(_variable(api, scheme))
        if text is not None:
            user, colon, password = text.partition(":")
            basic = scheme.type == "http" and scheme.scheme == "basic" and colon
            found[scheme.name] = (user, password) if basic else text
    return found or None


def _show(result: HTTPResult, *, include: bool) -> None:
    if include:
        click.echo(f"HTTP {result.status}")
        for name, value in result.headers.pairs():
            click.echo(escaped(f"{name}: {value}"))
        click.echo()
    if isinstance(result.data, bytes):
        sys.stdout.buffer.write(result.data)
    elif isinstance(result.data, str):
        click.echo(result.data if not sys.stdout.isatty() else escaped(result.data))
    elif result.data is not None:
        click.echo(json.dumps(result.data, indent=2, ensure_ascii=sys.stdout.isatty()))
