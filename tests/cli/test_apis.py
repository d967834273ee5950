"""APIs by short name: ``dynclient api``, profiles, pyproject.toml, and trust in the settings of a project."""

from __future__ import annotations

import json
import tomllib

import pytest

LISTED = ("api", "ls", "show", "call", "validate", "diff", "compile", "mock", "shell", "auth")


@pytest.fixture
def apis(tmp_path):
    """The user's apis.toml."""
    return tmp_path / "config" / "dynclient" / "apis.toml"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Write a pyproject.toml, and work in its folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def write(text):
        (folder / "pyproject.toml").write_text(text)
        return folder

    return write


def test_an_api_is_added_listed_shown_changed_and_removed(run, document, voice_path, apis, monkeypatch):
    path = document()
    apis.parent.mkdir(parents=True)
    apis.write_text("# mine\n[other]\ndocument = 'x.json' # kept\n\n[other.profiles.a]\nbase_url = 'https://a'\n")
    added = ("api", "add", "t", path, "--base-url", "https://t.test/v1", "-H", "X-A: b", "--auth", "env:T")
    assert run(*added, "--timeout", "7", "--rate", "50/s")[::2] == (0, f"t: T 1, 1 operation, {path}\n")
    assert run("api", "add", "t", "https://staging.t.test", "-p", "staging", "-H", "X-B: c") == (0, "", "")
    assert "# mine\n[other]\ndocument = 'x.json' # kept\n" in apis.read_text()
    assert tomllib.loads(apis.read_text())["t"] == {
        "document": str(path),
        "base_url": "https://t.test/v1",
        "headers": {"X-A": "b"},
        "auth": "env:T",
        "timeout": 7.0,
        "rate": "50/s",
        "profiles": {"staging": {"base_url": "https://staging.t.test", "headers": {"X-B": "c"}}},
    }
    assert run("api", "list", "-o", "names")[1] == "other\nt\n"
    assert run("api", "add", "first", voice_path, "--server", "0")[0] == 0
    assert "server = 0\n" in run("api", "show", "first")[1]
    assert run("api", "remove", "first")[0] == 0
    assert "https://staging.t.test" in run("api", "show", "t", "-p", "staging")[1]
    monkeypatch.setenv("T", "hunter2")
    call = ("call", "t", "look", "--dry-run")
    assert run(*call)[1].splitlines() == [
        "GET https://t.test/v1/a", "Accept: application/json", "X-A: b", "Authorization: ***",
    ]  # fmt: skip
    staging = run(*call, "-p", "staging")[1].splitlines()
    assert (staging[0], "X-A: b" in staging, "X-B: c" in staging) == ("GET https://staging.t.test/a", True, True)
    monkeypatch.setenv("DYNCLIENT_PROFILE", "staging")
    assert run(*call)[1].splitlines() == staging
    assert run(*call, "--base-url", "https://other.test")[1].startswith("GET https://other.test/a\n")
    monkeypatch.setenv("DYNCLIENT_PROFILE", "nope")
    assert run(*call)[::2] == (1, "dynclient: t has no profile nope: the profiles are staging\n")
    assert run("api", "remove", "t", "-p", "staging")[0] == run("api", "remove", "t")[0] == 0
    assert apis.read_text().startswith("# mine\n[other]\ndocument = 'x.json' # kept\n\n[other.profiles.a]")
    assert run("api", "list", "-o", "names")[1] == "other\n"
    assert (apis.stat().st_mode & 0o077, len(list(apis.parent.iterdir()))) == (0, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a b", "d.json"), "NAME"),
        (("add", "t", "not-there.json"), "is not a file"),
        (("add", "t", "d.json", "--auth", "bearer=hunter2"), "never a secret"),
        (("add", "t", "d.json", "-H", "Authorization: hunter2"), "a credential is a reference"),
        (("add", "t", "d.json", "-H", "nothing"), "NAME:VALUE"),
        (("add", "there", "d.json"), "--replace"),
        (("add", "nope", "https://x", "-p", "staging"), "no API nope"),
        (("add", "there", "x.test", "-p", "staging"), "URL_OR_PATH is not an absolute"),
        (("add", "t", "d.json", "--base-url", "x.test"), "--base-url is not an absolute"),
        (("add", "t", "d.json", "--server", "9"), "the document has no server"),
        (("add", "t", "d.json", "--rate", "x"), "--rate: a rate is"),
        (("add", "t", "d.json", "--timeout", "0"), "is not a time"),
        (("show", "ther"), "did you mean there?"),
        (("remove", "ther"), "did you mean there?"),
        (("remove", "there", "-p", "x"), "no profile x"),
        (("sync", "nope"), "no API nope"),
    ],
)
def test_wrong_usage_changes_nothing(run, document, apis, monkeypatch, words, said):
    monkeypatch.chdir(document().parent)
    assert run("api", "add", "there", "d.json")[0] == 0
    before = apis.read_text()
    status, out, err = run("api", *words)
    assert (status in {1, 2}, out, said in err, "hunter" in err) == (True, "", True, False)
    assert apis.read_text() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "can't be read"),
        ("a = 1", "[a] has no document"),
        ("[a]\nbase_url = 'x'", "has no document"),
        ("[a]\ndocument = 'x'\nbaseurl = 'x'", "unknown key baseurl; the keys are document"),
        ("[a]\ndocument = 'x'\ntimeout = 'x'", "timeout must be a number of seconds"),
        ("[a]\ndocument = 'x'\nrate = 5", 'rate must be a text such as "50/s"'),
        ("[a]\ndocument = 'x'\nauth = 'hunter2'", "auth must be env:VARIABLE"),
        ("[a]\ndocument = 'x'\nauth = { b = 'hunter2' }", "auth must be env:VARIABLE"),
        ("[a]\ndocument = 'x'\nheaders = { authorization = 'hunter2' }", "a credential is a reference"),
        ("[a]\ndocument = 'x'\nheaders = { 'X-A=env' = 'hunter2' }", "by header name"),
        ("[a]\ndocument = 'x'\n[a.profiles.p]\ndocument = 'y'", "unknown key document"),
        ("[a]\ndocument = 'x'\n[a.profiles]\np = 1", "profiles must be tables"),
    ],
)
def test_malformed_settings_are_an_error_of_one_line(run, apis, project, text, said):
    apis.parent.mkdir(parents=True)
    apis.write_text(text)
    for words in (("ls", "b"), ("call", "b", "look"), ("api", "list"), ("api", "add", "b", "https://x")):
        status, out, err = run(*words)
        assert (status, out, said in err, str(apis) in err, "hunter" in err) == (1, "", True, True, False)
    apis.unlink()
    if text[:2] != "[a" or "]" in text:
        tables = [line.replace("[a", "[tool.dynclient.apis.a") for line in text.split("\n")]
        project("\n".join(tables if "[" in text else ["[tool.dynclient]", "apis = 1"]))
        assert "pyproject.toml" in run("ls", "b")[2]


