"""Export of a request as text to paste: a curl or HTTPie command line for a POSIX shell or fish, or Python.

Rule 1: every secret is written as an environment variable, ``"$YOUR_NAME"`` or ``os.environ["YOUR_NAME"]``. All of
these names begin with ``YOUR_``: a document that names its key ``AWS_SECRET_ACCESS_KEY`` must not receive the value of
that variable.
Rule 2: everything else is in single quotes, within which no shell expands anything.
Rule 3: the Python needs the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from dynclient._records import Record
from dynclient._secrets import SECRET_BODY, SecretLocation, is_secret_header, url_pieces
from dynclient.http_grammar import AUTHENTICATION_SCHEMES

Piece = tuple[str, bool]
"""A part of a word: a text, or if the second member is true the name of a variable."""


_GLOBS = frozenset("[]{}")  # curl would expand them in a URL


class _Exported(Record):
    """A request whose secrets are variables."""

    method: str
    url: tuple[Piece, ...]
    headers: tuple[tuple[str, tuple[Piece, ...]], ...]
    body: Any


def export(
    form: str,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: Any,
    secrets: frozenset[SecretLocation],
) -> str:
    """A request as text to paste: ``form`` is ``"curl"``, ``"httpie"`` or ``"python"``."""
    shown = tuple(
        (text, False) if location is None else (variable(location[1]), True)
        for text, location in url_pieces(url, secrets)
    )
    lines = tuple(
        (name, _header_pieces(name, value) if is_secret_header(name, secrets) else ((value, False),))
        for name, value in headers
        if name.lower() != "content-length"
    )
    # A secret body is not shown: it is exported as a stream, which is read from a file or from standard input.
    body = iter(()) if SECRET_BODY in secrets else body
    return _FORMS[form](_Exported(method, shown, lines, body))


def _curl(request: _Exported) -> str:
    """The curl command line that sends a request."""
    words = ["curl", "--head"] if request.method == "HEAD" else ["curl", "-X", _quoted(request.method)]
    if not all(_GLOBS.isdisjoint(text) for text, _ in request.url):
        words.append("--globoff")
    words.append(_shell_word(request.url))
    for name, value in request.headers:
        # curl removes a header written `Name:`; a header without a value is written `Name;`.
        words += ["-H", _shell_word([(f"{name}: " if _first(value) else f"{name};", False), *value])]
    return _with_body(words, request.body, raw="--data-raw ", piped=["--data-binary", "@-"])


def _httpie(request: _Exported) -> str:
    """The HTTPie command line that sends a request."""
    if not request.method.isalpha():
        # HTTPie would take another word for the URL.
        return f"echo {_quoted(f'HTTPie can not send the method {request.method}')}"
    words = [request.method, _shell_word(request.url)]
    for name, value in request.headers:
        # HTTPie gives `:=` and `:@` another meaning than `:`, and a header without a value is written `Name;`.
        separator = ":\\" if _first(value) in {"=", "@"} else ":"
        words.append(_shell_word([(f"{name}{separator}" if _first(value) else f"{name};", False), *value]))
    if any(name.startswith("-") for name, _ in request.headers):
        words.insert(0, "--")
    if request.body and _shown_body(request.body) is None:
        return _with_body(["http", *words], request.body, raw="", piped=[])
    # HTTPie reads a body from standard input, unless that is switched off.
    return _with_body(["http", "--ignore-stdin"], request.body, raw="--raw=", piped=[]) + " " + " ".join(words)


def _python(request: _Exported) -> str:
    """Lines of Python that send a request with the standard library alone."""
    pieces = [*request.url, *(piece for _, value in request.headers for piece in value)]
    lines = ["import os"] if any(is_variable for _, is_variable in pieces) else []
    lines += ["import urllib.request", "", "request = urllib.request.Request("]
    lines += [f"    {argument}," for argument in _python_arguments(request)]
    lines += [")", "with urllib.request.urlopen(request) as response:", "    print(response.status, response.read())"]
    return "\n".join(lines)


def variable(name: str) -> str:
    """The name of the variable for the secret of this name: ``YOUR_API_KEY`` for ``api-key``."""
    return "YOUR_" + (re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "SECRET")


def _header_pieces(name: str, value: str) -> tuple[Piece, ...]:
    """A secret header as a variable, after the name of its authentication scheme if it begins with a registered one."""
    word, space, _ = value.partition(" ")
    if space and name.lower() in {"authorization", "proxy-authorization"} and word.lower() in AUTHENTICATION_SCHEMES:
        return (f"{word} ", False), (variable(f"{word}_credentials"), True)
    return ((variable(name), True),)


def _first(value: tuple[Piece, ...]) -> str:
    """The first character of a header's value; "" if it is empty."""
    return next((text[:1] for text, _ in value if text), "")


def _python_arguments(request: _Exported) -> Iterator[str]:
    yield _python_text(request.url)
    if isinstance(request.body, bytes) and request.body:
        yield f"data={request.body!r}"
    elif request.body:
        yield 'data=open("body", "rb")'
    headers = ", ".join(f"{name!a}: {_python_text(value)}" for name, value in request.headers)
    if headers:
        yield f"headers={{{headers}}}"
    yield f"method={request.method!a}"


def _python_text(pieces: Iterable[Piece]) -> str:
    """A text as Python writes it, each variable taken from the environment."""
    shown = (f"os.environ[{text!r}]" if is_variable else ascii(text) for text, is_variable in _merged(pieces))
    return " + ".join(shown) or "''"


def _shell_word(pieces: Iterable[Piece]) -> str:
    """One word of a command line: each text in single quotes, each variable in double quotes."""
    return "".join(f'"${text}"' if is_variable else _quoted(text) for text, is_variable in _merged(pieces))


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces without empty ones, texts that follow each other as one."""
    for is_variable, group in groupby((piece for piece in pieces if piece[0]), key=itemgetter(1)):
        texts = [text for text, _ in group]
        yield from ((text, is_variable) for text in (texts if is_variable else ["".join(texts)]))


def _quoted(text: str) -> str:
    """Quote a text so that sh, bash, zsh and fish read it unchanged.

    ``shlex.quote`` is not enough: fish reads a backslash in single quotes as an escape, and zsh replaces a word ``=a``.
    """
    if re.fullmatch(r"[A-Za-z0-9_./:,+-]+", text):
        return text
    runs = re.split(r"([\\']+)", text)
    return "".join(
        f"'{run}'" if index % 2 == 0 else '"' + run.replace("\\", "\\\\") + '"' for index, run in enumerate(runs) if run
    )


def _shown_body(body: Any) -> str | None:
    """The body as a command line shows it.

    None if it is a stream, or contains control characters that a terminal would obey.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else "\0"
    except UnicodeDecodeError:
        return None
    return text if text.replace("\n", "").isprintable() else None


def _with_body(words: list[str], body: Any, *, raw: str, piped: list[str]) -> str:
    """End a command line with the body: as text if a shell can represent it, else piped in byte by byte."""
    if not body:
        return " ".join(words)
    text = _shown_body(body)
    if text is not None:
        return " ".join([*words, raw + _quoted(text)])
    command = " ".join([*words, *piped])
    if not isinstance(body, bytes):
        return command
    octal = "".join(chr(byte) if bytes((byte,)).isalnum() else f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | {command}"


_FORMS: dict[str, Callable[[_Exported], str]] = {"curl": _curl, "httpie": _httpie, "python": _python}
