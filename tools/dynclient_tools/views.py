"""The data of the templates: an API as pages of operations and schemas.

Everything comes from the public API and from ``dynclient.inspection``. Texts of the document are not escaped yet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from dynclient import Client
from dynclient._identifiers import near
from dynclient._paging.answers import items_schema
from dynclient._rows import OperationRow
from dynclient.examples import arguments_example
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.inspection.arguments import positional
from dynclient.inspection.docstrings import clean, client_name
from dynclient.inspection.hints import ANY, Hint, hint_tree, text
from dynclient.inspection.views import (
    ArgumentView,
    OperationView,
    SchemaView,
    operation_view,
    schema_view,
)
from dynclient.model import API, Operation
from dynclient_tools.rendering import page_name

_UNTAGGED = "Default"
_PER_PAGE = 60  # Operations; GitHub cuts off files that are too long.
_SHOWN = 6  # Properties of a body in a brief signature; a call lists them all.
_FLAT = 20  # Operations without tags that need no groups.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s(?=[A-Z<])|</p>|\n[ \t]*\n")
INDEX = "README.md"
EXAMPLE_URL = "https://example.com"  # for a document that names no host


@dataclass(frozen=True, eq=False)
class OperationPage:
    """The section of one operation.

    ``method`` is its method on a client that has a URL to send to. ``base_url`` is the URL before the path, empty if
    the document has no server.
    """

    view: OperationView
    operation: Operation
    method: Any
    base_url: str

    @cached_property
    def example(self) -> Mapping[str, Any]:
        """The arguments of a valid call, or of one that is as close to valid as possible."""
        return arguments_example(self.operation)

    @cached_property
    def item(self) -> Hint | None:
        """The type of an item, if the operation is a paginated list; Any if the items are unclear."""
        found = self.method.pagination
        if found is None:
            return None
        elements = items_schema(self.operation, found)
        return hint_tree(elements, "response") if elements is not None else ANY

    @property
    def summary(self) -> str:
        """The summary, or else the first sentence of the description."""
        return self.view.summary or _SENTENCE_END.split(self.view.description.strip(), maxsplit=1)[0]

    @cached_property
    def given(self) -> tuple[ArgumentView, ...]:
        """The arguments of the examples: the required parameters, and the body if there is one."""
        return tuple(
            argument
            for argument in self.view.arguments
            if argument.kind == "body" or (argument.kind == "parameter" and argument.required)
        )

    @property
    def listed(self) -> tuple[ArgumentView, ...]:
        """The arguments of the table: all except the properties of the body, which its schema's page lists."""
        return tuple(argument for argument in self.view.arguments if argument.kind != "property")

    @property
    def properties(self) -> tuple[ArgumentView, ...]:
        """The properties of the body that may be given as keywords."""
        return tuple(argument for argument in self.view.arguments if argument.kind == "property")

    @property
    def own_properties(self) -> tuple[ArgumentView, ...]:
        """The properties of a body whose schema has no name, and therefore no page."""
        bodies = [argument.hint for argument in self.view.arguments if argument.kind == "body"]
        return () if any(hint.kind == "named" for hint in bodies) else self.properties

    @property
    def body_name(self) -> tuple[str, ...]:
        """The name of the body's argument, if there is one."""
        return tuple(argument.name for argument in self.view.arguments if argument.kind == "body")

    @cached_property
    def brief(self) -> str:
        """The signature after the method's name, without the properties of a large body, and the summary."""
        listed = [*self.listed, *self.properties[:_SHOWN]]
        shown = [f"{each.name}: {text(each.hint)}{' = ...' if each.omittable else ''}" for each in listed]
        after = sum(map(positional, listed))
        shown[after:after] = ["*"] if after < len(shown) else []
        shown += ["..."] if len(self.properties) > _SHOWN else []
        summary = clean(self.view.summary) or f"{self.view.method} {self.view.path}"
        return f"({', '.join(shown)}) -> {text(self.view.returns)}\n\n{summary}"


class TagPage(NamedTuple):
    """The page of a tag, or a part of it. ``file`` is its file name, ``namespace`` the tag's name on a client."""

    file: str
    title: str
    namespace: str
    description: str
    operations: tuple[OperationPage, ...]

    @property
    def base_urls(self) -> list[str]:
        """The URLs before the paths of its operations."""
        return list(dict.fromkeys(operation.base_url for operation in self.operations))


class SchemaPage(NamedTuple):
    """The page of a named schema. ``sent`` is whether it is part of a request body."""

    file: str
    view: SchemaView
    sent: bool = False


class Broken(NamedTuple):
    """An operation that can't be used, and its error."""

    key: str
    fault: str


class Site(NamedTuple):
    """All pages of one document. ``client`` is the name of the client in the examples."""

    api: API
    client: str
    source: str
    tags: tuple[TagPage, ...]
    schemas: tuple[SchemaPage, ...]
    broken: tuple[Broken, ...]
    files: dict[str, str]

    @property
    def operations(self) -> list[tuple[TagPage, OperationPage]]:
        """All operations with their pages."""
        return [(page, operation) for page in self.tags for operation in page.operations]


