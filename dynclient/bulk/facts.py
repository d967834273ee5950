"""``run.json``: the facts of a run, and how to make its client again. It contains no credential.

Rule 1: a run is its operation, document, arguments and table. A journal of another run is refused.
Rule 2: it names no code: nothing in it is imported or executed.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
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
    "operation": "it has another operation",
    "arguments": "the arguments differ",
    "key": "the key is another column",
    "sha256": "the table has changed",
    "partition_size": "the partition size differs",
}
_KEPT_OPTIONS = ("base_url", "server", "timeout", "retry", "validate", "content_type", "accept", "redirects", "coerce")
_NOT_KEPT = ("auth", "headers", "query", "defaults", "hooks", "cookies")


def make_folders(path: str) -> None:
    """Make the folder of a journal, unless it exists.

    Raises:
        JournalError: it can't be made, or contains other files.
    """
    try:
        found = os.listdir(path) if os.path.isdir(path) else []
        # A process that was killed before it had written run.json leaves empty folders, and a copy of its table.
        others = [name for name in found if not name.startswith(("parts", "results", "run.json.", "table."))]
        others += os.listdir(os.path.join(path, "parts")) if "parts" in found else []
        if others and "run.json" not in found:
            hint = "use a folder that does not exist"
            raise JournalError(f"{path} is not empty, and is not the journal of a run", hint=hint)
        os.makedirs(path, mode=0o700, exist_ok=True)
        for name in ("parts", "results"):
            os.makedirs(os.path.join(path, name), mode=0o700, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_empty(path: str, source: str) -> None:
    """Remove the folder of a run that was not made."""
    if os.path.exists(os.path.join(path, "run.json")):
        return
    with suppress(OSError):
        if os.path.dirname(source) == path:
            os.unlink(source)
        for name in ("parts", "results", ""):
            os.rmdir(os.path.join(path, name))


def table_path(table: Any, path: str) -> str:
    """Return the file of a table; other rows are written to a file in the journal's folder."""
    if isinstance(table, (str, os.PathLike)):
        return os.path.abspath(os.fspath(table))
    if isinstance(table, (bytes, Mapping)) or not isinstance(table, Iterable):
        text = f"a table is a path or an iterable of mappings, not {type(table).__name__}"
        raise ArgumentError(text, argument="table")
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
    """How ``open`` makes the client again: the location of the document, and the options that are not secret."""
    given, options = dispatcher.state.source, dispatcher.options
    with suppress(TypeError):
        source, how = given.recipe()
        made = type(options)()
        kept = {name: getattr(options, name) for name in _KEPT_OPTIONS}
        plain = {
            name: asdict(value) if hasattr(value, "__dataclass_fields__") else value for name, value in kept.items()
        }
        lacking = [name for name in _NOT_KEPT if getattr(options, name, None) != getattr(made, name, None)]
        is_text = all(isinstance(each, str) and "\n" not in each for each in (source, *how["overlays"]))
        text = source if is_text else None
        plain["retry"]["statuses"] = sorted(plain["retry"]["statuses"])
        with suppress(TypeError, ValueError):
            place = {"document": text, "overlays": how["overlays"] if is_text else []}
            return {**place, "options": json.loads(json.dumps(plain)), "lacking": lacking}
    return {"document": None, "options": {}, "lacking": []}


def loaded(path: str, facts: Mapping[str, Any], auth: Any, *, has_auth: bool) -> OperationMethod:
    """Load the operation of a run.

    Raises:
        ArgumentError: the journal does not have enough information.
        JournalError: the document has changed.
    """
    client = facts["client"]
    lacking = [name for name in client["lacking"] if name != "auth" or not has_auth]
    if client["document"] is None or lacking:
        why = f"the client had {', '.join(lacking)}" if lacking else "the document was loaded from memory"
        hint = "open(journal, client.operation) takes the operation" + ", auth= the credentials" * ("auth" in lacking)
        raise ArgumentError(f"{path} can't make its client again: {why}", argument="method", hint=hint)
    options = dict(client["options"])
    retry, validate = options["retry"], options["validate"]
    options |= {
        "timeout": Timeout(**options["timeout"]),
        "retry": Retry(**{**retry, "statuses": frozenset(retry["statuses"])}),
        "validate": Validation(validate["requests"], validate["responses"], validate["engine"]),
    }
    later = {name: options.pop(name) for name in ("content_type", "accept")}
    options["overlays"] = client.get("overlays", ())
    loaded = Client.load(client["document"], **options, **({"auth": auth} if auth is not None else {}))
    if loaded.api.fingerprint != facts["document"]:
        raise another(path, "document")
    return loaded.with_options(**later).operations[facts["operation"]]  # type: ignore[no-any-return]  # it is one


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
    except (OSError, ValueError) as error:
        raise JournalError(f"{file} can't be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        found = facts.get("format") if isinstance(facts, dict) else None
        raise JournalError(f"{file} is of version {found!r}, this dynclient writes and reads version {FORMAT}")
    needed = {*_IDENTITY, "id", "table", "rows", "columns", "lease", "durability", "settings", "client"}
    if missing := sorted(needed - facts.keys()):
        raise JournalError(f"{file} lacks {', '.join(missing)}")
    return facts


def kept(path: str, facts: dict[str, Any], *, accept_changed_document: bool) -> dict[str, Any]:
    """The facts of a run in the journal, which must be the same run; a new journal starts with them.

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
    """The error of a journal whose run differs in a fact."""
    hints = {
        "document": "load the old document, or pass accept_changed_document=True if the rows still mean the same",
        "sha256": "restore the old table, or use another folder for the new one",
    }
    hint = hints.get(fact, "use another folder for this run")
    return JournalError(f"{path} is the journal of another run: {_IDENTITY[fact]}", hint=hint)
