"""The table of styles: what a parameter looks like, by its location and its style.

A row is an expression of RFC 6570 (3.2.1) in numbers, widened by the delimiters of OpenAPI. With ``explode`` the items
of an array and the pairs of an object are joined by ``separator``; without, their texts by ``delimiter``.
"""

from __future__ import annotations

import re

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient._styles.texts import COOKIE, FORM, HEADER, PERCENT, QUERY, RAW, RAW_COOKIE, Writing


class Delimiter(Record):
    """What stands between texts without ``explode``: as it is written, and the pattern that finds it when reading.

    ``guard`` is a character that no item may hold, since within a value it would be encoded just like the delimiter.
    """

    text: str
    cut: re.Pattern[str]
    guard: str = ""


COMMA = Delimiter(",", expression(","))
# OAS 3.2, appendix E: these have to be percent-encoded even as delimiters, so a value can't hold them.
SPACE = Delimiter("%20", expression(r"%20|[+ ]"), " ")
PIPE = Delimiter("%7C", expression(r"%7[Cc]|\|"), "|")
TAB = Delimiter("%09", expression(r"%09|\t"), "\t")
# In a header nothing is encoded.
PLAIN_SPACE = Delimiter(" ", expression(" "), " ")
PLAIN_PIPE = Delimiter("|", expression(r"\|"), "|")
PLAIN_TAB = Delimiter("\t", expression("\t"), "\t")


class Style(Record):
    """One row: how the parameters of a location and a style are written.

    ``named`` tells that the parameter's name is written before its value, ``bare`` that a name stands without ``=``
    where the value is empty. ``reserved`` are the characters that ``allowReserved`` keeps.
    """

    writing: Writing
    separator: str
    first: str = ""
    named: bool = False
    bare: bool = False
    delimiter: Delimiter = COMMA
    reserved: str = ""
    deep: bool = False


# RFC 3986, 3.3 and 3.4: what may stand in a path segment and in a query. Of those, a query that is a form keeps neither
# & nor + (WHATWG URL, 5), and # [ ] are not lawful in it at all.
_IN_PATH = "@:!$&'()*+"
_IN_QUERY = ":/?@!$'()*,;="
# RFC 6265, 4.1.1: a cookie's value has no comma and no semicolon.
_IN_COOKIE = ":/?#[]@!$&'()*+="

_PATH_SIMPLE = Style(PERCENT, ",", reserved=_IN_PATH + ",;=")
_LABEL = Style(PERCENT, ".", first=".", reserved=_IN_PATH)
_MATRIX = Style(PERCENT, ";", first=";", named=True, bare=True, reserved=_IN_PATH)
_QUERY = Style(QUERY, "&", named=True, reserved=_IN_QUERY)
_FORM = Style(FORM, "&", named=True, reserved=_IN_QUERY)
_HEADER = Style(HEADER, ",")
_COOKIE = Style(COOKIE, "; ", named=True, reserved=_IN_COOKIE)
_FIELD = Style(RAW, "&", named=True)

# OAS 2.0, Parameter Object, collectionFormat: ssv, pipes and tsv are for any location.
STYLES: dict[tuple[str, str], Style] = {
    ("path", "matrix"): _MATRIX,
    ("path", "label"): _LABEL,
    ("path", "simple"): _PATH_SIMPLE,
    ("path", "spaceDelimited"): _PATH_SIMPLE._replace(delimiter=SPACE),
    ("path", "pipeDelimited"): _PATH_SIMPLE._replace(delimiter=PIPE),
    ("path", "tabDelimited"): _PATH_SIMPLE._replace(delimiter=TAB),
    ("query", "form"): _QUERY,
    ("query", "spaceDelimited"): _QUERY._replace(delimiter=SPACE),
    ("query", "pipeDelimited"): _QUERY._replace(delimiter=PIPE),
    ("query", "tabDelimited"): _QUERY._replace(delimiter=TAB),
    ("query", "deepObject"): _QUERY._replace(deep=True),
    ("form", "form"): _FORM,
    ("form", "spaceDelimited"): _FORM._replace(delimiter=SPACE),
    ("form", "pipeDelimited"): _FORM._replace(delimiter=PIPE),
    ("form", "tabDelimited"): _FORM._replace(delimiter=TAB),
    ("form", "deepObject"): _FORM._replace(deep=True),
    ("header", "simple"): _HEADER,
    ("header", "spaceDelimited"): _HEADER._replace(delimiter=PLAIN_SPACE),
    ("header", "pipeDelimited"): _HEADER._replace(delimiter=PLAIN_PIPE),
    ("header", "tabDelimited"): _HEADER._replace(delimiter=PLAIN_TAB),
    # OAS 3.2, Serialization and Examples: for cookies, neither & nor ? are ever correct.
    ("cookie", "form"): _COOKIE,
    ("cookie", "cookie"): _COOKIE._replace(writing=RAW_COOKIE),
    # OAS 3.2, Encoding Object: in multipart/form-data a name and a value each go where they go, as they are.
    ("field", "form"): _FIELD,
    ("field", "spaceDelimited"): _FIELD._replace(delimiter=PLAIN_SPACE),
    ("field", "pipeDelimited"): _FIELD._replace(delimiter=PLAIN_PIPE),
    ("field", "tabDelimited"): _FIELD._replace(delimiter=PLAIN_TAB),
    ("field", "deepObject"): _FIELD._replace(deep=True),
}
