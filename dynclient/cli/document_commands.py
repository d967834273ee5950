"""Commands for a whole document: ``validate``, ``compile``, ``cache``, and ``overlay apply`` and ``check``.

``validate`` finds parts that can't be read, invalid schemas, and examples that violate their schemas.
Rule 1: the readers' faults come first. Then every schema that an operation or the document names is prepared for
validation, and its examples and defaults are validated.
Rule 2: fields that are unknown to OpenAPI are warnings: calls can still be made.
Rule 3: preparing a schema stops at its first fault, so the schemas below a faulty one are prepared one by one.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from dynclient._document.data import read
from dynclient._document.references import Document
from dynclient._escaping import counted
from dynclient._identifiers import did_you_mean
from dynclient._load import compiled, load
from dynclient._readers.checking import check as check_references
from dynclient._readers.checking import misspelt
from dynclient._records import Record
from dynclient._schemas import MISSING, follow, is_binary, is_structured, shape
from dynclient._settings import project_here
from dynclient.changes import KINDS, REPORTS, SEVERITIES, Change, Changes, Severity, compare
from dynclient.changes.report import as_text
from dynclient.cli.commands import Command, Group, inform, page, save
from dynclient.cli.documents import (
    api_of,
    complete_documents,
    document_argument,
    format_option,
    loaded,
    located,
    overlays_of,
)
from dynclient.cli.output import FORMATS, save_tree, tree_text, write
from dynclient.exceptions import ArgumentError, DocumentError, DocumentLocation, UnsafeDocument, escaped
from dynclient.inspection.tables import aligned, columns, is_coloured
from dynclient.json_pointer import escape
from dynclient.media_types import is_parsed
from dynclient.model import API, Header, MediaType, Operation, Parameter, Schema
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._overlays.overlay import Applied
    from dynclient._validation import Validator


@click.command(cls=Command)
@document_argument()
@format_option("text", "json", "yaml", text="The output format.")
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings, too.")
def validate(document: str, output: str, *, strict: bool) -> int:
    """Report every fault of DOCUMENT, one line each: file and line, JSON pointer, and message.

    Operations, callbacks, webhooks, components and schemas are checked; examples and defaults are validated against
    their schemas. Fields that are unknown to OpenAPI are warnings. The exit status is 1 if there is a fault.
    """
    source = located(document)
    name = source if isinstance(source, str) else source.name
    try:
        found = find_faults(loaded(partial(load, overlays=overlays_of(document)), document))
    except DocumentError as error:
        found = [DocumentFault.of(error)]
    if output == "text":
        sys.stdout.writelines(f"{escaped(str(fault))}\n" for fault in found)
    else:
        write(FORMATS[output]([fault.as_data() for fault in found]))
    sys.stdout.flush()  # so that the count comes last even if both streams go to the same place
    warnings = sum(fault.warning for fault in found)
    counts = counted(len(found) - warnings, "fault") + (f", {counted(warnings, 'warning')}" if warnings else "")
    inform(f"{name}: {counts}")
    return 1 if len(found) > warnings or (strict and warnings) else 0


@click.command("compile", cls=Command)
@document_argument()
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .dync file.")
def compile_(document: str, output: Path) -> None:
    """Write DOCUMENT and everything that it refers to as one file, which loads in milliseconds."""
    if output.suffix.lower() != ".dync":
        raise click.BadParameter("the file name must end in .dync", param_hint="-o")
    data = loaded(partial(compiled, overlays=overlays_of(document)), document)
    save(output, data)
    inform(f"{output}: {len(data):,} bytes")


@click.command(cls=Command)
@click.option("--clear", is_flag=True, help="Remove all its contents.")
def cache(*, clear: bool) -> None:
    """Show the contents of the cache of compiled documents. It refills itself."""
    from dynclient._document.cache import cache_of

    store = cache_of(True)
    if store is None:
        inform("the cache is off (DYNCLIENT_CACHE)")
        return
    if clear:
        inform(f"{store.folder}: {store.clear()} removed")
        return
    entries = store.entries()
    outdated = 0
    for entry in entries:
        if (source := store.source(entry)) == "-":
            outdated += 1
            continue
        used = dt.datetime.fromtimestamp(entry.used, dt.UTC).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{entry.size:>12,}  {used}  {source}")
    inform(f"{store.folder}: {len(entries)} documents, {sum(entry.size for entry in entries):,} bytes")
    if outdated:
        inform(f"{counted(outdated, 'form')} of other versions of dynclient are not listed")


@click.group(cls=Group)
def overlay() -> None:
    """Apply OpenAPI Overlays (1.0 and 1.1) to a document, or check what they select."""


_document = click.argument("document", shell_complete=complete_documents)
_overlays = click.argument("overlays", metavar="OVERLAY...", nargs=-1, required=True, type=click.Path())


@overlay.command(short_help="Write the resulting document.")
@_document
@_overlays
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), help="YAML or JSON.  [by the file name]")
@click.option("--strict", is_flag=True, help="Write nothing if an action has no effect.")
def apply(document: str, overlays: tuple[str, ...], output: Path | None, form: str | None, *, strict: bool) -> int:
    """Apply each OVERLAY to DOCUMENT, in this order, and write the result.

    Paths, URLs, or - for standard input; DOCUMENT may be a short name. References are not followed.
    """
    applied = _applied(document, overlays)
    _warn(applied)
    if strict and applied.warnings:
        return 1
    if output is None:
        write(tree_text(applied.tree, document, form))
    else:
        save_tree(applied.tree, output, form)
        inform(f"{output}: {counted(len(applied.results), 'action')} applied")
    return 0


@overlay.command(short_help="Show what each action selects.")
@_document
@_overlays
@click.option("--strict", is_flag=True, help="Exit with status 1 if an action has no effect.")
@format_option("text", "json", "yaml", text="The output format.")
def check(document: str, overlays: tuple[str, ...], output: str, *, strict: bool) -> int:
    """Show each action of each OVERLAY with the number of nodes that it selects in DOCUMENT; nothing is written.

    An action that selects nothing is a warning.
    """
    applied = _applied(document, overlays)
    rows = [
        {
            "overlay": result.overlay.name,
            "line": result.overlay.line(result.action.pointer),
            "action": result.action.kind or "nothing",
            "selected": result.selected,
            "target": result.action.target,
            "description": result.action.description,
        }
        for result in applied.results
    ]
    if output == "text":
        lines = [
            [escaped(" ".join(str("" if cell is None else cell).split())) for cell in row.values()] for row in rows
        ]
        write(aligned([["OVERLAY", "LINE", "ACTION", "NODES", "TARGET", ""], *lines]))
    else:
        write(FORMATS[output](rows))
    _warn(applied)
    return int(strict and bool(applied.warnings))


def _applied(document: str, overlays: Sequence[str]) -> Applied:
    from dynclient._document.overlays import read_overlays
    from dynclient._document.references import open_document

    found = read_overlays(map(located, overlays), Limits(), None)
    if found is None:
        raise click.UsageError("give one or more overlays")
    opened = open_document(located(document))
    return found.applied(opened.root, opened.uri)


def _warn(applied: Applied) -> None:
    for warning in applied.warnings:
        inform(f"warning: {warning}")


Direction = Literal["request", "response"]
Item = Parameter | Header | MediaType
_DEEPEST = 64


class DocumentFault(Record):
    """A fault or a warning, and its location in the document."""

    message: str
    location: DocumentLocation | None
    warning: bool = False

    @classmethod
    def of(cls, error: DocumentError, *, warning: bool = False) -> DocumentFault:
        """The fault that an error reports."""
        message = " ".join(error.message.split())
        # Some messages begin with the document's name, which is also in the location.
        text = message.removeprefix(f"{error.location.document}: ") if error.location is not None else message
        return cls(text, error.location, warning)

    def __str__(self) -> str:
        """A line like a compiler's: file, line, JSON pointer, message."""
        message = f"warning: {self.message}" if self.warning else self.message
        if self.location is None:
            return message
        line = f":{self.location.line}" if self.location.line is not None else ""
        return f"{self.location.document}{line}: #{self.location.pointer}: {message}"

    def as_data(self) -> dict[str, Any]:
        """The fault as plain data."""
        location = self.location or DocumentLocation("", "")
        return {
            "document": location.document,
            "line": location.line,
            "pointer": location.pointer,
            "severity": "warning" if self.warning else "fault",
            "message": self.message,
        }


