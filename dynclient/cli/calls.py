"""``dynclient call``, ``request`` and ``wait``: a call as a click command, and what it sends and shows.

Required parameters of an operation are positional, everything else is an option; the texts of the help are the
document's. Values are text until the call is made, and are then read by their schemas. ``request`` sends what the
document does not describe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from dynclient._records import Record
from dynclient._request import Bound
from dynclient._schemas import shape
from dynclient._settings import APISettings
from dynclient.cli import continuations, credentials, documents, output
from dynclient.cli.commands import Command, Decorated, colour_option, plain_line, with_options
from dynclient.cli.input_values import argument_value, body_fields, body_words, whole_body
from dynclient.cli.output import FileToSave, Printer, VerboseTransport, with_secret_headers, write
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
_AUTH_HELP = (
    "A credential: env:VARIABLE, file:PATH, keyring:SERVICE/USER, or - for a prompt. SCHEME may be bearer "
    "or basic if the document names none."
)
_HEADER_HELP = "A further header; NAME=env:VARIABLE for a secret, since others can see arguments."
_RESUME_HELP = (
    "With --output: resume an interrupted download. With --all: continue at TEXT, which a stopped list printed."
)
_MAY_BE_EMPTY: dict[str, Any] = {"is_flag": False, "flag_value": ""}
SHARED_OPTIONS = (
    click.Option(["--body", "body_text"], help="The body: JSON or text, @FILE, or - for standard input."),
    click.Option(["--body-field"], multiple=True, metavar="A.B=VALUE", help="A field of the body."),
    click.Option(["--content-type"], help="The body's media type, if there is a choice."),
    click.Option(["--accept"], help="The response's media type, if there is a choice."),
    click.Option(
        ["-o", "--format", "format"], type=click.Choice(output.FORMAT_NAMES), help="The output format of the data."
    ),
    click.Option(
        ["--filter"], metavar="JMESPATH", help="Show only the part of status, headers and body that this selects."
    ),
    click.Option(["--include", "-i"], is_flag=True, help="Show status and headers too."),
    click.Option(
        ["--output"],
        **_MAY_BE_EMPTY,
        metavar="[FILE]",
        help="Write the data to FILE; without FILE, the server gives the name.",
    ),
    click.Option(["--resume"], **_MAY_BE_EMPTY, metavar="[TEXT]", help=_RESUME_HELP),
    click.Option(["--follow"], is_flag=True, help="Follow redirects, also documented ones."),
    click.Option(["--verbose", "-v"], count=True, help="Show the requests and responses; -vv: bodies too."),
    click.Option(["--dry-run"], is_flag=True, help="Send nothing; show the request."),
    click.Option(["--curl"], is_flag=True, help="Send nothing; show the curl command for the request."),
    click.Option(["--auth"], multiple=True, metavar="SCHEME=env:VAR", help=_AUTH_HELP),
    click.Option(["--anonymous"], is_flag=True, help="Send no credentials, even if the document requires them."),
    click.Option(["--header", "-H"], multiple=True, metavar="NAME:VALUE", help=_HEADER_HELP),
    click.Option(["--server"], multiple=True, help="A server's index, name or URL, or its VARIABLE=VALUE."),
    click.Option(["--base-url"], help="The base URL, instead of the document's servers."),
    click.Option(
        ["--timeout"], type=continuations.Seconds(), help="The time limit of the call: seconds, or such as 90s or 10m."
    ),
    click.Option(["--retries"], type=click.IntRange(0), help="The number of retries."),
    click.Option(["--rate"], metavar="N/TIME", help="A rate limit, such as 50/s or 600/m; or auto."),
    click.Option(["--validate"], type=click.Choice(_MODES), help="Validation of the call.  [strict]"),
    click.Option(["--profile", "-p"], help="The profile of an API by short name.  [DYNCLIENT_PROFILE]"),
    colour_option(),
)


def shared_options(*names: str) -> Callable[[Decorated], Decorated]:
    """Add the options of these names, for other commands that make calls."""
    return with_options(*(option for option in SHARED_OPTIONS if option.name in names))


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
        names = ("Arguments", "The operation's options", *continuations.APPLIES, "Options")
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, Positional):
                sections["Arguments"].append((param.metavar or "", param.help_text))
            elif isinstance(param, continuations.ContinuationOption) and record is not None:
                sections[param.section].append(record)
            elif record is not None:
                own = isinstance(param.type, ValueType)
                sections["The operation's options" if own else "Options"].append(record)
        for title, records in sections.items():
            if records and (title not in continuations.APPLIES or continuations.APPLIES[title](*self.described)):
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
        params=[*params, *continuations.options(own), *SHARED_OPTIONS],
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
    continuations.check(given)
    longest = given["timeout"]
    if given["wait"]:
        given["timeout"] = None
    given = with_settings(documents.settings_of(document, given["profile"]), given)
    parameters, properties = _arguments(operation, given)
    body = _body(operation, given, properties)
    method = method.with_options(**call_options(client, given, transport))
    # By wire names, so that a null is sent: as an argument, None is "not given" where nothing is required.
    bound = Bound(parameters, body)
    results: list[Any] = []

    def send() -> Any:
        if given["wait"]:
            return continuations.waited(method, bound, given, longest, document)
        results.append(method.send(parameters, body=body))
        return results[-1]

    pages = (lambda: continuations.pages_of(method, bound, given)) if given["all"] else None
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
        continuations.hint_of_more(method, bound, result)
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
        with closing(body) if isinstance(body, output.FileWithProgress) else nullcontext():
            if given["curl"] or given["dry_run"]:
                request = prepared.pages().prepare() if prepared.pages is not None else prepared.prepare()
                request = with_secret_headers(request, transport.secret_headers)
                write(request.to_curl() if given["curl"] else output.request_text(request))
                return 0
            is_download = resumes and prepared.pages is None
            saved = FileToSave.of(given["output"], prepared.name, resume=is_download)
            if prepared.pages is not None:
                return continuations.show_all(prepared.pages(), given, printer, saved)
            is_raw = given["format"] == "raw" or (saved is not None and given["format"] is None)
            by_items = given["format"] == "ndjson" and is_sequence
            if given["filter"] is None and (is_raw or by_items):
                with prepared.stream() as answer:
                    return output.show_stream(answer, printer, saved, by_items=by_items)
            return output.show_result(prepared.send(), printer, saved)
    except ResponseError as error:
        output.show_error(error, printer)
        raise


def _arguments(operation: Operation, given: Mapping[str, Any]) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """The parameters by location and wire name, and the properties of the body that have options of their own."""
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
    return parameters, properties


def _body(operation: Operation | None, given: Mapping[str, Any], fields: dict[str, Any]) -> Any:
    """The body that the command line gives by words, whole, or by its fields; ``...`` without one.

    Raises:
        UsageError: it is given in several ways.
    """
    text, words = given["body_text"], given.get("body_words") or ()
    known = arguments(operation) if operation is not None else ()
    named = next((one for one in known if one.kind == "property" and "body" in {one.name, one.wire}), None)
    if named is not None and text is not None and text != "-" and text.lstrip()[:1] not in {"{", "[", "@"}:
        # As in a call, a string for a body with a property `body` is that property.
        fields[named.wire], text = argument_value(named, text), None
    fields |= body_fields(operation, given["body_field"], "--body-field")
    if sum(map(bool, (words, fields, text is not None))) > 1:
        raise click.UsageError(
            "give words, the whole body with --body, or its fields: the body in only one of these ways"
        )
    if words:
        return body_words(operation, words, given["content_type"])
    return whole_body(operation, text, given["content_type"]) if text is not None else fields or ...


def _is_sequence(operation: Operation) -> bool:
    from dynclient import codecs

    successes = (response for status, response in operation.responses.items() if status.startswith("2"))
    ranges = [media_range for response in successes for media_range in response.content]
    return bool(ranges) and all(codecs.find(media_range).name == "sequence" for media_range in ranges)


def client_for(document: str, given: Mapping[str, Any], transport: VerboseTransport | None = None) -> Client:
    """The client of a document with the options of a command line, and with the settings of a short name."""
    client = documents.client_of(document, **({"transport": transport} if transport is not None else {}))
    given = with_settings(documents.settings_of(document, given.get("profile")), given)
    return client.with_options(**call_options(client, given, transport))


def call_options(client: Client, given: Mapping[str, Any], transport: VerboseTransport | None = None) -> dict[str, Any]:
    """The options of the call, for ``with_options``; they also tell the transport what to print."""
    headers, secret_headers = credentials.headers(client.api, given.get("header", ()), given.get("auth", ()))
    if transport is not None:
        transport.secret_headers, transport.verbosity = secret_headers, given["verbose"]
    names = ("base_url", "timeout", "rate", "content_type", "accept", "validate", "paginate")
    options = {
        **{name: given.get(name) for name in names},
        "server": _server(given.get("server", ())),
        "retry": given["retries"] + 1 if given.get("retries") is not None else None,
        "auth": credentials.gathered(client.api, given.get("auth", ())),
        "redirects": "all" if given.get("follow") else None,
        "headers": headers or None,
    }
    options = {name: value for name, value in options.items() if value is not None}
    return {**options, "auth": None} if given.get("anonymous") else options


def with_settings(settings: APISettings | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a command line, with an API's settings where it has no local address."""
    if settings is None:
        return dict(given)
    has_server = given.get("base_url") or given.get("server")
    server = {} if has_server else {"base_url": settings.base_url, "server": server_words(settings.server)}
    auth = [f"{scheme}={source}" if scheme else source for scheme, source in settings.auth.items()]
    return {
        **given,
        **server,
        "timeout": given.get("timeout") or settings.timeout,
        "rate": given.get("rate") or settings.rate,
        "paginate": settings.paginate or None,
        "header": [*(f"{name}:{value}" for name, value in settings.headers.items()), *given.get("header", ())],
        "auth": [*auth, *given.get("auth", ())],
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


METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_NAME = "response"


@click.command(cls=Command)
@documents.document_argument()
@click.argument("method", metavar="METHOD", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.argument("body_words", nargs=-1, metavar="[BODY]...")
@click.option("--query", "-q", multiple=True, metavar="NAME=VALUE", help="A query field; may be repeated.")
@with_options(*(option for option in SHARED_OPTIONS if option.name != "validate"))
def request(document: str, method: str, path: str, **given: Any) -> int:
    """Send METHOD, such as GET, to PATH of the API of DOCUMENT, even if the document does not describe it.

    Server, credentials, retries and limits are those of a call; nothing is validated. PATH may be a URL of the same
    server. {body}
    """
    body = _body(None, given, {})
    query: dict[str, list[str]] = {}
    for word in given["query"]:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError("--query takes NAME=VALUE")
        query.setdefault(name, []).append(value)
    transport = VerboseTransport()
    with client_for(document, given, transport) as client:
        more = {**({"query": query} if query else {}), **({} if body is ... else {"body": body})}
        steps = client.request.prepare, client.request.stream, client.request
        return sent(
            PreparedCall(_NAME, *(partial(step, method, path, **more) for step in steps)), body, given, transport
        )


if request.help is not None:
    request.help = request.help.replace("{body}", BODY_HELP)


_OF_A_CALL = {"body_text", "body_field", "content_type", "dry_run", "curl", "resume", "follow"}


@click.command(cls=Command)
@documents.document_argument()
@click.argument("text")
@with_options(*(option for option in SHARED_OPTIONS if option.name not in _OF_A_CALL))
def wait(document: str, text: str, **given: Any) -> int:
    """Continue a wait of `call --wait` that has printed TEXT, with the API of DOCUMENT.

    The server and the credentials are those of a call. --timeout applies to the wait.  [10m]
    """
    longest, given["timeout"] = given["timeout"], None
    with client_for(document, given, VerboseTransport()) as client:
        job = continuations.resumed(client, text)
        printer = Printer(output=given["format"], expression=given["filter"], include=given["include"])
        saved = FileToSave.of(given["output"], _NAME, resume=False)
        return output.show_result(
            continuations.followed(job, longest or continuations.LONGEST_WAIT, document), printer, saved
        )
