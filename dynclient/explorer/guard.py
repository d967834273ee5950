"""Access control: check the Host header, the browser's session, and the origin of a POST.

Rule 1: the Host header must be one of this server's names, so that a page of another name can't reach it (DNS
rebinding).
Rule 2: a POST comes from our own page: JSON, with a custom header, which other origins can't set without being asked.
Rule 3: the token opens one browser, which gets a cookie for it that scripts can't read; then the token is used up.
"""

from __future__ import annotations

import hmac
import secrets
import threading

from werkzeug.wrappers import Request, Response

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

    def __init__(self, token: str | None, hosts: frozenset[str]) -> None:
        """Take the token that opens a session, None if none is needed, and the allowed values of Host."""
        self._token = token
        self._session = "" if token is None else secrets.token_urlsafe(32)
        self._hosts = {host.lower() for host in hosts}
        self._lock = threading.Lock()

    def refusal(self, request: Request) -> Response | None:
        """The response to a refused request, or None."""
        host = request.headers.get("Host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if host not in self._hosts and name not in self._hosts:
            return _refused(421, "this server does not answer for the host of the request")
        if request.method in {"GET", "HEAD"}:
            return None
        if request.method != "POST":
            return _refused(405, "only GET and POST are allowed")
        own = f"{request.scheme}://{host}"
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if origin not in {None, own} or site not in {None, "same-origin"} or (origin is None and site is None):
            return _refused(403, "the request does not come from this page")
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
    """The cookie's name: browsers share cookies among the ports of a host."""
    return f"{COOKIE}_{request.host.rpartition(':')[2]}" if ":" in request.host else COOKIE


def _refused(status: int, text: str) -> Response:
    return Response(text + "\n", status, mimetype="text/plain")
