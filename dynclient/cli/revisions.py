"""A document at a git revision: ``REV:PATH``, as in ``git show``.

Rule 1: the path is relative to the root of the repository; one that begins with ``./`` or ``../``, or that does not
exist there, is relative to the current folder. A file with that name in the current folder wins over a revision.
Rule 2: referenced files are read at the same revision, below the document's folder, as for a file.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from urllib.parse import quote, unquote, urlsplit

import click

from dynclient._document.source import Source, from_bytes
from dynclient._document.text import unreadable, unsafe
from dynclient.exceptions import escaped
from dynclient.options import Limits

_REVISION_AND_PATH = re.compile(r"([^:\s][^:\s]+):(?!//)([^:\s].*)", re.DOTALL)
"""The shortest revision has two characters: a single one before a colon is a Windows drive."""


def revision_of(word: str) -> tuple[str, str] | None:
    """The revision and path of a word; None for any other word, and for the name of a file."""
    found = _REVISION_AND_PATH.fullmatch(word)
    if found is None or found[1].lower() == "file" or os.path.exists(word):  # noqa: PTH110  # takes any text
        return None
    return found[1], found[2]


def source_at(word: str, revision: str, path: str, limits: Limits = Limits()) -> Source:
    """Read a document at a revision.

    Raises:
        ClickException: git is not installed, this is not a repository, or it has no such revision or file.
        DocumentError: the document is too large.
    """
    prefix = _text(word, "", "rev-parse", "--show-prefix")
    why = f"{revision} is not a revision of this repository"
    tree = _text(word, why, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}")
    here = posixpath.normpath(posixpath.join(prefix, path))
    names = [here] if path.startswith(("./", "../")) else list(dict.fromkeys((posixpath.normpath(path), here)))
    known = next((name for name in names if not _git("cat-file", "-e", f"{tree}:{name}").returncode), None)
    if known is None:
        raise click.ClickException(escaped(f"{word}: {revision} has no file {' or '.join(names)}"))
    root = f"/{tree}/"
    folder = posixpath.dirname(root + known) + "/"

    def read(uri: str, name: str) -> Source:
        where = unquote(urlsplit(uri).path)
        if not where.startswith(folder):
            raise unsafe("is outside of the document's folder", name)
        done = _git("cat-file", "blob", f"{tree}:{where.removeprefix(root)}")
        if done.returncode:
            raise unreadable(f"can't be read: {_said(done.stderr)}", name)
        found = from_bytes(done.stdout, name, limits)
        return found._replace(uri=uri, json_only=where.lower().endswith(".json"), sibling=read)

    return read(f"file://{quote(root + known)}", word)


def _text(word: str, why: str, *arguments: str) -> str:
    done = _git(*arguments)
    if done.returncode:
        raise click.ClickException(escaped(f"{word} can't be read: {why or _said(done.stderr)}"))
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def _said(text: bytes) -> str:
    """Git's message about a failure, in one line."""
    lines = [line for line in text.decode(errors="replace").splitlines() if line]
    return lines[0].removeprefix("fatal: ") if lines else "git gives no reason"


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)  # noqa: S603, S607  # the user's git
    except OSError as error:
        text = f"a document at a revision needs git, which can't be run: {error.strerror}"
        raise click.ClickException(text) from None
