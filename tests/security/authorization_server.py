"""An authorization server, and an API that requires its tokens: werkzeug on real sockets, as strict as the RFCs are.

It keeps its requests and the issued tokens; ``access`` are the tokens that the API accepts.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
from urllib.parse import unquote_plus, urlencode

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

CLIENT = ("client id", "se:cret/+ü")
USER = ("ann", "hunter2")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class AuthorizationServer:
    """Tokens are ``token-1``, ``token-2``, …; ``expires_in`` and ``rotate`` may be changed between requests."""

    def __init__(self) -> None:
        self.server = HTTPServer(port=0, threaded=True)
        handlers = {
            "/token": self.token,
            "/authorize": self.authorize,
            "/device": self.device,
            "/thing": self.thing,
            "/.well-known/openid-configuration": self.metadata,
        }
        for path, handler in handlers.items():
            self.server.expect_request(path).respond_with_handler(handler)
        self.server.start()
        self.url = self.server.url_for("")
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, for the next test."""
        self.server.clear_log()
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.things: list[str] = []
        self.expires_in: object = 3600
        self.gives_refresh = False
        self.rotates = False
        self.delay = 0.0
        self.pending = 0
        self.answers: list[Response] = []
        self.back: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def close(self) -> None:
        self.server.clear()
        self.server.stop()

    def token(self, request: Request) -> Response:
        form = request.form.to_dict()
        with self._lock:
            self.asked.append(form)
            if self.answers:
                return self.answers.pop(0)
        time.sleep(self.delay)
        if request.method != "POST" or request.mimetype != "application/x-www-form-urlencoded":
            return error("invalid_request", 405)
        if not self.knows_client(request, form):
            return error("invalid_client", 401)
        with self._lock:
            fault = self.fault_of(form)
            return fault or self.give(form)

    def fault_of(self, form: dict[str, str]) -> Response | None:
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return None
        if grant == "password":
            return None if (form.get("username"), form.get("password")) == USER else error("invalid_grant")
        if grant == "refresh_token":
            known = form["refresh_token"] in self.refresh
            if known and self.rotates:
                self.refresh.remove(form["refresh_token"])
            return None if known else error("invalid_grant")
        if grant == "authorization_code":
            sent = self.codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            right = sent and (sent["code_challenge"], sent["redirect_uri"]) == (challenge, form["redirect_uri"])
            return None if right else error("invalid_grant")
        if grant == DEVICE and form.get("device_code") == "device-1":
            self.pending -= 1
            return error("slow_down" if self.pending == 0 else "authorization_pending") if self.pending >= 0 else None
        return error("unsupported_grant_type")

    def give(self, form: dict[str, str]) -> Response:
        number = next(self._numbers)
        self.access.add(f"token-{number}")
        answer = {"access_token": f"token-{number}", "token_type": "bearer", "scope": form.get("scope", "")}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        if self.gives_refresh and (form["grant_type"] != "refresh_token" or self.rotates):
            self.refresh.add(f"refresh-{number}")
            answer["refresh_token"] = f"refresh-{number}"
        return reply(answer)

    @staticmethod
    def knows_client(request: Request, form: dict[str, str]) -> bool:
        shown = request.headers.get("Authorization", "")
        if shown.startswith("Basic "):
            pair = base64.b64decode(shown[6:]).decode().split(":")
            return tuple(map(unquote_plus, pair)) == CLIENT and "client_secret" not in form
        if "client_secret" in form:
            return (form.get("client_id"), form["client_secret"]) == CLIENT
        return form.get("client_id") == "public"

    def authorize(self, request: Request) -> Response:
        """Log in at once: the person has said yes."""
        asked = request.args.to_dict()
        self.codes["code-1"] = asked
        back = {"code": "code-1", "state": asked["state"], "iss": self.url.rstrip("/")} | self.back
        return Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    def device(self, request: Request) -> Response:
        self.asked.append(request.form.to_dict())
        return reply(
            {
                "device_code": "device-1",
                "user_code": "WDJB-MJHT",
                "verification_uri": self.url + "activate",
                "expires_in": 900,
                "interval": 0.01,
            }
        )

    def metadata(self, _: Request) -> Response:
        return reply(
            {
                "issuer": self.url.rstrip("/"),
                "token_endpoint": self.url + "token",
                "authorization_endpoint": self.url + "authorize",
                "device_authorization_endpoint": self.url + "device",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    def thing(self, request: Request) -> Response:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            self.things.append(shown)
        if shown in self.access:
            return reply({"by": shown})
        return Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    def document(self, **flows: dict[str, str]) -> dict:
        """A document with an oauth2 scheme of these flows; without any, an openIdConnect scheme."""
        scheme = {"type": "oauth2", "flows": {name: {**flow, "scopes": {}} for name, flow in flows.items()}}
        if not flows:
            scheme = {"type": "openIdConnect", "openIdConnectUrl": self.url + ".well-known/openid-configuration"}
        answers = {"200": {"description": "", "content": {"application/json": {}}}, "401": {"description": ""}}
        body = {"content": {"application/octet-stream": {}}}
        get = {"operationId": "getThing", "security": [{"Login": ["read"]}], "responses": answers}
        put = {"operationId": "putThing", "security": [{"Login": ["write"]}], "responses": answers, "requestBody": body}
        return {
            "openapi": "3.1.0",
            "info": {"title": "Things", "version": "1"},
            "servers": [{"url": self.url}],
            "paths": {"/thing": {"get": get, "put": put}},
            "components": {"securitySchemes": {"Login": scheme}},
        }

    @property
    def flows(self) -> dict[str, dict[str, str]]:
        token = {"tokenUrl": self.url + "token"}
        return {
            "clientCredentials": token,
            "password": token,
            "authorizationCode": {**token, "authorizationUrl": self.url + "authorize"},
            "deviceAuthorization": {**token, "deviceAuthorizationUrl": self.url + "device"},
        }


def reply(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


def error(name: str, status: int = 400) -> Response:
    return reply({"error": name, "error_description": f"this is {name}"}, status)
