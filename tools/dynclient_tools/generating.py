"""``dynclient generate``: all that a project keeps of its documents, as its ``[tool.dynclient]`` says.

    [tool.dynclient]
    documents = ["openapi/voice.yaml"]
    docs = "docs/reference"   # a folder, and in it one of pages for each document
    stubs = true              # types in place, or a folder for a package each

Rule 1: paths are the configuration's own, from its folder; what is made does not depend on where the command is run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dynclient.exceptions import ArgumentError
from dynclient_tools import emitting
from dynclient_tools.emitting import Emitted


class Configuration(NamedTuple):
    """A project's ``[tool.dynclient]``. ``stubs`` is True for types in place, or the folder of packages."""

    folder: Path
    documents: tuple[str, ...]
    docs: str | None = None
    stubs: str | bool = False
    templates: str | None = None


def read(path: Path) -> Configuration:
    """Read a configuration.

    Raises:
        ArgumentError: it is no TOML, or says what is not understood.
        OSError: it can't be read.
    """
    import tomllib

    try:
        whole = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path} is no TOML: {error}") from None
    table = whole.get("tool", {}).get("dynclient")
    if not isinstance(table, dict):
        raise ArgumentError(f"{path} has no table [tool.dynclient]", hint='documents = ["openapi/voice.yaml"]')
    return Configuration(path.resolve().parent, **_checked(path, table))


def _paths(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _path(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


# What may stand in the table: whether a value will do, and what it must be.
_KEYS = {
    "documents": (_paths, "a list of paths, URLs or short names"),
    "docs": (_path, "a folder"),
    "stubs": (lambda value: value is True or value is False or _path(value), "true, or a folder"),
    "templates": (_path, "a folder"),
}


def _checked(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in table.items():
        if key not in _KEYS and _path(value):
            # A short name of a document, for the other commands.
            continue
        if key not in _KEYS:
            raise ArgumentError(f"{path}: [tool.dynclient] has {key}; there are {', '.join(_KEYS)}", argument=key)
        fits, wanted = _KEYS[key]
        if not fits(value):
            raise ArgumentError(f"{path}: {key} in [tool.dynclient] must be {wanted}", argument=key)
    if "documents" not in table:
        raise ArgumentError(f"{path}: [tool.dynclient] names no documents", argument="documents")
    told = {key: value for key, value in table.items() if key in _KEYS}
    return {**told, "documents": tuple(table.get(each, each) for each in told["documents"])}


def generated(told: Configuration) -> list[Emitted]:
    """All files that the configuration asks for.

    Raises:
        DocumentError: a document can't be read.
    """
    from dynclient_tools.views import client_name

    templates = told.folder / told.templates if told.templates is not None else None
    made: list[Emitted] = []
    with _within(told.folder):
        for document in told.documents if told.docs is not None else ():
            made += emitting.pages(document, Path(told.docs or "") / client_name(document), templates=templates)
        if told.stubs is True:
            made.append(emitting.types_in_place(told.documents, Path(), templates=templates))
        elif told.stubs:
            made += [emitting.package(each, Path(told.stubs), templates=templates) for each in told.documents]
    return [emitted._replace(folder=told.folder / emitted.folder) for emitted in made]


@contextmanager
def _within(folder: Path) -> Iterator[None]:
    """Documents are named in what is made as the configuration names them: from its folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
