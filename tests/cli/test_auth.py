"""Stored credentials: prompted for in a pseudo-terminal, fetched from a real authorization server, used by a call."""

from __future__ import annotations

import json
import os
import stat
import sys

import pexpect
import pytest
from authorization_server import CLIENT, USER, AuthorizationServer

STATIC = {
    "Basic": ({"type": "http", "scheme": "basic"}, "me:hunter2", ("Authorization", "Basic bWU6aHVudGVyMg==")),
    "Bearer": ({"type": "http", "scheme": "bearer"}, "hunter2", ("Authorization", "Bearer hunter2")),
    "Key": ({"type": "apiKey", "in": "header", "name": "X-Key"}, "hunter2", ("X-Key", "hunter2")),
}
KEYRING = '''
import json, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

class Kept(KeyringBackend):
    """A keyring in a file beside this one."""

    priority = 5
    file = pathlib.Path(__file__).with_suffix(".json")

    def held(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, username):
        return self.held().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.file.write_text(json.dumps({**self.held(), f"{service} {username}": password}))

    def delete_password(self, service, username):
        held = self.held()
        del held[f"{service} {username}"]
        self.file.write_text(json.dumps(held))
'''
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=20).close()"


@pytest.fixture(scope="module")
def server():
    made = AuthorizationServer()
    yield made
    made.close()


@pytest.fixture
def authorization(server):
    server.reset()
    return server


@pytest.fixture
def environment(tmp_path):
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    return {
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "BROWSER": f"{sys.executable} {browser} %s",
    }


@pytest.fixture
def terminal(environment, tmp_path):
    """Run a command line in a pseudo-terminal: what it asks is answered; its exit status and all that was seen."""

    def run(*words, answers=()):
        process = pexpect.spawn(
            sys.executable,
            ["-W", "ignore", "-m", "dynclient", *map(str, words)],
            encoding="utf-8",
            timeout=30,
            dimensions=(50, 200),
            cwd=str(tmp_path),
            env=environment,
        )
        seen = ""
        try:
            for asked, answer in answers:
                process.expect_exact(asked)
                seen += process.before + process.after
                process.sendline(answer)
            process.expect(pexpect.EOF)
            seen += process.before
            process.wait()
        finally:
            process.close(force=True)
        return process.exitstatus, seen

    return run


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "data" / "dynclient" / "credentials.json"


def write(tmp_path, document):
    file = tmp_path / "things.json"
    file.write_text(json.dumps(document))
    return file


def things(scheme, url="http://127.0.0.1:1"):
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": url}],
        "paths": {
            "/thing": {
                "get": {"operationId": "getThing", "security": [{"S": []}], "responses": {"200": {"description": ""}}}
            }
        },
        "components": {"securitySchemes": {"S": scheme}},
    }


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=() if name == "Bearer" else pytest.mark.large) for name, case in STATIC.items()],
)
def test_what_is_asked_for_is_kept_used_and_forgotten(terminal, kept, tmp_path, httpserver, case):
    scheme, secret, header = case
    httpserver.expect_request("/thing", headers=dict([header])).respond_with_data("")
    file = write(tmp_path, things(scheme, httpserver.url_for("")))
    status, seen = terminal("auth", "login", file, answers=[("): ", secret)])
    assert status == 0, seen
    assert f"There is no keyring: the credential is stored in {kept}" in seen
    assert "hunter2" not in seen
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert terminal("auth", "status", file)[1].split() == ["S", "stored"]
    assert terminal("call", file, "get-thing") == (0, "")
    status, seen = terminal("auth", "logout", file)
    assert (status, seen.strip()) == (0, "deleted: S")
    assert "hunter2" not in kept.read_text()
    assert terminal("auth", "status", file, "S")[0] == 1
    status, seen = terminal("call", file, "get-thing")
    assert (status, "dynclient auth login" in seen) == (1, True)


def test_the_environment_and_auth_go_before_what_is_kept(terminal, environment, tmp_path, httpserver):
    httpserver.expect_request("/thing").respond_with_data("")
    file = write(tmp_path, things(STATIC["Bearer"][0], httpserver.url_for("")))
    assert terminal("auth", "login", file, "S", answers=[("): ", "kept")])[0] == 0
    call = ("call", file, "get-thing")
    assert terminal(*call)[0] == 0
    environment |= {"DYNCLIENT_THINGS_S": "of-the-environment", "OTHER": "of-auth"}
    assert terminal(*call)[0] == 0
    assert terminal(*call, "--auth", "S=env:OTHER")[0] == 0
    sent = [request.headers["Authorization"].removeprefix("Bearer ") for request, _ in httpserver.log]
    assert sent == ["kept", "of-the-environment", "of-auth"]
    assert "from the environment: DYNCLIENT_THINGS_S" in terminal("auth", "status", file)[1]


def test_a_prompt_s_client_has_what_is_kept(terminal, tmp_path):
    file = write(tmp_path, things(STATIC["Bearer"][0], "https://api.test"))
    assert terminal("auth", "login", file, answers=[("): ", "hunter2")])[0] == 0
    typed = [(">>> ", "things.get_thing.prepare().secrets"), (">>> ", "exit()")]
    status, seen = terminal("shell", file, "--plain", answers=typed)
    assert (status, "authorization" in seen, "hunter2" in seen) == (0, True, False)


