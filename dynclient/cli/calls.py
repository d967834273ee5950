"""``dynclient call``, ``request`` and ``wait``: make a call from a click command, and show its request and response.

Required parameters of an operation are positional, everything else is an option; the texts of the help are the
document's. Values stay text until the call is made, and are then read by their schemas. ``request`` sends requests that
the document does not describe.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dynclient._records import Record
from dynclient._request import Bound
from dynclient._schemas import read_json
from dynclient.cli import credentials, documents, output
from dynclient.cli.commands import Command, inform, with_options
from dynclient.cli.input_values import (
    BODY_HELP,
    SHARED_OPTIONS,
    Positional,
    ValueType,
    argument_help,
    given_arguments,
    given_body,
    option_flags,
    parameter_key,
)
from dynclient.cli.output import FileToSave, Printer, VerboseTransport, show_result, with_secret_headers, write
from dynclient.exceptions import (
    ArgumentError,
    DocumentError,
    DynclientError,
    MissingCredential,
    PaginationUnclear,
    ResponseError,
    escaped,
)
from dynclient.http_grammar import web_links
from dynclient.inspection.arguments import arguments
from dynclient.messages import Headers, HTTPResult
from dynclient.model import API, Operation

if TYPE_CHECKING:
    from dynclient._client import Client


_MAY_BE_BARE: dict[str, Any] = {"is_flag": False, "flag_value": "true"}


class OperationCommand(Command):
    """A command whose help separates the operation's own options from those of every operation."""

    described: tuple[API, Operation]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, the operation's options, and then the others."""
        names = ("Arguments", "The operation's options", *APPLIES, "Options")
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
        for param in self.get_params(ctx):
            title = _SECTION_OF.get(param.name or "", "Options")
            if isinstance(param, Positional):
                title = "Arguments"
            elif isinstance(param.type, ValueType):
                title = "The operation's options"
            if (record := param.get_help_record(ctx)) is not None:
                sections[title].append(record)
        for title, records in sections.items():
            if records and (title not in APPLIES or APPLIES[title](*self.described)):
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
        value_type, text = ValueType(argument), argument_help(argument)
        key = parameter_key(index)
        if argument.kind == "parameter" and argument.required:
            params.append(Positional([key], text, metavar=argument.name.upper(), type=value_type))
        elif argument.kind != "body":
            flag, is_list = flags[argument.name]
            usual = f"--{argument.name.strip('_').replace('_', '-')}"
            text = text if flag == usual else f"{text} ({usual} is dynclient's own.)".strip()
            bare = _MAY_BE_BARE if value_type.values == ["true", "false"] else {}
            shown = {"metavar": value_type.metavar, "help": text, **bare}
            params.append(click.Option([flag, key], type=value_type, multiple=is_list, **shown))
    if operation.body is not None:
        params.append(Positional(["body_words"], BODY_HELP, nargs=-1, metavar="[BODY]..."))
    head = f"{operation.method} {operation.path}"
    texts = (operation.row.summary, operation.description, "Deprecated." if operation.row.deprecated else "", head)
    own = {flag for flag, _ in flags.values()}
    command = OperationCommand(
        name,
        callback=callback,
        params=[*params, *options(own), *SHARED_OPTIONS],
        help=escaped("\n\n".join(dict.fromkeys(filter(None, texts)))),
        epilog=escaped(credentials.in_words(api, operation)),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    command.described = api, operation
    return command


def run_call(client: Client, transport: VerboseTransport, method: Any, document: str, **given: Any) -> int:
    """Make a call with click's parameters, and show its response; returns the exit status."""
    operation = method.operation
    check(given)
    longest = given["timeout"]
    if given["wait"]:
        given["timeout"] = None
    given = with_settings(document, given)
    parameters, properties = given_arguments(operation, given)
    body = given_body(operation, given, properties)
    method = method.with_options(**call_options(client, given, transport))
    # By wire names, so that null can be sent: None as a keyword argument means "not given" for optional parameters.
    bound = Bound(parameters, body)
    results: list[Any] = []

    def send() -> Any:
        if given["wait"]:
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
    """The ways to make a request: show it only, stream it, send it, or send it for each page of a list.

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
                return show_all(prepared.pages(), given, printer, saved)
            is_raw = given["format"] == "raw" or (saved is not None and given["format"] is None)
            by_items = given["format"] == "ndjson" and is_sequence
            if given["filter"] is None and (is_raw or by_items):
                with prepared.stream() as answer:
                    return output.show_stream(answer, printer, saved, by_items=by_items)
            return output.show_result(prepared.send(), printer, saved)
    except ResponseError as error:
        output.show_error(error, printer)
        raise


def _is_sequence(operation: Operation) -> bool:
    from dynclient import codecs

    successes = (response for status, response in operation.responses.items() if status.startswith("2"))
    ranges = [media_range for response in successes for media_range in response.content]
    return bool(ranges) and all(codecs.find(media_range).name == "sequence" for media_range in ranges)


def client_for(document: str, given: Mapping[str, Any], transport: VerboseTransport | None = None) -> Client:
    """The client of a document with the options of a command line, and with the settings of a short name."""
    client = documents.client_of(document, **({"transport": transport} if transport is not None else {}))
    given = with_settings(document, given)
    return client.with_options(**call_options(client, given, transport))


def call_options(client: Client, given: Mapping[str, Any], transport: VerboseTransport | None = None) -> dict[str, Any]:
    """The options of the call, for ``with_options``; this also sets what the transport prints."""
    headers, secret_headers = credentials.headers(client.api, given.get("header", ()))
    auth, authorization = credentials.gathered(client.api, given.get("auth", ()))
    if transport is not None:
        transport.secret_headers, transport.verbosity = secret_headers, given["verbose"]
        transport.proxy = given["proxy"]
    names = ("base_url", "timeout", "rate", "content_type", "accept", "validate", "paginate")
    options = {
        **{name: given.get(name) for name in names},
        "server": chosen_server(given.get("server", ())),
        "retry": given["retries"] + 1 if given.get("retries") is not None else None,
        "auth": auth,
        "redirects": "all" if given.get("follow") else None,
        "headers": headers | authorization or None,
    }
    options = {name: value for name, value in options.items() if value is not None}
    return {**options, "auth": None} if given.get("anonymous") else options


def with_settings(document: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a command line, with the settings of a short name for those that it leaves out."""
    settings = documents.settings_of(document, given.get("profile"))
    if settings is None:
        return dict(given)
    has_server = given.get("base_url") or given.get("server")
    server = {} if has_server else {"base_url": settings.base_url, "server": settings.server}
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


def chosen_server(words: Any) -> Any:
    """An index, a name or URL, or variables as ``NAME=VALUE``; a server of the settings as it is."""
    if not isinstance(words, tuple | list):
        return words
    choice: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and "://" not in name:
            choice[name] = value
        else:
            choice["server"] = int(word) if word.isdecimal() else word
    return choice if set(choice) - {"server"} else choice.get("server")


_NAME = "response"


@click.command(cls=Command)
@documents.document_argument()
@click.argument("method")
@click.argument("path")
@click.argument("body_words", nargs=-1, metavar="[BODY]...")
@click.option("--query", "-q", multiple=True, metavar="NAME=VALUE", help="A query parameter; may be repeated.")
@with_options(*(option for option in SHARED_OPTIONS if option.name != "validate"))
def request(document: str, method: str, path: str, **given: Any) -> int:
    """Send METHOD, such as GET, to PATH of the API of DOCUMENT, even if the document does not describe it.

    Server, credentials, retries and limits are those of a call; nothing is validated. PATH may be a URL of the same
    server. {body}
    """
    body = given_body(None, given, {})
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
        job = resumed(client, text)
        printer = Printer(output=given["format"], expression=given["filter"], include=given["include"])
        saved = FileToSave.of(given["output"], _NAME, resume=False)
        return output.show_result(followed(job, longest or LONGEST_WAIT, document), printer, saved)


LONGEST_WAIT = 600.0
"""The default time limit of a wait, in seconds."""

_MAX_PAGES = 25
_NUMBER = {"type": click.IntRange(0), "metavar": "N"}
_PAGES = {"type": click.IntRange(1), "metavar": "N", "default": _MAX_PAGES}
_UNTIL = "With --wait: wait for this value, such as status=completed, or final for the document's declaration."
# Option -> its settings, by the prefix that it gets where the operation has an argument of that name.
_OPTIONS: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "list": {
        "--all": {"is_flag": True, "help": "Read all pages of a list; write one item per line."},
        "--max-pages": {**_PAGES, "help": f"With --all: the largest number of pages.  [{_MAX_PAGES}]"},
        "--max-items": {**_NUMBER, "help": "With --all: the largest number of items."},
        "--page-size": {"metavar": "N", "help": "With --all: the page size, or max."},
        "--items": {"metavar": "PATH", "help": "With --all: where the items are, such as $.data."},
        "--next": {"metavar": "RULE", "help": "With --all: how the next page is requested, such as 'query page + 1'."},
        "--collect": {"is_flag": True, "help": "With --all: write one array of all items."},
    },
    "wait": {
        "--wait": {
            "is_flag": True,
            "help": "Wait until the server has finished; --timeout then applies to the wait.  [10m]",
        },
        "--until": {"multiple": True, "metavar": "PATH=VALUE", "help": _UNTIL},
        "--failed": {"multiple": True, "metavar": "PATH=VALUE", "help": "With --wait: a value that means failure."},
    },
}


