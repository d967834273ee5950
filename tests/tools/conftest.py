"""Pages and packages of documents, as the tool writes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dynclient_tools.docs import docs
from dynclient_tools.stubs import stubs

import dynclient

Emit = Callable[[Path], dict[str, str]]


@pytest.fixture(scope="session")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emit:
    """What is emitted for a document, by folder and file: as if it were called ``openapi/voice.yaml``."""

    def emit(document: Path) -> dict[str, str]:
        copy = tmp_path_factory.mktemp("document") / "voice.yaml"
        shutil.copy(document, copy)
        with dynclient.load(copy) as client:
            written = {"docs": docs(client, "openapi/voice.yaml"), "stubs/voice": stubs(client, "openapi/voice.yaml")}
        return {f"{folder}/{name}": text for folder, files in written.items() for name, text in files.items()}

    return emit


@pytest.fixture(scope="session")
def voice_files(emitted: Emit, voice_path: Path) -> dict[str, str]:
    return emitted(voice_path)
