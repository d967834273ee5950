"""Commands in a pseudo-terminal: widths, colours, and the end of a server."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pexpect
import pytest
import urllib3

THINGS = str(Path(__file__).parents[1] / "cases" / "things.yaml")


def test_mock_in_a_terminal_is_coloured_and_stops_at_control_c():
    process = pexpect.spawn(
        sys.executable, ["-m", "dynclient", "mock", THINGS, "--port", "0"], encoding="utf-8", timeout=30
    )
    try:
        process.expect(r"at (http://[0-9.:]+) \(press Ctrl-C to stop\)")
        url = process.match[1]
        with urllib3.PoolManager() as http:
            http.request("GET", f"{url}/choices")
        process.expect(re.escape("GET /choices \x1b[32m200\x1b[0m  getChoices"))
        process.sendintr()
        process.expect(pexpect.EOF)
    finally:
        process.close(force=True)
    assert process.exitstatus == 130


VOICE, ORDERS = (str(Path(__file__).parents[2] / "openapi" / f"{name}.yaml") for name in ("voice", "orders"))
# The words of a command line, and pieces of what a terminal of 80 columns shows.
SHOWN = {
    f"diff {VOICE} {ORDERS}": [
        "\x1b[33mwarning\x1b[0m   -                 default-server-changed\n    the default server"
    ],
    f"diff {VOICE} {ORDERS} --color never": ["\nbreaking  create_call       operation-removed\n    was removed: POST"],
    f"show {VOICE} create-call": [
        "create_call(\n    account_id: str,\n    create_call: CreateCall = ...,\n    *,\n    to: ",
        "\nSends POST /accounts/{accountId}/calls.\n",
        "number, and where to ask what to do once the call is answered.\n    to (str): Whom",
    ],
    "api list": ["no short names yet"],
}


@pytest.mark.parametrize("line", SHOWN)
def test_texts_fit_a_terminal(line, monkeypatch):
    monkeypatch.setenv("PAGER", "")
    process = pexpect.spawn(
        sys.executable, ["-m", "dynclient", *line.split()], encoding="utf-8", timeout=30, dimensions=(40, 80)
    )
    shown = process.read().replace("\r\n", "\n")
    process.close()
    assert [piece for piece in SHOWN[line] if piece not in shown] == []
    assert process.exitstatus == 0
    assert not shown.startswith("\n")
    assert (
        max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in shown.splitlines() if "dynclient call" not in line) <= 80
    )
