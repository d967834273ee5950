"""Runtime support for the packages that ``dynclient stubs`` writes.

Rule 1: such a package only contains type hints. If the document has changed since, calls use the document, and a
warning is logged.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dynclient._escaping import logger
from dynclient.model import API

_log = logger()
_logged: set[tuple[str, str]] = set()


class _Client(Protocol):
    @property
    def api(self) -> API: ...


ClientT = TypeVar("ClientT", bound=_Client)


def loaded(client: ClientT, document: str, fingerprint: str) -> ClientT:
    """Return a client; log once if its document is not the one that the type hints were made from."""
    compare(document, fingerprint, client.api.fingerprint)
    return client


def compare(document: str, expected: str, found: str) -> None:
    """Log once if the fingerprint of a document differs from the one that type hints were made from."""
    if expected != found and (document, found) not in _logged:
        _logged.add((document, found))
        _log.warning("the type hints for %r were made from another version of it; run dynclient stubs again", document)


def documents(path: str) -> Mapping[str, str]:
    """The documents that a ``dynclient_types`` was made from, and their fingerprints; empty if it has none.

    It is parsed, not imported: it may come from the current folder, and loading a document runs no code.
    """
    with suppress(OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        for statement in ast.parse(Path(path).read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DOCUMENTS":
                found = ast.literal_eval(statement.value)
                return found if isinstance(found, dict) else {}
    return {}


def check(documents: Mapping[str, str], source: Any, api: API) -> None:
    """Compare a loaded document with the fingerprints by path of ``dynclient_types``; unknown paths pass."""
    if not isinstance(source, (str, PathLike)):
        return
    path = str(fspath(source))
    for spelling in (path, f"./{path}", path.removeprefix("./")):
        if spelling in documents:
            compare(spelling, documents[spelling], api.fingerprint)
            return


def model(package: str, name: str) -> Any:
    """Return a type of a package, or its module ``models`` or ``errors``, imported at its first use.

    Raises:
        AttributeError: the package has no such type.
    """
    if name in {"models", "errors"}:
        return import_module(f"{package}.{name}")
    models = import_module(f"{package}.models")
    if name in models.__all__:
        return getattr(models, name)
    raise _no_attribute(package, name)


def package(types: str, name: str) -> Any:
    """Return the package of one document within ``dynclient_types``.

    Raises:
        AttributeError: there is no such package.
    """
    if not name.startswith("_") and find_spec(f"{types}.{name}") is not None:
        return import_module(f"{types}.{name}")
    raise _no_attribute(types, name)


def _no_attribute(module: str, name: str) -> AttributeError:
    return AttributeError(f"module {module!r} has no attribute {name!r}")
