"""The peers, each in a virtual environment of its own below ``build/bench``, and the code that is generated for one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"


class Peer(NamedTuple):
    """Another client: the module of its subject, its packages for pip, and the code to generate."""

    name: str
    subject: str
    packages: tuple[str, ...]
    generates: bool = False

    @property
    def folder(self) -> Path:
        """Its virtual environment."""
        return FOLDER / self.name

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / ("Scripts" if os.name == "nt" else "bin") / "python")

    @property
    def generated(self) -> str:
        """The folder of generated packages."""
        return str(self.folder / "generated")

    def reads(self, path: Path) -> Path | None:
        """The form of a document that it reads; None if it can't read any."""
        subject = import_module(f"benchmarks.subjects.{self.subject}")
        only = getattr(subject, "ONLY", None)
        if only is not None and only != path.name:
            return None
        if getattr(subject, "JSON", False) and path.suffix != ".json":
            return path.with_suffix(".json")
        older = path.with_name(f"{path.stem}.2.0{path.suffix}")
        return older if getattr(subject, "OLD", False) and older.exists() else path


PEERS = (
    Peer("aiopenapi3", "aiopenapi3", ("aiopenapi3",)),
    Peer("bravado", "bravado", ("bravado",)),
    Peer("openapi-core", "openapi_core", ("openapi-core", "requests")),
    Peer("openapi-python-client", "openapi_python_client", ("openapi-python-client",), generates=True),
    Peer("bandwidth-sdk", "bandwidth_sdk", ("bandwidth-sdk",)),
    Peer("fastspec", "fastspec", ("fastspec",)),
)
_GENERATED = {"voice_client": "voice.yaml", "calls_client": "calls.json"}


def prepared(peers: Iterable[Peer], documents: Path) -> Iterator[tuple[Peer, str]]:
    """Install peers, and generate what is to be generated of the documents. Yields each with its version.

    One that can't be installed is reported and left out; the others are measured without it.
    """
    for peer in peers:
        told = _version(peer, documents)
        if told is not None:
            yield peer, told


def _version(peer: Peer, documents: Path) -> str | None:
    try:
        return _prepared(peer, documents)
    except subprocess.CalledProcessError as error:
        print(f"{peer.name} is left out: {(error.stderr or str(error)).strip()[-400:]}", file=sys.stderr)
        return None


def _prepared(peer: Peer, documents: Path) -> str:
    stamp = peer.folder / ".installed"
    if not stamp.exists():
        _run(sys.executable, "-m", "venv", "--clear", str(peer.folder))
        _run(peer.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages)
        # Goals are for compiled bytecode; an environment that forbids Python to write it also forbids pip to.
        _run(peer.python, "-m", "compileall", "-q", str(peer.folder), check=False)
        stamp.touch()
    if peer.generates:
        _generate(peer, documents)
    ask = f"from importlib.metadata import version; print(version({peer.packages[0]!r}))"
    return _run(peer.python, "-c", ask).strip()


def _generate(peer: Peer, documents: Path) -> None:
    # It needs ruff on PATH to format its output; pip has installed ruff together with it.
    path = f"{Path(peer.python).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    for package, document in _GENERATED.items():
        arguments = ("--path", str(documents / document), "--meta", "none", "--overwrite")
        command = (str(Path(peer.python).with_name("openapi-python-client")), "generate", *arguments)
        _run(*command, "--output-path", f"{peer.generated}/{package}", path=path)
    _run(peer.python, "-m", "compileall", "-q", peer.generated, check=False)


def _run(*command: str, check: bool = True, path: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PATH"] = path or environment.get("PATH", "")
    return subprocess.run(command, capture_output=True, text=True, check=check, env=environment).stdout


def compile_own() -> None:
    """Compile dynclient's bytecode, which an editable install does not do."""
    _run(sys.executable, "-m", "compileall", "-q", str(ROOT / "dynclient"), check=False)
