"""What the packages that ``dynclient stubs`` makes need when they run.

Rule 1: a package is type hints: when the document is another one by now, calls go by the document, and a log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from os import PathLike, fspath
from typing import Any, Protocol, TypeVar

from dynclient.model import API

_log = logging.getLogger("dynclient")
_told: set[tuple[str, str]] = set()


class _Client(Protocol):
    @property
    def api(self) -> API: ...


ClientT = TypeVar("ClientT", bound=_Client)


def loaded(client: ClientT, document: str, fingerprint: str) -> ClientT:
    """Give back a client; log once when its document is not the one that the type hints were made of."""
    compare(document, fingerprint, client.api.fingerprint)
    return client


def compare(document: str, expected: str, found: str) -> None:
    """Log once that a document is not the one that type hints were made of, if it is not."""
    if expected != found and (document, found) not in _told:
        _told.add((document, found))
        _log.warning("the type hints for %r are of another version of it; run dynclient stubs again", document)


def model(package: str, name: str) -> Any:
    """A type of a package, or its module ``models`` or ``errors``: what it has without importing it before.

    Raises:
        AttributeError: it has no such type.
    """
    if name in {"models", "errors"}:
        return import_module(f"{package}.{name}")
    models = import_module(f"{package}.models")
    if name in models.__all__:
        return getattr(models, name)
    raise _no_attribute(package, name)


def package(types: str, name: str) -> Any:
    """The package of one document within ``dynclient_types``.

    Raises:
        AttributeError: there is none of this name.
    """
    if not name.startswith("_") and find_spec(f"{types}.{name}") is not None:
        return import_module(f"{types}.{name}")
    raise _no_attribute(types, name)


def check_in_place(source: Any, api: API) -> None:
    """Compare a document that was loaded with what ``dynclient_types``, if there is one, was made of."""
    if not isinstance(source, (str, PathLike)):
        return
    documents = _documents()
    asked = fspath(source)
    for known in (asked, f"./{asked}", str(asked).removeprefix("./")):
        if known in documents:
            compare(known, documents[known], api.fingerprint)
            return


@cache
def _documents() -> Mapping[str, str]:
    """The documents of a project's own ``dynclient_types`` with their hashes."""
    found = getattr(import_module("dynclient_types"), "DOCUMENTS", {})
    return found if isinstance(found, Mapping) else {}


def _no_attribute(module: str, name: str) -> AttributeError:
    return AttributeError(f"module {module!r} has no attribute {name!r}")
