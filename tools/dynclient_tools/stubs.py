"""Typed packages for clients of documents: stubs for type checkers, and modules that load a document.

Rule 1: each operation is a class with an explicit ``__call__``, so editors show its arguments.
Rule 2: a class whose attributes are operations uses no type name that an operation could hide.
Rule 3: the package ``dynclient_types`` types ``dynclient.load`` itself for the documents of a project. It has an
overload for each document, by its path as written and with ``./``, and one for any other client. For a document with
security schemes, another overload warns of credentials with unknown names.
Rule 4: within it, each document has a package like those that users write with ``--out``.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from dynclient import Client
from dynclient._identifiers import class_name, distinct
from dynclient._schemas.shapes import bounded_depth
from dynclient.inspection.docstrings import clean, client_name, docstring
from dynclient.inspection.hints import Direction, Hint, text
from dynclient.inspection.views import ArgumentView
from dynclient_tools import syntax
from dynclient_tools.models import Models, statements, type_of
from dynclient_tools.rendering import MARK, sources
from dynclient_tools.syntax import Keyword, name
from dynclient_tools.views import OperationPage, Site, site

PACKAGE = "dynclient_types"

# Names that the templates import and define.
_TAKEN = frozenset(
    {
        "Any",
        "AsyncClient",
        "AsyncPages",
        "AsyncStreaming",
        "Client",
        "DOCUMENT",
        "FINGERPRINT",
        "File",
        "HTTPResult",
        "IO",
        "Literal",
    }
    | {
        "Mapping",
        "NotRequired",
        "Pages",
        "PathLike",
        "Request",
        "Self",
        "Sequence",
        "Streaming",
        "TypeAlias",
        "TypeAliasType",
    }
    | {"TypedDict", "api", "errors", "load", "load_async", "models"}
)
_TAKEN_IN_PLACE = frozenset({"Any", "AsyncClient", "Client", "Literal", "overload", "load", "DOCUMENTS"})
_SHOWN = 6  # Properties of a body; a call lists them all.
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
    fingerprint = _hexadecimal(shown.api.fingerprint)
    names = sorted(model.name for model in writer.models.all())
    parts = [writer.pages[start : start + _PER_FILE] for start in range(0, len(writer.pages), _PER_FILE)]
    values = {
        "head": Markup("# {}. SHA-256 of the document: {}").format(MARK, fingerprint),
        "constants": [
            _ready([syntax.assigned("DOCUMENT", syntax.constant(source))]),
            _ready([syntax.assigned("FINGERPRINT", syntax.constant(fingerprint))]),
        ],
        "names": _ready([syntax.assigned("__all__", syntax.list_of(["File", *names]))]),
        "models": [_extended(_ready([statement])) for statement in statements(writer.models)],
        "parts": [Markup(f"_operations_{number}") for number in range(1, len(parts) + 1)],  # noqa: S704  # numbers
        "clients": _ready([*writer.namespaces(), *writer.clients()]),
        "loads": _ready(_load_functions(shown)),
    }
    written = {name: environment.get_template(f"{template}.jinja").render(values) for name, template in _FILES.items()}
    for number, pages in enumerate(parts, 1):
        operations = [_ready(writer.operation(page)) for page in pages]
        template = environment.get_template("operations.pyi.jinja")
        exported = syntax.list_of(form for page in pages for form in writer.classes(page))
        own = {"names": _ready([syntax.assigned("__all__", exported)]), "operations": operations}
        written[f"_operations_{number}.pyi"] = template.render({**values, **own})
    # The statements have been checked already, so only the templates around them are left to check.
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


def _ready(statements: Iterable[ast.stmt]) -> Markup:
    """Write statements for a template; :func:`syntax.source` has checked them."""
    return Markup(syntax.source(statements))  # noqa: S704  # Python, not HTML


def _extended(model: Markup) -> Markup:
    """Let mypy, which does not know ``extra_items`` yet, ignore it."""
    head, line_end, body = model.partition("\n")
    ignored = "  # type: ignore[call-arg]" if head.endswith("extra_items=Any):") else ""
    return head + Markup(ignored) + line_end + body  # noqa: S704  # a fixed comment


def _hexadecimal(fingerprint: str) -> str:
    return "".join(character for character in fingerprint if character in "0123456789abcdef")


class _Writer:
    """Writes the classes of one API."""

    def __init__(self, shown: Site) -> None:
        self.pages = list({page.view.key: page for _, page in shown.operations}.values())
        wanted = [f"{class_name(page.view.name)}Operation" for page in self.pages]
        of_tags = [page.namespace for page in shown.tags if page.namespace]
        # Without tags, the namespaces are those of paths.
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

    def operation(self, page: OperationPage) -> Iterator[ast.stmt]:
        """Write the classes of an operation: the call, the call with HTTP information, and both for tasks."""
        known = self._classes[page.view.key]
        arguments = self._arguments(page)
        for is_async in (False, True):
            twin = f"{known}Async" if is_async else known
            info = syntax.function("__call__", arguments, self._result(page), is_async=is_async)
            yield syntax.class_of(f"{twin}WithHTTPInfo", [], [info])
            yield syntax.class_of(twin, ["_Described"], list(self._members(page, twin, arguments, is_async=is_async)))

    def _members(
        self, page: OperationPage, known: str, arguments: ast.arguments, *, is_async: bool
    ) -> Iterator[ast.stmt]:
        returns = type_of(self.models, page.view.returns, "response")
        described = syntax.text(docstring(page.method.operation, page.view.name))
        yield syntax.function("__call__", arguments, returns, described, is_async=is_async)
        with_info = name(f"{known}WithHTTPInfo")
        yield syntax.function("with_http_info", syntax.arguments_of("self"), with_info, decorators=["property"])
        yield syntax.function("prepare", arguments, name("Request"))
        yield syntax.function("send", _SEND, self._result(page), is_async=is_async)
        answer = name("AsyncStreaming" if is_async else "Streaming")
        yield syntax.function("stream", arguments, answer)
        if page.item is not None:
            items = type_of(self.models, page.item, "response")
            pages = syntax.subscript("AsyncPages" if is_async else "Pages", items)
            yield syntax.function("paginate", self._arguments(page, _PAGING), pages)
        waiter = page.method.waiter
        # Others are typed by _Described: many documents have a 202 that means nothing.
        if waiter is not None and (waiter.poll == "same" or waiter.confidence == "certain"):
            yield from self._waits(page, returns, is_async=is_async)
        yield syntax.function("with_options", _OPTIONS, name("Self"))

    def _waits(self, page: OperationPage, returns: ast.expr, *, is_async: bool) -> Iterator[ast.stmt]:
        """Write ``wait`` and ``start``. What the requests after a call return is known for a GET, which is repeated."""
        result = returns if page.view.method == "GET" else _ANY
        states = syntax.subscript("_AsyncIterator" if is_async else "_Iterator", name("_State"))
        for followed, known in ((False, result), (True, states)):
            options = {**_WAITING, "follow": syntax.subscript("Literal", ast.Constant(followed))}
            needed = {"timeout", "follow"} if followed else {"timeout"}
            arguments = self._arguments(page, options, needed)
            is_awaited = is_async and not followed
            yield syntax.function("wait", arguments, known, is_async=is_awaited, decorators=["_overload"])
        job = name("_AsyncJob" if is_async else "_Job")
        arguments = self._arguments(page, {each: _WAITING[each] for each in ("until", "failed")})
        yield syntax.function("start", arguments, job, is_async=is_async)

    def _result(self, page: OperationPage) -> ast.expr:
        """The type of the result with HTTP information; one for each status if their data differ."""
        found = [(status, type_of(self.models, hint, "response")) for status, hint in page.view.results]
        if len({ast.dump(data) for _, data in found}) == 1:
            return syntax.subscript("HTTPResult", found[0][1])
        results = [
            syntax.subscript("HTTPResult", data, syntax.subscript("Literal", syntax.constant(int(status))))
            if status.isdigit()
            else syntax.subscript("HTTPResult", data)
            for status, data in found
        ]
        return syntax.union(results) if results else name("HTTPResult")

    def _arguments(
        self, page: OperationPage, options: Mapping[str, ast.expr] = {}, needed: Collection[str] = ()
    ) -> ast.arguments:
        """The arguments of a call, and options; an option whose name the call has gets an underscore after it."""
        views = page.view.arguments
        taken = {each for view in views for each in (view.name, view.wire)}
        return syntax.arguments_of(
            _receiver(views),
            [self._argument(view) for view in views if view.positional],
            [
                *(self._argument(view) for view in views if not view.positional),
                *(
                    (f"{option}_" if option in taken else option, kind, option in needed)
                    for option, kind in options.items()
                ),
            ],
        )

    def _argument(self, view: ArgumentView) -> tuple[str, ast.expr, bool]:
        return view.name, type_of(self.models, view.hint, "request"), not view.omittable

    def namespaces(self) -> Iterator[ast.stmt]:
        """Write the classes of each tag."""
        for namespace, known in self._namespaces.items():
            pairs = [(pair[1], page) for page in self.pages for pair in page.view.names if pair[0] == namespace]
            for suffix in ("", "Async"):
                yield syntax.class_of(known + suffix, [], list(self._attributes(pairs, suffix)))

    def clients(self) -> Iterator[ast.stmt]:
        """Write the two clients."""
        pairs = [(page.view.name, page) for page in self.pages]
        for suffix in ("", "Async"):
            tags = [syntax.annotated(tag, name(known + suffix)) for tag, known in self._namespaces.items()]
            own = list(_LIFE[suffix])
            yield syntax.class_of(f"{suffix}Client", [], [*own, *self._attributes(pairs, suffix), *tags])

    def _attributes(self, pairs: list[tuple[str, OperationPage]], suffix: str) -> Iterator[ast.stmt]:
        for attribute, page in pairs:
            known = self._classes[page.view.key] + suffix
            yield syntax.annotated(attribute, name(known))
            # An editor shows the text below an attribute, not that of ``__call__``, where the attribute is named.
            yield from syntax.text(_brief(page, attribute))
            yield syntax.annotated(f"{attribute}_with_http_info", name(f"{known}WithHTTPInfo"))


def _brief(page: OperationPage, attribute: str) -> str:
    """The signature of an operation's method, without the properties of a body that has many, and its summary."""
    view = page.view
    listed = [*page.listed, *page.properties[:_SHOWN]]
    shown = [f"{each.name}: {text(each.hint)}{' = ...' if each.omittable else ''}" for each in listed]
    after = sum(each.positional for each in listed)
    shown[after:after] = ["*"] if after < len(shown) else []
    shown += ["..."] if len(page.properties) > _SHOWN else []
    summary = clean(view.summary) or f"{view.method} {view.path}"
    return f"{attribute}({', '.join(shown)}) -> {text(view.returns)}\n\n{summary}"


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


