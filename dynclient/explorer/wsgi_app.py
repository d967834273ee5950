"""The WSGI application: access control, routing, and response headers.

A request goes through :class:`Guard`, then by its path. GET returns pages; every POST takes and returns JSON; the
stream of items returns one line of JSON for each.

Rule 1: the Host header must be one of this server's names, as a defence against DNS rebinding.
Rule 2: a POST must come from our own page: it is JSON with a custom header, which pages of other origins can't set
without a CORS preflight.
Rule 3: the token starts the session of one browser, which gets a cookie that scripts can't read. It works only once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Request, Response

from dynclient.exceptions import DynclientError, NoSuchOperation
from dynclient.explorer.calls import Calls
from dynclient.explorer.pages import Pages

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


import hmac
import secrets

COOKIE = "dynclient_explorer"
OWN_HEADER = "X-Dynclient-Explorer"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Checks requests before an application handles them."""

    def __init__(self, token: str | None, hosts: Iterable[str]) -> None:
        """``token`` opens a session (None: no session is needed); ``hosts`` are the allowed values of Host."""
        self._token = token
        self._session = "" if token is None else secrets.token_urlsafe(32)
        self._hosts = {host.lower() for host in hosts}
        self._lock = threading.Lock()

    def refusal(self, request: Request) -> Response | None:
        """The response to a refused request, or None."""
        host = request.headers.get("Host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if host not in self._hosts and name not in self._hosts:
            return _refused(421, "the request is for another host: its Host header is not a name of this server")
        if request.method in {"GET", "HEAD"}:
            return None
        if request.method != "POST":
            return _refused(405, "only GET and POST are allowed")
        own = f"{request.scheme}://{host}"
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if origin not in {None, own} or site not in {None, "same-origin"} or (origin is None and site is None):
            return _refused(403, "the request comes from a page of another origin")
        if request.path == "/session":
            return None
        if request.mimetype != "application/json" or request.headers.get(OWN_HEADER) != "1":
            return _refused(403, f"a POST must be application/json, with the header {OWN_HEADER}: 1")
        if self.is_locked(request):
            return _refused(401, "this browser has no session: open the link that the explorer printed")
        return None

    def is_locked(self, request: Request) -> bool:
        """Whether the request lacks the cookie of the session."""
        shown = request.cookies.get(_cookie(request), "")
        return bool(self._session) and not hmac.compare_digest(shown.encode(), self._session.encode())

    def opened(self, request: Request) -> Response:
        """Accept the token, in JSON or a form, and set the cookie."""
        is_form = request.mimetype == "application/x-www-form-urlencoded"
        given = request.form.get("token") if is_form else (request.get_json(silent=True) or {}).get("token")
        with self._lock:
            right = self._token and isinstance(given, str) and hmac.compare_digest(given.encode(), self._token.encode())
            if right:
                self._token = ""
        if not right:
            return _refused(
                403, "the link has been used, or belongs to another explorer: restart the explorer for a new one"
            )
        response = Response(status=303 if is_form else 204)
        if is_form:
            response.headers["Location"] = f"{request.script_root}/"
        response.set_cookie(_cookie(request), self._session, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    def protected(self, response: Response) -> Response:
        """Add the headers of every response."""
        response.headers.update(_HEADERS)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def _cookie(request: Request) -> str:
    """The cookie's name. It has the port, since browsers share cookies among all ports of a host."""
    return f"{COOKIE}_{request.host.rpartition(':')[2]}" if ":" in request.host else COOKIE


def _refused(status: int, text: str) -> Response:
    return Response(text + "\n", status, mimetype="text/plain")


MAX_BODY = 16 * 1024 * 1024
_STATIC = {"explorer.js": "text/javascript", "explorer.css": "text/css", "icon.svg": "image/svg+xml"}


class Explorer:
    """The application that :func:`dynclient.explorer.app` makes. ``calls`` has the history of the calls."""

    def __init__(self, calls: Calls, pages: Pages, guard: Guard) -> None:
        """See :func:`dynclient.explorer.app`."""
        self.calls, self._pages, self._guard = calls, pages, guard
        self._is_warm = False

    def warm(self) -> None:
        """Load in the background what the first page and the first search need."""
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
