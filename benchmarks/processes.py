"""Measured processes. Only one of them works at a time; idle ones do not affect it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT, Peer

_WORKER = str(Path(__file__).with_name("worker.py"))
Answer = Mapping[str, Any]
"""The answer of a worker: its figures, or ``error`` with the class of the exception."""


def _command(subject: str, task: Mapping[str, Any], peer: Peer | None) -> list[str]:
    whole = {**task, "root": str(ROOT), **({"generated": peer.generated} if peer is not None else {})}
    return [peer.python if peer is not None else sys.executable, _WORKER, subject, json.dumps(whole)]


def _environment() -> dict[str, str]:
    # The cache is given by path, bytecode is there, and nothing of the caller's settings is measured.
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "DYNCLIENT_CACHE"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def sample(subject: str, task: Mapping[str, Any], peer: Peer | None = None, seconds: float = 120.0) -> Answer:
    """The answer of one process, with a time limit."""
    command = _command(subject, task, peer)
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds, env=_environment(), cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return {"error": f"> {seconds:.0f} s"}
    return _answer(run.stdout)


def _answer(text: str) -> Answer:
    try:
        answer: Answer = json.loads(text.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": "died"}
    return answer


class Process:
    """A process that makes calls on request."""

    def __init__(self, subject: str, task: Mapping[str, Any], peer: Peer | None = None) -> None:
        """Start it."""
        self.name = peer.name if peer is not None else subject
        command = _command(subject, {**task, "what": "calls"}, peer)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(),
            cwd=ROOT,
        )
        self.answer = self._read()

    def _read(self) -> Answer:
        stdout = self._process.stdout
        return _answer(stdout.readline() if stdout is not None else "")

    def measure(self, what: str, name: str, times: int) -> float | str:
        """One measurement of one call, or the class of its error."""
        if "error" in self.answer:
            return str(self.answer["error"])
        if name not in self.answer["calls"]:
            return "-"
        stdin = self._process.stdin
        if stdin is not None:
            with suppress(OSError):
                stdin.write(f"{what} {name} {times}\n")
                stdin.flush()
        answer = self._read()
        return float(answer["value"]) if "value" in answer else str(answer["error"])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def figure(answer: Answer, key: str, of: Callable[[float], float] = float) -> float | str:
    """One figure of an answer, or the class of its error."""
    return of(float(answer[key])) if key in answer else str(answer.get("error", "died"))