def _credentials(schemes: Sequence[str]) -> ast.expr:
    """The type of ``auth=`` for a document with these security schemes."""
    literals = [syntax.constant(scheme) for scheme in schemes]
    by_scheme = [syntax.subscript("Mapping", syntax.subscript("Literal", *literals), name("_Credential"))]
    return syntax.union([name("_Credential"), *(by_scheme if literals else []), _NONE])


def _load_functions(shown: Site) -> Iterator[ast.stmt]:
    """Write the functions that load the document, with credentials by the names of its security schemes."""
    auth = _credentials([scheme.name for scheme in shown.api.schemes])
    for function, options, client in (
        ("load", "_LoadOptions", "Client"),
        ("load_async", "_AsyncLoadOptions", "AsyncClient"),
    ):
        arguments = syntax.arguments_of(
            "", [("source", _ANY, False)], [("auth", auth, False)], syntax.keywords_of(options)
        )
        yield syntax.function(function, arguments, name(client))


def _receiver(arguments: tuple[ArgumentView, ...]) -> str:
    taken = {argument.name for argument in arguments}
    return next(known for known in ("self", "self_", "_self", "the_operation_itself") if known not in taken)


_ANY = name("Any")
_CREDENTIALS = [("auth", name("_Auth"), False)]
_OPTIONS = syntax.arguments_of("self", [], _CREDENTIALS, syntax.keywords_of("_CallOptions"))
_TEXT_OR_NONE = syntax.union([name("str"), syntax.constant(None)])
_BY_WIRE = syntax.subscript("Mapping", syntax.subscript("tuple", name("str"), name("str")), _ANY)
_SEND = syntax.arguments_of(
    "self",
    [("parameters", syntax.union([_BY_WIRE, syntax.constant(None)]), False)],
    [("body", _ANY, False), ("content_type", _TEXT_OR_NONE, False), ("accept", _TEXT_OR_NONE, False)],
)
_INT_OR_NONE = syntax.union([name("int"), syntax.constant(None)])
_PAGING = {
    "by": syntax.union([syntax.subscript("Mapping", name("str"), _ANY), syntax.constant(None)]),
    "page_size": syntax.union([_INT_OR_NONE, syntax.subscript("Literal", syntax.constant("max"))]),
    "max_items": _INT_OR_NONE,
    "resume": _TEXT_OR_NONE,
    "prefetch": name("int"),
    "unique": _TEXT_OR_NONE,
    "on_repeat": syntax.subscript("Literal", syntax.constant("error"), syntax.constant("stop")),
}
_WAITING = {
    "timeout": syntax.union([name("float"), syntax.constant(None)]),
    "until": _ANY,
    "failed": _ANY,
}
_ITSELF = syntax.arguments_of("self")
_EXIT = syntax.arguments_of("self", [(part, _ANY, False) for part in ("kind", "error", "traceback")])
_COMMON = (
    syntax.function("operations", _ITSELF, name("_Operations"), decorators=["property"]),
    syntax.function("api", _ITSELF, name("_API"), decorators=["property"]),
    syntax.function("request", _ITSELF, name("_RawRequests"), decorators=["property"]),
    syntax.function("with_options", _OPTIONS, name("Self")),
)
_NONE = syntax.constant(None)

