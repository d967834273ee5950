"""Formats of addresses: hosts, email addresses, URIs."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from functools import partial

from dynclient._deferred import expression

_LABEL = expression(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = expression(rf"{_ATOM}(?:\.{_ATOM})*|\"(?:[ !#-\[\]-~]|\\[ -~])*\"")
_VARIABLE = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?::[1-9][0-9]{0,3}|\*)?"
_TEMPLATE = expression(
    rf"(?:[^\x00-\x20\"%<>\\^`{{|}}\x7f]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
)
_MAX_HOST = 253
_MAX_LABEL = 63


def is_hostname(text: str) -> bool:
    """RFC 1123, 2.1, with the A-labels of RFC 5890 where a label is one."""
    return len(text) <= _MAX_HOST and all(map(_is_ldh, text.split(".")))


def _is_ldh(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    # RFC 5890, 2.3.1: two hyphens in the third and fourth place are reserved; `xn--` is the only use there is.
    if label[2:4] != "--":
        return True
    if label[:4].lower() != "xn--":
        return False
    try:
        plain = label[4:].lower()
        name = plain.encode("ascii").decode("punycode")
        return _is_u_label(name) and name.encode("punycode").decode("ascii") == plain
    except UnicodeError:
        return False


def is_idn_hostname(text: str) -> bool:
    """RFC 5890, 2.3.2.3: labels of letters, marks and digits of any script."""
    labels = re.split("[.\u3002\uff0e\uff61]", text)
    return len(text) <= _MAX_HOST and all(_is_ldh(label) or _is_u_label(label) for label in labels)


def _is_u_label(label: str) -> bool:
    """RFC 5891, 5.4, and RFC 5892 in short: normalized, no hyphen at an end, and only allowed characters."""
    if not label or label.isascii() or unicodedata.normalize("NFC", label) != label:
        return False
    if label.startswith("-") or label.endswith("-") or label[2:4] == "--" or unicodedata.category(label[0])[0] == "M":
        return False
    if not all(_may_stand(label, index) for index in range(len(label))):
        return False
    return len(label.encode("punycode")) + 4 <= _MAX_LABEL


_DISALLOWED = frozenset("\u302e\u302f\u0640\u07fa\u303b\u3031\u3032\u3033\u3034\u3035")
_ALLOWED = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")


def _may_stand(label: str, index: int) -> bool:
    character = label[index]
    rule = _CONTEXT.get(character)
    if rule is not None:
        return bool(rule(label, index))
    if character in _DISALLOWED:
        return False
    if "\u0660" <= character <= "\u0669":
        return not any("\u06f0" <= other <= "\u06f9" for other in label)
    return (
        character in _ALLOWED
        or character == "-"
        or unicodedata.category(character) in {"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"}
    )


def _is_script(character: str, *scripts: str) -> bool:
    return unicodedata.name(character, "").startswith(scripts)


def _joins(label: str, index: int) -> bool:
    return index > 0 and unicodedata.combining(label[index - 1]) == 9  # noqa: PLR2004 - a virama


def _parts(label: str, index: int) -> bool:
    """After a virama, or between letters that join: Python has no list of these letters, but Arabic ones join."""
    around = label[max(index - 1, 0) : index] + label[index + 1 : index + 2]
    return _joins(label, index) or (len(around) == 2 and all(unicodedata.bidirectional(c) == "AL" for c in around))  # noqa: PLR2004


# RFC 5892, Appendix A: characters that are allowed only in context.
_CONTEXT = {
    "\u00b7": lambda label, index: label[index - 1 : index] == "l" and label[index + 1 : index + 2] == "l",
    "\u0375": lambda label, index: index + 1 < len(label) and _is_script(label[index + 1], "GREEK"),
    "\u05f3": lambda label, index: index > 0 and _is_script(label[index - 1], "HEBREW"),
    "\u05f4": lambda label, index: index > 0 and _is_script(label[index - 1], "HEBREW"),
    "\u30fb": lambda label, _: any(_is_script(c, "HIRAGANA", "KATAKANA", "CJK") for c in label if c != "\u30fb"),
    "\u200c": _parts,
    "\u200d": _joins,
}


def is_email(text: str) -> bool:
    """RFC 5321, 4.1.2: Mailbox."""
    local, _, domain = text.rpartition("@")
    return len(local) <= 64 and _LOCAL.fullmatch(local) is not None and _is_mail_domain(domain)  # noqa: PLR2004


def _is_mail_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        return is_ipv6(literal[5:]) if literal[:5].lower() == "ipv6:" else is_ipv4(literal)
    return is_hostname(domain)


def is_idn_email(text: str) -> bool:
    """RFC 6531, 3.3: Mailbox with characters of any script."""
    local, _, domain = text.rpartition("@")
    plain = "".join(character if character.isascii() else "x" for character in local)
    named = _is_mail_domain(domain) or is_idn_hostname(unicodedata.normalize("NFC", domain))
    return _LOCAL.fullmatch(plain) is not None and named


def is_ipv4(text: str) -> bool:
    """RFC 2673, 3.2: dotted-quad, without leading zeros."""
    return _is_read_by(ipaddress.IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """RFC 4291, 2.2, without a zone."""
    return "%" not in text and _is_read_by(ipaddress.IPv6Address, text)


def _is_read_by(address: Callable[[str], object], text: str) -> bool:
    try:
        address(text)
    except ValueError:
        return False
    return True


def _reference(beyond: str = "", private: str = "") -> re.Pattern[str]:
    """The form of a reference, RFC 3986, 4.1; ``beyond`` and ``private`` are the characters that RFC 3987, 2.2 adds."""

    def some(more: str) -> str:
        return rf"(?:[A-Za-z0-9._~!$&'()*+,;={beyond}{more}-]|%[0-9A-Fa-f]{{2}})*"

    literal = r"\[(?:[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+|(?P<ipv6>[0-9A-Fa-f:.]+))\]"
    query = some(f":@/?{private}")
    return expression(
        # RFC 3986, 4.2: the first segment of a relative path holds no colon.
        r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):|(?![^/?#]*:))"
        rf"(?://(?:{some(':')}@)?(?:{literal}|{some('')})(?::[0-9]*)?(?=[/?#]|\Z)|(?!//))"
        rf"{some(':@/')}(?:\?{query})?(?:#{query})?"
    )


_URI = _reference()
_IRI = _reference(
    r"\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U000efffd",
    r"\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd",
)


def _is_reference(form: re.Pattern[str], text: str, *, absolute: bool = False) -> bool:
    found = form.fullmatch(text)
    if found is None or (absolute and not found["scheme"]):
        return False
    return found["ipv6"] is None or is_ipv6(found["ipv6"])


is_uri = partial(_is_reference, _URI, absolute=True)
is_uri_reference = partial(_is_reference, _URI)
is_iri = partial(_is_reference, _IRI, absolute=True)
is_iri_reference = partial(_is_reference, _IRI)


def is_uri_template(text: str) -> bool:
    """RFC 6570, 2."""
    return _TEMPLATE.fullmatch(text) is not None
