"""An operation as a click command, and the call that it makes.

Required parameters are positional, everything else is an option; the help texts come from the document. Values stay
text until the call is made, and are then read by their schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from dynclient._records import Record
from dynclient._request import Bound
from dynclient._schemas import shape
from dynclient._settings import APISettings
from dynclient.cli import credentials, documents
from dynclient.cli.commands import Command, colour_option, plain_line
from dynclient.cli.http_text import VerboseTransport, request_text, with_secret_headers
from dynclient.cli.input_values import argument_value, body_fields, body_words, whole_body
from dynclient.cli.lists import ListOption, hint_of_more, list_options, pages_of, show_all
from dynclient.cli.output import FORMAT_NAMES, FileWithProgress, Printer, write
from dynclient.cli.results import FileToSave, show_error, show_result, show_stream
from dynclient.cli.waits import Seconds, WaitOption, check_waits, wait_options, waited
from dynclient.exceptions import ArgumentError, MissingCredential, ResponseError, escaped
from dynclient.inspection.arguments import Argument, arguments
from dynclient.inspection.docstrings import constraints
from dynclient.model import API, Operation

if TYPE_CHECKING:  # not needed to complete options
    from dynclient._client import Client

_MODES = ("strict", "warn", "off")
_LONGEST_CHOICE = 80

BODY_HELP = (
    "The body: name=value and name:=JSON, or shorthand such as 'title: A bug, labels[]: bug'; @FILE, or - for standard "
    "input."
)
SHARED_OPTIONS = (
    click.Option(["--body", "body_text"], help="The body: JSON or text, @FILE, or - for standard input."),
    click.Option(["--body-field"], multiple=True, metavar="A.B=VALUE", help="A field of the body."),
    click.Option(["--content-type"], help="The body's media type, if there is a choice."),
    click.Option(["--accept"], help="The response's media type, if there is a choice."),
    click.Option(["-o", "--format", "format"], type=click.Choice(FORMAT_NAMES), help="The output format of the data."),
    click.Option(
        ["--filter"], metavar="JMESPATH", help="Show only the part of status, headers and body that this selects."
    ),
    click.Option(["--include", "-i"], is_flag=True, help="Show status and headers too."),
    click.Option(
        ["--output"],
        is_flag=False,
        flag_value="",
        metavar="[FILE]",
        help="Write the data to FILE; without FILE, the server gives the name.",
    ),
    click.Option(
        ["--resume"],
        is_flag=False,
        flag_value="",
        metavar="[TEXT]",
        help="With --output: resume an interrupted download. With --all: continue at TEXT, which a "
        "stopped list printed.",
    ),
    click.Option(["--follow"], is_flag=True, help="Follow redirects, also documented ones."),
    click.Option(["--verbose", "-v"], count=True, help="Show the requests and responses; -vv: bodies too."),
    click.Option(["--dry-run"], is_flag=True, help="Send nothing; show the request."),
    click.Option(["--curl"], is_flag=True, help="Send nothing; show the curl command for the request."),
    click.Option(
        ["--auth"],
        multiple=True,
        metavar="SCHEME=env:VAR",
        help="A credential: env:VARIABLE, file:PATH, keyring:SERVICE/USER, or - for a prompt. SCHEME may "
        "be bearer or basic if the document names none.",
    ),
    click.Option(["--anonymous"], is_flag=True, help="Send no credentials, even if the document requires them."),
    click.Option(
        ["--header", "-H"],
        multiple=True,
        metavar="NAME:VALUE",
        help="A further header; NAME=env:VARIABLE for a secret, since others can see arguments.",
    ),
    click.Option(["--server"], multiple=True, help="A server's index, name or URL, or its VARIABLE=VALUE."),
    click.Option(["--base-url"], help="The base URL, instead of the document's servers."),
    click.Option(["--timeout"], type=Seconds(), help="The time limit of the call: seconds, or such as 90s or 10m."),
    click.Option(["--retries"], type=click.IntRange(0), help="The number of retries."),
    click.Option(["--rate"], metavar="N/TIME", help="A rate limit, such as 50/s or 600/m; or auto."),
    click.Option(["--validate"], type=click.Choice(_MODES), help="Validation of the call.  [strict]"),
    click.Option(["--profile", "-p"], help="The profile of an API by short name.  [DYNCLIENT_PROFILE]"),
    colour_option(),
)


class ValueType(click.ParamType):  # type: ignore[type-arg]  # it is generic in some of click's versions only
    """A value of an argument, still as text."""

    name = "value"

    def __init__(self, argument: Argument) -> None:
        """Take the argument, whose schema names its type and its values."""
        seen = shape(argument.schema) if argument.schema is not None else None
        enum = (seen.enum if seen is not None else None) or ()
        self.values = [str(one).lower() if isinstance(one, bool) else str(one) for one in enum if one is not None]
        types = sorted(seen.types - {"null"}) if seen is not None else []
        if not self.values and types == ["boolean"]:
            self.values = ["true", "false"]
        choices = "|".join(self.values)
        type_name = types[0].upper() if len(types) == 1 and types[0] != "string" else "TEXT"
        self.metavar = escaped(f"[{choices}]") if choices and len(choices) <= _LONGEST_CHOICE else type_name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The values of an enum; a file after ``@``."""
        del ctx, param
        if incomplete.startswith("@"):
            return [CompletionItem(incomplete, type="file")]
        # A line break would begin another proposal.
        return [CompletionItem(value) for value in self.values if value.startswith(incomplete) and value.isprintable()]


