"""Convert names in a document to Python names.

Rule 1: the same text gives the same name, on every machine and in every run.
Rule 2: a name is an identifier in NFKC (PEP 3131), at most 120 characters, never a keyword, and never begins or ends
with two underscores.
Rule 3: Latin letters are written in ASCII, those of other scripts are kept. Letters and digits that no identifier may
have, and a text without any, add a short hash of the text, so that names stay distinct.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count

from dynclient._deferred import expression

MAX_LENGTH = 120
_HASH_LENGTH = 6
_ALL_BUT_EQUAL = 0.9

# Latin letters that NFKD does not decompose.
_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T"}
    | {"\u0131": "i"}
)
# Invisible characters of identifiers (Default_Ignorable_Code_Point): names must not differ only in these.
_INVISIBLE = expression("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_SIGNED_NUMBER = expression(r"([+-])(?=[0-9])")
_SIGNS = {"+": "plus ", "-": "minus "}
# A word ends before a capital that follows no capital, and an acronym before the last of its capitals where a small
# letter follows that (HTTP|Status), unless the letter makes it a plural (IDs).
_WORD = expression(r"[A-Z]+(?:s(?![a-z])|(?![a-z]))[a-z0-9]*|[A-Z]?[a-z0-9]+")


def identifier(text: str) -> str:
    """Convert to a snake_case name: ``updateCallBXML`` -> ``update_call_bxml``, ``page[size]`` -> ``page_size``.

    A Python keyword gets a trailing underscore (``from_``), a leading digit a leading one (``_2fa``).
    """
    return _valid("_".join(_words(text)).lower(), text)


def class_name(text: str) -> str:
    """Convert to a PascalCase name, keeping acronyms: ``create_call`` -> ``CreateCall``, ``BXMLUrl`` stays."""
    return _valid("".join(word[0].upper() + word[1:] for word in _words(text)), text)


def distinct(names: Iterable[str], taken: Collection[str] = (), texts: Sequence[str] | None = None) -> list[str]:
    """Make names differ from each other and from those taken, by the suffixes ``_2``, ``_3``, ….

    ``texts`` are what the names were made of: a name that is its own text is given first, since it is the document's
    own. Of equal names, the first one then stays as it is. A name with a suffix is never equal to another name in the
    list.
    """
    wanted = list(names)
    used = set(taken)
    reserved = {*wanted, *used}
    if len(reserved) == len(wanted) + len(used):
        return wanted
    order = range(len(wanted))
    # The next number for each name: without it, thousands of equal names would take quadratic time.
    numbers: dict[str, Iterator[int]] = {}
    for index in order if texts is None else sorted(order, key=lambda index: wanted[index] != texts[index]):
        name = wanted[index]
        if name in used:
            wanted[index] = name = _suffixed(name, reserved, numbers.setdefault(name, count(2)))
        used.add(name)
        reserved.add(name)
    return wanted


def near(name: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """Suggest candidates that the caller may have meant, the nearest first."""
    import difflib

    by_key: dict[str, str] = {}
    for candidate in candidates:
        by_key.setdefault(_key(candidate), candidate)
    wanted = _key(name[:MAX_LENGTH])
    found = difflib.get_close_matches(wanted, by_key, n=limit, cutoff=0.6)
    # If one differs only slightly, names that are merely similar are not suggested.
    if found and difflib.SequenceMatcher(None, found[0], wanted).ratio() > _ALL_BUT_EQUAL:
        return [by_key[found[0]]]
    if len(wanted) > 2:  # noqa: PLR2004 - a letter or two stand in almost every name
        found += [key for key in by_key if wanted in key and key not in found]
    return [by_key[key] for key in found[:limit]]


def did_you_mean(name: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """Ask whether candidates near to a name were meant; ``otherwise`` where none is near."""
    matches = near(name, candidates)
    return f"did you mean {' or '.join(matches)}?" if matches else otherwise


def _words(text: str) -> list[str]:
    """Split into words; if characters are lost, a hash is added."""
    signed = _SIGNED_NUMBER.sub(lambda sign: _SIGNS[sign[1]], text, count=1) if text[:1] in _SIGNS else text
    if signed.isascii():
        words, lost = _WORD.findall(signed), False
    else:
        words, lost = _words_of_scripts(signed)
    return [*(words or ["x"]), _digest(text)] if lost or not words else words


def _words_of_scripts(text: str) -> tuple[list[str], bool]:
    """Split a text of any script, and return whether letters or digits were lost."""
    from unicodedata import category, normalize

    kept: list[str] = []
    shadow: list[str] = []
    lost = False
    for character in _INVISIBLE.sub(" ", normalize("NFKC", text)).translate(_LETTERS):
        base = normalize("NFKD", character)[0]
        if base.isascii():
            character = base  # noqa: PLW2901  # without its accents
        elif category(character)[0] == "M" and (not kept or kept[-1].isascii() or shadow[-1] == " "):
            continue  # a combining mark without its letter
        valid = f"a{character}".isidentifier()
        lost = lost or (not valid and category(character)[0] in "LN")
        kept.append(character)
        # Words end where the case changes, in every script that has one.
        shadow.append(character if character.isascii() else " " if not valid else "A" if character.isupper() else "a")
    whole = "".join(kept)
    return [normalize("NFKC", whole[found.start() : found.end()]) for found in _WORD.finditer("".join(shadow))], lost


def _valid(name: str, text: str) -> str:
    """Make a name valid: normalized, not too long, not starting with a digit, not a keyword."""
    if not name.isascii():
        from unicodedata import normalize

        name = normalize("NFKC", name)
    if not name.isidentifier():
        name = f"_{name}"
    if len(name) > MAX_LENGTH:
        name = f"{name[: MAX_LENGTH - _HASH_LENGTH - 1].rstrip('_')}_{_digest(text)}"
    return f"{name}_" if keyword.iskeyword(name) else name


def _suffixed(name: str, reserved: Collection[str], numbers: Iterator[int]) -> str:
    while True:
        suffix = f"_{next(numbers)}"
        candidate = name[: MAX_LENGTH - len(suffix)].rstrip("_") + suffix
        if candidate not in reserved:
            return candidate


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