def find_faults(api: API) -> list[DocumentFault]:
    """The faults and warnings of a document, each once, in the order of its lines."""
    seen = _broken(api)
    if not seen:
        log = logging.getLogger("dynclient")
        was_disabled, log.disabled = log.disabled, True  # warnings about patterns are listed
        try:
            seen = dict.fromkeys([*map(DocumentFault.of, api.faults), *_Search(api).all()])
        finally:
            log.disabled = was_disabled
        # Other files have been read meanwhile.
        seen |= _broken(api)
    return sorted(
        seen, key=lambda found: (found.location.document, found.location.line or 0) if found.location else ("", 0)
    )


def _broken(api: API) -> dict[DocumentFault, None]:
    """The faults of the text itself, such as invalid numbers; if there are any, nothing else is reported."""
    return dict.fromkeys(map(DocumentFault.of, api.references.broken())) if isinstance(api.references, Document) else {}


def _validator(schema: Schema, direction: Direction) -> Validator:
    from dynclient._validation import validator  # the other commands do not need it

    return validator(schema, direction)


class _Search:
    """One walk through a document."""

    def __init__(self, api: API) -> None:
        self._api = api
        self._checked: set[tuple[str, str]] = set()

    def all(self) -> Iterator[DocumentFault]:
        """The faults, in the order of the walk."""
        # OAS 3.2, Info Object: title and version are REQUIRED.
        for name, value in (("title", self._api.title), ("version", self._api.version)):
            if not value:
                yield DocumentFault(f"info has no {name}", self._location(self._api.document_uri, "#/info", "#"))
        if not isinstance(self._api.references, Document):
            return
        checked = check_references(self._api.references)
        yield from map(DocumentFault.of, checked.faults)
        yield from (DocumentFault.of(error, warning=True) for error in misspelt(self._api.references))
        for operation in checked.operations:
            for item, direction in _items(operation):
                yield from self._item(item, direction)
        with suppress(DocumentError):  # the error of the list itself, which has been reported
            for schema in self._api.schemas.values():
                yield from self._schema(schema, "response")

    def _item(self, item: Item, direction: Direction) -> Iterator[DocumentFault]:
        """The faults of the schemas of a parameter, header or media type, and of its examples."""
        if isinstance(item, MediaType):
            if item.item_schema is not None:
                yield from self._schema(item.item_schema, direction)
        elif item.media_type is not None:
            yield from self._item(item.media_type, direction)
        if item.schema is None:
            return
        yield from self._schema(item.schema, direction)
        if isinstance(item, MediaType) and not is_parsed(item.media_range) and is_structured(item.schema):
            return  # its examples are text or bytes
        if (item.pointer, direction) in self._checked:
            return
        self._checked.add((item.pointer, direction))
        uri = item.pointer if "#" in item.pointer else f"{self._api.document_uri}#{item.pointer}"
        with suppress(DocumentError):  # the faults of the schema itself have been reported
            for example in item.examples:
                if example.has_value:
                    location = self._location(uri, f"/examples/{escape(example.name)}", "/example", "")
                    yield from _example_faults(item.schema, direction, "example", example.value, location)

    def _schema(
        self, schema: Schema, direction: Direction, depth: int = 0, *, is_prepared: bool = False
    ) -> Iterator[DocumentFault]:
        """The faults of a schema, and of the schemas below it."""
        try:
            schema = follow(schema)
        except DocumentError as error:
            yield DocumentFault.of(error)
            return
        if (schema.uri, direction) in self._checked or depth > _DEEPEST:
            return
        self._checked.add((schema.uri, direction))
        try:
            if not is_prepared:
                for unchecked in _validator(schema, direction).unchecked:
                    yield DocumentFault.of(unchecked, warning=isinstance(unchecked, UnsafeDocument))
            yield from self._own_examples(schema, direction)
            # The schemas below have been prepared together with this one, so they are valid.
            is_prepared = True
        except DocumentError as error:
            yield DocumentFault.of(error)
            is_prepared = False
        try:
            children = list(_children(schema))
        except DocumentError as error:
            yield DocumentFault.of(error)
            return
        for child in children:
            yield from self._schema(child, direction, depth + 1, is_prepared=is_prepared)

    def _own_examples(self, schema: Schema, direction: Direction) -> Iterator[DocumentFault]:
        """The faults of a schema's examples and default."""
        seen = shape(schema)
        given: list[tuple[str, Any]] = [("example", value) for value in seen.examples]
        if seen.default is not MISSING:
            given.append(("default", seen.default))
        keywords = schema.value if isinstance(schema.value, dict) else {}
        for word, value in given:
            location = self._location(f"{schema.uri}/{word}" if word in keywords else f"{schema.uri}/{word}s")
            yield from _example_faults(schema, direction, word, value, location)

    def _location(self, uri: str, *endings: str) -> DocumentLocation | None:
        """The location of a URI; with ``endings``, that of the first one that exists."""
        if (references := self._api.references) is None:
            return None
        for ending in endings or ("",):
            with suppress(DocumentError):
                references.resolve(uri + ending, self._api.document_uri)
                return DocumentLocation(*references.location(uri + ending))
        return None


