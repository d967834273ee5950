"""Typed packages for clients of documents: stubs for type checkers, and modules that load a document.

Rule 1: each operation is a class with an explicit ``__call__``, so editors show its arguments.
Rule 2: a class whose attributes are operations uses no type name that an operation could hide.
Rule 3: the package ``dynclient_types`` types ``dynclient.load`` itself for the documents of a project. It has an
overload for each document, by its path as written and with ``./``, and one for any other client. For a document with
security schemes, another overload warns of credentials with unknown names.
Rule 4: within it, each document has a package like those that users write with ``--out``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from dynclient import Client
from dynclient._identifiers import class_name, distinct
from dynclient._schemas.shapes import bounded_depth
from dynclient.inspection.arguments import positional
from dynclient.inspection.docstrings import client_name, docstring, sequel
from dynclient.inspection.hints import Direction, Hint
from dynclient.inspection.views import ArgumentView
from dynclient_tools import syntax
from dynclient_tools.models import Models, statements, type_of
from dynclient_tools.rendering import MARK, sources
from dynclient_tools.syntax import Keyword
from dynclient_tools.views import OperationPage, Site, site

PACKAGE = "dynclient_types"

# Names that the templates import and define.
_TAKEN = frozenset({
    "Any", "api", "AsyncClient", "AsyncPages", "AsyncStreaming", "Client", "DOCUMENT", "errors", "File",
    "FINGERPRINT", "HTTPResult", "IO", "Literal", "load", "load_async", "Mapping", "models", "NotRequired",
    "Pages", "PathLike", "Request", "Self", "Sequence", "Streaming", "TypeAlias", "TypeAliasType", "TypedDict",
})  # fmt: skip
_TAKEN_IN_PLACE = frozenset({"Any", "AsyncClient", "Client", "Literal", "overload", "load", "DOCUMENTS"})
_PER_FILE = 150  # Operations; type checkers give up on files that are too long.


@bounded_depth("a schema")
def stubs(client: Client, source: str, templates: Path | None = None, tags: Collection[str] = ()) -> dict[str, str]:
    """Write the package of an API, by file name. ``source`` is the path of its document.

    ``tags`` limits it to operations with one of these tags, named as in the document or as a client's namespace.

    Raises:
        ArgumentError: no operation has one of the tags.
    """
    shown = site(client, source, tags)
    writer = _Writer(shown)
    environment = sources(templates)
    fingerprint = shown.api.fingerprint
    names = sorted(model.name for model in writer.models.all())
    parts = [writer.pages[start : start + _PER_FILE] for start in range(0, len(writer.pages), _PER_FILE)]
    values = {
        "head": Markup("# {}. SHA-256 of the document: {}").format(MARK, fingerprint),
        "constants": [
            syntax.source([syntax.assigned("DOCUMENT", repr(source))]),
            syntax.source([syntax.assigned("FINGERPRINT", repr(fingerprint))]),
        ],
        "names": syntax.source([syntax.assigned("__all__", syntax.list_of(["File", *names]))]),
        "models": [syntax.source(lines) for lines in statements(writer.models)],
        "parts": [Markup(f"_operations_{number}") for number in range(1, len(parts) + 1)],  # noqa: S704  # numbers
        "clients": syntax.source([*writer.namespaces(), *writer.clients()]),
        "loads": syntax.source(_load_functions(shown)),
    }
    written = {name: environment.get_template(f"{template}.jinja").render(values) for name, template in _FILES.items()}
    for number, pages in enumerate(parts, 1):
        operations = [syntax.source(writer.operation(page)) for page in pages]
        template = environment.get_template("operations.pyi.jinja")
        exported = syntax.list_of(form for page in pages for form in writer.classes(page))
        own = {"names": syntax.source([syntax.assigned("__all__", exported)]), "operations": operations}
        written[f"_operations_{number}.pyi"] = template.render({**values, **own})
    # The builders write only valid statements, so this checks the templates around them.
    bare = {**values, **dict.fromkeys(("names", "clients", "loads"), Markup("")), "models": [], "operations": []}
    for frame in (*_FILES.values(), "operations.pyi"):
        syntax.check(environment.get_template(f"{frame}.jinja").render(bare))
    return written


_FILES = {
    "__init__.pyi": "package.pyi",
    "__init__.py": "package.py",
    "models.py": "models.py",
    "errors.py": "errors.py",
}


class _Writer:
    """Writes the classes of one API."""

    def __init__(self, shown: Site) -> None:
        self.pages = list({page.view.key: page for _, page in shown.operations}.values())
        wanted = [f"{class_name(page.view.name)}Operation" for page in self.pages]
        of_tags = [page.namespace for page in shown.tags if page.namespace]
        # If there are no tags, the namespaces are those of paths.
        tags = dict.fromkeys([*of_tags, *(namespace for page in self.pages for namespace, _ in page.view.names)])
        wanted += [f"{class_name(namespace)}Namespace" for namespace in tags]
        names = iter(distinct(wanted, _TAKEN))
        self._classes = {page.view.key: next(names) for page in self.pages}
        self._namespaces = {namespace: next(names) for namespace in tags}
        own = {form for known in (*self._classes.values(), *self._namespaces.values()) for form in _forms(known)}
        self.models = Models((entry for page in self.pages for entry in _hints(page)), _TAKEN | own)

    def classes(self, page: OperationPage) -> Iterator[str]:
        """The names of an operation's classes; a name may begin with an underscore, so that ``*`` needs a list."""
        return _forms(self._classes[page.view.key])

    def operation(self, page: OperationPage) -> Iterator[str]:
        """Write the classes of an operation: the call, the call with HTTP information, and both for tasks."""
        known = self._classes[page.view.key]
        arguments, result = self._arguments(page), self._result(page)
        described = docstring(page.operation, page.view.name, more=sequel(page.method))
        for is_async in (False, True):
            twin = f"{known}Async" if is_async else known
            info = syntax.function("__call__", arguments, result, is_async=is_async)
            yield from syntax.class_of(f"{twin}WithHTTPInfo", [], info)
            returns = type_of(self.models, page.view.returns, "response")
            body = [
                *syntax.function("__call__", arguments, returns, described, is_async=is_async),
                *syntax.function("with_http_info", "self", f"{twin}WithHTTPInfo", decorators=["property"]),
                *syntax.function("prepare", arguments, "Request"),
                *syntax.function("send", _SEND, result, is_async=is_async),
                *syntax.function("stream", arguments, "AsyncStreaming" if is_async else "Streaming"),
                *self._pages(page, is_async=is_async),
                *self._waits(page, returns, is_async=is_async),
                *syntax.function("with_options", _OPTIONS, "Self"),
            ]
            yield from syntax.class_of(twin, ["_Described"], body)

    def _pages(self, page: OperationPage, *, is_async: bool) -> Iterator[str]:
        if page.item is not None:
            kind = "AsyncPages" if is_async else "Pages"
            pages = f"{kind}[{type_of(self.models, page.item, 'response')}]"
            yield from syntax.function("paginate", self._arguments(page, _PAGING), pages)

    def _waits(self, page: OperationPage, returns: str, *, is_async: bool) -> Iterator[str]:
        """Write ``wait`` and ``start``.

        The type of a later result is known only for a GET, which is repeated.
        """
        waiter = page.method.waiter
        # Others get their types from _Described, since many documents have a 202 without any meaning.
        if waiter is None or not (waiter.poll == "same" or waiter.confidence == "certain"):
            return
        result = returns if page.view.method == "GET" else "Any"
        states = f"{'_AsyncIterator' if is_async else '_Iterator'}[_State]"
        for followed, known in ((False, result), (True, states)):
            options = {**_WAITING, "follow": syntax.literal([followed])}
            needed = {"timeout", "follow"} if followed else {"timeout"}
            arguments = self._arguments(page, options, needed)
            is_awaited = is_async and not followed
            yield from syntax.function("wait", arguments, known, is_async=is_awaited, decorators=["_overload"])
        arguments = self._arguments(page, {each: _WAITING[each] for each in ("until", "failed")})
        yield from syntax.function("start", arguments, "_AsyncJob" if is_async else "_Job", is_async=is_async)

    def _result(self, page: OperationPage) -> str:
        """The type of the result with HTTP information; one for each status if their data differ."""
        found = [(status, type_of(self.models, hint, "response")) for status, hint in page.view.results]
        if len({data for _, data in found}) == 1:
            return f"HTTPResult[{found[0][1]}]"
        results = [
            f"HTTPResult[{data}, {syntax.literal([int(status)])}]" if status.isdigit() else f"HTTPResult[{data}]"
            for status, data in found
        ]
        return syntax.union(results) or "HTTPResult"

    def _arguments(self, page: OperationPage, options: Mapping[str, str] = {}, needed: Collection[str] = ()) -> str:
        """The arguments of a call, and options; an option whose name the call has gets an underscore after it."""
        views = page.view.arguments
        taken = {each for view in views for each in (view.name, view.wire)}
        return syntax.arguments_of(
            _receiver(views),
            [self._argument(view) for view in views if positional(view)],
            [
                *(self._argument(view) for view in views if not positional(view)),
                *(
                    (f"{option}_" if option in taken else option, kind, option in needed)
                    for option, kind in options.items()
                ),
            ],
        )

    def _argument(self, view: ArgumentView) -> Keyword:
        return view.name, type_of(self.models, view.hint, "request"), not view.omittable

    def namespaces(self) -> Iterator[str]:
        """Write the classes of each tag."""
        pairs: dict[str, list[tuple[str, OperationPage]]] = {namespace: [] for namespace in self._namespaces}
        for page in self.pages:
            for namespace, attribute in page.view.names:
                pairs[namespace].append((attribute, page))
        for namespace, known in self._namespaces.items():
            for suffix in ("", "Async"):
                yield from syntax.class_of(known + suffix, [], self._attributes(pairs[namespace], suffix))

    def clients(self) -> Iterator[str]:
        """Write the two clients."""
        pairs = [(page.view.name, page) for page in self.pages]
        for suffix in ("", "Async"):
            tags = [syntax.annotated(tag, known + suffix) for tag, known in self._namespaces.items()]
            body = [*_LIFE[suffix], *self._attributes(pairs, suffix), *tags]
            yield from syntax.class_of(f"{suffix}Client", [], body)

    def _attributes(self, pairs: list[tuple[str, OperationPage]], suffix: str) -> Iterator[str]:
        for attribute, page in pairs:
            known = self._classes[page.view.key] + suffix
            yield syntax.annotated(attribute, known)
            # An editor shows the text below an attribute, not that of ``__call__``, where the attribute is named.
            yield from syntax.text(attribute + page.brief)
            yield syntax.annotated(f"{attribute}_with_http_info", f"{known}WithHTTPInfo")


