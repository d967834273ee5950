"""A document and all that it refers to as one compiled form, which ships with an application.

Rule: no path of the machine that it is made on goes into it. Local files are named as they lie beside the root.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from dynclient._document.compiled import Writer
from dynclient._document.file import File
from dynclient._document.files import Files
from dynclient._version import __version__
from dynclient.exceptions import DynclientError


def shipping(files: Files, resolve: Callable[[str, str], Any], listing: bytes | None) -> list[bytes]:
    """The bytes, in pieces, once every reference has been followed as far as it leads."""
    writer = Writer()
    done: set[str] = set()
    waiting = [files.root]
    while waiting:
        file = waiting.pop(0)
        if file.uri in done:
            continue
        done.add(file.uri)
        for reference in dict.fromkeys(_leaving(file.tree)):
            # What can't be had is told by the operation that needs it.
            with suppress(DynclientError):
                resolve(reference, f"{file.uri}#")
        waiting += files.others
        file.add_to(writer, _relative(file, files.root))
    # A list says where operations stand, and those in other files stand elsewhere once the form has moved.
    own = listing if len(done) == 1 else None
    return writer.finished(own, release=__version__, depends={})


def _leaving(tree: Any) -> Iterator[str]:
    """The references of a file that may lead out of it."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                yield reference
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _relative(file: File, root: File) -> str:
    """A file's URI, relative to the root's folder where both are local."""
    if file.remote or root.remote:
        return file.uri
    start = posixpath.dirname(urlsplit(root.uri).path)
    return posixpath.relpath(urlsplit(file.uri).path, start)