def _items(operation: Operation) -> Iterator[tuple[Item, Direction]]:
    """The parameters, headers and media types of an operation, with the direction of their messages."""
    for item in (*operation.parameters, *(operation.body.content.values() if operation.body is not None else ())):
        yield item, "request"
    for response in operation.responses.values():
        for header in response.headers.values():
            yield header, "response"
        for media_type in response.content.values():
            yield media_type, "response"


def _example_faults(
    schema: Schema, direction: Direction, word: str, value: Any, location: DocumentLocation | None
) -> Iterator[DocumentFault]:
    # Documents can't hold binary values, and XML is often given as text.
    if is_binary(schema) or (isinstance(value, str) and value.lstrip().startswith("<")):
        return
    for fault in _validator(schema, direction).faults(value, places=False):
        yield DocumentFault(f"the {word} violates its schema: {fault.path} {fault.message}", location)


def _children(schema: Schema) -> Iterator[Schema]:
    """The direct subschemas of a schema."""
    seen = shape(schema)
    yield from seen.properties.values()
    yield from seen.pattern_properties.values()
    yield from (found for found in (seen.items, seen.additional) if isinstance(found, Schema))
    yield from (*seen.prefix_items, *seen.one_of, *seen.any_of)


_REACHED = 3


@click.command(cls=Command)
@document_argument("old")
@document_argument("new")
@format_option(*REPORTS, text="The output format.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit with status 3 for changes of this severity or worse."
)
@click.option("--severity", multiple=True, metavar="KIND=SEVERITY", help="Set the severity of a kind of change.")
@click.option("--accept", type=click.Path(), help="A file of accepted changes, which do not count for --fail-on.")
def diff(old: str, new: str, output: str, fail_on: str | None, severity: tuple[str, ...], accept: str | None) -> int:
    """Report the changes from the document OLD to NEW that matter to a Python caller.

    Each is a path, a URL, a short name, or a path at a git revision: main:openapi.yaml.

    A breaking change makes correct callers of OLD fail, or return them values that they could not get before; a warning
    needs attention.
    """
    project = project_here()
    severities = dict(_severities(project.table.get("severities", {}).items() if project is not None else ()))
    severities |= _severities(tuple(map(str.strip, each.partition("=")[::2])) for each in severity)
    changes = compare(api_of(old), api_of(new), severities=severities)
    if accept is not None:
        changes, messages = _accepted(changes, _read_accepted(accept), datetime.now(UTC).date())
        for message in messages:
            inform(message)
    if output == "text":
        page(as_text(changes, width=columns(sys.stdout), coloured=is_coloured(sys.stdout)) + "\n")
    elif text := REPORTS[output](changes):
        click.echo(text)
    return _REACHED if fail_on is not None and changes.reach(cast("Severity", fail_on)) else 0