class Positional(click.Argument):
    """A required parameter with a help text, which click's arguments lack."""

    help_text: str = ""


class OperationCommand(Command):
    """A command whose help separates the operation's own options from those of every operation."""

    described: tuple[API, Operation]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, the operation's options, and then the others."""
        sections: dict[str, list[tuple[str, str]]] = {
            name: [] for name in ("Arguments", "The operation's options", "Lists", "Waiting", "Options")
        }
        shown: dict[type, bool] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, Positional):
                sections["Arguments"].append((param.metavar or "", param.help_text))
            elif record is not None and isinstance(param, (ListOption, WaitOption)):
                shown = shown if type(param) in shown else {**shown, type(param): param.applies(*self.described)}
                if shown[type(param)]:
                    sections[param.section].append(record)
            elif record is not None:
                own = isinstance(param.type, ValueType)
                sections["The operation's options" if own else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def operation_command(api: API, operation: Operation, name: str, callback: Callable[..., int]) -> click.Command:
    """The command of an operation.

    Raises:
        DocumentError: the operation is broken.
    """
    flags = option_flags(operation)
    params: list[click.Parameter] = []
    for index, argument in enumerate(arguments(operation)):
        if argument.kind == "parameter" and argument.required:
            positional = Positional([_key(index)], metavar=argument.name.upper(), type=ValueType(argument))
            positional.help_text = _help(argument)
            params.append(positional)
        elif argument.kind != "body":
            flag, is_list = flags[argument.name]
            value_type = ValueType(argument)
            usual = f"--{argument.name.strip('_').replace('_', '-')}"
            text = _help(argument) if flag == usual else f"{_help(argument)} ({usual} is dynclient's own.)".strip()
            params.append(
                click.Option(
                    [flag, _key(index)], type=value_type, metavar=value_type.metavar, multiple=is_list, help=text
                )
            )
    if operation.body is not None:
        body = Positional(["body_words"], nargs=-1, metavar="[BODY]...")
        body.help_text = BODY_HELP
        params.append(body)
    head = f"{operation.method} {operation.path}"
    texts = (operation.row.summary, operation.description, "Deprecated." if operation.row.deprecated else "", head)
    own = {flag for flag, _ in flags.values()}
    command = OperationCommand(
        name,
        callback=callback,
        params=[*params, *list_options(own), *wait_options(own), *SHARED_OPTIONS],
        help=escaped("\n\n".join(dict.fromkeys(filter(None, texts)))),
        epilog=escaped(credentials.in_words(api, operation)),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    command.described = api, operation
    return command


def _key(index: int) -> str:
    return f"argument_{index}"


def option_flags(operation: Operation) -> dict[str, tuple[str, bool]]:
    """The options of an operation's arguments, by their names, and whether they may be repeated.

    One that has the name of an option of every operation begins with ``--parameter-`` or ``--property-``.
    """
    taken = {flag for option in SHARED_OPTIONS for flag in option.opts} | {"--help"}
    found: dict[str, tuple[str, bool]] = {}
    for argument in arguments(operation):
        if argument.kind == "body" or (argument.kind == "parameter" and argument.required):
            continue
        flag = "--" + argument.name.strip("_").replace("_", "-")
        while flag in taken:
            flag = f"--{argument.kind}-{flag[2:]}"
        taken.add(flag)
        found[argument.name] = flag, argument.schema is not None and "array" in shape(argument.schema).types
    return found


def _help(argument: Argument) -> str:
    bounds = "; ".join(constraints(argument.schema))
    marks = f"({bounds}) " * bool(bounds) + "Deprecated. " * argument.deprecated + "[required]" * argument.required
    return escaped(plain_line(" ".join(f"{argument.description} {marks}".split())))


def run_call(client: Client, transport: VerboseTransport, method: Any, document: str, **given: Any) -> int:
    """Make a call with click's parameters, and show its response; returns the exit status."""
    operation = method.operation
    check_waits(given)
    longest, given = given["timeout"], {**given, **({"timeout": None} if given["wait_wait"] else {})}
    given = with_settings(documents.settings_of(document, given["profile"]), given)
    parameters, body = _values(operation, given)
    method = method.with_options(**call_options(client, given, transport))
    # By wire names, so that a null is sent: as an argument, None is "not given" where nothing is required.
    bound = Bound(parameters, body)
    results: list[Any] = []

    def send() -> Any:
        if given["wait_wait"]:
            return waited(method, bound, given, longest, document)
        results.append(method.send(parameters, body=body))
        return results[-1]

    pages = (lambda: pages_of(method, bound, given)) if given["all"] else None
    name = documents.command_name(method.__name__)
    prepared = PreparedCall(name, lambda: method.prepare(bound), lambda: method.stream(bound), send, pages)
    try:
        status = sent(prepared, body, given, transport, is_sequence=_is_sequence(operation))
    except MissingCredential as error:
        error.hint = credentials.hint(client.api, operation)
        raise
    except ArgumentError as error:
        if body is ... and operation.body is not None and operation.body.required:
            ways = "name=value words, --body JSON, --body @FILE, or --body - for standard input"
            error.hint = f"give the body by {ways}"
        raise
    for result in results:
        hint_of_more(method, bound, result)
    return status


class PreparedCall(Record):
    """How a request can be made: shown only, streamed, sent, or sent for each page of a list.

    ``name`` is the operation's, for files.
    """

    name: str
    prepare: Callable[[], Any]
    stream: Callable[[], Any]
    send: Callable[[], Any]
    pages: Callable[[], Any] | None = None


def sent(
    prepared: PreparedCall,
    body: Any,
    given: Mapping[str, Any],
    transport: VerboseTransport,
    *,
    is_sequence: bool = False,
) -> int:
    """Make a request as the options of a command line say, and show its response; returns the exit status."""
    resumes = given["resume"] is not None
    if given["resume"] and prepared.pages is None:
        raise click.UsageError("--resume TEXT needs --all; for a download, --resume comes after the other words")
    printer = Printer(output=given["format"], expression=given["filter"], include=given["include"])
    try:
        with closing(body) if isinstance(body, FileWithProgress) else nullcontext():
            if given["curl"] or given["dry_run"]:
                request = prepared.pages().prepare() if prepared.pages is not None else prepared.prepare()
                request = with_secret_headers(request, transport.secret_headers)
                write(request.to_curl() if given["curl"] else request_text(request))
                return 0
            is_download = resumes and prepared.pages is None
            saved = FileToSave.of(given["output"], prepared.name, resume=is_download)
            if prepared.pages is not None:
                return show_all(prepared.pages(), given, printer, saved)
            is_raw = given["format"] == "raw" or (saved is not None and given["format"] is None)
            by_items = given["format"] == "ndjson" and is_sequence
            if given["filter"] is None and (is_raw or by_items):
                with prepared.stream() as answer:
                    return show_stream(answer, printer, saved, by_items=by_items)
            return show_result(prepared.send(), printer, saved)
    except ResponseError as error:
        show_error(error, printer)
        raise


def _values(operation: Operation, given: Mapping[str, Any]) -> tuple[dict[tuple[str, str], Any], Any]:
    """The parameters by location and wire name, and the body, ``...`` where there is none."""
    parameters: dict[tuple[str, str], Any] = {}
    properties: dict[str, Any] = {}
    for index, argument in enumerate(arguments(operation)):
        text = given.get(_key(index))
        if text is None or text == ():
            continue
        if argument.kind == "parameter":
            parameters[argument.in_, argument.wire] = argument_value(argument, text)
        else:
            properties[argument.wire] = argument_value(argument, text)
    properties |= body_fields(operation, given["body_field"], "--body-field")
    text, words = given["body_text"], given.get("body_words") or ()
    if words and (properties or text is not None):
        raise click.UsageError("give the body by words, by --body, or or by its properties, in only one of these ways")
    if words:
        return parameters, body_words(operation, words, given["content_type"])
    own = next((one for one in arguments(operation) if one.kind == "property" and "body" in {one.name, one.wire}), None)
    if own is not None and text is not None and text != "-" and text.lstrip()[:1] not in {"{", "[", "@"}:
        # As in a call, a string for a body with a property `body` is that property.
        properties[own.wire], text = argument_value(own, text), None
    if text is None:
        return parameters, properties or ...
    if properties:
        raise click.UsageError("give either the whole body with --body, or its properties, not both")
    return parameters, whole_body(operation, text, given["content_type"])


def _is_sequence(operation: Operation) -> bool:
    from dynclient import codecs

    successes = (response for status, response in operation.responses.items() if status.startswith("2"))
    ranges = [media_range for response in successes for media_range in response.content]
    return bool(ranges) and all(codecs.find(media_range).name == "sequence" for media_range in ranges)


def call_options(client: Client, given: Mapping[str, Any], transport: VerboseTransport | None = None) -> dict[str, Any]:
    """The options of the call, for ``with_options``; they also tell the transport what to print."""
    headers, secret_headers = credentials.headers(client.api, given["header"], given["auth"])
    if transport is not None:
        transport.secret_headers, transport.verbosity = secret_headers, given["verbose"]
    options = {
        **{
            name: given.get(name)
            for name in ("base_url", "timeout", "rate", "content_type", "accept", "validate", "paginate")
        },
        "server": _server(given["server"]),
        "retry": given["retries"] + 1 if given.get("retries") is not None else None,
        "auth": credentials.gathered(client.api, given["auth"]),
        "redirects": "all" if given.get("follow") else None,
        "headers": headers or None,
    }
    options = {name: value for name, value in options.items() if value is not None}
    return {**options, "auth": None} if given.get("anonymous") else options


def with_settings(settings: APISettings | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a command line, with an API's settings where it has none."""
    if settings is None:
        return dict(given)
    auth = [f"{scheme}={source}" if scheme else source for scheme, source in settings.auth.items()]
    return {
        **given,
        "base_url": given["base_url"] or (settings.base_url if not given["server"] else None),
        "server": given["server"] or (() if given["base_url"] else server_words(settings.server)),
        "timeout": given["timeout"] or settings.timeout,
        "rate": given.get("rate") or settings.rate,
        "paginate": settings.paginate or None,
        "header": [*(f"{name}:{value}" for name, value in settings.headers.items()), *given["header"]],
        "auth": [*auth, *given["auth"]],
    }


def server_words(server: Any) -> list[str]:
    """A server of the settings, written as for ``--server``."""
    if isinstance(server, Mapping):
        return [value if name == "server" else f"{name}={value}" for name, value in server.items()]
    return [] if server is None else [str(server)]


def _server(words: Iterable[str]) -> Any:
    """An index, a name or URL, or variables as ``NAME=VALUE``."""
    choice: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and "://" not in name:
            choice[name] = value
        else:
            choice["server"] = int(word) if word.isdecimal() else word
    return choice if set(choice) - {"server"} else choice.get("server")