def _forms(known: str) -> Iterator[str]:
    for form in (known, f"{known}Async"):
        yield from (form, f"{form}WithHTTPInfo")


def _hints(page: OperationPage) -> Iterator[tuple[Hint, Direction, str]]:
    view = page.view
    for argument in view.arguments:
        yield argument.hint, "request", class_name(f"{view.name} {argument.name}")
    for status, hint in view.results:
        location = f"{view.name} result" if len(view.results) == 1 else f"{view.name} result {status}"
        yield hint, "response", class_name(location)
    yield view.returns, "response", class_name(f"{view.name} result")
    if page.item is not None:
        yield page.item, "response", class_name(f"{view.name} item")


def _credentials(schemes: Sequence[str]) -> str:
    """The type of ``auth=`` for a document with these security schemes."""
    by_scheme = f" | Mapping[{syntax.literal(schemes)}, _Credential]" if schemes else ""
    return f"_Credential{by_scheme} | None"


def _load_functions(shown: Site) -> Iterator[str]:
    """Write the functions that load the document, with credentials by the names of its security schemes."""
    auth = ("auth", _credentials(list(shown.api.security_schemes)), False)
    for function, options, client in (
        ("load", "_LoadOptions", "Client"),
        ("load_async", "_AsyncLoadOptions", "AsyncClient"),
    ):
        arguments = syntax.arguments_of("", [("source", "Any", False)], [auth], options)
        yield from syntax.function(function, arguments, client)


