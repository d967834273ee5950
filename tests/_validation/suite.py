"""The JSON Schema Test Suite, as documents that a bundle is made of."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from dynclient._document.references import open_document
from dynclient._validation import Validator, validator
from dynclient.dialects import Dialect
from dynclient.exceptions import DynclientError
from dynclient.messages import Headers, Response, Send
from dynclient.model import Schema
from dynclient.options import ValidationEngine

SHARED = os.environ.get("DYNCLIENT_SHARED")
ROOT = Path(SHARED or "/nowhere") / "json-schema-test-suite"
ALLOWED = ("http://localhost:1234/", "https://json-schema.org/", "http://json-schema.org/")


class Remotes:
    """A transport that has the suite's remote documents, and the meta-schemas, and nothing else."""

    def send(self, send: Send) -> Response:
        url = send.request.url.partition("#")[0]
        found = _meta_schemas().get(url)
        if found is None and url.startswith(ALLOWED[0]):
            path = ROOT / "remotes" / url.removeprefix(ALLOWED[0])
            found = path.read_bytes() if path.is_file() else None
        if found is None:
            return Response(404, Headers(), b"")
        return Response(200, Headers({"Content-Type": "application/json"}), found)

    def close(self) -> None:
        pass


@lru_cache
def _meta_schemas() -> dict[str, bytes]:
    from jsonschema_specifications import REGISTRY

    return {uri.rstrip("#"): json.dumps(REGISTRY[uri].contents).encode() for uri in REGISTRY}


@lru_cache
def groups(name: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / "tests" / name).read_bytes())


def files(folder: str) -> list[str]:
    top = ROOT / "tests" / folder
    return sorted(str(path.relative_to(ROOT / "tests")) for path in top.rglob("*.json")) if SHARED else []


_opened: dict[tuple[str, int], Schema] = {}


def opened(name: str, index: int, dialect: Dialect) -> Schema:
    """The schema of a group; opened once for both engines."""
    key = (name, index)
    if key not in _opened:
        node = groups(name)[index]["schema"]
        whole = node if isinstance(node, dict) else {"it": node}
        document = open_document(whole, references=ALLOWED, transport=Remotes())
        uri = f"{document.uri}#" if whole is node else f"{document.uri}#/it"
        _opened[key] = Schema(uri, document.root if whole is node else node, dialect, document)
    return _opened[key]


def failures(name: str, dialect: Dialect, engine: ValidationEngine) -> dict[str, str]:
    """The wrong results for a file: descriptions, each with the actual result."""
    found: dict[str, str] = {}
    for index, group in enumerate(groups(name)):
        try:
            checker: Validator = validator(opened(name, index, dialect), "response")
        except DynclientError as error:
            found[group["description"]] = f"{type(error).__name__}: {error}"
            continue
        for test in group["tests"]:
            faults = checker.faults(test["data"], engine=engine)
            if (not faults) is not test["valid"]:
                found[f"{group['description']} / {test['description']}"] = str(faults)
    return found
