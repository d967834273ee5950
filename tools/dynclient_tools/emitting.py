"""What is to be written for documents, and where: the commands' one way to pages and types."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import dynclient
from dynclient_tools import files


class Emitted(NamedTuple):
    """Files by their names below a folder."""

    folder: Path
    files: dict[str, str]

    def write(self) -> list[Path]:
        """Write them.

        Raises:
            NotOurs: something else is in the way.
            OSError: they can't be written.
        """
        return files.write(self.folder, self.files)

    def difference(self) -> str:
        """What writing would change, as a diff."""
        return files.difference(self.folder, self.files)


def pages(document: str, out: Path, *, templates: Path | None = None, mkdocs: Path | None = None) -> list[Emitted]:
    """A document's pages, and mkdocs' file if one is asked for.

    Raises:
        DocumentError: the document can't be read.
    """
    from dynclient_tools.docs import docs, navigation

    with dynclient.load(document) as client:
        made = [Emitted(out, docs(client, document, templates))]
        if mkdocs is not None:
            folder = os.path.relpath(out, mkdocs.parent)
            made.append(Emitted(mkdocs.parent, {mkdocs.name: navigation(client, document, Path(folder).as_posix())}))
    return made


def package(document: str, out: Path, *, templates: Path | None = None) -> Emitted:
    """A document's package of types, in a folder of its name.

    Raises:
        DocumentError: the document can't be read.
    """
    from dynclient_tools.stubs import stubs
    from dynclient_tools.views import client_name

    with dynclient.load(document) as client:
        return Emitted(out / client_name(document), stubs(client, document, templates))


def types_in_place(documents: Iterable[str], root: Path, *, templates: Path | None = None) -> Emitted:
    """The package that types ``dynclient.load`` in a project.

    Raises:
        DocumentError: a document can't be read.
    """
    from dynclient_tools.in_place import folder, in_place

    with ExitStack() as stack:
        clients = {document: stack.enter_context(dynclient.load(document)) for document in documents}
        return Emitted(folder(root), in_place(clients, templates))
