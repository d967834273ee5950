"""The memory that a large document takes, compared with parsing alone in the same run."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

# Memory is measured as the operating system counts it, each in a process of its own.
SCRIPT = r"""
import gc, json, re, resource, sys, time
path, how = sys.argv[1:]
from dynclient._document.references import open_document
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before, start = rss(), time.thread_time()
if how == "bare":
    with open(path, "rb") as file:
        kept = json.loads(file.read())
else:
    kept = open_document(path)
seconds = time.thread_time() - start
gc.collect()
# Not ru_maxrss: that begins with what the process that started this one had.
peak = int(re.search(r"VmHWM:\s*(\d+) kB", open("/proc/self/status").read())[1]) * 1024
print(json.dumps({"held": rss() - before, "peak": peak - before, "seconds": seconds}))
"""


def measured(path, how):
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(path), how], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_a_large_json_document_holds_at_most_twice_what_its_bare_parse_does(shared):
    path = shared / "corpus/github/api.github.com.json"
    bare, ours = measured(path, "bare"), measured(path, "document")
    # Where the text can be cut, it is held and no tree of it.
    most = 0.75 if find_spec("msgspec") else 2
    assert ours["held"] <= most * bare["held"], (bare, ours)
    assert ours["peak"] <= most * bare["peak"], (bare, ours)
    # Far more than it takes, and far less than a parse in Python or a second tree would.
    assert ours["seconds"] <= 6 * bare["seconds"] + 0.5, (bare, ours)