def options(taken: Collection[str]) -> list[click.Option]:
    """The options; one whose name the operation uses begins with ``--list-`` or ``--wait-``."""
    return [
        click.Option([f"--{prefix}-{flag[2:]}" if flag in taken else flag, _key(flag)], **settings)
        for prefix, table in _OPTIONS.items()
        for flag, settings in table.items()
    ]


def _key(flag: str) -> str:
    return flag[2:].replace("-", "_")


def _pages(api: API, operation: Operation) -> bool:
    from dynclient._paging.declared import pagination

    with suppress(DocumentError):
        return pagination(operation, api) is not None
    return False


def _can_be_waited_for(api: API, operation: Operation) -> bool:
    from dynclient._client.waiting import waiter_of

    return waiter_of(operation, api) is not None


APPLIES: Mapping[str, Callable[[API, Operation], bool]] = {"Lists": _pages, "Waiting": _can_be_waited_for}
"""Sections of an operation's help that are shown only if the document declares pages or waits."""
_SECTION_OF = {_key(flag): section for table, section in zip(_OPTIONS.values(), APPLIES, strict=True) for flag in table}


def check(given: Mapping[str, Any]) -> None:
    """Refuse options of a wait without one, and options that need a single response.

    Raises:
        UsageError: there is one.
    """
    if not given["wait"]:
        if given["until"] or given["failed"]:
            raise click.UsageError("--until and --failed need --wait")
    elif given["all"] or given["format"] == "raw":
        raise click.UsageError("--wait can't be combined with --all or -o raw")


