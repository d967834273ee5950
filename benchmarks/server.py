"""The server of fixed responses: nginx if it is available, else a small server of our own.

Its CPU time is not counted.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.exchange import ANSWERS

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; default_type application/json; keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location ~ ^/accounts/[^/]+/calls$ {{
      if ($request_method = POST) {{ return 201 '{made}'; }}
      return 200 '{listed}';
    }}
    location ~ ^/accounts/[^/]+/calls/[^/]+$ {{ return 200 '{state}'; }}
  }}
}}
"""
_START = 10.0


class Server(NamedTuple):
    """A server that runs: its URL without a slash at the end, and what it is."""

    url: str
    name: str


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run the server as long as the block lasts; what it writes goes into the folder."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    port = _free_port()
    if nginx is not None:
        told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
        name = told.partition("version: ")[2].strip() or "nginx"
        configuration = folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, **ANSWERS), "utf-8")
        command = [nginx, "-p", str(folder), "-e", str(folder / "nginx.log"), "-c", str(configuration)]
    else:
        name = "the benchmarks' own server (no nginx on PATH)"
        command = [sys.executable, "-m", "benchmarks.server", str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    try:
        _wait(port, process)
        yield Server(f"http://127.0.0.1:{port}", name)
    finally:
        process.terminate()
        process.wait()


def install() -> None:
    """Install Debian's nginx, if this is root and apt exists. Otherwise the small server is used."""
    known = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if known is None and shutil.which("apt-get") and getattr(os, "getuid", lambda: 1)() == 0:
        command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "nginx-light"]
        # Debian starts a service when it installs one, where there is an init; ours is run by hand, on its own port.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(command, capture_output=True, check=False, timeout=120, env=environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError("the server did not start: see nginx.log in build/bench")


def _prepared(status: str, body: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


class _Answering(asyncio.Protocol):
    """Finds the end of a request, and answers what was prepared for its method and path."""

    listed = _prepared("200 OK", ANSWERS["listed"])
    state = _prepared("200 OK", ANSWERS["state"])
    made = _prepared("201 Created", ANSWERS["made"])

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            _, found, length = head.partition(b"content-length:")
            size = end + 4 + (int(length.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._held) < size:
                return
            self._held = self._held[size:]
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            got = self.listed if path.endswith(b"/calls") else self.state
            self._transport.write(self.made if head.startswith(b"post") else got)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
