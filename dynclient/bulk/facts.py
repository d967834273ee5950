"""``run.json``: the facts of a run, and how to make its client again. It contains no credential.

Rule 1: a run is its operation, document, arguments and table. A journal of another run is refused.
Rule 2: it names no code: nothing in it is imported or executed.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from dynclient._client import Client
from dynclient._client.operation_method import OperationMethod
from dynclient.bulk.journal import FORMAT, JournalError, unwritable
from dynclient.bulk.rows import content, write_rows
from dynclient.exceptions import ArgumentError
from dynclient.options import Retry, Timeout, Validation

_IDENTITY = {
    "document": "the document has changed",
    "operation": "it is of another operation",
    "arguments": "the arguments differ",
    "key": "the key is another column",
    "sha256": "the table has changed",
    "partition_size": "the partition size differs",
}
_DATACLASSES = {"timeout": Timeout, "retry": Retry, "validate": Validation}
_KEPT_OPTIONS = ("base_url", "server", "content_type", "accept", "redirects", "coerce", *_DATACLASSES)
_TYPES: dict[str, Any] = {
    "id": str,
    **dict.fromkeys(_IDENTITY, str),
    "arguments": dict,
    "key": str | None,
    "partition_size": int,
    "table": str,
    "rows": int,
    "columns": list,
    "lease": int | float,
    "durability": str,
    "settings": dict,
    "client": dict,
}
_GIVE_OPERATION = "open(journal, client.operation) takes the operation"
_NOT_KEPT = ("auth", "headers", "query", "defaults", "hooks", "cookies")


def make_folders(path: str) -> None:
    """Make the folder of a journal, unless it exists.

    Raises:
        JournalError: it can't be made, or contains other files.
    """
    try:
        found = os.listdir(path) if os.path.isdir(path) else []
        if "run.json" in found:
            return
        # A process that was killed before it wrote run.json leaves empty folders and a copy of its table.
        others = [name for name in found if not name.startswith(("parts", "results", "run.json.", "table."))]
        if others or ("parts" in found and os.listdir(os.path.join(path, "parts"))):
            hint = "use a folder that does not exist"
            raise JournalError(f"{path} is not empty, and is not the journal of a run", hint=hint)
        os.makedirs(path, mode=0o700, exist_ok=True)
        for name in ("parts", "results"):
            os.makedirs(os.path.join(path, name), mode=0o700, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_empty(path: str) -> None:
    """Remove the folder of a run that could not be created."""
    if os.path.exists(os.path.join(path, "run.json")):
        return
    with suppress(OSError):
        if os.path.exists(table := os.path.join(path, "table.jsonl")):
            os.unlink(table)
        for name in ("parts", "results", ""):
            os.rmdir(os.path.join(path, name))


def table_path(table: Any, path: str) -> str:
    """Return the path of a table; rows of an iterable are written to a file in the journal's folder first."""
    if isinstance(table, (str, os.PathLike)):
        return os.path.abspath(os.fspath(table))
    source, spool = os.path.join(path, "table.jsonl"), os.path.join(path, f"table.{uuid.uuid4().hex}.jsonl")
    try:
        write_rows(table, spool)
        if os.path.exists(os.path.join(path, "run.json")):
            if content(spool) != content(source):
                raise another(path, "sha256")
        else:
            os.replace(spool, source)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            os.unlink(spool)
    return source


def client_facts(dispatcher: Any) -> dict[str, Any]:
    """The facts for ``open`` to make the client again: the document's location, and the options that are not secret."""
    options, plain = dispatcher.options, type(dispatcher.options)()
    lacking = [name for name in _NOT_KEPT if getattr(options, name) != getattr(plain, name)]
    kept = {name: getattr(options, name) for name in _KEPT_OPTIONS}
    with suppress(TypeError, ValueError):
        source, how = dispatcher.state.source.recipe()
        if all(isinstance(each, str) and "\n" not in each for each in (source, *how["overlays"])):
            text = json.dumps(
                kept, default=lambda value: sorted(value) if isinstance(value, frozenset) else asdict(value)
            )
            place = {"document": source, "overlays": how["overlays"]}
            return {**place, "options": json.loads(text), "lacking": lacking}
    return {"document": None, "options": {}, "lacking": []}