def test_a_project_s_names_are_relative_to_its_file(run, document, project, monkeypatch):
    folder = project("[tool.dynclient.apis.t]\ndocument = 'docs/d.json'\n")
    (folder / "docs").mkdir()
    (folder / "docs" / "d.json").write_bytes(document().read_bytes())
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert run("ls", "t", "-o", "names")[1] == "look\n"
    assert run("generate", "--config", folder / "pyproject.toml")[2].endswith("has no documents\n")


def test_a_table_that_is_not_below_apis_is_told(run, project):
    project("[tool.dynclient.voice]\ndocument = 'd.json'\n")
    status, _, err = run("ls", "voice")
    assert (status, "[tool.dynclient.voice] is not used" in err, "[tool.dynclient.apis.voice]" in err) == (
        1,
        True,
        True,
    )


DECISIVE = {
    "auth": "auth = 'env:T'",
    "base_url": "base_url = 'https://evil.test'",
    "headers": "headers = { X-Key = 'env:T' }",
    "headers with a blank after it": "headers = { X-Key = 'env:T ' }",
    "headers with a tab before it": 'headers = { X-Key = "a\\tenv:T" }',
    "headers from a file with a blank": "headers = { X-Key = 'file:a b/../secret' }",
    "server": "server = 'https://evil.test'",
}


