"""The WWW-Authenticate header: challenges, each a scheme with its parameters (RFC 9110, 11.6.1).

Challenges and parameters are separated by the same comma, and several header lines are one list: so it is read word by
word. What is malformed ends the reading; the challenges before it count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.http_grammar import TOKEN

_SEPARATORS = expression(r"[ \t,]*")
_TOKEN = expression(TOKEN)
_PARAMETER = expression(rf"""({TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+))[ \t]*(?=,|$)""")
_TOKEN68 = expression(r"[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")


class Challenge(Record):
    """One challenge: its scheme in lower case, and its parameters by name in lower case.

    The value of a quoted parameter is what stands between the quotes, its backslashes kept.
    """

    scheme: str
    parameters: Mapping[str, str]


def challenges(lines: Iterable[str]) -> list[Challenge]:
    """Read the lines of a WWW-Authenticate header."""
    return [challenge for line in lines for challenge in _of_line(line)]


def _of_line(line: str) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    place = 0
    while True:
        place = _end(_SEPARATORS, line, place)
        parameter = _PARAMETER.match(line, place) if found else None
        if parameter is not None:
            quoted, plain = parameter[2], parameter[3]
            found[-1][1].setdefault(parameter[1].lower(), quoted if quoted is not None else plain)
            place = parameter.end()
            continue
        scheme = _TOKEN.match(line, place)
        if scheme is None:
            return [Challenge(*one) for one in found]
        found.append((scheme[0].lower(), {}))
        place = _end(_TOKEN68, line, scheme.end())


def _end(pattern: re.Pattern[str], line: str, place: int) -> int:
    match = pattern.match(line, place)
    return match.end() if match else place
