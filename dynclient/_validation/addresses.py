"""Formats of addresses: hosts, email addresses, URIs."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from dynclient._expressions import expression

_LABEL = expression(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_IPV4 = expression(
    r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = expression(rf"{_ATOM}(?:\.{_ATOM})*|\"(?:[ !#-\[\]-~]|\\[ -~])*\"")
_VARIABLE = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:\.?(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2}))*(?::[1-9][0-9]{0,3}|\*)?"
_TEMPLATE = expression(
    rf"(?:[^\x00-\x20\"%<>\\^`{{|}}\x7f]|%[0-9A-Fa-f]{{2}}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
)
# RFC 3986, 3: the parts of a URI by their characters; RFC 3987, 2.2 adds what is not ASCII.
_SCHEME = expression(r"[A-Za-z][A-Za-z0-9+.-]*")
_PARTS = expression(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_TEXT = r"[A-Za-z0-9._~!$&'()*+,;=:@/{more}-]|%[0-9A-Fa-f]{{2}}"
_PATH = expression(f"(?:{_TEXT.format(more='')})*")
_QUERY = expression(f"(?:{_TEXT.format(more='?')})*")
_BEYOND = r"\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U000efffd"
_PRIVATE = r"\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_IRI_PATH = expression(f"(?:{_TEXT.format(more=_BEYOND)})*")
_IRI_QUERY = expression(f"(?:{_TEXT.format(more='?' + _BEYOND + _PRIVATE)})*")
_USER = expression(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*")
_IRI_USER = expression(rf"(?:[A-Za-z0-9._~!$&'()*+,;=:{_BEYOND}-]|%[0-9A-Fa-f]{{2}})*")
_FUTURE = expression(r"[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+")
_MAX_HOST = 253
_MAX_LABEL = 63


def is_hostname(text: str) -> bool:
    """RFC 1123, 2.1, with the A-labels of RFC 5890 where a label is one."""
    if not text or len(text) > _MAX_HOST:
        return False
    return all(_LABEL.fullmatch(label) and _is_ldh(label) for label in text.split("."))


def _is_ldh(label: str) -> bool:
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
    if not text or len(text) > _MAX_HOST:
        return False
    return all(
        (_LABEL.fullmatch(label) is not None and _is_ldh(label)) if label.isascii() else _is_u_label(label)
        for label in labels
    )


def _is_u_label(label: str) -> bool:
    """RFC 5891, 5.4, and RFC 5892 in short: normalized, no hyphen at an end, and only what names are made of."""
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
    """After a virama, or between letters that join: which those are Python does not know, but Arabic's do."""
    around = label[max(index - 1, 0) : index] + label[index + 1 : index + 2]
    return _joins(label, index) or (len(around) == 2 and all(unicodedata.bidirectional(c) == "AL" for c in around))  # noqa: PLR2004


# RFC 5892, Appendix A: what may stand only in some company.
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
    local, at, domain = text.rpartition("@")
    return bool(at) and len(local) <= 64 and _LOCAL.fullmatch(local) is not None and _is_mail_domain(domain)  # noqa: PLR2004


def _is_mail_domain(domain: str) -> bool:
    if domain.startswith("[") and domain.endswith("]"):
        literal = domain[1:-1]
        return is_ipv6(literal[5:]) if literal[:5].lower() == "ipv6:" else is_ipv4(literal)
    return is_hostname(domain)


def is_idn_email(text: str) -> bool:
    """RFC 6531, 3.3: Mailbox with characters of any script."""
    local, at, domain = text.rpartition("@")
    plain = "".join(character if character.isascii() else "x" for character in local)
    named = _is_mail_domain(domain) or is_idn_hostname(unicodedata.normalize("NFC", domain))
    return bool(at) and _LOCAL.fullmatch(plain) is not None and named


def is_ipv4(text: str) -> bool:
    """RFC 2673, 3.2: dotted-quad, without leading zeros."""
    return _IPV4.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    """RFC 4291, 2.2, without a zone."""
    if "%" in text or not text.isascii():
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def is_uri(text: str) -> bool:
    """RFC 3986, 3."""
    return ":" in text.partition("/")[0] and is_uri_reference(text)


def is_uri_reference(text: str) -> bool:
    """RFC 3986, 4.1."""
    return text.isascii() and _is_reference(text, _PATH, _QUERY, _QUERY, _USER)


def is_iri(text: str) -> bool:
    """RFC 3987, 2.2."""
    return ":" in text.partition("/")[0] and is_iri_reference(text)


def is_iri_reference(text: str) -> bool:
    """RFC 3987, 2.2."""
    return _is_reference(text, _IRI_PATH, _IRI_QUERY, _IRI_QUERY, _IRI_USER)


def _is_reference(
    text: str, path_: re.Pattern[str], query_: re.Pattern[str], fragment_: re.Pattern[str], user_: re.Pattern[str]
) -> bool:
    found = _PARTS.fullmatch(text)
    if found is None:
        return False
    scheme, authority, path, query, fragment = found.groups()
    if scheme is not None and not _SCHEME.fullmatch(scheme):
        return False
    if authority is not None and not _is_authority(authority, user_):
        return False
    # RFC 3986, 4.2: the first segment of a relative path holds no colon.
    if text.startswith(":") or (scheme is None and authority is None and ":" in path.partition("/")[0]):
        return False
    parts = ((path_, path), (query_, query or ""), (fragment_, fragment or ""))
    return all(allowed.fullmatch(part) for allowed, part in parts)


def _is_authority(text: str, user_: re.Pattern[str]) -> bool:
    user, at, rest = text.rpartition("@")
    if at and not user_.fullmatch(user):
        return False
    if rest.startswith("["):
        host, bracket, port = rest[1:].partition("]")
        if not bracket or not (is_ipv6(host) or _FUTURE.fullmatch(host)) or (port and not port.startswith(":")):
            return False
        return port[1:] == "" or (port[1:].isascii() and port[1:].isdigit())
    host, colon, port = rest.rpartition(":")
    host = host if colon else rest
    return (
        (not colon or port == "" or (port.isascii() and port.isdigit()))
        and ":" not in host
        and bool(user_.fullmatch(host))
    )


def is_uri_template(text: str) -> bool:
    """RFC 6570, 2."""
    return _TEMPLATE.fullmatch(text) is not None