def test_one_that_a_scheme_can_t_take_is_not_kept(terminal, kept, tmp_path):
    file = write(tmp_path, things(STATIC["Basic"][0]))
    status, seen = terminal("auth", "login", file, answers=[("): ", "hunter2")])
    assert status == 1
    assert "hunter2" not in seen
    assert not kept.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("T",), "SCHEME names no security scheme of the document: the schemes are S"),
        (("S", "--flow", "token"), "'token' is not one of"),
        (("S", "--token", "hunter2"), "unexpected extra argument"),
    ],
)
def test_wrong_usage(terminal, tmp_path, words, said):
    file = write(tmp_path, things(STATIC["Basic"][0]))
    status, seen = terminal("auth", "login", file, *words)
    assert (status, said in seen) == (2, True), seen


SECRET, PUBLIC = ("client secret", CLIENT[1]), ("client secret", "")
FLOWS = {
    "clientCredentials": [("client id: ", CLIENT[0]), SECRET],
    "password": [("client id: ", CLIENT[0]), SECRET, ("user: ", USER[0]), ("password: ", USER[1])],
    "authorizationCode": [("client id: ", "public"), PUBLIC],
    "deviceAuthorization": [("client id: ", "public"), PUBLIC],
}


@pytest.mark.parametrize(
    "flow", [pytest.param(flow, marks=pytest.mark.large) if flow != "authorizationCode" else flow for flow in FLOWS]
)
def test_a_login_is_used_by_calls_and_renewed(terminal, authorization, tmp_path, kept, flow):
    authorization.gives_refresh = authorization.rotates = True
    document = authorization.document(**{flow: authorization.flows[flow]})
    file = write(tmp_path, document)
    status, seen = terminal("auth", "login", file, "--scope", "read", answers=FLOWS[flow])
    assert status == 0, seen
    assert not any(secret in seen for secret in (CLIENT[1], USER[1], "token-1", "refresh-1"))
    assert USER[1] not in kept.read_text()
    assert terminal("call", file, "get-thing") == (0, '{\r\n  "by": "token-1"\r\n}\r\n')
    authorization.access.clear()
    for _ in range(2):  # what has been renewed is kept in its turn
        seen = terminal("call", file, "get-thing", "-vv")[1]
        assert ("token-2" in seen, "access_token" in seen) == (True, False), seen
    assert "renewed automatically" in terminal("auth", "status", file)[1]
    grants = [form["grant_type"] for form in authorization.asked if "grant_type" in form]
    assert grants[-1] == "refresh_token"
    assert len(grants) == 2


def test_discovery_and_a_browser_of_the_person_s_own(terminal, authorization, tmp_path):
    file = write(tmp_path, authorization.document())
    status, seen = terminal("auth", "login", file, "Login", "--client-id", "public", answers=[PUBLIC])
    assert status == 0, seen
    assert f"Log in at {authorization.url}authorize?" in seen
    assert "token-1" in terminal("call", file, "get-thing")[1]
    assert "not renewed" in terminal("auth", "status", file)[1]


def test_secrets_go_to_no_origin_that_nobody_vouched_for(terminal, authorization, tmp_path):
    document = authorization.document(clientCredentials=authorization.flows["clientCredentials"])
    document["servers"] = [{"url": "https://api.test"}]
    file = write(tmp_path, document)
    login = ("auth", "login", file, "--client-id", CLIENT[0])
    status, seen = terminal(*login, answers=[SECRET])
    assert (status, "--allow-origin" in seen, authorization.asked) == (1, True, [])
    status, seen = terminal(*login, "--allow-origin", authorization.url.rstrip("/"), answers=[SECRET])
    assert status == 0, seen


def test_a_keyring_keeps_it_where_there_is_one(terminal, environment, kept, tmp_path):
    pytest.importorskip("keyring")
    (tmp_path / "my_keyring.py").write_text(KEYRING)
    environment |= {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "my_keyring.Kept"}
    file = write(tmp_path, things(STATIC["Bearer"][0]))
    status, seen = terminal("auth", "login", file, answers=[("): ", "hunter2")])
    assert (status, "stored in the keyring" in seen) == (0, True), seen
    assert "hunter2" not in kept.read_text()
    assert "hunter2" in (tmp_path / "my_keyring.json").read_text()
    assert terminal("auth", "status", file, "S")[0] == 0
    assert terminal("auth", "logout", file)[0] == 0
    assert json.loads((tmp_path / "my_keyring.json").read_text()) == {}


def test_what_others_can_read_is_refused(terminal, kept, tmp_path):
    file = write(tmp_path, things(STATIC["Bearer"][0]))
    assert terminal("auth", "login", file, answers=[("): ", "kept")])[0] == 0
    kept.chmod(0o644)
    status, seen = terminal("auth", "status", file)
    assert (status, "can be read by others" in seen) == (1, True)
