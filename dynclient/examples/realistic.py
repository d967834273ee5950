"""Values that look real, by the format and the name of a property: names, addresses, prices. They need faker.

Rule 1: the last words of a name decide: ``billingCity`` is a city, ``capacity`` is not.
Rule 2: the texts of one object are about one person: the mail address has the person's name.
Rule 3: hosts, mail addresses, IP addresses and telephone numbers are those reserved for examples and fiction.
Rule 4: the same key gives the same value in every run. Values are proposals, which the caller validates.
"""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynclient._records import Record

if TYPE_CHECKING:
    from faker import Faker

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_LONGEST_NAME = 200
_FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
_DAYS = 900


class Subject(Record):
    """The person that an object is about."""

    first: str
    last: str


Make = Callable[["Faker", Subject], Any]


def _day(fake: Faker) -> datetime:
    return _FIRST_DAY + timedelta(days=fake.random_int(0, _DAYS), seconds=fake.random_int(0, 86_399))


_OWN: Mapping[str, Make] = {
    "first": lambda _, subject: subject.first,
    "last": lambda _, subject: subject.last,
    "full_name": lambda _, subject: f"{subject.first} {subject.last}",
    "login": lambda fake, subject: f"{subject.first}{subject.last[:1]}{fake.random_int(1, 99)}".lower(),
    "mail": lambda fake, subject: (
        f"{subject.first}.{subject.last}@example.{fake.random_element(('com', 'net', 'org'))}".lower()
    ),
    # 555-0100 to 555-0199 are kept for fiction in the North American Numbering Plan.
    "phone": lambda fake, _: (
        f"+1{fake.random_element(('202', '303', '404', '512', '617'))}55501{fake.random_int(0, 99):02}"
    ),
    "price": lambda fake, _: f"{fake.random_int(100, 99_999) / 100:.2f}",
    "heading": lambda fake, _: fake.sentence(4).rstrip("."),
    "locale": lambda fake, _: fake.locale().replace("_", "-"),
    "sku": lambda fake, _: fake.bothify("???-####").upper(),
    "version": lambda fake, _: f"{fake.random_int(0, 9)}.{fake.random_int(0, 20)}.{fake.random_int(0, 9)}",
    "link": lambda fake, _: f"https://example.com/{fake.slug()}",
    "picture": lambda fake, _: f"https://example.com/{fake.word()}.png",
    "host": lambda fake, _: f"{fake.word()}.example.com",
    "ipv4": lambda fake, _: f"198.51.100.{fake.random_int(1, 254)}",
    "ipv6": lambda fake, _: f"2001:db8::{fake.random_int(1, 65_535):x}",
    "id": lambda fake, _: fake.hexify("^" * 16),
    "uuid": lambda fake, _: str(fake.uuid4()),
    "day": lambda fake, _: _day(fake).strftime("%Y-%m-%d"),
    "moment": lambda fake, _: _day(fake).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "time": lambda fake, _: _day(fake).strftime("%H:%M:%SZ"),
    "thing": lambda fake, _: f"{fake.safe_color_name()} {fake.word()}".title(),
    "amount": lambda fake, _: fake.random_int(100, 99_999) / 100,
    "latitude": lambda fake, _: fake.random_int(-900_000, 900_000) / 10_000,
    "longitude": lambda fake, _: fake.random_int(-1_800_000, 1_800_000) / 10_000,
    "rating": lambda fake, _: fake.random_int(10, 50) / 10,
    "seconds": lambda fake, _: int(_day(fake).timestamp()),
}


@cache
def _table(name: str) -> Mapping[str, Make]:
    """The functions of a table, by the words that lead to them."""

    def maker(text: str) -> Make:
        method, *arguments = text.split()
        return _OWN.get(method) or (lambda fake, _: getattr(fake, method)(*map(int, arguments)))

    tables = tomllib.loads(Path(__file__).with_name("realistic.toml").read_text("utf-8"))
    return {word: maker(text) for text, words in tables[name].items() for word in words.split()}


_MOST_WORDS = 2


def is_installed() -> bool:
    """Whether faker is installed."""
    return find_spec("faker") is not None


@cache
def _faker() -> Faker:
    from faker import Faker

    return Faker("en_US")


_lock = threading.Lock()


def _found(table: Mapping[str, Make], words: tuple[str, ...]) -> Make | None:
    endings = ["".join(words[-count:]) for count in range(min(_MOST_WORDS, len(words)), 0, -1)]
    # The items of a list of them have its name: `photoUrls`.
    endings += [ending.removesuffix("s") for ending in endings]
    return next((table[ending] for ending in endings if ending in table), None)


def _made(make: Make, person: str, key: str) -> Any:
    with _lock:
        fake = _faker()
        fake.seed_instance(person)
        first, last = fake.first_name(), fake.last_name()
        fake.seed_instance(key)
        return make(fake, Subject(first, last))


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case, without numbers at its end."""
    words = [word.lower() for word in _WORD.findall(name[:_LONGEST_NAME])]
    return tuple(words[:-1] if words and words[-1].isdecimal() else words)


def texts(name: str, owner: str, format_: str | None, person: str, key: str) -> Iterator[str]:
    """Yield texts for a property, the likeliest first.

    ``owner`` is the name of its object's schema; ``person`` and ``key`` seed what the object shares, and the value.
    """
    if format_ is not None and format_ not in _table("formats"):
        return
    make = _table("formats")[format_] if format_ is not None else _found(_table("texts"), words_of(name))
    if format_ is None and words_of(name)[-1:] == ("name",) and make is None:
        make = _found(_table("kinds"), (*words_of(owner), *words_of(name)[:-1])) or _OWN["thing"]
    if make is not None:
        yield str(_made(make, person, key))
    if format_ is None:
        yield str(_made(lambda fake, _: " ".join(fake.words(2)), person, key))


def number(name: str, person: str, key: str, *, whole: bool) -> int | float:
    """Propose a number for a property."""
    make = _found(_table("numbers"), words_of(name)) or _OWN["amount"]
    found = _made(make, person, key)
    return int(found) if whole else float(found)
