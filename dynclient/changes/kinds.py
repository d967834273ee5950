"""The table of the kinds of changes and their severities. The ids are stable.

Rule 1: a change is breaking if a caller that was correct by the old document fails, or receives values that the old
document did not allow: either its code with the new document, or a process that still holds the old document.
Rule 2: a request breaks callers when it allows less than before, a response when it allows more.
Rule 3: a change that can't be decided, or that only needs a review by a person, is a warning. Everything else is info.
Rule 4: the severity of an aspect is that of its keyword alone. If it is proved that all values stay valid, the change
is info, or not reported; if a value shows the contrary, a warning becomes breaking.
Rule 5: a schema is compared in the same aspects in every place; the id of the kind begins with that side.
"""

from __future__ import annotations

from typing import Literal, get_args

from dynclient._records import Record

Severity = Literal["breaking", "warning", "info"]
"""Whether callers break, may break, or are not affected."""

Rank = Literal["breaking", "warning", "info", "accepted"]
Side = Literal["parameter", "request", "response", "response-header"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The severities, the worst first."""

RANKS: tuple[Rank, ...] = get_args(Rank)
"""The severities, followed by accepted changes of any severity."""

SIDES: tuple[Side, ...] = get_args(Side)
"""Where a schema may be used. Values of parameters and requests are sent, the others are received."""

RECEIVED: frozenset[Side] = frozenset({"response", "response-header"})


class Kind(Record):
    """A kind of change. ``text`` describes it: the predicate after the name of the thing that changed."""

    id: str
    severity: Severity
    text: str


class Aspect(Record):
    """An aspect in which a schema may change, with its severity for sent and for received values."""

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
    Kind("default-server-changed", _W, "the default server changed"),
    Kind("server-added", _I, "is a new server"),
    Kind("server-removed", _B, "is no longer a server"),
    Kind("server-renamed", _B, "has another name as a server"),
    Kind("server-variable-added", _I, "is a new variable of the server's URL"),
    Kind("server-variable-removed", _B, "is no longer a variable of the server's URL"),
    Kind("server-variable-default-changed", _W, "has another default in the server's URL"),
    Kind("server-variable-value-added", _I, "allows another value in the server's URL"),
    Kind("server-variable-value-removed", _B, "no longer allows this value in the server's URL"),
    Kind("security-scheme-changed", _B, "sends the credential in another way"),
    Kind("security-scheme-deprecated", _W, "is deprecated as a security scheme"),
    Kind("oauth-flow-added", _I, "has another OAuth flow"),
    Kind("oauth-flow-removed", _B, "no longer has this OAuth flow"),
    Kind("oauth-url-changed", _W, "has another URL for its OAuth flow"),
    Kind("component-added", _I, "a named schema was added"),
    Kind("component-removed", _W, "the named schema was removed, and its name in type hints with it"),
    Kind("namespace-added", _I, "the client has a new namespace"),
    Kind("namespace-removed", _B, "the client no longer has the namespace"),
    # Operations.
    Kind("operation-added", _I, "is new"),
    Kind("operation-removed", _B, "was removed"),
    Kind("operation-removed-after-sunset", _W, "was removed after its announced sunset"),
    Kind("operation-moved", _B, "has another method or path"),
    Kind("operation-renamed", _B, "has another Python name"),
    Kind("operation-namespace-changed", _B, "is no longer found under its name in the namespace"),
    Kind("operation-namespace-added", _I, "is also found in another namespace"),
    Kind("operation-id-changed", _W, "has another operationId"),
    Kind("operation-deprecated", _W, "is deprecated"),
    Kind("operation-undeprecated", _I, "is no longer deprecated"),
    Kind("operation-broken", _B, "can't be read from the new document"),
    Kind("operation-mended", _I, "could not be read before, and can be now"),
    Kind("operation-not-compared", _B, "could not be read, so its changes are unknown"),
    Kind("sunset-set", _W, "has a sunset date now"),
    Kind("sunset-removed", _I, "no longer has a sunset date"),
    Kind("sunset-earlier", _B, "has an earlier sunset date"),
    Kind("sunset-later", _I, "has a later sunset date"),
    Kind("sunset-changed", _W, "has another sunset, which can't be compared"),
    Kind("callback-added", _I, "a callback was added"),
    Kind("callback-removed", _W, "the callback was removed"),
    Kind("callback-url-changed", _W, "is called at another URL"),
    Kind("webhook-added", _I, "a webhook was added"),
    Kind("webhook-removed", _W, "the webhook was removed"),
    Kind("security-added", _B, "requires a credential now"),
    Kind("security-dropped", _I, "no longer requires a credential"),
    Kind("security-choice-added", _I, "accepts another choice of credentials"),
    Kind("security-choice-removed", _B, "no longer accepts this choice of credentials"),
    Kind("security-scope-added", _B, "needs another scope"),
    Kind("security-scope-removed", _I, "no longer needs this scope"),
    # Arguments, parameters and request bodies.
    Kind("argument-renamed", _B, "has another Python name as an argument"),
    Kind("argument-moved", _B, "the positional arguments have another order"),
    Kind("argument-became-keyword-only", _B, "the argument can no longer be passed by position"),
    Kind("body-argument-renamed", _B, "the body's argument has another Python name"),
    Kind("body-arguments-removed", _B, "the properties of the body are no longer arguments"),
    Kind("required-parameter-added", _B, "is new and required"),
    Kind("optional-parameter-added", _I, "is new and optional"),
    Kind("parameter-removed", _B, "was removed"),
    Kind("parameter-renamed", _B, "has another name"),
    Kind("parameter-became-required", _B, "is required now"),
    Kind("parameter-became-optional", _I, "is optional now"),
    Kind("parameter-location-changed", _B, "has another location"),
    Kind("parameter-style-changed", _B, "has another style"),
    Kind("parameter-reserved-changed", _W, "encodes reserved characters in another way"),
    Kind("parameter-empty-forbidden", _B, "may no longer be empty"),
    Kind("parameter-empty-allowed", _I, "may be empty now"),
    Kind("parameter-media-type-changed", _B, "has another media type"),
    Kind("request-body-removed", _B, "the request body was removed"),
    Kind("required-request-body-added", _B, "a required request body was added"),
    Kind("optional-request-body-added", _I, "an optional request body was added"),
    Kind("request-body-became-required", _B, "the body is required now"),
    Kind("request-body-became-optional", _I, "the body is optional now"),
    Kind("request-media-type-added", _I, "is a new media type"),
    Kind("request-media-type-removed", _B, "was removed"),
    Kind("request-encoding-changed", _B, "is encoded in another way within the form"),
    # Responses.
    Kind("success-response-added", _W, "is a new successful status"),
    Kind("success-response-removed", _B, "is no longer documented"),
    Kind("error-response-added", _I, "is a new documented error"),
    Kind("error-response-removed", _W, "is no longer documented"),
    Kind("response-media-type-added", _I, "is a new media type"),
    Kind("response-media-type-removed", _B, "was removed"),
    Kind("response-content-added", _W, "has a body now"),
    Kind("response-content-removed", _B, "no longer has a body"),
    Kind("response-header-added", _I, "was added"),
    Kind("response-header-removed", _W, "was removed, and was optional"),
    Kind("required-response-header-removed", _B, "was removed, and was required"),
    Kind("response-header-became-optional", _B, "is optional now"),
    Kind("response-header-became-required", _I, "is required now"),
    Kind("link-added", _I, "has another link"),
    Kind("link-removed", _W, "no longer has this link"),
)

BOUNDS = (
    "minimum", "maximum", "min-length", "max-length", "min-items", "max-items", "min-properties", "max-properties",
    "min-contains", "max-contains",
)  # fmt: skip

ASPECTS = (
    Aspect("type-narrowed", _B, _I, "allows fewer types"),
    Aspect("type-widened", _I, _B, "allows more types"),
    Aspect("type-changed", _B, _B, "has another type"),
    Aspect("null-allowed", _I, _B, "may be null now"),
    Aspect("null-forbidden", _B, _I, "may no longer be null"),
    Aspect("enum-added", _B, _I, "is limited to certain values now"),
    Aspect("enum-removed", _I, _B, "is no longer limited to certain values"),
    Aspect("enum-value-added", _I, _B, "allows another value"),
    Aspect("enum-value-removed", _B, _I, "no longer allows this value"),
    Aspect("format-added", _B, _I, "has a format now"),
    Aspect("format-removed", _I, _B, "no longer has a format"),
    Aspect("format-narrowed", _B, _I, "has a narrower format"),
    Aspect("format-widened", _I, _B, "has a wider format"),
    Aspect("format-changed", _B, _B, "has another format"),
    Aspect("binary-changed", _B, _B, "changed between text and bytes"),
    Aspect("encoding-changed", _B, _B, "has another content encoding or media type"),
    *(Aspect(f"{bound}-narrowed", _B, _I, f"has a narrower {bound.replace('-', ' ')}") for bound in BOUNDS),
    *(Aspect(f"{bound}-widened", _I, _B, f"has a wider {bound.replace('-', ' ')}") for bound in BOUNDS),
    Aspect("multiple-of-narrowed", _B, _I, "must be a multiple of a number, or of a larger one"),
    Aspect("multiple-of-widened", _I, _B, "no longer has to be a multiple, or of a smaller number"),
    Aspect("multiple-of-changed", _B, _B, "must be a multiple of another number"),
    Aspect("pattern-added", _B, _I, "must match a pattern now"),
    Aspect("pattern-removed", _I, _B, "no longer has to match a pattern"),
    Aspect("pattern-changed", _W, _W, "must match another pattern"),
    Aspect("unique-items-narrowed", _B, _I, "may no longer contain equal items"),
    Aspect("unique-items-widened", _I, _B, "may contain equal items now"),
    Aspect("property-added", _I, _I, "is new and optional"),
    Aspect("required-property-added", _B, _I, "is new and required"),
    Aspect("property-removed", _B, _W, "was removed, and was optional"),
    Aspect("required-property-removed", _B, _B, "was removed, and was required"),
    Aspect("property-became-required", _B, _I, "is required now"),
    Aspect("property-became-optional", _I, _B, "is optional now"),
    Aspect("property-became-read-only", _B, _I, "is read-only now"),
    Aspect("property-became-not-read-only", _I, _I, "is no longer read-only"),
    Aspect("property-became-write-only", _I, _B, "is write-only now"),
    Aspect("property-became-not-write-only", _I, _I, "is no longer write-only"),
    Aspect("additional-properties-forbidden", _B, _I, "no longer allows other properties"),
    Aspect("additional-properties-allowed", _I, _B, "allows other properties now"),
    Aspect("additional-properties-narrowed", _B, _I, "limits other properties to a schema"),
    Aspect("additional-properties-widened", _I, _B, "no longer limits other properties to a schema"),
    Aspect("pattern-properties-changed", _W, _W, "has other patterns for names of properties"),
    Aspect("items-added", _B, _I, "limits its items to a schema now"),
    Aspect("items-removed", _I, _B, "no longer limits its items to a schema"),
    Aspect("prefix-items-changed", _W, _W, "has more or fewer items with their own schema"),
    Aspect("branch-added", _I, _B, "has another branch in its union"),
    Aspect("branch-removed", _B, _I, "no longer has this branch in its union"),
    Aspect("union-changed", _W, _W, "became a union, or no longer is one, which can't be compared"),
    Aspect("discriminator-changed", _B, _B, "has another discriminator property"),
    Aspect("tag-added", _I, _B, "has another discriminator value"),
    Aspect("tag-removed", _B, _I, "no longer has this discriminator value"),
    Aspect("assertion-changed", _W, _W, "has another condition"),
    Aspect("values-changed", _W, _W, "has other keywords, so that other values may be valid"),
    Aspect("default-changed", _W, _I, "has another default"),
    Aspect("deprecated", _W, _W, "is deprecated"),
    Aspect("undeprecated", _I, _I, "is no longer deprecated"),
    Aspect("xml-changed", _B, _B, "has another form in XML"),
    Aspect("not-compared", _B, _B, "is too large to be compared as a whole, so that more may have changed"),
    Aspect("schema-added", _B, _I, "has a schema now"),
    Aspect("schema-removed", _I, _B, "no longer has a schema"),
)
"""Every kind of change of a schema, with its severity where the value is sent and where it is received."""

NOT_OF_VALUES = frozenset(
    {
        "binary-changed", "default-changed", "deprecated", "encoding-changed", "property-added", "property-removed",
        "property-became-not-read-only", "property-became-not-write-only", "property-became-read-only",
        "property-became-write-only", "required-property-added", "required-property-removed", "undeprecated",
        "xml-changed",
    }
)  # fmt: skip
"""Aspects that matter to callers also where all values stay valid."""

KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        *_WHOLE,
        *(
            Kind(f"{side}-{aspect.name}", aspect.received if side in RECEIVED else aspect.sent, aspect.text)
            for side in SIDES
            for aspect in ASPECTS
        ),
    )
}
"""Every kind of change by its id."""
