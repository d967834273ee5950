"""Python names of operations and tags.

Rule 1: an operation is named after its operationId, or else after its method and path. A long name of the latter kind
loses its parameters if it is still unique.
Rule 2: in the namespace of a tag, a name that begins with the tag's name loses that part. If no operation has a tag,
the namespaces are the first segments of the paths, after a version and the segments that all paths share; a name loses
that segment wherever it occurs.
Rule 3: a client's own attributes keep their names (:data:`RESERVED`), and so does ``…_with_http_info`` of an operation:
an operation of such a name gets a trailing underscore. A tag gets one too if its name is already used by either.
Rule 4: names that are already Python names in snake_case are assigned first, to operations and then to tags. The others
are derived; duplicates get the suffixes ``_2``, ``_3`` in the document's order. Tags that differ only in case share a
namespace.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile

from dynclient._deferred import expression
from dynclient._identifiers import distinct, identifier
from dynclient._records import Record
from dynclient._rows import OperationRow

WITH_HTTP_INFO = "_with_http_info"
_LONG = 60
_TEMPLATE = expression(r"\{([^{}]*)\}")
_VERSION = expression(r"api|rest|v[0-9]+(?:[._-][0-9]+)*(?:(?:alpha|beta)[0-9]*)?", re.IGNORECASE)

RESERVED = frozenset({
    "aclose", "api", "base_url", "close", "load", "operations", "reload", "request", "schemas", "servers", "title",
    "version", "with_options",
})  # fmt: skip
"""The public names of a client. Its other attributes begin with an underscore and are no valid names of operations."""


class Names(Record):
    """The names of a document's operations, in the order in which they were given, and the namespace of each tag."""

    flat: tuple[str, ...]
    by_tag: tuple[tuple[tuple[str, str], ...], ...]
    namespaces: dict[str, str]


def names(operations: Sequence[OperationRow], tags: Iterable[str] = ()) -> Names:
    """Name the operations, flat and by tag; ``tags`` are those that the document declares, in its order."""
    texts = _texts(operations)
    plain = [identifier(text) for text in texts]
    every_tag = dict.fromkeys(tags)
    for own in dict.fromkeys([operation.tags for operation in operations]):
        every_tag.update(dict.fromkeys(own))
    own_names = {*plain}.intersection(texts)
    own_tags = {tag for tag in every_tag if tag == identifier(tag)} - own_names - RESERVED
    flat = _free(plain, RESERVED, texts, own_tags)
    taken = {*RESERVED, *flat, *(name + WITH_HTTP_INFO for name in flat)}
    namespaces = _namespaces(every_tag, taken)
    if every_tag:
        return Names(tuple(flat), _by_tag(operations, texts, plain, namespaces), namespaces)
    return Names(tuple(flat), _by_path(operations, texts, plain, taken), {})


def _texts(operations: Sequence[OperationRow]) -> list[str]:
    """Return the texts that names are made of, those of long paths without parameters where that is unique."""
    texts = [spelling(operation) for operation in operations]
    if all(operation.operation_id for operation in operations):
        return texts
    short = [
        text if one.operation_id else f"{one.method.lower()} {_TEMPLATE.sub(' ', one.path)}"
        for one, text in zip(operations, texts, strict=True)
    ]
    counts = Counter(map(identifier, short))
    return [
        brief if len(identifier(text)) > _LONG and counts[identifier(brief)] == 1 else text
        for text, brief in zip(texts, short, strict=True)
    ]


def spelling(operation: OperationRow) -> str:
    """Return the text that an operation's name is made of: its id, or ``get accounts by accountId calls``."""
    if operation.operation_id:
        return operation.operation_id
    path = _TEMPLATE.sub(r" by \1 ", operation.path)
    return f"{operation.method.lower()} {path}" if path.strip("/ ") else f"{operation.method.lower()} root"


def _free(
    wanted: Sequence[str], reserved: Collection[str], texts: Sequence[str], tags: Collection[str] = ()
) -> list[str]:
    """Make names distinct: none is reserved, none occurs twice, none is the ``…_with_http_info`` of another.

    Those that are their own ``texts`` come first. Others don't take the names of ``tags``.
    """
    free = list(wanted)
    while True:
        free = distinct([f"{name}_" if name in reserved else name for name in free], {*reserved, *tags}, texts)
        variants = {name + WITH_HTTP_INFO for name in free}
        if variants.isdisjoint(free):
            return free
        free = [f"{name}_" if name in variants else name for name in free]