def pages_of(method: Any, bound: Any, given: Mapping[str, Any]) -> Any:
    """The pages of a call, by the options.

    Raises:
        UsageError: the number of items on a page is not a positive number.
    """
    size = given["page_size"]
    if size is not None and size != "max":
        if not size.isascii() or not size.isdigit():
            raise click.UsageError(f"--page-size must be a positive number or max, not {size}")
        size = int(size)
    by = {name: given[name] for name in ("items", "next") if given[name] is not None}
    return method.paginate(
        bound, by=by or None, page_size=size, max_items=given["max_items"], resume=given["resume"] or None
    )


def show_all(pages: Any, given: Mapping[str, Any], printer: Printer, saved: FileToSave | None) -> int:
    """Write the items of a list; returns the exit status."""
    by_lines = given["format"] in {None, "ndjson"} and not (given["collect"] or given["filter"] or saved)
    lines, items = Printer(output="ndjson"), list[Any]()
    page: Any = None
    index, read, ended = 0, (), ""
    try:
        for count, page in enumerate(pages.pages(), 1):
            index, read = 0, page.items if page.has_items else ()
            for item in read:
                if by_lines:
                    lines.show(HTTPResult([item], page.status, page.headers))
                else:
                    items.append(item)
                index += 1
            sys.stdout.flush()
            ended = _why_it_ends(page, count, given)
            if count >= given["max_pages"]:
                break
    except KeyboardInterrupt:
        ended = "interrupted"
        raise
    except DynclientError as error:
        if error.resume is not None:
            inform(f"--all --resume {error.resume} continues there")
        ended = ""
        raise
    finally:
        if not by_lines and (items or ended != "interrupted"):
            head = (page.status, page.headers) if page is not None else (200, Headers())
            show_result(HTTPResult(items, *head), printer, saved)
        if ended:
            resume = page and (page.resume if index == len(read) else page.resume_at(index))
            inform(f"{ended}; to continue: --all --resume {resume}" if resume is not None else ended)
    return 0