def loaded(path: str, facts: Mapping[str, Any], auth: Any, *, has_auth: bool) -> OperationMethod:
    """Load the operation of a run.

    Raises:
        ArgumentError: the journal does not have enough information.
        JournalError: the document has changed, or the journal is damaged.
    """
    try:
        document, lacking, options, overlays = map(facts["client"].get, ("document", "lacking", "options", "overlays"))
        lacking = [name for name in lacking if name != "auth" or not has_auth]
        for name, kind in _DATACLASSES.items() if document is not None else ():
            fields: dict[str, Any] = {
                field: frozenset(v) if isinstance(v, list) else v for field, v in options[name].items()
            }
            if "by" in fields:
                fields["by"] = {key: Validation(**rule) for key, rule in fields["by"].items()}
            options = {**options, name: kind(**fields)}
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise JournalError(f"{path}: client of run.json is damaged: {error}", hint=_GIVE_OPERATION) from None
    if document is None or lacking:
        why = f"the client had {', '.join(lacking)}" if lacking else "the document was loaded from memory"
        hint = _GIVE_OPERATION + ", auth= the credentials" * ("auth" in lacking)
        raise ArgumentError(f"the client of {path} can't be made again: {why}", argument="method", hint=hint)
    client = Client.load(document, overlays=overlays, **({"auth": auth} if auth is not None else {}))
    if client.api.fingerprint != facts["document"]:
        raise another(path, "document")
    return client.with_options(**options).operations[facts["operation"]]  # type: ignore[no-any-return]  # it is one


def read_facts(path: str) -> dict[str, Any] | None:
    """The contents of ``run.json``, or None.

    Raises:
        JournalError: it is damaged, or has another version.
    """
    file = os.path.join(path, "run.json")
    try:
        with open(file, encoding="utf-8") as opened:
            facts = json.load(opened)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise JournalError(f"{file} can't be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = facts.get("format") if isinstance(facts, dict) else None
        raise JournalError(f"{file} has version {found!r}; this dynclient reads and writes version {FORMAT}")
    wrong = [name for name, kind in _TYPES.items() if name not in facts or not isinstance(facts[name], kind)]
    wrong += [name for name in ("rows", "partition_size", "lease") if name not in wrong and facts[name] < 0]
    if wrong or not facts["partition_size"]:
        raise JournalError(f"{file} is damaged: {', '.join(wrong) or 'partition_size'}")
    return facts


def kept(path: str, facts: dict[str, Any], *, accept_changed_document: bool) -> dict[str, Any]:
    """Write the facts of a run to a new journal; an existing one must be of the same run. Returns the journal's facts.

    Raises:
        JournalError: it is the journal of another run.
    """
    file = os.path.join(path, "run.json")
    spool = f"{file}.{facts['id']}"
    try:
        with open(spool, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as opened:
            json.dump(facts, opened, indent=1)
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(spool, file)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            os.unlink(spool)
    found = read_facts(path)
    if found is None:
        raise JournalError(f"{file} can't be read")
    check_same(path, found, facts, accept_changed_document=accept_changed_document)
    return {**found, "settings": facts["settings"], "client": facts["client"], "table": facts["table"]}


def check_same(path: str, found: Mapping[str, Any], facts: Mapping[str, Any], *, accept_changed_document: bool) -> None:
    """Compare the facts in a journal with those of a run; some of them may be missing.

    Raises:
        JournalError: it is the journal of another run.
    """
    for name in _IDENTITY:
        if found[name] != facts.get(name, found[name]) and not (name == "document" and accept_changed_document):
            raise another(path, name)


def another(path: str, fact: str) -> JournalError:
    """The error for a journal of another run, which differs in this fact."""
    hints = {
        "document": "load the old document, or pass accept_changed_document=True if the rows still mean the same",
        "sha256": "restore the old table, or use another folder for the new one",
    }
    hint = hints.get(fact, "use another folder for this run")
    return JournalError(f"{path} is the journal of another run: {_IDENTITY[fact]}", hint=hint)
