"""What an editor shows for an operation: hover and signature help of pyright's language server."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from dynclient_tools.emitting import packages, write

PROGRAM = """from pets import load

client = load()
client.find_pet
"""
DOCUMENT = """
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /pets/{id}:
    get:
      operationId: findPet
      summary: Find a pet
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {'204': {description: none}}
"""


class Server:
    """A language server that is spoken to over its standard streams."""

    def __init__(self, program: Path) -> None:
        """Start it."""
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def notify(self, method: str, **params: object) -> None:
        """Send a message that is not answered."""
        self._send({"method": method, "params": params})

    def ask(self, method: str, **params: object) -> object:
        """Send a request, and return its result. What the server asks meanwhile gets an empty answer."""
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            message = self._read()
            if "method" in message and "id" in message:
                items = message["params"].get("items", []) if isinstance(message["params"], dict) else []
                self._send({"id": message["id"], "result": [None for _ in items] or None})
            elif message.get("id") == self.number:
                return message["result"]

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> dict[str, object]:
        size = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                size = int(line.partition(b":")[2])
        return json.loads(self.process.stdout.read(size))


@pytest.mark.large
@pytest.mark.timeout(120)
def test_hover_shows_signature_and_summary(tmp_path):
    program = Path(sysconfig.get_paths()["scripts"]) / "pyright-langserver"
    if not program.exists():
        pytest.skip("pyright is not installed")
    (tmp_path / "pets.yaml").write_text(DOCUMENT)
    for emitted in packages([str(tmp_path / "pets.yaml")], tmp_path):
        write(emitted.folder, emitted.files)
    (tmp_path / "pyrightconfig.json").write_text("{}")
    (tmp_path / "use.py").write_text(PROGRAM)
    server, here = Server(program), tmp_path.as_uri()
    try:
        folders = [{"uri": here, "name": "here"}]
        options = {"initializationOptions": {"python": {"pythonPath": sys.executable}}}
        server.ask("initialize", processId=None, rootUri=here, capabilities={}, workspaceFolders=folders, **options)
        server.notify("initialized")
        document = {"uri": f"{here}/use.py", "languageId": "python", "version": 1, "text": PROGRAM}
        server.notify("textDocument/didOpen", textDocument=document)
        seen = server.ask(
            "textDocument/hover", textDocument={"uri": document["uri"]}, position={"line": 3, "character": 9}
        )
        server.ask("shutdown")
        server.notify("exit")
    finally:
        server.process.kill()
        server.process.communicate()
    text = json.dumps(seen)
    assert "find_pet(id: int) -> None" in text
    assert "Find a pet" in text
