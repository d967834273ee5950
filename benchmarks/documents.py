"""The documents to load, each with one operation and its arguments."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.environments import FOLDER, ROOT
from benchmarks.exchange import document, document_2_0

_CORPUS = {
    "stripe": "stripe/spec3.json",
    "kubernetes": "kubernetes/swagger.json",
    "github": "github/api.github.com.json",
}
_VOICE = "https://voice.bandwidth.com/api/v2"


class Document(NamedTuple):
    """A document to load. ``path`` is the file as it is; ``json`` the same as JSON, which the limits parse."""

    name: str
    path: Path
    json: Path
    operation: str
    arguments: dict[str, Any]
    operations: int


def folder() -> Path:
    """Where documents are written."""
    made = FOLDER / "documents"
    made.mkdir(parents=True, exist_ok=True)
    return made


def written(url: str) -> Path:
    """Write the documents of the calls and of the Voice API, both served at a URL of our own; returns the folder."""
    made = folder()
    (made / "calls.json").write_text(json.dumps(document(url)), "utf-8")
    (made / "calls.2.0.json").write_text(json.dumps(document_2_0(url)), "utf-8")
    voice = (ROOT / "openapi" / "voice.yaml").read_text("utf-8")
    (made / "voice.yaml").write_text(voice.replace(_VOICE, url), "utf-8")
    older = (ROOT / "openapi" / "voice.2.0.yaml").read_text("utf-8")
    host = url.partition("://")[2]
    older = older.replace("voice.bandwidth.com", host).replace("basePath: /api/v2", "basePath: /")
    (made / "voice.2.0.yaml").write_text(older.replace("schemes: [https]", "schemes: [http]"), "utf-8")
    return made


def chosen(names: list[str]) -> list[Document]:
    """The documents with these names; by default those of the corpus in the folder that DYNCLIENT_SHARED names."""
    paths = {"voice": folder() / "voice.yaml"}
    if names:
        paths |= {Path(name).stem: Path(name).resolve() for name in names}
    elif shared := os.environ.get("DYNCLIENT_SHARED"):
        corpus = Path(shared).resolve() / "corpus"
        paths |= {name: corpus / path for name, path in _CORPUS.items() if (corpus / path).exists()}
    found = [_described(name, path) for name, path in paths.items()]
    if not names and "github" in paths:
        found.append(_as_yaml(found[-1]))
    return found


def _described(name: str, path: Path) -> Document:
    """A document with the operation that is made ready: one that gets, from the middle of the list on."""
    import dynclient

    client = dynclient.load(path)
    names = list(client.operations)
    middle = names[len(names) // 2 :] + names[: len(names) // 2]
    read = (client.operations[each].operation.row for each in middle)
    row = next((row for row in read if row.method == "GET" and "{" in row.path), None)
    key = row.key if row is not None else middle[0]
    arguments = json.loads(json.dumps(client.operations[key].example(), default=str))
    return Document(name, path, _as_json(name, path), key, arguments, len(names))


def _as_json(name: str, path: Path) -> Path:
    if path.suffix == ".json":
        return path
    import yaml

    target = folder() / f"{name}.json"
    if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
        tree = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        target.write_text(json.dumps(tree, default=str), "utf-8")
    return target


def _as_yaml(one: Document) -> Document:
    """The same as YAML. It is kept, since it takes half a minute to write."""
    import yaml

    target = folder() / f"{one.name}.yaml"
    if not target.exists() or target.stat().st_mtime < one.json.stat().st_mtime:
        tree = json.loads(one.json.read_bytes())
        target.write_text(yaml.dump(tree, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True), "utf-8")
    return one._replace(name=f"{one.name}, YAML", path=target)
