"""Values that look real, by the format and the name of a property: names, addresses, prices. They need faker.

Rule 1: the last words of a name decide: ``billingCity`` is a city, ``capacity`` is not.
Rule 2: the texts of one object are about one person: the mail address has the person's name.
Rule 3: hosts, mail addresses, IP addresses and telephone numbers are those reserved for examples and fiction.
Rule 4: the same key gives the same value in every run. Values are proposals, which the caller validates.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

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
Made = TypeVar("Made")


def _table(rows: Mapping[str, Made]) -> dict[str, Made]:
    """The names of each row, one by one."""
    return {name: made for names, made in rows.items() for name in names.split()}


def _day(fake: Faker) -> datetime:
    return _FIRST_DAY + timedelta(days=fake.random_int(0, _DAYS), seconds=fake.random_int(0, 86_399))


def _mail(fake: Faker, subject: Subject) -> str:
    return f"{subject.first}.{subject.last}@example.{fake.random_element(('com', 'net', 'org'))}".lower()


def _phone(fake: Faker, _: Subject) -> str:
    # 555-0100 to 555-0199 are kept for fiction in the North American Numbering Plan.
    return f"+1{fake.random_element(('202', '303', '404', '512', '617'))}55501{fake.random_int(0, 99):02}"


def _full_name(_: Faker, subject: Subject) -> str:
    return f"{subject.first} {subject.last}"


def _link(fake: Faker, _: Subject) -> str:
    return f"https://example.com/{fake.slug()}"


def _picture(fake: Faker, _: Subject) -> str:
    return f"https://example.com/{fake.word()}.png"


def _moment(fake: Faker, _: Subject) -> str:
    return _day(fake).strftime("%Y-%m-%dT%H:%M:%SZ")


def _thing(fake: Faker, _: Subject) -> str:
    return f"{fake.safe_color_name()} {fake.word()}".title()


# The name of something, by the last word of its kind.
_NAMES: Mapping[str, Make] = _table(
    {
        "account actor admin assignee author candidate client contact creator customer driver employee": _full_name,
        "holder member owner passenger patient payer people person player profile recipient reviewer": _full_name,
        "guest seller sender student teacher user": _full_name,
        "brand business company employer manufacturer merchant organisation organization": lambda fake, _: (
            fake.company()
        ),
        "shop store supplier tenant vendor": lambda fake, _: fake.company(),
        "animal cat dog horse pet": lambda fake, _: fake.first_name(),
        "city location place region venue": lambda fake, _: fake.city(),
    }
)

# By format; an unknown one is left to the caller.
_FORMATS: Mapping[str, Make] = {
    "date": lambda fake, _: _day(fake).strftime("%Y-%m-%d"),
    "date-time": _moment,
    "email": _mail,
    "hostname": lambda fake, _: f"{fake.word()}.example.com",
    "idn-email": _mail,
    "ipv4": lambda fake, _: f"198.51.100.{fake.random_int(1, 254)}",
    "ipv6": lambda fake, _: f"2001:db8::{fake.random_int(1, 65_535):x}",
    "phone": _phone,
    "time": lambda fake, _: _day(fake).strftime("%H:%M:%SZ"),
    "uri": _link,
    "url": _link,
    "uuid": lambda fake, _: str(fake.uuid4()),
}


# Of texts, by the last words of the name, written together.
_TEXTS = _table(
    {
        "firstname givenname forename": lambda _, subject: subject.first,
        "lastname surname familyname": lambda _, subject: subject.last,
        "fullname realname displayname contactname cardholder": _full_name,
        "username login nickname handle screenname": lambda fake, subject: (
            f"{subject.first}{subject.last[:1]}{fake.random_int(1, 99)}".lower()
        ),
        "mail email emailaddress": _mail,
        "phone phonenumber telephone tel mobile fax msisdn": _phone,
        "street streetaddress address addressline line": lambda fake, _: fake.street_address(),
        "city town locality": lambda fake, _: fake.city(),
        "state province region county": lambda fake, _: fake.state(),
        "zip zipcode postalcode postcode": lambda fake, _: fake.postcode(),
        "country countryname": lambda fake, _: fake.country(),
        "countrycode": lambda fake, _: fake.country_code(),
        "currency currencycode": lambda fake, _: fake.currency_code(),
        "company companyname organization organisation vendor brand employer merchant": lambda fake, _: fake.company(),
        "job jobtitle occupation profession": lambda fake, _: fake.job(),
        "price amount total cost fee balance": lambda fake, _: f"{fake.random_int(100, 99_999) / 100:.2f}",
        "title subject headline caption": lambda fake, _: fake.sentence(4).rstrip("."),
        "description summary comment bio about note notes reason": lambda fake, _: fake.sentence(9),
        "body content text message review": lambda fake, _: fake.paragraph(2),
        "slug": lambda fake, _: fake.slug(),
        "color colour": lambda fake, _: fake.safe_color_name(),
        "language": lambda fake, _: fake.language_code(),
        "locale": lambda fake, _: fake.locale().replace("_", "-"),
        "timezone": lambda fake, _: fake.timezone(),
        "iban": lambda fake, _: fake.iban(),
        "sku productcode": lambda fake, _: fake.bothify("???-####").upper(),
        "ean barcode gtin": lambda fake, _: fake.ean13(),
        "isbn": lambda fake, _: fake.isbn13(),
        "filename": lambda fake, _: fake.file_name(),
        "version": lambda fake, _: f"{fake.random_int(0, 9)}.{fake.random_int(0, 20)}.{fake.random_int(0, 9)}",
        "url uri link website homepage href": _link,
        "avatar image picture photo thumbnail logo icon": _picture,
        "host hostname domain": lambda fake, _: f"{fake.word()}.example.com",
        "ip ipaddress": lambda fake, _: f"198.51.100.{fake.random_int(1, 254)}",
        "id sid uid key": lambda fake, _: fake.hexify("^" * 16),
        "uuid guid": lambda fake, _: str(fake.uuid4()),
        "sha hash checksum digest": lambda fake, _: fake.sha1(),
        "date birthday": lambda fake, _: _day(fake).strftime("%Y-%m-%d"),
        "createdat updatedat timestamp datetime": _moment,
    }
)
_NUMBERS = _table(
    {
        "price amount total subtotal cost fee balance tax salary discount revenue": lambda fake, _: (
            fake.random_int(100, 99_999) / 100
        ),
        "age": lambda fake, _: fake.random_int(18, 90),
        "quantity count stock qty": lambda fake, _: fake.random_int(1, 50),
        "latitude lat": lambda fake, _: fake.random_int(-900_000, 900_000) / 10_000,
        "longitude lng lon": lambda fake, _: fake.random_int(-1_800_000, 1_800_000) / 10_000,
        "rating stars": lambda fake, _: fake.random_int(10, 50) / 10,
        "percent percentage score": lambda fake, _: fake.random_int(0, 100),
        "year": lambda fake, _: fake.random_int(1990, 2030),
        "month": lambda fake, _: fake.random_int(1, 12),
        "day": lambda fake, _: fake.random_int(1, 28),
        "timestamp created updated createdat updatedat": lambda fake, _: int(_day(fake).timestamp()),
        "id number": lambda fake, _: fake.random_int(1_000, 999_999),
    }
)
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
    if format_ is not None and format_ not in _FORMATS:
        return
    make = _FORMATS[format_] if format_ is not None else _found(_TEXTS, words_of(name))
    if format_ is None and words_of(name)[-1:] == ("name",) and make is None:
        make = _found(_NAMES, (*words_of(owner), *words_of(name)[:-1])) or _thing
    if make is not None:
        yield str(_made(make, person, key))
    if format_ is None:
        yield str(_made(lambda fake, _: " ".join(fake.words(2)), person, key))


def number(name: str, person: str, key: str, *, whole: bool) -> int | float:
    """Propose a number for a property."""
    make = _found(_NUMBERS, words_of(name)) or (lambda fake, _: fake.random_int(100, 99_999) / 100)
    found = _made(make, person, key)
    return int(found) if whole else float(found)
