"""The session in a terminal that the manual shows is what bash, in a pseudo-terminal of 80 columns, prints.

Run as a program, this module rewrites the output in the manual: ``python tests/cli/test_walk.py``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import pexpect

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cli.md"
SESSION = re.compile(r"(?<=^## A session in a terminal\n).*?^```text\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "<prompt>"
TYPED = {"(user:password): ": "user:password"}


def printed(commands, home):
    """What a terminal shows of the commands."""
    from dynclient.testing import serve

    folder = os.path.dirname(sys.executable)  # noqa: PTH120  # its own text, symbolic links and all
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "NO_COLOR": "1"}
    environment |= {"PS1": PROMPT, "PAGER": "", "LANG": "C.UTF-8", "PYTHONUTF8": "1", "LINES": "40", "COLUMNS": "80"}
    shown = []
    with serve(ROOT / "openapi" / "voice.yaml") as server:
        bash = pexpect.spawn(
            "bash", ["--norc", "--noediting", "-i"], encoding="utf-8", timeout=60, cwd=str(ROOT),
            env={**environment, "URL": server.url}, dimensions=(40, 80),
        )  # fmt: skip
        try:
            bash.expect_exact(PROMPT)
            for command in commands:
                bash.sendline(command)
                text = ""
                while index := bash.expect_exact([PROMPT, *TYPED]):
                    text += bash.before + bash.after
                    bash.sendline(TYPED[bash.after])
                    assert index
                text += bash.before
                shown.append("$ " + re.sub(r" +$", "", text.replace("\r", ""), flags=re.MULTILINE))
        finally:
            bash.close(force=True)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:4010", "".join(shown))


def commands_of(text):
    return re.findall(r"^\$ (.*)$", text, re.MULTILINE)


def test_the_manual_shows_a_session_as_it_was_printed(tmp_path):
    text = SESSION.search(PAGE.read_text(encoding="utf-8"))["text"]
    assert printed(commands_of(text), tmp_path) == text


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    found = SESSION.search(page)
    with tempfile.TemporaryDirectory() as new_home:
        new = printed(commands_of(found["text"]), new_home)
    PAGE.write_text(page[: found.start("text")] + new + page[found.end("text") :], encoding="utf-8")
