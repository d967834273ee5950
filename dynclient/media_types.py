"""Media types: the table of their kinds, and parsing of a Content-Type.

Codecs, type hints, stubs, pages, signatures and the mock read :data:`MEDIA_TYPES`; no other module lists media types.
:func:`dynclient.codecs.register` adds a row to it.

Rule 1: a row is looked up by the exact type first, then by its suffix (``application/*+json``, ``*/*+json``), then by
``type/*``, then by ``*/*``.
Rule 2: parameters never change what a media type is.
Rule 3: the value of a media range that covers several media types can be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.http_grammar import QUOTED_STRING, TOKEN

# RFC 9110, 5.6.6 (parameters: an empty one is allowed), 8.3.1 (media type).
_ESSENCE = expression(rf"[ \t]*({TOKEN})/({TOKEN})")
_PARAMETER = expression(rf"[ \t]*;[ \t]*(?:({TOKEN})=({TOKEN}|{QUOTED_STRING}))?")
_ESCAPE = expression(r"\\(.)")

JSON = "application/json"
XML = "application/xml"
TEXT = "text/plain"
OCTETS = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"
MULTIPART_FORM = "multipart/form-data"


class MediaKind(Record):
    """A kind of media type: one row of :data:`MEDIA_TYPES`.

    ``name`` is the kind of syntax, such as ``json``, for :data:`PREFERENCES`. ``codec`` is the key of its codec in
    ``dynclient.codecs.CODECS``. ``value`` is the type of the decoded value where no schema says more; ``object`` stands
    for any. ``sequential`` is true of media types that hold items one after the other (OAS 3.2, Sequential Media
    Types), ``structured`` where the value may be an object with named members, ``is_text`` where the body is
    characters, so that a JSON string can hold it. A value of an ``opaque`` media type is bytes whatever its schema
    says.
    """

    name: str
    codec: str
    value: type = object
    sequential: bool = False
    structured: bool = False
    is_text: bool = True
    opaque: bool = False


_JSON = MediaKind("json", "json", structured=True)
_JSON_PATCH = _JSON._replace(value=list)
_MERGE_PATCH = _JSON._replace(value=dict)
_XML = MediaKind("xml", "xml", structured=True)
_YAML = MediaKind("yaml", "yaml", structured=True)
_LINES = MediaKind("sequence", "json-lines", list, sequential=True)
_RECORDS = MediaKind("sequence", "json-records", list, sequential=True)
_EVENTS = MediaKind("sequence", "events", list, sequential=True)
_TEXT = MediaKind("text", "text", str)
_BINARY = MediaKind("binary", "binary", bytes, is_text=False)
_OPAQUE = _BINARY._replace(opaque=True)

MEDIA_TYPES: dict[str, MediaKind] = {
    JSON: _JSON,
    "text/json": _JSON,
    "application/json-patch+json": _JSON_PATCH,
    "application/merge-patch+json": _MERGE_PATCH,
    "application/strategic-merge-patch+json": _MERGE_PATCH,
    "*/*+json": _JSON,
    XML: _XML,
    "text/xml": _XML,
    "*/*+xml": _XML,
    FORM: MediaKind("form", "form", dict, structured=True),
    MULTIPART_FORM: MediaKind("multipart", "multipart", dict, structured=True, is_text=False),
    "multipart/*": MediaKind("multipart", "multipart", list, structured=True, is_text=False),
    "application/jsonl": _LINES,
    "application/x-jsonl": _LINES,
    "application/jsonlines": _LINES,
    "application/ndjson": _LINES,
    "application/x-ndjson": _LINES,
    "application/json-seq": _RECORDS,
    "*/*+json-seq": _RECORDS,
    "text/event-stream": _EVENTS,
    "application/yaml": _YAML,
    "application/x-yaml": _YAML,
    "text/yaml": _YAML,
    "text/x-yaml": _YAML,
    "text/vnd.yaml": _YAML,
    "*/*+yaml": _YAML,
    "application/javascript": _TEXT,
    "application/graphql": _TEXT,
    "application/sql": _TEXT,
    "application/jwt": _TEXT,
    "text/*": _TEXT,
    OCTETS: _OPAQUE,
    "audio/*": _OPAQUE,
    "font/*": _OPAQUE,
    "image/*": _OPAQUE,
    "video/*": _OPAQUE,
    "*/*": _BINARY,
}

# Which kinds of media type a kind of value goes to, best first; "other" stands for the kinds that are not here, such as
# those of registered codecs. Kinds that the operation does not offer are skipped. If it offers none of these, the first
# offered one is used.
PREFERENCES: dict[str, tuple[str, ...]] = {
    "files": ("multipart", "form", "other", "json", "xml"),
    "object": ("json", "xml", "yaml", "other", "form", "multipart", "sequence", "text"),
    "array": ("json", "sequence", "xml", "yaml", "other", "multipart", "form", "text"),
    "markup": ("xml", "text", "json", "binary"),
    "text": ("text", "yaml", "json", "xml", "sequence", "other", "binary"),
    "bytes": ("binary", "other", "multipart", "text", "xml", "yaml", "json"),
    "scalar": ("json", "yaml", "other", "text", "xml"),
}

# The media type to write for a range, unless something else decides.
_CONCRETE = {
    "*/*": JSON,
    "application/*": JSON,
    "text/*": TEXT,
    "multipart/*": MULTIPART_FORM,
    "image/*": "image/png",
    "audio/*": "audio/wav",
    "video/*": "video/mp4",
}


class ContentType(Record):
    """A media type or a media range, taken apart.

    ``parameters`` are pairs of name, in lower case, and value, without its quotes.
    """

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def essence(self) -> str:
        """``type/subtype``, in lower case."""
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str:
        """The structured syntax: ``json`` of ``application/problem+json``, or the empty string (RFC 6838, 4.2.8)."""
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else ""

    def get(self, name: str) -> str | None:
        """The value of a parameter, or None."""
        return dict(self.parameters).get(name.lower())


@lru_cache(maxsize=1024)
def parse(text: str) -> ContentType:
    """Take a media type or range apart.

    Raises:
        ValueError: it is malformed.
    """
    found = _ESSENCE.match(text)
    if found is None:
        raise ValueError("malformed media type")
    parameters: dict[str, str] = {}
    position, end = found.end(), len(text.rstrip(" \t"))
    while position < end:
        parameter = _PARAMETER.match(text, position)
        if parameter is None:
            raise ValueError("malformed media type parameter")
        if parameter[1]:
            value = parameter[2]
            unquoted = _ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value
            parameters.setdefault(parameter[1].lower(), unquoted)
        position = parameter.end()
    return ContentType(found[1].lower(), found[2].lower(), tuple(parameters.items()))


def essence(content_type: str) -> str:
    """``type/subtype`` of a Content-Type or a media range, in lower case and without parameters, malformed or not."""
    return content_type.partition(";")[0].strip().lower()


def charset_of(content_type: str) -> str | None:
    """The charset that a Content-Type names, as it is spelled there; None if it names none or is malformed."""
    try:
        return parse(content_type).get("charset") or None
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def find(content_type: str) -> MediaKind:
    """The row of a media type; a malformed one is bytes. Its parameters, malformed or not, are ignored."""
    try:
        parsed = parse(essence(content_type))
    except ValueError:
        return MEDIA_TYPES["*/*"]
    ranges = [parsed.essence]
    if parsed.suffix:
        ranges += [f"{parsed.type}/*+{parsed.suffix}", f"*/*+{parsed.suffix}"]
    return next((MEDIA_TYPES[key] for key in (*ranges, f"{parsed.type}/*") if key in MEDIA_TYPES), MEDIA_TYPES["*/*"])


def add(media_range: str, kind: MediaKind) -> None:
    """Add a row, or replace the one that the media range has.

    Raises:
        ValueError: the media range is malformed.
    """
    MEDIA_TYPES[parse(media_range).essence] = kind
    find.cache_clear()


def value_type(media_range: str) -> type:
    """The type of a decoded value where no schema says more; ``object`` stands for any."""
    _, _, subtype = essence(media_range).partition("/")
    return object if subtype == "*" else find(media_range).value


def is_parsed(content_type: str) -> bool:
    """Whether a value of this media type is data, not the body itself as text or bytes."""
    return find(content_type).codec not in {"text", "binary"}


def is_structured(media_range: str) -> bool:
    """Whether values of a media type, or of a range that JSON falls under, may be objects with named members."""
    return find(media_range).structured or _CONCRETE.get(essence(media_range)) == JSON


def is_concrete(media_range: str) -> bool:
    """Whether this is one media type, not a range of them."""
    return "*" not in essence(media_range)


def concrete(media_range: str, candidates: Iterable[str | None] = ()) -> str:
    """A content type that can be sent: the media type itself, or for a range the first candidate within it."""
    if is_concrete(media_range):
        return media_range
    type_, _, subtype = essence(media_range).partition("/")
    if subtype.startswith("*+"):
        return f"{'application' if type_ == '*' else type_}/{subtype[2:]}"
    within = (each for each in candidates if each and (type_ == "*" or each.startswith(f"{type_}/")))
    return next(within, None) or _CONCRETE.get(f"{type_}/*", OCTETS)
