"""The files that the commands write: the pages and types of documents, and all that ``[tool.dynclient]`` lists.

    [tool.dynclient]
    documents = ["openapi/voice.yaml"]
    docs = "docs/reference"   # a folder; each document gets a subfolder of pages
    stubs = true              # types for dynclient.load(), or a folder for one package per document

Rule 1: paths are relative to the folder of the configuration, so the result does not depend on the current folder.
Rule 2: names of files cannot lead to other folders, each file is replaced atomically, and files that were not generated
are never overwritten or removed.
"""

from __future__ import annotations

import difflib
import os
import posixpath
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir
from keyword import iskeyword
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

import dynclient
from dynclient._settings import read_project
from dynclient.exceptions import ArgumentError
from dynclient_tools.rendering import MARK

_SUFFIXES = frozenset({".css", ".md", ".py", ".pyi", ".txt"})
_DEEPEST = 2
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}\Z")


class NotOurs(Exception):
    """A file with this name exists, and this tool has not written it."""


class Emitted(NamedTuple):
    """The text of files by their names below a folder."""

    folder: Path
    files: dict[str, str]

    def write(self) -> list[Path]:
        """Write the files.

        Raises:
            NotOurs: a file exists that this tool has not written.
            OSError: a file can't be written.
        """
        return write(self.folder, self.files)

    def difference(self) -> str:
        """The changes that writing would make, as a unified diff; empty if there are none."""
        return "".join(_differences(self.folder, self.files))


def pages(
    document: Any,
    out: Path,
    *,
    templates: Path | None = None,
    mkdocs: Path | None = None,
    theme: str | None = None,
    llms: bool = False,
    overlays: Sequence[str] = (),
) -> list[Emitted]:
    """Make the pages of a document, and the configuration of mkdocs if its path is given, with one of its themes.

    With ``llms``, also the texts for language models. ``overlays`` change the document first.

    Raises:
        ArgumentError: the configuration is that of other pages.
        DocumentError: the document can't be read.
    """
    from dynclient_tools.docs import STYLES, docs, navigation

    # The author's path is not shown: it does not exist on the readers' machines.
    source = _shown(document)
    source = Path(source).name if Path(source).is_absolute() else source
    # Each schema is used for a value or two; preparing jsonschema-rs takes longer than to check them with jsonschema.
    once = dynclient.Validation(engine="jsonschema")
    with dynclient.load(document, overlays=overlays, validate=once) as client:
        made = [Emitted(out, docs(client, source, templates, llms=llms))]
        if mkdocs is not None:
            made[0].files[STYLES.name] = STYLES.read_text(encoding="utf-8")
            folder = Path(os.path.relpath(out, mkdocs.parent)).as_posix()
            _check_pages(mkdocs, folder)
            made.append(Emitted(mkdocs.parent, {mkdocs.name: navigation(client, source, folder, theme)}))
    return made


def _shown(document: Any) -> str:
    """The name of the document in generated files; standard input has no name that a reader could use."""
    return document if isinstance(document, str) else "openapi.yaml"


def _check_pages(mkdocs: Path, folder: str) -> None:
    """Check that an existing configuration belongs to these pages."""
    lines = mkdocs.read_text(encoding="utf-8").splitlines() if mkdocs.is_file() else []
    other = next((line for line in lines if line.startswith("docs_dir: ") and line != f'docs_dir: "{folder}"'), "")
    if other and MARK in lines[0]:
        hint = "name another file: --mkdocs mkdocs-2.yml"
        raise ArgumentError(f"{mkdocs} is for the pages in {other.partition(': ')[2]}", argument="mkdocs", hint=hint)


def packages(
    documents: Sequence[Any],
    out: Path,
    *,
    templates: Path | None = None,
    name: str | None = None,
    tags: Collection[str] = (),
    overlays: Mapping[str, Sequence[str]] = {},
) -> Iterator[Emitted]:
    """Make the package of types of each document, in a folder of its name; ``name`` is that of a single document.

    ``overlays`` are those of each document.

    Raises:
        ArgumentError: the name is not a package's, or no operation of a document has one of the tags.
        DocumentError: a document can't be read.
    """
    from dynclient_tools.stubs import package_names, stubs

    if name is not None and (len(documents) != 1 or not name.isidentifier() or iskeyword(name)):
        raise ArgumentError("--name is the package of one document, a Python name", argument="name")
    for document, known in zip(documents, [name] if name else package_names(documents), strict=True):
        with dynclient.load(document, overlays=overlays.get(document, ())) as client:
            yield Emitted(out / known, stubs(client, _shown(document), templates, tags))


def types_in_place(
    documents: Iterable[str],
    root: Path,
    *,
    templates: Path | None = None,
    tags: Collection[str] = (),
    overlays: Mapping[str, Sequence[str]] = {},
) -> Emitted:
    """Make the package that types ``dynclient.load`` in a project, in ``src`` if there is such a folder.

    ``overlays`` are those of each document.

    Raises:
        ArgumentError: no operation of a document has one of the tags.
        DocumentError: a document can't be read.
    """
    from dynclient_tools.stubs import PACKAGE, in_place

    folder = (root / "src" if (root / "src").is_dir() else root) / PACKAGE
    with ExitStack() as stack:
        clients = {
            document: stack.enter_context(dynclient.load(document, overlays=overlays.get(document, ())))
            for document in documents
        }
        return Emitted(folder, in_place(clients, templates, tags))


