"""Members that OpenAPI does not know, and what was meant by them.

Rule 1: an object has the fixed fields of its version and extensions, ``x-…``. What has other members was misspelt, or
is of another version: whatever it was to say is not read.
Rule 2: a schema may have keywords of anybody since 3.1: there only what is all but a known one is told.
Rule 3: a thousand tell enough: what made a document did the same wrong everywhere.
Rule 4: what the author wrote as data (examples, defaults, enums, extensions) is not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from dynclient._document import Document
from dynclient._readers.fields import Fields, known_to, objects
from dynclient._readers.versions import version_of
from dynclient._records import Record
from dynclient.exceptions import DocumentError, InvalidDocument, Place
from dynclient.json_pointer import escape

_ALIKE = 0.75
_ALL_BUT_EQUAL = 0.85
_SHORTEST, _LONGEST = 4, 40
_MOST = 1_000
_REFERENCE = "$ref"


class _At(Record):
    """A value, where it stands, and which object of OpenAPI it should be."""

    value: Any
    uri: str
    kind: str


def misspelt(document: Document) -> Iterator[DocumentError]:
    """The members of a document's objects that OpenAPI does not know, and of what they refer to; each object once.

    Raises:
        DocumentError: the document says no version that is known.
    """
    return islice(_unknown(document), _MOST)


def _unknown(document: Document) -> Iterator[DocumentError]:
    version = version_of(document)[1].version
    known = objects(version)
    waiting = [_At(document.root, f"{document.uri}#", "OpenAPI")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        at = waiting.pop()
        if not isinstance(at.value, Mapping) or (at.uri, at.kind) in seen:
            continue
        seen.add((at.uri, at.kind))
        target = _target(document, at)
        if target is not None:
            waiting.append(target)
        # OAS 3.1.1, Reference Object: what stands beside is ignored; Path Items and the schemas of 3.1 may say more.
        if _REFERENCE in at.value and _REFERENCE not in known[at.kind]:
            continue
        fields = known[at.kind]
        for name, value in at.value.items():
            held = fields.get(name, fields.get("*"))
            if name.startswith("x-"):
                continue
            if held is not None:
                waiting += _held(at, name, value, held)
            elif told := _told(at.kind, name, fields, version):
                uri = f"{at.uri}/{escape(name)}"
                yield InvalidDocument(told, place=Place(*document.place(uri)))


def _target(document: Document, at: _At) -> _At | None:
    """What a Reference Object leads to; where it leads nowhere, others say so."""
    reference = at.value.get(_REFERENCE)
    if not isinstance(reference, str):
        return None
    try:
        uri, value = document.resolve(reference, at.uri)
    except DocumentError:
        return None
    return _At(value, uri, at.kind)


def _held(at: _At, name: str, value: Any, held: str) -> Iterator[_At]:
    """The objects that a field holds."""
    uri, kind = f"{at.uri}/{escape(name)}", held.strip("[]{}<>")
    if not kind:
        return
    if held == kind:
        # A JSON Schema's `items` and `dependencies` of older drafts may be an array.
        yield _At(value, uri, kind)
    elif held.startswith("["):
        for index, member in enumerate(value if isinstance(value, list) else ()):
            yield _At(member, f"{uri}/{index}", kind)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if held.startswith("{") or not key.startswith("x-"):
                yield _At(member, f"{uri}/{escape(key)}", kind)


def _told(kind: str, name: str, fields: Fields, version: str) -> str:
    """What is to be said of a member that is none of the fields; empty where nothing is."""
    other = known_to(kind, name)
    may_be_anybodys = kind == "Schema" and version >= "3.1" and not other
    meant = _meant(name, fields, _ALL_BUT_EQUAL if may_be_anybodys else _ALIKE)
    if may_be_anybodys and (not meant or len(name) < _SHORTEST):
        return ""
    if other:
        hint = f"OpenAPI {other} has it"
    elif meant:
        hint = f"did you mean `{meant}`?"
    else:
        hint = "what is yours begins with `x-`"
    article = "an" if kind[0] in "AEIOU" else "a"
    return f"`{name[:_LONGEST]}` is no field of {article} {_spaced(kind)} Object; {hint}"


def _meant(name: str, fields: Iterable[str], likeness: float) -> str:
    """The field that is most like a name, if one is enough, from 0 to 1; capitals make no difference."""
    if len(name) > _LONGEST:
        return ""
    known = {field.lower(): field for field in fields}
    found = get_close_matches(name.lower(), known, 1, likeness)
    return known[found[0]] if found else ""


def _spaced(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", kind)
