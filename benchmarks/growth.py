"""How time and memory grow with the size of a response: `python -m benchmarks.growth`, a table by size.

Each cell is a process of its own, which decodes a body of the hardest form that is known for its syntax: the smallest
values, members, elements, parts, events or header lines, one after another. What grows linearly has about the same
seconds and bytes of memory for each MiB in every column. A body that exceeds a limit says so in place of its figures.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dynclient import codecs
from dynclient.exceptions import DynclientError
from dynclient.messages import Headers, Request, Send
from dynclient.model import MediaType
from dynclient.options import Limits, MiB, Timeout

SIZES = (1, 2, 4, 8, 16, 32)
SECONDS = 300


def repeated(begin: bytes, unit: bytes, end: bytes) -> Callable[[int], bytes]:
    """A body of about this many bytes, most of it one repeated unit."""
    return lambda size: begin + unit * (max(size - len(begin) - len(end), 0) // len(unit)) + end


def members(size: int) -> bytes:
    """A JSON object of many names."""
    return b"{" + b",".join(b'"%d":0' % number for number in range(size // 11)) + b"}"


ARRAY = {"type": "array", "items": {"type": "string"}}
# Name -> media type, schema, body of a size.
BODIES: dict[str, tuple[str, Any, Callable[[int], bytes]]] = {
    "JSON numbers": ("application/json", None, repeated(b"[", b"0,", b"0]")),
    "JSON objects": ("application/json", None, repeated(b"[", b"{},", b"0]")),
    "JSON members": ("application/json", None, members),
    "JSON texts": ("application/json", None, repeated(b"[", b'"some text of a usual length",', b"0]")),
    "XML, no schema": ("application/xml", None, repeated(b"<a>", b"<b/>", b"</a>")),
    "XML, a list": ("application/xml", ARRAY, repeated(b"<a>", b"<b/>", b"</a>")),
    "XML, one text": ("application/xml", {"type": "object"}, repeated(b"<a>", b"&lt;\n", b"</a>")),
    "YAML": ("application/yaml", None, repeated(b"[", b"a,", b"a]")),
    "form": ("application/x-www-form-urlencoded", None, repeated(b"", b"a=1&", b"")),
    "multipart": ("multipart/mixed; boundary=b", None, repeated(b"", b"--b\r\n\r\nx\r\n", b"--b--\r\n")),
    "multipart headers": (
        "multipart/mixed; boundary=b",
        None,
        repeated(b"", b"--b\r\n" + b"a:\r\n" * 90 + b"\r\nx\r\n", b"--b--\r\n"),
    ),
    "events": ("text/event-stream", None, repeated(b"", b"data:\n\n", b"")),
    "lines of an event": ("text/event-stream", None, repeated(b"", b"data:\n", b"\n")),
    "JSON lines": ("application/jsonl", None, repeated(b"", b"0\n", b"")),
}
HEADERS = {
    "header lines": repeated(b"", b"a: b\r\n", b""),
    "a header of blanks": repeated(b"a: b", b" ", b"c\r\n"),
}


def decoded(name: str, size: int) -> Any:
    """Decode a body."""
    media_type, schema, body = BODIES[name]
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {},
        "components": {"schemas": {"It": schema}},
    }
    described: MediaType | None = None
    if schema is not None:
        import dynclient

        described = MediaType(media_type, dynclient.load(document).api.schemas["It"])
    content = body(size)
    return lambda: codecs.find(media_type).decode(content, described, media_type, Limits(response_bytes=None))


def received(name: str, size: int) -> Any:
    """Receive a response whose head is of this size."""
    import socket
    import threading

    from dynclient.transports import HTTPTransport

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + HEADERS[name](size) + b"\r\n"
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listening.accept()[0] as connection:
            connection.recv(65_536)
            connection.sendall(head)

    threading.Thread(target=answer, daemon=True).start()
    request = Request("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/", Headers())
    limits = Limits(header_lines=10_000_000, header_line_bytes=100 * MiB)
    return lambda: HTTPTransport().send(Send(request, Timeout(total=SECONDS), limits))


def measured(name: str, size: int) -> dict[str, float | str]:
    """Seconds of processor time, and bytes of memory beyond those of the body, for a body of this size."""
    work = (decoded if name in BODIES else received)(name, size)
    Path("/proc/self/clear_refs").write_text("5")
    before, started = memory(), time.process_time()
    try:
        kept = work()
    except DynclientError as error:
        return {"refused": error.message[:60], "seconds": time.process_time() - started, "memory": memory() - before}
    seconds = time.process_time() - started
    del kept
    return {"seconds": seconds, "memory": memory() - before}


def memory() -> int:
    """The peak memory of this process since the last reset."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


def rows(names: list[str], sizes: list[float]) -> Iterator[str]:
    """The lines of the table."""
    yield "| input | " + " | ".join(f"{size:g} MiB" for size in sizes) + " |"
    yield "|---" * (len(sizes) + 1) + "|"
    for name in names:
        yield f"| {name} | " + " | ".join(cell(name, int(size * MiB)) for size in sizes) + " |"


def cell(name: str, size: int) -> str:
    """Seconds for each MiB, and how many times its size it takes in memory; in parentheses where it is refused."""
    command = [sys.executable, "-m", "benchmarks.growth", "--one", name, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"> {SECONDS} s"
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1][:60]}"
    found = json.loads(done.stdout)
    figures = f"{found['seconds'] / (size / MiB):.3f} s, {found['memory'] / size:.1f}x"
    return f"({figures})" if "refused" in found else figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("INPUT", "BYTES"), help="measure one cell, as JSON")
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES, metavar="MIB")
    parser.add_argument("--only", nargs="+", default=[*BODIES, *HEADERS], metavar="INPUT")
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(measured(options.one[0], int(options.one[1]))))
        return
    for row in rows(options.only, options.sizes):
        print(row, flush=True)
    print("\nProcessor time and memory for each MiB of input; in parentheses: refused by a limit, and when.")


if __name__ == "__main__":
    main()
