"""Calls that go on: ``call --all`` reads all pages of a list, ``call --wait`` and ``wait`` wait for what a call began.

Rule 1: items are written as they arrive, one JSON text per line, unless ``--collect``, another format, ``--filter`` or
``--output`` asks for all of them at once. Each new state of a wait is printed to standard error.
Rule 2: if a list or a wait ends early for any reason, the items read so far are written, and the text or the command
that resumes it is printed.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any

import click

from dynclient.cli.output import FileToSave, Printer, show_result
from dynclient.cli.process import inform
from dynclient.exceptions import ArgumentError, DocumentError, DynclientError, PaginationUnclear
from dynclient.http_grammar import web_links
from dynclient.messages import Headers, HTTPResult
from dynclient.model import API, Operation

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
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ContinuationOption(click.Option):
    """An option of ``--all`` or ``--wait``, in a section that the help of an operation has if it can go on so."""

    section: str


def options(taken: Collection[str]) -> list[click.Option]:
    """The options; one whose name the operation uses begins with ``--list-`` or ``--wait-``."""
    found: list[click.Option] = []
    for (prefix, table), section in zip(_OPTIONS.items(), APPLIES, strict=True):
        for flag, settings in table.items():
            shown = f"--{prefix}-{flag[2:]}" if flag in taken else flag
            option = ContinuationOption([shown, flag[2:].replace("-", "_")], **settings)
            option.section = section
            found.append(option)
    return found


def _pages(api: API, operation: Operation) -> bool:
    from dynclient._paging.declared import pagination

    with suppress(DocumentError):
        return pagination(operation, api) is not None
    return False


def _can_be_waited_for(api: API, operation: Operation) -> bool:
    from dynclient._client.waiting import waiter_of

    return waiter_of(operation, api) is not None


APPLIES: Mapping[str, Callable[[API, Operation], bool]] = {"Lists": _pages, "Waiting": _can_be_waited_for}
"""The sections of an operation's help that are shown only where the document says so."""


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
    """Why a list that goes on after a page is not read any further; empty where it is."""
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


class Seconds(click.ParamType):  # type: ignore[type-arg]  # it is generic in some of click's versions only
    """A time: seconds, or ``90s``, ``10m``, ``1h``."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it as seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        try:
            return float(value) if value[-1:] not in _UNITS else float(value[:-1]) * _UNITS[value[-1:]]
        except ValueError:
            self.fail(f"{value!r} is not a time such as 30, 90s, 10m or 1h", param, ctx)


def _conditions(words: Iterable[str], option: str) -> Any:
    """The conditions of PATH=VALUE words: a value matches as text or as JSON; None without words."""
    found: dict[str, list[Any]] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not equals:
            raise click.UsageError(f"{option} takes PATH=VALUE, such as status=completed, not {word}")
        values = found.setdefault(path, [])
        values.append(text)
        try:
            values.append(json.loads(text))
        except (ValueError, RecursionError):
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