def _severities(pairs: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, Severity]]:
    for kind, rank in pairs:
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS, "docs/changes.md lists the kinds")
            raise click.UsageError(f"--severity: there is no kind of change {kind}\nHint: {hint}")
        if rank not in SEVERITIES:
            text = f"--severity: {kind} must be one of {', '.join(SEVERITIES)}, not {rank or 'nothing'}"
            raise click.UsageError(text)
        yield kind, rank


_KEYS = ("kind", "operation", "pointer", "reason", "until")


class _AcceptedChange(Record):
    """An entry of the file; ``label`` names it in messages."""

    label: str
    kind: str
    reason: str
    operation: str = ""
    pointer: str = ""
    until: date | None = None

    def matches(self, change: Change) -> bool:
        """Whether the entry is for a change."""
        places = [place.pointer for place in (change.old, change.new) if place is not None]
        if self.kind != change.id or (self.pointer and self.pointer not in places):
            return False
        if not self.operation:
            return bool(self.pointer) or not change.operation
        return self.operation in {change.operation, change.name}


def _read_accepted(file: str) -> list[_AcceptedChange]:
    """Read a file of accepted changes.

    Raises:
        ArgumentError: the file can't be read, or an entry has an unknown or wrong key, or no reason.
        DocumentError: the file is neither YAML nor JSON.
    """
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise ArgumentError(f"{file} can't be read: {error.strerror}", argument="accept") from None
    is_empty = all(line.lstrip().startswith(b"#") for line in data.splitlines() if line.strip())
    tree = [] if is_empty else read(data, file, Limits())
    if not isinstance(tree, list):
        raise ArgumentError(f"{file} must be a list of entries with the keys {', '.join(_KEYS)}", argument="accept")
    return [_entry(entry, f"{file}: entry {number}") for number, entry in enumerate(tree, 1)]


