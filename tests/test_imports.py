"""Each step imports only the modules that it needs, as new processes show, with a real server."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dynclient._load import compiled, load

# What draws, parses, emits or serves, and jsonschema, which makes reports: no valid call needs them.
NEVER = ("jsonschema", "referencing", "yaml", "jinja2", "click", "rich", "werkzeug", "anyio", "httpx")
# What the wire and its validation need: the first call loads it, and nothing before it.
LATE = ("urllib3", "jsonschema_rs", "ssl", "platformdirs", "truststore", "opentelemetry", "asyncio")
# What a call by name and password that gets JSON needs none of: other formats, patterns, ways of authentication.
OTHERS = (
    "shlex",
    "dynclient._call.redirects", "dynclient._client.streaming",
    "dynclient._readers.openapi2", "dynclient._request.explanation", "dynclient.inspection.tables",
    "dynclient._regex",
    "dynclient.codecs.form", "dynclient.codecs.multipart", "dynclient.codecs.sequence", "dynclient.codecs.xml",
    "dynclient.inspection.docstrings", "dynclient.security.signing",
)  # fmt: skip
STEPS = """
import json, sys
source, cache, steps = sys.argv[1], sys.argv[2], []
def note(*names):
    steps.append([name for name in names if name in sys.modules])
never, late = json.loads(sys.argv[3])
import dynclient
note(*never, *late, "typing_extensions", "dataclasses", "dynclient._client", "dynclient._document")
dynclient.load
note(*never, *late)
client = dynclient.load(source, cache=cache, auth=("user", "password"))
note(*never, *late)
list(client.operations), client.operations["getCallState"].operation, repr(client)
note(*never, *late)
print(client.get_call_state("9900000", "c-1")["state"])
note(*never, "asyncio", "opentelemetry", "jsonschema_rs")
note("urllib3", *json.loads(sys.argv[4]))
print(json.dumps(steps))
"""


@pytest.fixture
def answering(httpserver, voice_path, tmp_path):
    """The Voice API's document, served by a server that knows one call."""
    httpserver.expect_request("/accounts/9900000/calls/c-1").respond_with_json({"state": "active"})
    path = tmp_path / "voice.yaml"
    path.write_text(voice_path.read_text().replace("https://voice.bandwidth.com/api/v2", httpserver.url_for("")))
    return path


def steps(source, cache):
    command = [sys.executable, "-c", STEPS, str(source), str(cache), json.dumps([NEVER, LATE]), json.dumps(OTHERS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    called, told = done.stdout.splitlines()
    assert called == "active"
    return json.loads(told)


def test_a_cached_document_is_loaded_and_called_with_little(answering, tmp_path):
    load(answering, cache=tmp_path / "cache")
    assert steps(answering, tmp_path / "cache") == [[], [], [], [], ["jsonschema_rs"], ["urllib3"]]


def test_so_is_a_shipped_one(answering, tmp_path):
    shipped = tmp_path / "voice.dync"
    shipped.write_bytes(compiled(answering))
    assert steps(shipped, tmp_path / "cache") == [[], [], [], [], ["jsonschema_rs"], ["urllib3"]]
    assert not (tmp_path / "cache").exists()


def test_a_cold_load_parses_and_no_more(answering, tmp_path):
    found = steps(answering, tmp_path / "cache")
    assert found == [[], [], ["yaml"], ["yaml"], ["yaml", "jsonschema_rs"], ["urllib3"]]


MODULES_THAT_HIDE = """
import importlib, pkgutil, types, dynclient
found = pkgutil.walk_packages(dynclient.__path__, "dynclient.")
packages = [importlib.import_module(one.name) for one in found if one.ispkg]
for package in packages:
    for name in {found.name for found in pkgutil.iter_modules(package.__path__)} & set(getattr(package, "__all__", ())):
        importlib.import_module(f"{package.__name__}.{name}")
        if isinstance(getattr(package, name), types.ModuleType):
            print(package.__name__, name)
"""


def test_no_module_of_a_room_takes_the_place_of_a_name_that_is_loaded_late():
    command = [sys.executable, "-c", MODULES_THAT_HIDE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("", "")
