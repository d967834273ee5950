"""What can change, and how bad it is: the table of kinds, whose ids never change.

Rule 1: a change breaks when a caller that was right by the old document fails, or meets what it could not meet before:
its code with the new document, or a process that still holds the old one.
Rule 2: what a request may hold breaks when it gets narrower, what a response may hold when it gets wider.
Rule 3: what can't be decided, or asks for attention only, is a warning. Everything else is for information.
Rule 4: a schema is compared in the same aspects wherever it stands; the kind's id begins with that place.
"""

from __future__ import annotations

from typing import Literal, get_args

from dynclient._records import Record

Severity = Literal["breaking", "warning", "info"]
Side = Literal["parameter", "request", "response", "response-header"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""

SIDES: tuple[Side, ...] = get_args(Side)
"""Where a schema may stand. A parameter's and a request's values are sent, the others are received."""

RECEIVED: frozenset[Side] = frozenset({"response", "response-header"})


class Kind(Record):
    """A kind of change. ``text`` says it of what is named before it."""

    id: str
    severity: Severity
    text: str


class Aspect(Record):
    """What may change in a schema, with the severity where its values are sent and where they are received."""

    name: str
    sent: Severity
    received: Severity
    text: str


_B: Severity = "breaking"
_W: Severity = "warning"
_I: Severity = "info"

_WHOLE = (
    # The API.
    Kind("api-version-changed", _I, "the API has another version"),
    Kind("default-server-changed", _W, "calls go to another server by default"),
    Kind("server-added", _I, "there is another server to choose"),
    Kind("server-removed", _B, "the server can't be chosen any more"),
    Kind("server-renamed", _B, "the server has another name"),
    Kind("server-variable-added", _I, "the server's URL has another variable"),
    Kind("server-variable-removed", _B, "the server's URL lacks the variable"),
    Kind("server-variable-default-changed", _W, "the variable of the server's URL has another default"),
    Kind("server-variable-value-added", _I, "the variable of the server's URL may have another value"),
    Kind("server-variable-value-removed", _B, "the variable of the server's URL may not have this value any more"),
    Kind("security-scheme-changed", _B, "the credential is sent in another way"),
    Kind("security-scheme-deprecated", _W, "the security scheme is deprecated"),
    Kind("oauth-flow-added", _I, "there is another flow to get a token by"),
    Kind("oauth-flow-removed", _B, "tokens can't be had by this flow any more"),
    Kind("oauth-url-changed", _W, "a URL of the flow is another one"),
    Kind("component-added", _I, "there is a new named schema"),
    Kind("component-removed", _W, "the named schema is gone, and so is its name in type hints"),
    Kind("namespace-added", _I, "there is a new namespace on the client"),
    Kind("namespace-removed", _B, "the namespace is gone from the client"),
)

_OPERATIONS = (
    Kind("operation-added", _I, "is new"),
    Kind("operation-removed", _B, "is gone"),
    Kind("operation-removed-after-sunset", _W, "is gone, as it was announced for that day"),
    Kind("operation-moved", _B, "has another method or path"),
    Kind("operation-renamed", _B, "has another Python name"),
    Kind("operation-namespace-changed", _B, "is not found any more by its name in the namespace"),
    Kind("operation-namespace-added", _I, "is found in another namespace too"),
    Kind("operation-id-changed", _W, "has another operationId"),
    Kind("operation-deprecated", _W, "is deprecated"),
    Kind("operation-undeprecated", _I, "is not deprecated any more"),
    Kind("operation-broken", _B, "can't be read from the new document"),
    Kind("operation-mended", _I, "could not be read before, and can be now"),
    Kind("operation-not-compared", _W, "could not be read from either document"),
    Kind("sunset-set", _W, "has a day on which it ends"),
    Kind("sunset-removed", _I, "has no day any more on which it ends"),
    Kind("sunset-earlier", _B, "ends earlier than announced"),
    Kind("sunset-later", _I, "ends later than announced"),
    Kind("sunset-changed", _W, "has another day on which it ends, which can't be compared"),
    Kind("callback-added", _I, "there is a new callback"),
    Kind("callback-removed", _W, "the callback is gone"),
    Kind("security-added", _B, "a credential is needed now"),
    Kind("security-dropped", _I, "no credential is needed any more"),
    Kind("security-choice-added", _I, "there is another way to show who calls"),
    Kind("security-choice-removed", _B, "this way to show who calls is not taken any more"),
    Kind("security-scope-added", _B, "the credential needs another scope"),
    Kind("security-scope-removed", _I, "the credential needs this scope no more"),
)

_ARGUMENTS = (
    Kind("argument-renamed", _B, "the argument has another Python name"),
    Kind("argument-moved", _B, "the positional arguments come in another order"),
    Kind("argument-became-keyword-only", _B, "the argument can't be given by position any more"),
    Kind("body-argument-renamed", _B, "the body's argument has another Python name"),
    Kind("required-parameter-added", _B, "is new and required"),
    Kind("optional-parameter-added", _I, "is new and optional"),
    Kind("parameter-removed", _B, "is gone"),
    Kind("parameter-renamed", _B, "has another name"),
    Kind("parameter-became-required", _B, "is required now"),
    Kind("parameter-became-optional", _I, "is optional now"),
    Kind("parameter-location-changed", _B, "is sent in another place"),
    Kind("parameter-style-changed", _B, "is written in another style"),
    Kind("parameter-reserved-changed", _W, "reserved characters are written in another way"),
    Kind("parameter-empty-forbidden", _B, "may not be empty any more"),
    Kind("parameter-empty-allowed", _I, "may be empty now"),
    Kind("parameter-media-type-changed", _B, "is encoded by another media type"),
    Kind("request-body-removed", _B, "there is no body any more"),
    Kind("required-request-body-added", _B, "a body is needed now"),
    Kind("optional-request-body-added", _I, "a body may be sent now"),
    Kind("request-body-became-required", _B, "the body is required now"),
    Kind("request-body-became-optional", _I, "the body is optional now"),
    Kind("request-media-type-added", _I, "the body may be of this media type too"),
    Kind("request-media-type-removed", _B, "the body may not be of this media type any more"),
    Kind("request-encoding-changed", _B, "a part of the form is written in another way"),
)

_RESPONSES = (
    Kind("success-response-added", _W, "there is another status of success"),
    Kind("success-response-removed", _B, "this status of success is not documented any more"),
    Kind("error-response-added", _I, "there is another documented error"),
    Kind("error-response-removed", _W, "this error is not documented any more"),
    Kind("response-media-type-added", _I, "the response may be had in this media type too"),
    Kind("response-media-type-removed", _B, "the response can't be had in this media type any more"),
    Kind("response-content-added", _W, "the response had no body, and has one now"),
    Kind("response-content-removed", _B, "the response had a body, and has none now"),
    Kind("response-header-added", _I, "there is a new header"),
    Kind("response-header-removed", _W, "the header, which was optional, is gone"),
    Kind("required-response-header-removed", _B, "the header is gone"),
    Kind("response-header-became-optional", _B, "the header may be left out now"),
    Kind("response-header-became-required", _I, "the header is always there now"),
    Kind("link-added", _I, "there is a new link"),
    Kind("link-removed", _W, "the link is gone"),
)

BOUNDS = (
    "minimum", "maximum", "min-length", "max-length", "min-items", "max-items", "min-properties", "max-properties",
    "min-contains", "max-contains",
)  # fmt: skip

ASPECTS = (
    Aspect("type-narrowed", _B, _I, "may have fewer types"),
    Aspect("type-widened", _I, _B, "may have more types"),
    Aspect("type-changed", _B, _B, "has another type"),
    Aspect("null-allowed", _I, _B, "may be null now"),
    Aspect("null-forbidden", _B, _I, "may not be null any more"),
    Aspect("enum-added", _B, _I, "must be one of certain values now"),
    Aspect("enum-removed", _I, _B, "need not be one of certain values any more"),
    Aspect("enum-value-added", _I, _B, "may have another value"),
    Aspect("enum-value-removed", _B, _I, "may not have this value any more"),
    Aspect("format-added", _B, _I, "must have a format now"),
    Aspect("format-removed", _I, _B, "need not have a format any more"),
    Aspect("format-narrowed", _B, _I, "has a narrower format"),
    Aspect("format-widened", _I, _B, "has a wider format"),
    Aspect("format-changed", _B, _B, "has another format"),
    Aspect("binary-changed", _B, _B, "was text and is bytes, or the reverse"),
    Aspect("encoding-changed", _B, _B, "has another content encoding or media type"),
    *(Aspect(f"{bound}-narrowed", _B, _I, f"has a narrower {bound.replace('-', ' ')}") for bound in BOUNDS),
    *(Aspect(f"{bound}-widened", _I, _B, f"has a wider {bound.replace('-', ' ')}") for bound in BOUNDS),
    Aspect("multiple-of-narrowed", _B, _I, "must be a multiple of a number now, or of a larger one"),
    Aspect("multiple-of-widened", _I, _B, "need not be a multiple any more, or of a smaller number"),
    Aspect("multiple-of-changed", _B, _B, "must be a multiple of another number"),
    Aspect("pattern-added", _B, _I, "must match a pattern now"),
    Aspect("pattern-removed", _I, _B, "need not match a pattern any more"),
    Aspect("pattern-changed", _W, _W, "must match another pattern"),
    Aspect("unique-items-narrowed", _B, _I, "may not hold equal items any more"),
    Aspect("unique-items-widened", _I, _B, "may hold equal items now"),
    Aspect("property-added", _I, _I, "is new and optional"),
    Aspect("required-property-added", _B, _I, "is new and required"),
    Aspect("property-removed", _B, _W, "is gone, and was optional"),
    Aspect("required-property-removed", _B, _B, "is gone, and was required"),
    Aspect("property-became-required", _B, _I, "is required now"),
    Aspect("property-became-optional", _I, _B, "is optional now"),
    Aspect("property-became-read-only", _B, _I, "is read-only now"),
    Aspect("property-became-not-read-only", _I, _I, "is not read-only any more"),
    Aspect("property-became-write-only", _I, _B, "is write-only now"),
    Aspect("property-became-not-write-only", _I, _I, "is not write-only any more"),
    Aspect("additional-properties-forbidden", _B, _I, "may have no other properties any more"),
    Aspect("additional-properties-allowed", _I, _W, "may have other properties now"),
    Aspect("additional-properties-narrowed", _B, _I, "must have other properties of a certain schema"),
    Aspect("additional-properties-widened", _I, _W, "may have other properties of any schema"),
    Aspect("pattern-properties-changed", _W, _W, "has properties by other patterns"),
    Aspect("items-added", _B, _I, "must have items of a certain schema now"),
    Aspect("items-removed", _I, _B, "may have items of any schema now"),
    Aspect("prefix-items-changed", _W, _W, "has more or fewer described places"),
    Aspect("branch-added", _I, _B, "may follow another schema of the union"),
    Aspect("branch-removed", _B, _I, "may not follow this schema of the union any more"),
    Aspect("union-changed", _W, _W, "became a union or is none any more, which can't be compared"),
    Aspect("discriminator-changed", _B, _B, "is told apart by another property"),
    Aspect("tag-added", _I, _B, "may be told apart by another value"),
    Aspect("tag-removed", _B, _I, "can't be told apart by this value any more"),
    Aspect("assertion-changed", _W, _W, "has another condition"),
    Aspect("default-changed", _W, _I, "has another default"),
    Aspect("deprecated", _W, _W, "is deprecated"),
    Aspect("undeprecated", _I, _I, "is not deprecated any more"),
    Aspect("xml-changed", _B, _B, "is written in another way in XML"),
    Aspect("schema-added", _B, _I, "must follow a schema now"),
    Aspect("schema-removed", _I, _B, "may be anything now"),
)


def _of_schemas() -> list[Kind]:
    return [
        Kind(f"{side}-{aspect.name}", aspect.received if side in RECEIVED else aspect.sent, aspect.text)
        for side in SIDES
        for aspect in ASPECTS
    ]


KINDS: dict[str, Kind] = {kind.id: kind for kind in (*_WHOLE, *_OPERATIONS, *_ARGUMENTS, *_RESPONSES, *_of_schemas())}
"""Every kind of change by its id."""

WHOLE = tuple(kind.id for kind in (*_WHOLE, *_OPERATIONS, *_ARGUMENTS, *_RESPONSES))
"""The ids of the kinds that are not about schemas."""