def _entry(entry: Any, label: str) -> _AcceptedChange:
    def wrong(text: str) -> ArgumentError:
        return ArgumentError(f"{label} {text}", argument="accept")

    if not isinstance(entry, Mapping):
        raise wrong(f"must be a mapping with the keys {', '.join(_KEYS)}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise wrong(f"has the unknown key {key}; the keys are {', '.join(_KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise wrong(f"must have a string as {key}")
    for key in ("kind", "reason"):
        if key not in entry:
            raise wrong(f"has no {key}")
    if entry["kind"] not in KINDS:
        raise wrong(f"has the unknown kind {entry['kind']}")
    try:
        until = date.fromisoformat(entry["until"]) if "until" in entry else None
    except ValueError:
        raise wrong(f"must have a date such as 2027-01-31 as until, not {entry['until']}") from None
    pointer = entry.get("pointer", "").removeprefix("#")
    return _AcceptedChange(label, entry["kind"], entry["reason"], entry.get("operation", ""), pointer, until)


def _accepted(changes: Changes, entries: list[_AcceptedChange], today: date) -> tuple[Changes, list[str]]:
    """Mark the accepted changes, and report entries that have expired or match no change."""
    unused, messages = list(entries), list[str]()
    found: list[Change] = []
    for change in changes:
        fits = [entry for entry in entries if entry.matches(change)]
        unused = [entry for entry in unused if entry not in fits]
        valid = next((entry for entry in fits if entry.until is None or entry.until >= today), None)
        found.append(change if valid is None else change._replace(accepted=valid.reason))
        messages += [f"{it.label} has expired on {it.until}: {change}" for it in fits if valid is None]
    messages += [f"{it.label} ({it.kind}) matches no change; remove it" for it in unused]
    return Changes(lambda: found), messages
