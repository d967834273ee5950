"""The mock server in a pseudo-terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pexpect
import urllib3

THINGS = str(Path(__file__).parents[1] / "cases" / "things.yaml")

# A process that a shell put into the background ignores SIGINT, and so do its children unless they say otherwise.
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from dynclient.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_mock_in_a_terminal_is_coloured_and_stops_at_control_c():
    process = pexpect.spawn(
        sys.executable, ["-c", INTERRUPTIBLE, "mock", THINGS, "--port", "0"], encoding="utf-8", timeout=30
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