def _why_it_ends(page: Any, count: int, given: Mapping[str, Any]) -> str:
    """Why reading stops although the list has more pages; empty if reading continues."""
    if page.resume is not None and count >= given["max_pages"]:
        return f"{count} pages were read, and there are more: --max-pages reads more"
    has_limit = page.resume is not None and given["max_items"] is not None
    return f"{given['max_items']} items were read, and there are more" if has_limit else ""


def hint_of_more(method: Any, bound: Any, result: HTTPResult) -> None:
    """Say once, on standard error, that the list has more pages."""
    try:
        goes_on = method.paginate(bound).goes_on(result)
    except PaginationUnclear:
        goes_on = any("next" in link.relations for link in web_links(result.headers.get("link", "")))
    except DynclientError:
        return
    if goes_on:
        inform("there are more pages: --all reads all of them")


def _conditions(words: Iterable[str], option: str) -> Any:
    """The conditions of PATH=VALUE words; a value is compared as text and as JSON. None without words."""
    found: dict[str, list[Any]] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals:
            raise click.UsageError(f"{option} takes PATH=VALUE, such as status=completed, not {word}")
        values = found.setdefault(path, [])
        values.append(text)
        try:
            values.append(read_json(text))
        except ValueError:
            continue
    return found or None


def waited(method: Any, bound: Any, given: Mapping[str, Any], timeout: float | None, document: str) -> Any:
    """Make a call, and wait until its job ends; returns the result with status and headers."""
    words = given["until"]
    until = "final" if words == ("final",) else _conditions(words, "--until")
    failed = _conditions(given["failed"], "--failed")
    job = method.with_http_info.start(bound, until=until, failed=failed)
    return followed(job, LONGEST_WAIT if timeout is None else timeout, document)


def followed(job: Any, timeout: float, document: str) -> Any:
    """Wait for a job, and print each new state; returns its result."""
    told = None
    try:
        for state in job.states(timeout=timeout):
            if state.verdict == "pending" and state.status != told:
                told = state.status
                inform(f"{told} after {state.seconds:.0f} s")
        return job.result(timeout=timeout)
    except (KeyboardInterrupt, DynclientError) as error:
        text = job.resume if isinstance(error, KeyboardInterrupt) else error.resume
        if text:
            inform(f"to continue: dynclient wait {shlex.quote(document)} {text}")
        if isinstance(error, DynclientError):
            error.hint = "" if error.resume and "dynclient.resume" in error.hint else error.hint
        raise


def resumed(client: Any, text: str) -> Any:
    """The job of a resume text.

    Raises:
        UsageError: it is not a resume text.
    """
    import dynclient

    try:
        job = dynclient.resume(client, text)
    except ArgumentError as error:
        raise click.UsageError(f"TEXT is not from a wait: {error.message}") from None
    job._with_http_info = True  # noqa: SLF001  # status and headers may be shown too
    return job