def _receiver(arguments: tuple[ArgumentView, ...]) -> str:
    taken = {argument.name for argument in arguments}
    return next(known for known in ("self", "self_", "_self", "the_operation_itself") if known not in taken)


_OPTIONS = syntax.arguments_of("self", [], [("auth", "_Auth", False)], "_CallOptions")
_SEND = syntax.arguments_of(
    "self",
    [("parameters", "Mapping[tuple[str, str], Any] | None", False)],
    [("body", "Any", False), ("content_type", "str | None", False), ("accept", "str | None", False)],
)
_PAGING = {
    "by": "Mapping[str, Any] | None",
    "page_size": "int | None | Literal['max']",
    "max_items": "int | None",
    "resume": "str | None",
    "prefetch": "int",
    "unique": "str | None",
    "on_repeat": "Literal['error', 'stop']",
}
_WAITING = {"timeout": "float | None", "until": "Any", "failed": "Any"}
_EXIT = syntax.arguments_of("self", [(part, "Any", False) for part in ("kind", "error", "traceback")])
_COMMON = (
    *syntax.function("operations", "self", "_Operations", decorators=["property"]),
    *syntax.function("api", "self", "_API", decorators=["property"]),
    *syntax.function("request", "self", "_RawRequests", decorators=["property"]),
    *syntax.function("with_options", _OPTIONS, "Self"),
)

