"""``call --all``: the items of a list, page by page, and the hint that there are more.

Items are written as they arrive, one JSON text per line, unless ``--collect``, another format, ``--filter`` or
``--output`` asks for all of them at once. If a list ends early for any reason, the items read so far are written, and
the text for ``--resume`` is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import click

from dynclient.cli.output import Printer
from dynclient.cli.results import FileToSave, show_result
from dynclient.exceptions import DocumentError, DynclientError, PaginationUnclear, escaped
from dynclient.http_grammar import web_links
from dynclient.messages import Headers, HTTPResult
from dynclient.model import API, Operation

_MAX_PAGES = 25
_OPTIONS: Mapping[str, dict[str, Any]] = {
    "--all": {"is_flag": True, "help": "Read all pages of a list; write one item per line."},
    "--max-pages": {
        "type": click.IntRange(1),
        "default": _MAX_PAGES,
        "metavar": "N",
        "help": f"With --all: the largest number of pages.  [{_MAX_PAGES}]",
    },
    "--max-items": {"type": click.IntRange(0), "metavar": "N", "help": "With --all: the largest number of items."},
    "--page-size": {"metavar": "N", "help": "With --all: the page size, or max."},
    "--items": {"metavar": "PATH", "help": "With --all: where the items are, such as $.data."},
    "--next": {"metavar": "RULE", "help": "With --all: how the next page is requested, such as 'query page + 1'."},
    "--collect": {"is_flag": True, "help": "With --all: write one array of all items."},
}


class ListOption(click.Option):
    """An option of ``--all``, which the help of an operation shows if it has a list."""

    section = "Lists"

    @staticmethod
    def applies(api: API, operation: Operation) -> bool:
        """Whether the operation has a list that pages."""
        from dynclient._paging.declared import pagination

        with suppress(DocumentError):
            return pagination(operation, api) is not None
        return False


def list_options(taken: Collection[str]) -> list[click.Option]:
    """The options; one whose name the operation uses begins with ``--list-``."""
    return [
        ListOption([f"--list-{flag[2:]}" if flag in taken else flag, flag[2:].replace("-", "_")], **settings)
        for flag, settings in _OPTIONS.items()
    ]


def pages_of(method: Any, bound: Any, given: Mapping[str, Any]) -> Any:
    """The pages of a call, by the options.

    Raises:
        UsageError: the number of items on a page is not a positive number.
    """
    size = given["page_size"]
    if size is not None and size != "max":
        if not size.isascii() or not size.isdigit():
            raise click.UsageError(escaped(f"--page-size must be a positive number or max, not {size}"))
        size = int(size)
    by = {name: given[name] for name in ("items", "next") if given[name] is not None}
    return method.paginate(
        bound, by=by or None, page_size=size, max_items=given["max_items"], resume=given["resume"] or None
    )


class _Reading:
    """The items read so far, and the text to resume."""

    def __init__(self, printer: Printer | None) -> None:
        """Take the printer of lines; None to collect the items."""
        self.printer, self.items = printer, list[Any]()
        self.headers, self.status = Headers(), 200
        self.page: Any = None
        self.index = 0

    def take(self, page: Any) -> None:
        """Write or collect the items of a page."""
        self.page, self.index = page, 0
        self.status, self.headers = page.status, page.headers
        for item in page.items:
            if self.printer is None:
                self.items.append(item)
            else:
                self.printer.show(HTTPResult([item], page.status, page.headers))
            self.index += 1
        sys.stdout.flush()

    @property
    def resume(self) -> str | None:
        """The text to resume after the last item."""
        if self.page is None:
            return None
        is_read = self.index == len(self.page.items)
        return self.page.resume if is_read else self.page.resume_at(self.index)  # type: ignore[no-any-return]


def show_all(pages: Any, given: Mapping[str, Any], printer: Printer, saved: FileToSave | None) -> int:
    """Write the items of a list; returns the exit status."""
    by_lines = given["format"] in {None, "ndjson"} and not (given["collect"] or given["filter"] or saved)
    lines = Printer(output="ndjson", include=False) if by_lines else None
    reading = _Reading(lines)
    told: str | None = None
    try:
        for count, page in enumerate(pages.pages(), 1):
            reading.take(page)
            if count >= given["max_pages"] and page.resume is not None:
                told = f"{count} pages were read, and there are more: --max-pages reads more"
                break
            if page.resume is not None and given["max_items"] is not None:
                told = f"{given['max_items']} items were read, and there are more"
    except KeyboardInterrupt:
        told = "interrupted"
        raise
    except DynclientError as error:
        reading.page, reading.index = None, 0
        _tell("", error.resume)
        raise
    finally:
        if not by_lines and (reading.items or told != "interrupted"):
            show_result(HTTPResult(reading.items, reading.status, reading.headers), printer, saved)
        if told is not None:
            _tell(told, reading.resume)
    return 0


def _tell(text: str, resume: str | None) -> None:
    goes_on = f"to continue: --all --resume {resume}" if resume is not None else ""
    if text or goes_on:
        click.echo(escaped("; ".join(filter(None, (text, goes_on)))), err=True)


def hint_of_more(method: Any, bound: Any, result: HTTPResult) -> None:
    """Say once, on standard error, that the list has more pages."""
    try:
        goes_on = method.paginate(bound).goes_on(result)
    except PaginationUnclear:
        goes_on = any("next" in link.relations for link in web_links(result.headers.get("link", "")))
    except DynclientError:
        return
    if goes_on:
        click.echo("there are more pages: --all reads all of them", err=True)
