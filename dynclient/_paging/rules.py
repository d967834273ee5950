"""A rule says how a list is paginated. It is written in ``by=``, in options, in documents and in overlays.

Rule 1: a rule is text, so that it can be shown, corrected and passed back. Its grammar, where PATH is a small path such
as ``$.data[-1].id``, and IN is ``query``, ``header``, ``path``, ``cookie`` or ``body`` (whose NAME may be a path):

    next = "Link rel=next"                      the URL of that link header
         | "url <- SOURCE"                      the URL that the response has there
         | "IN NAME <- SOURCE; ..."             a token (or several) that the next request repeats
         | "IN NAME + 1"                        the number of a page
         | "IN NAME + items"                    the number of items before
    SOURCE = PATH | "header NAME"

Rule 2: declared rules are used; guessed ones only if the caller passes them explicitly.
Rule 3: a PATH leads to one value: ``$.data[-1].id``, ``$['@odata.nextLink']``, ``$.links[rel=next].href``. Negative
indices count from the end; ``[name=text]`` is the first object of an array whose member has that text. It has no
wildcards. A path without a target is not an error: the value is MISSING.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import index
from typing import Any, Literal

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError, DocumentLocation
from dynclient.json_pointer import MISSING

Keys = tuple[str | int | tuple[str, str], ...]
"""A path as its names, indices, and pairs of a member's name and its text."""

_PART = expression(
    r"\.([^.\[\]'\"\s]+)|\[(-?[0-9]{1,9})\]|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([\w-]{1,99})=([\w-]{1,99})\]"
)
_NAME = expression(r"[^.\[\]'\"\s@]+")


@lru_cache(maxsize=256)
def path_keys(path: str) -> Keys:
    """Read a path; without its ``$.`` it begins with a name.

    Raises:
        ValueError: it is not a path.
    """
    rest = path[1:] if path[:1] == "$" else path if path[:1] == "[" else f".{path}"
    keys: list[str | int | tuple[str, str]] = []
    position = 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f"{path!r} is not a path such as $.data[-1].id or $['next link']")
        name, index, single, double, member, text = part.groups()
        keys.append((member, text) if member else int(index) if index else name or single or double or "")
        position = part.end()
    return tuple(keys)


def path_text(keys: Keys) -> str:
    """Write a path: the reverse of :func:`path_keys`."""
    texts = []
    for key in keys:
        if isinstance(key, int):
            texts.append(f"[{key}]")
        elif isinstance(key, tuple):
            texts.append(f"[{key[0]}={key[1]}]")
        elif _NAME.fullmatch(key):
            texts.append(f".{key}")
        else:
            texts.append(f'["{key}"]' if "'" in key else f"['{key}']")
    return "$" + "".join(texts)


def value_at(value: Any, keys: Keys) -> Any:
    """Return the value that a path leads to, or MISSING. An object that ``convert=`` made is read by its attributes."""
    for key in keys:
        if isinstance(key, int):
            if not isinstance(value, (list, tuple)) or not -len(value) <= key < len(value):
                return MISSING
            value = value[key]
        elif isinstance(key, tuple):
            members = value if isinstance(value, (list, tuple)) else ()
            value = next((each for each in members if value_at(each, key[:1]) == key[1]), MISSING)
        elif type(value) is dict or isinstance(value, Mapping):
            value = value.get(key, MISSING)
        else:
            # An object made by `convert`.
            is_plain = type(value).__module__ == "builtins" or key.startswith("_")
            value = MISSING if is_plain else getattr(value, key, MISSING)
        if value is MISSING:
            return MISSING
    return value


Confidence = Literal["certain", "likely", "guess", "unclear"]

LINK = "Link rel=next"
MEMBERS = ("items", "next", "more", "total", "last", "size", "start")
"""The members of a rule, as in ``by=`` and ``x-pagination``."""

_TARGET = expression(r"(query|header|path|cookie|body) (\S(?:.*\S)?)")
_LINK_RULE = expression(r"(?i)link(?:\s*:)?(?:\s+(?:header\s+)?rel\s*=\s*\"?next\"?)?")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The source of a part of a rule: the reason, and the location in the document."""

    reason: str
    location: DocumentLocation | None = None

    def __str__(self) -> str:
        return f"{self.reason} ({self.location})" if self.location is not None else self.reason


@dataclass(frozen=True, slots=True)
class Pagination:
    """How the list of an operation is paginated.

    ``items`` is the path of the items in a response, None if that is unclear. ``next`` describes the next request, None
    if that is unclear. ``more`` is the path of a boolean; with ``not`` before it, true means the end. ``total`` is the
    path of the total number of items, ``last`` of the number of pages. ``size`` is the parameter for the number of
    items on a page, ``start`` the number of the first page or item, or the path of it in the first answer.

    ``confidence`` is that of ``next``: ``certain`` and ``likely`` are used, ``guess`` and ``unclear`` only if the
    caller confirms them. ``key`` is the operation's method and path.
    """

    items: str | None = None
    next: str | None = None
    more: str | None = None
    total: str | None = None
    last: str | None = None
    size: str | None = None
    start: int | str | None = None
    confidence: Confidence = "unclear"
    evidence: tuple[Evidence, ...] = ()
    key: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether pages can be requested without confirmation by the caller."""
        return self.next is not None and self.confidence in {"certain", "likely"}

    def rule(self) -> dict[str, Any]:
        """The known members, in the form of ``by=``."""
        found = ((name, getattr(self, name)) for name in MEMBERS)
        return {name: value for name, value in found if value is not None}

    def to_overlay(self) -> dict[str, Any]:
        """An Overlay 1.1 document that writes the rule into the operation, to be corrected and loaded with it."""
        method, _, path = self.key.partition(" ")
        quoted = path.replace("\\", "\\\\").replace("'", "\\'")
        target = f"$.paths['{quoted}'].{method.lower()}"
        reasons = "; ".join(str(each) for each in self.evidence)
        action = {"target": target, "description": reasons, "update": {"x-pagination": self.rule()}}
        return {
            "overlay": "1.1.0",
            "info": {"title": f"How {self.key} is paginated", "version": "1"},
            "actions": [action if reasons else {name: action[name] for name in ("target", "update")}],
        }

    def __str__(self) -> str:
        known = ", ".join(f"{name} {value}" for name, value in self.rule().items() if name != "next")
        first = f"{self.next} ({self.confidence})" if self.next else "unclear how the next page is requested"
        return "\n".join([", ".join(filter(None, (first, known))), *(f"  {each}" for each in self.evidence)])