# The configuration.


class Configuration(NamedTuple):
    """The table ``[tool.dynclient]``. ``stubs`` is True for types in place, or the folder of packages."""

    folder: Path
    documents: tuple[str, ...]
    docs: str | None = None
    stubs: str | bool = False
    templates: str | None = None
    overlays: Mapping[str, Sequence[str]] = {}


def read(path: Path) -> Configuration:
    """Read a configuration.

    Raises:
        ArgumentError: it can't be read, or has an unknown key or a wrong value.
    """
    found = read_project(str(path))
    if found is None:
        raise ArgumentError(f"{path} has no table [tool.dynclient]", hint='documents = ["openapi/voice.yaml"]')
    settings = dict(found.generate)
    if "documents" not in settings:
        raise ArgumentError(f"{path}: [tool.dynclient] has no documents", argument="documents")
    names = {**found.names, **{name: table["document"] for name, table in found.apis.items()}}
    settings["overlays"] = {
        names[each]: found.apis[each].get("overlays", ()) for each in settings["documents"] if each in found.apis
    }
    settings["documents"] = tuple(names.get(each, each) for each in settings["documents"])
    return Configuration(path.resolve().parent, **settings)


def generated(configuration: Configuration) -> list[Emitted]:
    """Make all files that a configuration lists.

    Raises:
        DocumentError: a document can't be read.
    """
    from dynclient_tools.stubs import package_names

    folder, documents, docs, stubs, own, overlays = configuration
    templates = folder / own if own is not None else None
    made: list[Emitted] = []
    # The generated files name documents as the configuration does.
    with chdir(folder):
        if docs is not None:
            for document, name in zip(documents, package_names(documents), strict=True):
                own_overlays = overlays.get(document, ())
                made += pages(document, Path(docs) / name, templates=templates, overlays=own_overlays)
        if stubs is True:
            made.append(types_in_place(documents, Path(), templates=templates, overlays=overlays))
        elif stubs:
            made += packages(documents, Path(stubs), templates=templates, overlays=overlays)
    return [emitted._replace(folder=folder / emitted.folder) for emitted in made]


# Files.


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files below a folder and return their paths; files of an earlier run that are not among them are removed.

    Raises:
        NotOurs: a file exists and was not generated, or is a link.
        OSError: a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    targets = {folder / _checked_name(name): text for name, text in files.items()}
    folders = [folder / inner for inner in _folders(files) if inner]
    for inner in folders:
        if inner.is_symlink():
            raise NotOurs(f"{inner} is not an ordinary folder")
    for target in targets:
        _check_ours(target)
    for inner in folders:
        inner.mkdir(exist_ok=True)
    for target, text in targets.items():
        _replace(target, text)
    for target in _left_over(folder, files):
        target.unlink()
    return list(targets)


def _differences(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(files.items()):
        target = folder / _checked_name(name)
        there = target.read_text(encoding="utf-8") if target.is_file() else ""
        yield from _diff(target, there, text)
    for target in _left_over(folder, files):
        yield from _diff(target, target.read_text(encoding="utf-8"), "")


def _diff(target: Path, old: str, new: str) -> Iterator[str]:
    lines = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    for line in difflib.unified_diff(*lines, fromfile=str(target), tofile=str(target), n=1):
        yield line if line.endswith("\n") else f"{line}\n"


def _folders(files: Mapping[str, str]) -> set[str]:
    """The names of the folders of files; that which contains the others has none."""
    return {"", *(name.rpartition("/")[0] for name in files)}


def _left_over(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """The generated files in these folders that are not among the files."""
    found = [
        folder / inner / name
        for inner in _folders(files)
        if (folder / inner).is_dir()
        for name in os.listdir(folder / inner)  # noqa: PTH208  # a Path of each file would take as long as writing it
        if posixpath.join(inner, name) not in files
    ]
    return sorted(path for path in found if path.suffix in _SUFFIXES and path.is_file() and _is_ours(path))


def _checked_name(name: str) -> str:
    # A plain name, at most one folder deep.
    parts = name.split("/")
    if len(parts) > _DEEPEST or not all(map(_NAME.match, parts)):
        raise ValueError(f"not a file name: {name!r}")
    return name


def _check_ours(target: Path) -> None:
    try:
        found = target.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise NotOurs(f"{target} is not an ordinary file")
    if found.st_size and not _is_ours(target):
        raise NotOurs(f"{target} exists and was not generated; move it or choose another folder")


def _is_ours(target: Path) -> bool:
    if target.is_symlink():
        return False
    with target.open("rb") as file:
        return MARK.encode() in file.readline(1000)


def _replace(target: Path, text: str) -> None:
    temporary = target.with_name(f".dynclient-{token_hex(8)}")
    try:
        temporary.write_bytes(text.encode())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
