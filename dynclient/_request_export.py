"""Export of a request as text to paste: a curl or HTTPie command line for a POSIX shell, or Python.

Rule 1: a secret is shown as a variable, ``$NAME`` or ``os.environ["NAME"]``, never as its value.
Rule 2: the Python needs the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dynclient._expressions import expression
from dynclient._masking import SECRET_BODY, SecretLocation, is_secret_header, masked_url
from dynclient._records import Record

_CONTROLS = expression(r"[\x00-\x08\x0b-\x1f\x7f]")
_VARIABLE = expression(r"\$([A-Z_][A-Z0-9_]*)")


class _Header(Record):
    """A header. If it is secret, each ``$NAME`` in its value is a variable."""

    name: str
    value: str
    is_secret: bool


class _Exported(Record):
    """A request whose secrets are variables: in its URL if ``has_secret_url``, in its headers, in its body."""

    method: str
    url: str
    has_secret_url: bool
    headers: tuple[_Header, ...]
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
    shown = masked_url(url, secrets, variable)
    lines = (
        _Header(name, header_variable(name, value) if is_secret else value, is_secret)
        for name, value in headers
        if name.lower() != "content-length"
        for is_secret in (is_secret_header(name, secrets),)
    )
    has_secret_url = shown != masked_url(url, secrets, lambda _: "")
    # A secret body is not shown: it is exported as a stream, which is read from a file or from standard input.
    body = iter(()) if SECRET_BODY in secrets else body
    return _FORMS[form](_Exported(method, shown, has_secret_url, tuple(lines), body))


def _curl(request: _Exported) -> str:
    """The curl command line that sends a request."""
    words = ["curl", "--head"] if request.method == "HEAD" else ["curl", "-X", request.method]
    if any(character in request.url for character in "[]{}"):
        words.append("--globoff")
    words.append(_quoted(request.url, expand=request.has_secret_url))
    for line in request.headers:
        words += ["-H", _quoted(f"{line.name}: {line.value}", expand=line.is_secret)]
    return _with_body(words, request.body, raw="--data-raw", piped=["--data-binary", "@-"])


def _httpie(request: _Exported) -> str:
    """The HTTPie command line that sends a request."""
    words = ["http", request.method, _quoted(request.url, expand=request.has_secret_url)]
    for line in request.headers:
        # HTTPie would read `:=` and `:@` as other signs than `:`, and a header without a value is written `Name;`.
        value = f"\\{line.value}" if line.value[:1] in {"=", "@"} else line.value
        words.append(_quoted(f"{line.name}:{value}" if value else f"{line.name};", expand=line.is_secret))
    said = _with_body(words, request.body, raw="--raw", piped=[])
    # HTTPie reads a body from standard input, unless that is switched off.
    piped = request.body and " --raw " not in said
    return said if piped else said.replace("http ", "http --ignore-stdin ", 1)


def _python(request: _Exported) -> str:
    """Lines of Python that send a request with the standard library alone."""
    names = [*(["url"] if request.has_secret_url else []), *(line.name for line in request.headers if line.is_secret)]
    lines = ["import os"] if names else []
    lines += ["import urllib.request", "", "request = urllib.request.Request("]
    lines += [f"    {argument}," for argument in _python_arguments(request)]
    lines += [")", "with urllib.request.urlopen(request) as response:", "    print(response.status, response.read())"]
    return "\n".join(lines)


def variable(name: str) -> str:
    """The variable that stands for a secret of this name: ``$API_KEY`` for ``api-key``."""
    return "$" + (re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "SECRET")


def header_variable(name: str, value: str) -> str:
    """Keep the scheme of an Authorization header, and show the rest as a variable unless it is one already."""
    scheme, space, rest = value.partition(" ")
    if not space or name.lower() == "cookie":
        return value if value.startswith("$") else variable(name)
    return value if rest.startswith("$") else f"{scheme} {variable(f'{scheme}_credentials')}"


def _python_arguments(request: _Exported) -> Iterator[str]:
    yield _python_text(request.url, expand=request.has_secret_url)
    if isinstance(request.body, bytes) and request.body:
        yield f"data={request.body!r}"
    elif request.body:
        yield 'data=open("body", "rb")'
    headers = ", ".join(f"{line.name!a}: {_python_text(line.value, expand=line.is_secret)}" for line in request.headers)
    if headers:
        yield f"headers={{{headers}}}"
    yield f"method={request.method!r}"


def _python_text(text: str, *, expand: bool) -> str:
    """A text as Python writes it, each variable taken from the environment."""
    if not expand:
        return ascii(text)
    parts = _VARIABLE.split(text)
    writers: list[Callable[[str], str]] = [ascii, lambda name: f"os.environ[{name!r}]"]
    return " + ".join(writers[index % 2](part) for index, part in enumerate(parts) if part)


def _quoted(text: str, *, expand: bool) -> str:
    """Quote for a POSIX shell: in single quotes, or in double ones where ``$NAME`` is to be expanded."""
    if not expand:
        return _quote(text)
    return '"' + re.sub(r'([\\"`])', r"\\\1", text) + '"'


def _quote(text: str) -> str:
    from shlex import quote

    return quote(text)


def _with_body(words: list[str], body: Any, *, raw: str, piped: list[str]) -> str:
    """End a command line with the body: as text where a shell can hold it, else piped in byte by byte."""
    if not body:
        return " ".join(words)
    if not isinstance(body, bytes):
        return " ".join([*words, *piped])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if not _CONTROLS.search(text):
        return " ".join([*words, raw, _quote(text)])
    octal = "".join(chr(byte) if bytes((byte,)).isalnum() else f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | " + " ".join([*words, *piped])


_FORMS: dict[str, Callable[[_Exported], str]] = {"curl": _curl, "httpie": _httpie, "python": _python}