class Target(Record):
    """The location of a value in a request: a parameter by ``in`` and name, or a member of the body by its path."""

    in_: str
    name: str
    keys: Keys = ()


class Next(Record):
    """A rule's ``next``, parsed.

    ``kind`` is ``link``, ``url``, ``token``, ``page`` or ``offset``. ``sources`` has, for each target, the keys of a
    path, or the name of a response header.
    """

    kind: str
    targets: tuple[Target, ...] = ()
    sources: tuple[Keys | str, ...] = ()


@lru_cache(maxsize=256)
def read_next(text: str) -> Next:
    """Read a rule's ``next``.

    Raises:
        ValueError: it is not one of the forms above.
    """
    text = text.strip()
    if _LINK_RULE.fullmatch(text):
        return Next("link")
    counted, plus, by = (each.strip() for each in text.rpartition("+"))
    if plus and by in {"1", "items"}:
        return Next("page" if by == "1" else "offset", (read_target(counted),))
    targets, sources = [], []
    for part in text.split(";"):
        target, arrow, source = (each.strip() for each in part.partition("<-"))
        if not arrow:
            raise ValueError(f"{text!r} is not a rule such as {LINK!r}, 'url <- $.next' or 'query page + 1'")
        sources.append(_read_source(source))
        if target == "url":
            return Next("url", (), tuple(sources))
        targets.append(read_target(target))
    return Next("token", tuple(targets), tuple(sources))


def _read_source(text: str) -> Keys | str:
    word, _, name = text.partition(" ")
    return name.strip().lower() if word == "header" and name else path_keys(text)


@lru_cache(maxsize=256)
def read_target(text: str) -> Target:
    """Read the location of a value in a request, such as ``query page``; a bare name is in the query.

    Raises:
        ValueError: there is no such location.
    """
    found = _TARGET.fullmatch(text if " " in text else f"query {text}")
    if found is None:
        raise ValueError(
            f"{text!r} is not a location in a request such as 'query page', 'header X-Token' or 'body page'"
        )
    in_, name = found.groups()
    return Target(in_, name, path_keys(name) if in_ == "body" else ())


def checked(rule: Any, argument: str) -> dict[str, Any]:
    """Check a rule in the form of ``by=``; members that are None are left out.

    Raises:
        ArgumentError: it has other members, or one that can't be read.
    """
    if not isinstance(rule, Mapping) or not set(rule) <= set(MEMBERS):
        shown = sorted(set(rule) - set(MEMBERS)) if isinstance(rule, Mapping) else type(rule).__name__
        raise ArgumentError(
            f"{argument} must be a mapping with any of {', '.join(MEMBERS)}, not {shown!r}", argument=argument
        )
    found = {name: value for name, value in rule.items() if value is not None}
    for name, value in found.items():
        try:
            _READERS.get(name, _check_path)(value)
        except ValueError as error:
            raise ArgumentError(f"{argument}: {name} can't be read: {error}", argument=argument) from None
        except (AttributeError, TypeError):
            raise ArgumentError(f"{argument}: {name} can't be {value!r}", argument=argument) from None
    return found


def _check_path(text: str) -> object:
    return path_keys(text.removeprefix("not "))


def _check_start(value: Any) -> object:
    return path_keys(value) if isinstance(value, str) and value.startswith("$") else index(value)


_READERS: Mapping[str, Any] = {"next": read_next, "size": read_target, "start": _check_start}


def changed(found: Pagination, rule: Mapping[str, Any], reason: Evidence) -> Pagination:
    """A rule with explicit members, which are certain."""
    confidence: Confidence = "certain" if "next" in rule else found.confidence
    evidence = (reason,) if "next" in rule and "items" in rule else (reason, *found.evidence)
    if "next" in rule and found.next != rule["next"]:
        # The next request follows another rule now: the detected `more` would end it too early.
        found = replace(found, more=None, total=None, last=None, start=None)
    return replace(found, **rule, confidence=confidence, evidence=evidence)