# The members of a client other than its operations, by the prefix of its class name.
_LIFE = {
    prefix: (
        *_COMMON,
        *syntax.function("reload", "self", "_Changes", is_async=bool(prefix)),
        *syntax.function(f"{a}close", "self", "None", is_async=bool(prefix)),
        *syntax.function(f"__{a}enter__", "self", "Self", is_async=bool(prefix)),
        *syntax.function(f"__{a}exit__", _EXIT, "None", is_async=bool(prefix)),
    )
    for prefix, a in (("", ""), ("Async", "a"))
}


def package_names(sources: Iterable[str]) -> list[str]:
    """The name of each document's package, after its file; a second document of the same file name is numbered."""
    return distinct([client_name(source) for source in sources], _TAKEN_IN_PLACE)


# dynclient_types.


class _Typed(NamedTuple):
    """A document by its path in code, the package of its types, and its security schemes."""

    source: str
    package: str
    schemes: tuple[str, ...]


def in_place(
    clients: Mapping[str, Client], templates: Path | None = None, tags: Collection[str] = ()
) -> dict[str, str]:
    """Write the package ``dynclient_types``, by path below it. ``clients`` has a client for each path in code.

    Raises:
        ArgumentError: no operation of a document has one of the tags.
    """
    packages = dict(zip(clients, package_names(clients), strict=True))
    typed = [_Typed(source, packages[source], tuple(client.api.security_schemes)) for source, client in clients.items()]
    table = syntax.dict_of((source, repr(client.api.fingerprint)) for source, client in clients.items())
    values = {
        "head": Markup("# {}. The documents' SHA-256 are in DOCUMENTS.").format(MARK),
        "names": [Markup(name) for name in packages.values()],  # noqa: S704  # identifiers
        "loads": syntax.source(_loads(typed)),
        "documents": syntax.source([syntax.assigned("DOCUMENTS", table)]),
    }
    environment = sources(templates)
    written = {
        f"__init__.{kind}": environment.get_template(f"types.{kind}.jinja").render(values) for kind in ("py", "pyi")
    }
    for module in written.values():
        syntax.check(module)
    for source, client in clients.items():
        for file, module in stubs(client, source, templates, tags).items():
            written[f"{packages[source]}/{file}"] = module
    return written


def _loads(typed: Sequence[_Typed]) -> Iterator[str]:
    """Write ``load``, and the two clients with their ``load``."""
    yield from _overloads(typed, "Client", "_LoadOptions")
    for client, options in (("Client", "_LoadOptions"), ("AsyncClient", "_AsyncLoadOptions")):
        yield from syntax.class_of(client, [f"_{client}"], _overloads(typed, client, options, receiver="cls"))


def _overloads(typed: Sequence[_Typed], client: str, options: str, receiver: str = "") -> Iterator[str]:
    decorators = [*(["overload"] if typed else []), *(["classmethod"] if receiver else [])]

    def load(source: str, auth: Keyword, returned: str, *warning: str) -> list[str]:
        arguments = syntax.arguments_of(receiver, [("source", source, True)], [auth], options)
        return syntax.function("load", arguments, returned, decorators=[*decorators, *warning])

    for one in typed:
        returned = f"{one.package}.{client}"
        yield from load(_literal(one.source), ("auth", _credentials(one.schemes), False), returned)
        if one.schemes:
            # Without this overload, a wrong name would match that for any client. It can't be an error, since a dict
            # whose keys are only known as str is valid.
            message = f"auth= has names that are not security schemes of the document: {', '.join(one.schemes)}"
            any_name = ("auth", "Mapping[str, _Credential]", True)
            yield from load(_literal(one.source), any_name, returned, f"_deprecated({message!r})")
    yield from load("Any", ("auth", "_Auth", False), "_Self" if receiver else client)


def _literal(source: str) -> str:
    """The type of a path: itself, and for a relative path also the spelling with or without ``./``."""
    spellings = [source]
    if "://" not in source and not posixpath.isabs(source) and not source.startswith("../"):
        spellings.append(source.removeprefix("./") if source.startswith("./") else f"./{source}")
    return syntax.literal(spellings)