def site(client: Client, source: str, tags: Collection[str] = (), *, check: bool = False) -> Site:
    """View an API as pages. ``source`` is the name of its document; ``tags`` selects operations by their tags.

    With ``check``, operations that can't be called are among those that are broken. Without it, those that can be
    described are not, unless a schema that they refer to can't be described.

    Raises:
        ArgumentError: no operation has one of the tags.
    """
    elsewhere = client.with_options(base_url=EXAMPLE_URL)
    operations: list[OperationPage] = []
    broken: list[Broken] = []
    shared: dict[Any, Any] = {}
    for row in _chosen(client.api.rows, tags):
        try:
            operation = client.operations[row.key].operation
            view = operation_view(operation, shared)
        except DocumentError as error:
            broken.append(Broken(row.key, str(error)))
            continue
        base_url = server_url(view.servers[0]) if view.servers else ""
        sender = client if is_absolute(base_url) else elsewhere
        operations.append(OperationPage(view, operation, sender.operations[row.key], base_url))
    views = None
    if not check:
        with suppress(DocumentError):
            views = reached(page.view for page in operations)
    if views is None:
        faults = {page.view.key: page.method.fault for page in operations}
        broken += [Broken(key, str(fault)) for key, fault in faults.items() if fault is not None]
        operations = [page for page in operations if faults[page.view.key] is None]
        views = reached(page.view for page in operations)
    names = {INDEX.casefold()}
    pages = tuple(_tag_pages(client.api, operations, names))
    schemas = tuple(_schema_pages(operations, views, names))
    return Site(
        api=client.api,
        client=client_name(source),
        source=source,
        tags=pages,
        schemas=schemas,
        broken=tuple(broken),
        files={page.view.uri: page.file for page in schemas},
    )


def _chosen(rows: Sequence[OperationRow], tags: Collection[str]) -> Iterator[OperationRow]:
    """The operations with one of these tags, each named as in the document or as a namespace; all without tags."""
    names = {row: {*row.tags, *(namespace for namespace, _ in row.names_by_tag)} for row in rows}
    known = dict.fromkeys(name for of_row in names.values() for name in sorted(of_row))
    for tag in tags:
        if tag not in known:
            raise ArgumentError(f"no operation has the tag {tag!r}", argument="tag", matches=near(tag, known))
    return (row for row in rows if not tags or not names[row].isdisjoint(tags))


def server_url(server: Any) -> str:
    """The URL of a server with the defaults of its variables."""
    url: str = server.url
    for name, variable in server.variables.items():
        url = url.replace(f"{{{name}}}", variable.default)
    return url


def is_absolute(base_url: str) -> bool:
    """Whether a URL names a host."""
    return "://" in base_url


def reached(operations: Iterable[OperationView]) -> dict[str, SchemaView]:
    """All named schemas that operations reach, by their URIs, in the order of their first use."""
    found: dict[str, SchemaView] = {}
    waiting = [hint for operation in operations for hint, _ in operation.hints()]
    waiting.reverse()
    inline: set[str] = set()
    while waiting:
        for node in waiting.pop().walk():
            if node.schema is None or node.schema.uri in found or node.schema.uri in inline:
                continue
            view = schema_view(node.schema)
            if node.kind == "named":
                found[view.uri] = view
            else:
                inline.add(node.schema.uri)
            waiting += reversed([*(prop.hint for prop in view.properties), *view.branches, view.hint])
    return found


def _tag_pages(api: API, operations: list[OperationPage], names: set[str]) -> Iterator[TagPage]:
    described = {tag.name: tag for tag in api.tags}
    by_tag: dict[str, list[OperationPage]] = {tag.name: [] for tag in api.tags}
    many = sum(not page.view.tags for page in operations) > _FLAT
    for page in operations:
        # Operations without tags are called by the namespaces of their paths.
        for tag in page.view.tags or (dict(page.view.names[:1]) if many else ()) or (_UNTAGGED,):
            by_tag.setdefault(tag, []).append(page)
    for tag, pages in by_tag.items():
        known = described.get(tag)
        namespace = known.namespace if known is not None else tag if tag != _UNTAGGED else ""
        # A readable length; longer ones are split into several pages.
        for number, start in enumerate(range(0, len(pages), _PER_PAGE), 1):
            part = tuple(pages[start : start + _PER_PAGE])
            title = f"{tag}, part {number}" if number > 1 else tag
            shown = namespace if part[0].view.names else ""
            yield TagPage(page_name(title, "Api.md", names), title, shown, known.description if known else "", part)


def _schema_pages(
    operations: list[OperationPage], views: Mapping[str, SchemaView], names: set[str]
) -> Iterator[SchemaPage]:
    bodies = (hint for page in operations for media_type in page.view.body for hint in media_type.hint.walk())
    sent = {hint.schema.uri for hint in bodies if hint.schema is not None}
    for view in views.values():
        yield SchemaPage(page_name(view.class_name, ".md", names), view, view.uri in sent)


def is_none(hint: Hint) -> bool:
    """Whether a type is None: the response has no body."""
    return hint.kind == "scalar" and hint.name == "None"
