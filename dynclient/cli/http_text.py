"""Requests and responses as text, for ``--dry-run``, ``--include`` and ``-v``.

A request is shown as the transport receives it, with the credentials of the attempt, and with each secret masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import click

from dynclient.exceptions import escaped
from dynclient.messages import Headers, Request, Response, Send

BODIES = 2
_LONGEST_BODY = 10_000


def status_line(status: int) -> str:
    """The first line of a response: ``HTTP/1.1 200 OK``."""
    phrase = ""
    with suppress(ValueError):
        phrase = HTTPStatus(status).phrase
    return f"HTTP/1.1 {status} {phrase}".rstrip()


def head(first: str, headers: Headers) -> list[str]:
    """The lines of a message's head."""
    return [escaped(line) for line in (first, *(f"{name}: {value}" for name, value in headers.pairs()))]


def request_text(request: Request) -> str:
    """A request as text, its secrets masked."""
    shown = request.with_no_secrets()
    lines = [f"{shown.method} {shown.url}", *(f"{name}: {value}" for name, value in shown.headers.pairs())]
    return "\n".join([*lines, "", _body(shown.body)] if shown.body else lines)


def with_secret_headers(request: Request, names: Iterable[str]) -> Request:
    """The request, with further headers (lower-case names) marked as secret."""
    return replace(request, secrets=request.secrets | {("header", name) for name in names})


def _body(body: Any) -> str:
    if not isinstance(body, bytes):
        return "<a stream>" if body else ""
    with suppress(UnicodeDecodeError):
        return body.decode("utf-8")
    return f"<{len(body)} bytes>"


class VerboseTransport:
    """Sends requests with the default transport, and shows them and their responses on standard error.

    ``verbosity`` is 0 for nothing, 1 for heads, 2 for bodies too. It is set after the client was made, when the command
    line has been read.
    """

    def __init__(self) -> None:
        self.verbosity = 0
        self.secret_headers: frozenset[str] = frozenset()
        self._transport: Any = None

    def send(self, send: Send) -> Response:
        """Send the request once."""
        transport = self._own()
        if not self.verbosity:
            return transport.send(send)  # type: ignore[no-any-return]  # it is imported late
        shown = with_secret_headers(send.request, self.secret_headers).with_no_secrets()
        _show("> ", head(f"{shown.method} {shown.url} HTTP/1.1", shown.headers), self._shown_body(shown.body))
        response: Response = transport.send(send)
        seen = replace(response, request=with_secret_headers(send.request, self.secret_headers)).with_no_secrets()
        _show("< ", head(status_line(seen.status), seen.headers), self._shown_body(seen.body))
        return response

    def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            self._transport.close()

    def _own(self) -> Any:
        if self._transport is None:
            from dynclient.transports import HTTPTransport

            self._transport = HTTPTransport()
        return self._transport

    def _shown_body(self, body: Any) -> str:
        return escaped(_body(body))[:_LONGEST_BODY] if self.verbosity >= BODIES and body else ""


def _show(mark: str, lines: list[str], body: str) -> None:
    for line in lines:
        click.echo(mark + line, err=True)
    click.echo(mark.rstrip(), err=True)
    if body:
        click.echo(body, err=True)