# The members of a client besides its operations, by the prefix of its class name.
_LIFE = {
    "": (
        *_COMMON,
        syntax.function("reload", _ITSELF, name("_Changes")),
        syntax.function("close", _ITSELF, _NONE),
        syntax.function("__enter__", _ITSELF, name("Self")),
        syntax.function("__exit__", _EXIT, _NONE),
    ),
    "Async": (
        *_COMMON,
        syntax.function("reload", _ITSELF, name("_Changes"), is_async=True),
        syntax.function("aclose", _ITSELF, _NONE, is_async=True),
        syntax.function("__aenter__", _ITSELF, name("Self"), is_async=True),
        syntax.function("__aexit__", _EXIT, _NONE, is_async=True),
    ),
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
    names = package_names(clients)
    packages = dict(zip(clients, names, strict=True))
    fingerprints = {source: client.api.fingerprint for source, client in clients.items()}
    typed = [_Typed(source, packages[source], tuple(client.api.security_schemes)) for source, client in clients.items()]
    table = ast.Dict([ast.Constant(key) for key in fingerprints], [ast.Constant(key) for key in fingerprints.values()])
    values = {
        "head": Markup("# {}. The documents' SHA-256 are in DOCUMENTS.").format(MARK),
        "names": [Markup(name) for name in names],  # noqa: S704  # identifiers
        "loads": Markup(syntax.source(_loads(typed))),  # noqa: S704  # Python, not HTML
        "documents": Markup(syntax.source([syntax.assigned("DOCUMENTS", table)])),  # noqa: S704  # Python, not HTML
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


def _loads(typed: Sequence[_Typed]) -> Iterator[ast.stmt]:
    """Write ``load``, and the two clients with their ``load``."""
    yield from _overloads(typed, "Client", "_LoadOptions")
    for client, options in (("Client", "_LoadOptions"), ("AsyncClient", "_AsyncLoadOptions")):
        loads = list(_overloads(typed, client, options, receiver="cls"))
        yield syntax.class_of(client, [f"_{client}"], loads)


def _overloads(typed: Sequence[_Typed], client: str, options: str, receiver: str = "") -> Iterator[ast.stmt]:
    overload = ["overload"] if typed else []
    rest: list[str | ast.expr] = ["classmethod"] if receiver else []

    def load(source: ast.expr, auth: Keyword, returned: str, warning: Sequence[ast.expr] = ()) -> ast.stmt:
        arguments = syntax.arguments_of(receiver, [("source", source, True)], [auth], syntax.keywords_of(options))
        return syntax.function("load", arguments, name(returned), decorators=[*overload, *rest, *warning])

    for one in typed:
        returned = f"{one.package}.{client}"
        yield load(_literal(one.source), ("auth", _credentials(one.schemes), False), returned)
        if one.schemes:
            # Without this overload, a wrong name would match that for any client. It can't be an error, since a dict
            # whose keys are only known as str is valid.
            message = f"auth= has names that are not security schemes of the document: {', '.join(one.schemes)}"
            warning = syntax.called("_deprecated", message)
            yield load(_literal(one.source), ("auth", _BY_ANY_NAME, True), returned, [warning])
    yield load(name("Any"), ("auth", name("_Auth"), False), "_Self" if receiver else client)


_BY_ANY_NAME = syntax.subscript("Mapping", name("str"), name("_Credential"))


def _literal(source: str) -> ast.expr:
    """The type of a path: itself, and for a relative path also the spelling with or without ``./``."""
    spellings = [source]
    if "://" not in source and not posixpath.isabs(source) and not source.startswith("../"):
        spellings.append(source.removeprefix("./") if source.startswith("./") else f"./{source}")
    return syntax.subscript("Literal", *map(syntax.constant, spellings))