@pytest.mark.parametrize("case", DECISIVE)
def test_settings_of_a_project_that_decide_where_credentials_go_have_to_be_trusted(run, document, project, case):
    key, setting = case.partition(" ")[0], DECISIVE[case] + "\n"
    head = f"[tool.dynclient.apis.t]\ndocument = '{document()}'\n"
    folder = project(head + setting)
    for words in (("ls", "t"), ("call", "t", "look", "--dry-run"), ("validate", "t")):
        status, out, err = run(*words)
        assert (status, out) == (1, "")
        assert f"sets {key} of t, and you have not trusted that project" in err
        assert "Hint: look at the settings, then run: dynclient trust ." in err
    assert run("trust")[::2] == (0, f"t: {key}\n{folder} is trusted until these settings change\n")
    assert run("trust", "--list")[1] == f"{folder}\n"
    assert run("ls", "t", "-o", "names") == (0, "look\n", "")
    project(head + setting + "timeout = 3\n")
    assert run("ls", "t")[0] == 1
    project(head + setting + "[tool.other]\nx = 1\n")
    assert run("ls", "t")[0] == 0
    assert run("trust", folder, "--remove")[0] == 0
    assert run("ls", "t")[0] == 1
    project(f"{head}[tool.dynclient.apis.t.profiles.p]\n{setting}")
    assert run("ls", "t")[0] == 1


def test_a_project_hides_a_name_of_the_user_only_if_it_is_trusted(run, document, project):
    assert run("api", "add", "t", document())[0] == 0
    project("[tool.dynclient]\nt = 'mine.json'\n")
    assert "a name that is one of yours" in run("ls", "t")[2]
    assert run("trust")[0] == 0
    assert "mine.json" in run("ls", "t")[2]


def test_harmless_settings_need_no_trust(run, document, project):
    project(
        f"[tool.dynclient.apis.t]\ndocument = '{document()}'\ntimeout = 5\nheaders = {{ Accept-Language = 'de' }}\n"
    )
    assert run("call", "t", "look", "--base-url", "https://t.test", "--dry-run")[1].splitlines() == [
        "GET https://t.test/a", "Accept: application/json", "Accept-Language: de",
    ]  # fmt: skip


def test_a_profile_needs_a_short_name(run, document):
    status, _, err = run("call", document(), "look", "-p", "x", "--base-url", "https://t.test", "--dry-run")
    assert (status, "is not a short name" in err) == (2, True)


