"""How much of our own Python a warm GET runs: an upper bound on frames and on modules."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BODY = json.dumps({"id": 7, "tags": ["a"] * 100, "name": "x" * 1000}).encode()
FRAMES, MODULES = 215, 30
COUNTED = """
import json, sys
import dynclient
schema = {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "name": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}}}
parameters = [{"name": name, "in": in_, "required": in_ == "path", "schema": {"type": "string"}}
              for name, in_ in (("b", "path"), ("c", "query"), ("d", "query"))]
responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
operation = {"operationId": "look", "parameters": parameters, "responses": responses}
document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a/{b}": {"get": operation}}}
client = dynclient.load(document, base_url=sys.argv[1])
for _ in range(60):  # by then the verdict's schema is compiled
    client.look("1", c="2", d="3")
frames = []
def profile(frame, event, _):
    name = frame.f_code.co_filename.replace("\\\\", "/")
    if event == "call" and "/dynclient/" in name:
        frames.append(name)
sys.setprofile(profile)
client.look("1", c="2", d="3")
sys.setprofile(None)
print(json.dumps([len(frames), len(set(frames))]))
"""


class Handler(BaseHTTPRequestHandler):
    """Answers on a connection that it keeps open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


@pytest.fixture
def url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_warm_get_runs_few_functions_of_few_modules(url):
    command = [sys.executable, "-c", COUNTED, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    frames, modules = json.loads(done.stdout)
    assert frames <= FRAMES
    assert modules <= MODULES
