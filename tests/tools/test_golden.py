"""The output for the Voice document, compared with files that people have reviewed.

DYNCLIENT_GOLDEN=write rewrites them; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re

import pytest

VERSIONS = ("2.0", "3.0", "3.1", "3.2")


def test_golden_files(root, voice_files):
    golden = root / "tests" / "golden"
    if os.environ.get("DYNCLIENT_GOLDEN") == "write":
        for name, text in voice_files.items():
            (golden / name).parent.mkdir(parents=True, exist_ok=True)
            (golden / name).write_text(text, encoding="utf-8")
    there = {f"{folder}/{path.name}" for folder in ("docs", "stubs/voice") for path in (golden / folder).glob("*.*")}
    assert there == voice_files.keys()
    for name, text in voice_files.items():
        assert text == (golden / name).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("version", VERSIONS)
def test_four_versions_give_one_output(root, emitted, voice_files, version):
    found = emitted(root / "openapi" / f"voice.{version}.yaml")
    assert {name: _without_hash(text) for name, text in found.items()} == {
        name: _without_hash(text) for name, text in voice_files.items()
    }


def test_output_is_the_same_each_time(emitted, voice_path, voice_files):
    assert emitted(voice_path) == voice_files


def test_the_hash_stands_in_each_file(voice_path, voice_files):
    import hashlib

    fingerprint = hashlib.sha256(voice_path.read_bytes()).hexdigest()
    for name, text in voice_files.items():
        assert fingerprint in text.splitlines()[0], name


def _without_hash(text):
    return re.sub(r"[0-9a-f]{64}", "hash", text)