def test_every_command_takes_a_short_name(run, document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("api", "add", "t", document())[0] == 0
    assert run("ls", "t", "-o", "names")[1] == "look\n"
    for words in (("show", "t", "look"), ("validate", "t"), ("diff", "t", "t"), ("auth", "status", "t")):
        assert run(*words)[0] == 0
    assert run("compile", "t", "-o", "t.dync")[0] == run("docs", "t", "--out", "pages")[0] == 0
    assert run("stubs", "t", "--out", "hints")[0] == 0
    assert (tmp_path / "hints" / "d").is_dir()


# Discovery.

DOCUMENT = {"openapi": "3.1.0", "info": {"title": "Found", "version": "2"}, "paths": {}}


def serve(httpserver, path, value=DOCUMENT, **more):
    httpserver.expect_request(path).respond_with_json(value, **more)


def site_itself(httpserver):
    serve(httpserver, "/api")
    return "/api", "/api"


def by_link(httpserver):
    link = '<https://else.test/x>; rel="next", </my.json>; title="a, b"; rel="alternate service-desc"'
    httpserver.expect_request("/api").respond_with_data("<html>", headers={"Link": link})
    serve(httpserver, "/my.json")
    serve(httpserver, "/openapi.json")
    return "/api", "/my.json"


def by_catalog(httpserver):
    linkset = {"linkset": [{"anchor": httpserver.url_for("/v1/"), "service-desc": [{"href": "d.json"}]}]}
    serve(httpserver, "/.well-known/api-catalog", linkset, content_type="application/linkset+json")
    serve(httpserver, "/v1/d.json")
    serve(httpserver, "/openapi.json")
    return "/", "/v1/d.json"


def by_usual_path(httpserver):
    serve(httpserver, "/v3/api-docs")
    # A catalog of another media type is not one, and a page is no document.
    serve(httpserver, "/.well-known/api-catalog", {"linkset": [{"service-desc": [{"href": "/no.json"}]}]})
    serve(httpserver, "/no.json")
    httpserver.expect_request("/openapi.json").respond_with_data("<html>openapi", content_type="text/html")
    return "/", "/v3/api-docs"


def below_the_path(httpserver):
    httpserver.expect_request("/team/openapi.yaml").respond_with_data(
        "openapi: 3.1.0\ninfo: {title: Found, version: 2}\n"
    )
    serve(httpserver, "/openapi.json", {"openapi": "3.1.0", "info": {"title": "Other", "version": "1"}})
    return "/team", "/team/openapi.yaml"


def redirected(httpserver):
    httpserver.expect_request("/openapi.json").respond_with_data("", status=302, headers={"Location": "/v9/d.json"})
    serve(httpserver, "/v9/d.json")
    return "/", "/openapi.json"


@pytest.mark.parametrize(
    "case",
    [site_itself, by_link, by_catalog, by_usual_path, below_the_path, redirected],
    ids=lambda case: case.__name__,
)
def test_a_site_s_document_is_found(run, httpserver, apis, case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    site, found = map(httpserver.url_for, case(httpserver))
    status, _, err = run("api", "add", "t", site)
    assert (status, f"t: Found 2, 0 operations, {found}\n" in err) == (0, True)
    assert tomllib.loads(apis.read_text())["t"]["document"] == found
    assert run("api", "sync", "t")[0] == 0
    assert run("ls", site, "-o", "names")[0] == 0
    for command in (("validate",), ("diff", site), ("docs", "--out", "pages"), ("stubs", "--out", "hints")):
        status, _, err = run(*command, site)
        assert (status, "a bug" in err) == (0, False), err


def test_nothing_of_another_origin_is_fetched(run, httpserver, apis):
    secret = httpserver.url_for("/internal").replace("localhost", "127.0.0.1")
    link = f'<{secret}>; rel="service-desc"'
    httpserver.expect_request("/").respond_with_data("", headers={"Link": link})
    linkset = {"linkset": [{"anchor": "/", "service-desc": [{"href": secret}, {"href": "file:///etc/passwd"}]}]}
    serve(httpserver, "/.well-known/api-catalog", linkset, content_type="application/linkset+json")
    httpserver.expect_request("/openapi.json").respond_with_data("", status=302, headers={"Location": secret})
    httpserver.expect_request("/internal").respond_with_json(DOCUMENT)
    status, _, err = run("api", "add", "t", httpserver.url_for("/"))
    assert (status, f"add --spec {secret}" in err, apis.exists()) == (1, True, False)
    assert "/internal" not in {request.path for request, _ in httpserver.log}
    assert len(httpserver.log) <= 40


def test_a_site_that_redirects_for_ever_has_no_document(run, httpserver):
    httpserver.expect_request("/").respond_with_data("", status=302, headers={"Location": "/"})
    for words, fault in ((("api", "add", "t"), "no OpenAPI document was found"), (("ls",), "more than 3 times")):
        status, out, err = run(*words, httpserver.url_for("/"))
        assert (status, out, fault in err, err.count("\n") <= 2) == (1, "", True, True)


@pytest.mark.parametrize(
    "linkset", ["[", "{}", '{"linkset": 5}', '{"linkset": [5]}', '{"linkset": [{"service-desc": [{}]}]}', "[" * 100_000]
)
def test_a_malformed_catalog_is_none(run, httpserver, linkset):
    httpserver.expect_request("/.well-known/api-catalog").respond_with_data(
        linkset, content_type="application/linkset+json"
    )
    status, _, err = run("api", "add", "t", httpserver.url_for("/"))
    assert (status, "no OpenAPI document was found" in err) == (1, True)


def test_a_document_comes_from_standard_input(document):
    import subprocess
    import sys

    for words in (("ls", "-", "-o", "names"), ("show", "-", "look"), ("diff", "-", "-"), ("validate", "-")):
        line = [sys.executable, "-m", "dynclient", *words]
        done = subprocess.run(line, input=document().read_bytes(), capture_output=True, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    line = [sys.executable, "-m", "dynclient", "ls", "-"]
    done = subprocess.run(line, input=json.dumps([1]).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr.count(b"\n") <= 2) == (1, True)
