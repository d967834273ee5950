"""A full disk: a small file system of the test's own, mounted where that is allowed.

Existing files stay unchanged, no partial files are left, and callers that asked for a file get an error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

# A mount in a namespace of its own, which ends with the process.
MOUNT = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"'
FILL = """
import os, sys, errno
from pathlib import Path
full, document = Path(sys.argv[1]), sys.argv[2]

def fill():
    with (full / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC

def left():
    return sorted(path.name for path in full.iterdir() if path.name not in {"filling", ".tokens.json.lock"})
"""

CACHE = """
from dynclient import load
fill()
print([load(document, cache=full / "cache", base_url="http://a.example").operations["create_call"].__name__
       for _ in range(2)], left(), [path.name for path in (full / "cache").glob("*")])
"""
SAVE = """
from dynclient._client.downloads import AtomicFile
(full / "kept.bin").write_bytes(b"old")
fill()
try:
    with AtomicFile(full / "kept.bin") as file:
        for _ in range(100):
            file.write(bytes(10_000))
except OSError as error:
    print(errno.errorcode[error.errno], (full / "kept.bin").read_bytes(), left())
"""
TOKENS = """
from dynclient.security.oauth2.store import FileStore
store = FileStore(full / "tokens.json")
store.save("a", {"access_token": "old"})
fill()
try:
    store.save("b", {"access_token": "new" * 10_000})
except Exception as error:
    print(type(error).__name__, store.load("a"), store.load("b"), left())
"""
COMPILED = """
from dynclient.cli import main
fill()
print(main(["compile", document, "-o", str(full / "voice.dync")]), left())
"""
PAGES = """
from dynclient.cli import main
fill()
print(main(["docs", document, "--out", str(full / "pages")]), left(), list((full / "pages").glob("*")))
"""


@lru_cache
def can_mount(folder: Path) -> bool:
    return shutil.which("unshare") is not None and run(folder, "pass").returncode == 0


def run(folder: Path, code: str, document: str = "") -> subprocess.CompletedProcess[str]:
    inside = ["sh", "-c", MOUNT, str(folder), sys.executable, "-c", FILL + code, str(folder), document]
    command = ["unshare", "--map-root-user", "--mount", *inside]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("code", "said", "warned"),
    [
        pytest.param(CACHE, "['create_call', 'create_call'] ['cache'] []", "", id="cache"),
        pytest.param(SAVE, "ENOSPC b'old' ['kept.bin']", "", id="a body that is saved"),
        pytest.param(TOKENS, "ArgumentError {'access_token': 'old'} None ['tokens.json']", "", id="tokens"),
        pytest.param(COMPILED, "1 []", "No space left on device", id="compile"),
        pytest.param(PAGES, "1 ['pages'] []", "No space left on device", id="docs"),
    ],
)
def test_a_full_disk(tmp_path, voice_path, code, said, warned):
    if not can_mount(tmp_path):
        pytest.skip("no file system can be mounted")
    done = run(tmp_path, code, str(voice_path))
    assert done.stdout.strip() == said
    assert warned in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert bool(done.stderr) is bool(warned)
