"""The WSGI application: access control, routing, and response headers.

A request goes through :meth:`Explorer._answer`: first :mod:`the guard <dynclient.explorer.guard>`, then its path. GET
returns pages; every POST takes and returns JSON; the stream of items returns one line of JSON for each.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from dynclient.exceptions import DynclientError, NoSuchOperation
from dynclient.explorer.calls import Calls
from dynclient.explorer.guard import Guard
from dynclient.explorer.pages import Pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from dynclient._client import Client

MAX_BODY = 16 * 1024 * 1024
_STATIC = {"explorer.js": "text/javascript", "explorer.css": "text/css", "icon.svg": "image/svg+xml"}


class Explorer:
    """The application that :func:`dynclient.explorer.app` makes. ``calls`` has the history of the calls."""

    def __init__(
        self,
        client: Client,
        *,
        mock: Client | None,
        read_only: bool,
        token: str | None,
        hosts: frozenset[str],
        command_line: Callable[..., str] | None,
    ) -> None:
        """See :func:`dynclient.explorer.app`."""
        self.calls = Calls(client, mock, read_only=read_only, command_line=command_line)
        self._guard = Guard(token, hosts)
        self._is_warm = False
        self._pages = Pages(client, has_mock=mock is not None, read_only=read_only)

    def warm(self) -> None:
        """Prepare in the background what the first operation and the first search need."""
        if not self._is_warm:
            self._is_warm = True
            threading.Thread(target=self._pages.warm, daemon=True).start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        request = Request(environ)
        request.max_content_length = MAX_BODY
        try:
            response = self._guard.refusal(request) or self._answer(request)
        except HTTPException as error:
            response = _json({"error": {"message": error.description}}, error.code or 500)
        except NoSuchOperation as error:
            response = _json({"error": {"message": str(error)}}, 404)
        except DynclientError as error:
            response = _json({"error": {"kind": type(error).__name__, "message": str(error)}}, 400)
        return self._guard.protected(response)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        first, _, name = request.path.strip("/").partition("/")
        if request.method == "POST":
            return self._posted(request, first, name)
        if first == "static":
            return self._static(name)
        self.warm()
        if self._guard.is_locked(request):
            return self._html(self._pages.locked(request.script_root), 401)
        if first == "list":
            response = _json(self._pages.listing())
            response.cache_control.private = True
            return response
        if first == "find":
            return _json(self._pages.find(request.args.get("q", "")[:200]))
        if first == "history":
            return _json(self.calls.test(int(name)) if name.isdecimal() else self.calls.history())
        if first == "o" and "part" in request.args:
            return self._html(self._pages.operation(name))
        if first in {"", "o", "all"}:
            return self._html(self._pages.page(request.script_root, name, everything=first == "all"))
        raise NotFound("there is no such page")

    def _posted(self, request: Request, first: str, name: str) -> Response:
        if first == "session":
            return self._guard.opened(request)
        form = request.get_json()
        if not isinstance(form, dict):
            return _json({"error": {"message": "the body must be a JSON object"}}, 400)
        if first == "check":
            return _json(self.calls.check(name, form))
        if first in {"send", "items"} and (refused := self.calls.refusal(name, form)):
            return _json(refused, 403 if refused.get("forbidden") else 409)
        if first == "send":
            return _json(self.calls.send(name, form))
        if first == "items":
            return Response(_lines(self.calls.items(name, form)), mimetype="application/jsonl")
        raise NotFound("there is no such page")

    def _html(self, text: str, status: int = 200) -> Response:
        return Response(text, status, mimetype="text/html")

    def _static(self, name: str) -> Response:
        if name not in _STATIC:
            raise NotFound("there is no such file")
        response = Response((files(__package__) / "static" / name).read_bytes(), mimetype=_STATIC[name])
        response.cache_control.no_cache = True
        response.add_etag()
        return response


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, default=str), status, mimetype="application/json")


def _lines(values: Iterator[Any]) -> Iterator[bytes]:
    for value in values:
        yield json.dumps(value, ensure_ascii=False, default=str).encode() + b"\n"