def _namespaces(tags: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return the namespace of each tag: in snake_case, with a trailing underscore if the name is taken."""
    spellings: dict[str, str] = {}
    for tag in tags:
        spellings.setdefault(tag.strip().casefold(), tag)
    texts = list(spellings.values())
    wanted = [identifier(tag) for tag in texts]
    served = distinct([f"{name}_" if name in taken else name for name in wanted], taken, texts)
    by_folded = dict(zip(spellings, served, strict=True))
    return {tag: by_folded[tag.strip().casefold()] for tag in tags}


def _by_path(
    operations: Sequence[OperationRow], spelt: Sequence[str], plain: Sequence[str], taken: Collection[str]
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return for each operation its namespace, by its path, and its name there.

    Nothing if that name is used already.
    """
    segments = [one.path.split("#")[0].split("?")[0].strip("/").split("/") for one in operations]
    shared = len(list(takewhile(lambda step: len(set(step)) == 1, zip(*segments, strict=False))))
    members: dict[str, list[int]] = {}
    names: list[str] = []
    for index, (operation, each) in enumerate(zip(operations, segments, strict=True)):
        segment = _segment(each, shared)
        home = identifier(segment) if segment else ""
        if home and home not in taken and not home.startswith("_"):
            members.setdefault(home, []).append(index)
        if operation.operation_id:
            names.append(_without_segment(plain[index], home))
        else:
            names.append(identifier(f"{operation.method.lower()} {spelt[index].partition(f'/{segment}')[2]}"))
    found: list[tuple[tuple[str, str], ...]] = [()] * len(names)
    for home, indices in members.items():
        own = _free([names[index] for index in indices], (), [spelt[index] for index in indices])
        for index, name in zip(indices, own, strict=True):
            found[index] = ((home, name),)
    return tuple(found)


def _segment(segments: Sequence[str], shared: int) -> str:
    """Return a path's first segment that is neither shared by all, nor a version or parameter; or else its last one."""
    own = [each for each in segments if each and "{" not in each and not _VERSION.fullmatch(each)]
    later = [each for each in segments[shared:] if each in own]
    return (later or own[-1:])[0] if own else ""


def _without_segment(name: str, home: str) -> str:
    """Return a name without the words of a namespace: ``get_customers_customer`` -> ``get_customer``."""
    if name.startswith(f"{home}_"):
        return _without(name, f"{home}_")
    before, found, after = f"{name}_".partition(f"_{home}_")
    return _without(f"{before}_{after}".rstrip("_"), "") if found else name


def _by_tag(
    operations: Sequence[OperationRow], spelt: Sequence[str], plain: Sequence[str], namespaces: dict[str, str]
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Return for each operation its pairs of namespace and name there."""
    prefixes = {tag: identifier(tag) + "_" for tag in namespaces}
    wanted: dict[str, list[str]] = {namespace: [] for namespace in namespaces.values()}
    texts: dict[str, list[str]] = {namespace: [] for namespace in namespaces.values()}
    # The namespaces of the operations that have the same tags, each with the prefix that names lose there.
    known: dict[tuple[str, ...], dict[str, str]] = {}
    for operation, text, name in zip(operations, spelt, plain, strict=True):
        own = known.get(operation.tags)
        if own is None:
            own = known[operation.tags] = {}
            for tag in operation.tags:
                # If tags share a namespace, the first one counts.
                own.setdefault(namespaces[tag], prefixes[tag])
        for namespace, prefix in own.items():
            wanted[namespace].append(_without(name, prefix) if name.startswith(prefix) else name)
            texts[namespace].append(text)
    served = {namespace: iter(_free(names, (), texts[namespace])) for namespace, names in wanted.items()}
    return tuple([tuple([(namespace, next(served[namespace])) for namespace in known[one.tags]]) for one in operations])


def _without(name: str, prefix: str) -> str:
    rest = name.removeprefix(prefix)
    if not rest:
        return name
    # The rest of a name is a valid name, unless it begins with a digit or is a keyword.
    return rest if rest.isidentifier() and not keyword.iskeyword(rest) else identifier(rest)
