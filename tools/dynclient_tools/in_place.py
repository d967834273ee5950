"""``dynclient_types``: the package that types ``dynclient.load`` itself, for an application's documents.

Rule 1: ``load`` has an overload for each document, by its path as written and with ``./``; the rest is any client.
Where a document has security schemes, another one warns of credentials by other names.
Rule 2: each document's types are a package below, like one of a user's own.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from dynclient import Client
from dynclient.inspection import distinct
from dynclient_tools import syntax
from dynclient_tools.files import MARK
from dynclient_tools.rendering import sources
from dynclient_tools.stubs import credentials, stubs
from dynclient_tools.syntax import Keyword
from dynclient_tools.views import client_name

PACKAGE = "dynclient_types"
_TAKEN = frozenset({"Any", "AsyncClient", "Client", "Literal", "overload", "load", "DOCUMENTS"})


class _Typed(NamedTuple):
    """A document as code writes its path, the package of its types, and its security schemes."""

    source: str
    package: str
    schemes: tuple[str, ...]


def in_place(clients: Mapping[str, Client], templates: Path | None = None) -> dict[str, str]:
    """Write the package for documents, by path below it; ``clients`` are of each document as it is written in code."""
    names = distinct([client_name(source) for source in clients], _TAKEN)
    packages = dict(zip(clients, names, strict=True))
    fingerprints = {source: client.api.fingerprint for source, client in clients.items()}
    typed = [_Typed(source, packages[source], tuple(client.api.security_schemes)) for source, client in clients.items()]
    table = ast.Dict([ast.Constant(key) for key in fingerprints], [ast.Constant(key) for key in fingerprints.values()])
    values = {
        "head": Markup("# {}. The documents' SHA-256 are in DOCUMENTS.").format(MARK),
        "names": [Markup(name) for name in names],  # noqa: S704  # identifiers
        "loads": Markup(syntax.source(_loads(typed))),  # noqa: S704  # Python, not HTML
        "documents": Markup(syntax.source([syntax.assigned("DOCUMENTS", table)])),  # noqa: S704  # likewise
    }
    environment = sources(templates)
    written = {
        f"__init__.{kind}": environment.get_template(f"types.{kind}.jinja").render(values) for kind in ("py", "pyi")
    }
    for text in written.values():
        syntax.check(text)
    for source, client in clients.items():
        for name, text in stubs(client, source, templates).items():
            written[f"{packages[source]}/{name}"] = text
    return written


def folder(root: Path) -> Path:
    """Where the package goes: into ``src`` where a project has that, else into its root."""
    return (root / "src" if (root / "src").is_dir() else root) / PACKAGE


def _loads(typed: Sequence[_Typed]) -> Iterator[ast.stmt]:
    """``load``, and the two clients with theirs."""
    yield from _overloads(typed, "Client", "_LoadOptions")
    for client, options in (("Client", "_LoadOptions"), ("AsyncClient", "_AsyncLoadOptions")):
        loads = list(_overloads(typed, client, options, receiver="cls"))
        yield syntax.class_of(client, [f"_{client}"], loads)


def _overloads(typed: Sequence[_Typed], client: str, options: str, receiver: str = "") -> Iterator[ast.stmt]:
    overload = ["overload"] if typed else []
    rest: list[str | ast.expr] = ["classmethod"] if receiver else []

    def load(source: ast.expr, auth: Keyword, returned: str, warning: Sequence[ast.expr] = ()) -> ast.stmt:
        arguments = syntax.arguments_of(receiver, [("source", source, True)], [auth], syntax.keywords_of(options))
        return syntax.function("load", arguments, syntax.name(returned), decorators=[*overload, *rest, *warning])

    for one in typed:
        returned = f"{one.package}.{client}"
        yield load(_literal(one.source), ("auth", credentials(one.schemes), False), returned)
        if one.schemes:
            # Without this a wrong name would be that of any client. A dict whose keys are only known to be texts is
            # lawful, so it can't be an error.
            told = f"auth= has names that are none of the document's security schemes: {', '.join(one.schemes)}"
            warning = syntax.called("_deprecated", told)
            yield load(_literal(one.source), ("auth", _BY_ANY_NAME, True), returned, [warning])
    yield load(syntax.name("Any"), ("auth", syntax.name("_Auth"), False), "_Self" if receiver else client)


_BY_ANY_NAME = syntax.subscript("Mapping", syntax.name("str"), syntax.name("_Credential"))


def _literal(source: str) -> ast.expr:
    spellings = dict.fromkeys([source, _spelt_otherwise(source)])
    return syntax.subscript("Literal", *(syntax.constant(spelling) for spelling in spellings))


def _spelt_otherwise(source: str) -> str:
    """A relative path with ``./`` where it has none, and without it where it has."""
    if "://" in source or posixpath.isabs(source) or source.startswith("../"):
        return source
    return source.removeprefix("./") if source.startswith("./") else f"./{source}"
