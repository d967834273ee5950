"""The model of an API, the same for all versions of OpenAPI.

Rule 1: everything is frozen, and named as in the OpenAPI Specification (3.2, section 4).
Rule 2: references to OpenAPI objects have been followed; ``$ref`` inside schemas is kept (:class:`Schema`).
Rule 3: ``pointer`` is an object's location: a JSON pointer in the root document, or ``uri#pointer`` in another one.
Rule 4: optional fields have their default here: a ``style`` is never None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from dynclient._escaping import one_line
from dynclient._records import Record
from dynclient._rows import OperationRow as OperationRow  # noqa: PLC0414  # part of the model
from dynclient.dialects import Dialect
from dynclient.exceptions import DocumentError

Location = Literal["path", "query", "querystring", "header", "cookie"]


class References(Protocol):
    """Resolves ``$ref`` in the document and its other files."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the received document, in hexadecimal digits."""

    def resolve(self, reference: str, base: str) -> tuple[str, Any]:
        """Return the target of a ``$ref`` that is at ``base``: its absolute URI (with a JSON pointer) and its value.

        Raises:
            UnresolvableReference: the target does not exist, or the references are circular.
            UnsafeDocument: it leads to a file or URL that is not allowed.
        """

    def location(self, uri: str) -> tuple[str, str, int | None]:
        """Return a URI's document (as errors call it), JSON pointer, and line from 1, or None."""

    def strangers(self, uri: str, *members: str) -> tuple[str, ...]:
        """Return the files from the network that define members of an object: URLs of overlays, "" for its own file."""


class Schema(Record):
    """A Schema Object as written in the document: not translated, its references kept.

    ``uri`` is absolute, with the JSON pointer as its fragment: ``file:///x/voice.yaml#/components/schemas/CallState``.
    It is a schema's identity: two Schemas of one URI are equal. ``value`` is a mapping or (3.1) a boolean.
    """

    uri: str
    value: Any
    dialect: Dialect
    references: References

    @property
    def pointer(self) -> str:
        """The JSON pointer within its own document."""
        return self.uri.partition("#")[2]

    def __eq__(self, other: object) -> bool:
        return self.uri == other.uri if isinstance(other, Schema) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.uri)

    def __repr__(self) -> str:
        return one_line(f"<Schema {self.uri}>")


class Example(Record):
    """An example (OAS 3.2, Example Object). ``value`` is data; ``serialized`` is the text as sent."""

    name: str
    value: Any = None
    serialized: str | None = None
    summary: str = ""
    description: str = ""
    has_value: bool = True
    external: str | None = None


class Encoding(Record):
    """The encoding of one property of a form (OAS 3.2, Encoding Object).

    ``style`` is None unless the document has ``style``, ``explode`` or ``allowReserved``: only then do they replace
    ``content_type``.
    """

    content_type: str | None = None
    headers: Mapping[str, Header] = {}
    style: str | None = None
    explode: bool = True
    allow_reserved: bool = False
    encoding: Mapping[str, Encoding] = {}
    prefix_encoding: tuple[Encoding, ...] = ()
    item_encoding: Encoding | None = None


class MediaType(Record):
    """One entry of a ``content`` map. ``media_range`` is its key, as spelled in the document."""

    media_range: str
    schema: Schema | None = None
    item_schema: Schema | None = None
    encoding: Mapping[str, Encoding] = {}
    prefix_encoding: tuple[Encoding, ...] = ()
    item_encoding: Encoding | None = None
    examples: tuple[Example, ...] = ()
    pointer: str = ""


class Parameter(Record):
    """A parameter, by its wire name and location.

    ``media_type`` replaces ``schema`` if the document has ``content``. ``style`` may also be ``tabDelimited``: the
    ``tsv`` of 2.0.
    """

    name: str
    in_: Location
    required: bool = False
    schema: Schema | None = None
    media_type: MediaType | None = None
    style: str = "form"
    explode: bool = False
    allow_reserved: bool = False
    allow_empty: bool = False
    description: str = ""
    deprecated: bool = False
    examples: tuple[Example, ...] = ()
    pointer: str = ""
    extensions: Mapping[str, Any] = {}


class Header(Record):
    """A header of a response or of a part of a form. Always style ``simple``."""

    name: str
    required: bool = False
    schema: Schema | None = None
    media_type: MediaType | None = None
    explode: bool = False
    description: str = ""
    deprecated: bool = False
    examples: tuple[Example, ...] = ()
    pointer: str = ""


class RequestBody(Record):
    """A request's body, by media range in the document's order. ``name`` is 2.0's name of the body parameter."""

    content: Mapping[str, MediaType] = {}
    required: bool = False
    description: str = ""
    name: str | None = None
    pointer: str = ""


class Link(Record):
    """A link from a response to another operation (OAS 3.2, Link Object)."""

    name: str
    operation_id: str | None = None
    operation_ref: str | None = None
    parameters: Mapping[str, Any] = {}
    request_body: Any = None
    description: str = ""
    server: Server | None = None
    pointer: str = ""


class Response(Record):
    """A documented response. ``status`` is ``"200"``, ``"2XX"`` (upper case) or ``"default"``.

    ``fault`` is the error of one that can't be read.
    """

    status: str
    description: str = ""
    headers: Mapping[str, Header] = {}
    content: Mapping[str, MediaType] = {}
    links: tuple[Link, ...] = ()
    summary: str = ""
    pointer: str = ""
    fault: DocumentError | None = None


class ServerVariable(Record):
    """A variable of a server's URL template. ``enum`` is empty if any value is allowed."""

    name: str
    default: str
    enum: tuple[str, ...] = ()
    description: str = ""


class Server(Record):
    """A server. ``url`` is a template, made absolute by the document's URL if that is known.

    ``remote``: it comes from a file of the network, so it is not trusted with credentials. If that file is an overlay,
    ``overlay`` is its URL. ``fault`` is the error of one that can't be read; only calls that use it fail.
    """

    url: str
    description: str = ""
    name: str = ""
    variables: Mapping[str, ServerVariable] = {}
    remote: bool = False
    overlay: str = ""
    fault: DocumentError | None = None


class OAuthFlow(Record):
    """One OAuth flow. ``type`` is ``authorizationCode``, ``clientCredentials``, ``implicit``, ``password`` or
    ``deviceAuthorization``; URLs are absolute if the document's URL is known. Scopes map name to description.
    """

    type: str
    authorization_url: str | None = None
    token_url: str | None = None
    refresh_url: str | None = None
    device_authorization_url: str | None = None
    scopes: Mapping[str, str] = {}


class SecurityScheme(Record):
    """A Security Scheme Object. ``name`` is its key in the document.

    ``type`` is ``apiKey``, ``http``, ``mutualTLS``, ``oauth2`` or ``openIdConnect``. ``in_`` and ``parameter`` are the
    location and name of an API key; ``scheme`` is the HTTP authentication scheme in lower case (2.0's ``basic`` is
    ``http``), and ``word`` the same as spelled in the document.
    """

    name: str
    type: str
    in_: str = ""
    parameter: str = ""
    scheme: str = ""
    bearer_format: str = ""
    flows: tuple[OAuthFlow, ...] = ()
    open_id_connect_url: str = ""
    oauth2_metadata_url: str = ""
    description: str = ""
    deprecated: bool = False
    pointer: str = ""
    word: str = ""


SecurityRequirement = Mapping[str, tuple[str, ...]]
"""The required scheme names, with the scopes of each; empty: nothing is required."""


class Tag(Record):
    """A tag. ``namespace`` is its Python name on a client."""

    name: str
    namespace: str
    summary: str = ""
    description: str = ""
    parent: str | None = None
    kind: str = ""


class _Operation(Record):
    row: OperationRow
    parameters: tuple[Parameter, ...] = ()
    body: RequestBody | None = None
    responses: Mapping[str, Response] = {}
    security: tuple[SecurityRequirement, ...] = ()
    servers: tuple[Server, ...] = ()
    description: str = ""
    external_docs: str = ""
    callbacks: tuple[str, ...] = ()
    extensions: Mapping[str, Any] = {}
    left_out: tuple[DocumentError, ...] = ()


class Operation(_Operation):  # a subclass, so that it can store what is computed of it once, such as its arguments
    """An operation: the parameters of its path, and the document's security and servers, are merged in.

    ``security`` is a choice (OR) of requirements (AND); empty if nothing is required. A requirement may name a scheme
    that the document does not declare, or declares wrongly. The keys of ``responses`` are
    those of :attr:`Response.status`. ``left_out`` are the errors of optional parameters that can't be read.
    """

    @property
    def id(self) -> str:
        """The operationId, or else ``METHOD path``; used in errors."""
        return self.row.operation_id or self.row.key

    @property
    def method(self) -> str:
        """The HTTP method, in upper case."""
        return self.row.method

    @property
    def path(self) -> str:
        """The path template, as spelled in the document."""
        return self.row.path


class Incoming(Record):
    """A request that the API sends: a webhook, or a callback of an operation (OAS 3.2, Callback Object).

    ``name`` is its key in the document. ``expression`` is the key of the callback's Path Item, from which the URL is
    evaluated; it is empty for a webhook. The operation has no path parameters.
    """

    name: str
    operation: Operation
    expression: str = ""


class API(Record):
    """A document with the list of its operations.

    ``read`` reads the Operation of a row, and raises a DocumentError if it is broken. ``document_uri`` is absolute;
    ``remote``: the document came from the network, so it is not trusted with credentials for other servers.
    ``read_incoming`` reads the callbacks of a row, or with None the webhooks, again each time. ``source_uri`` is the
    caller's location of the document: before redirects, and independent of a compiled form. ``faults`` are the errors
    of whole paths: a Path Item that can't be read has no rows. ``security`` is the document's own, which operations can
    replace.
    """

    title: str
    version: str
    document_uri: str
    document_name: str
    remote: bool
    rows: Sequence[OperationRow]
    read: Callable[[OperationRow], Operation]
    security_schemes: Mapping[str, SecurityScheme]
    schemas: Mapping[str, Schema]
    servers: tuple[Server, ...] = ()
    security: tuple[SecurityRequirement, ...] = ()
    tags: tuple[Tag, ...] = ()
    description: str = ""
    summary: str = ""
    references: References | None = None
    faults: tuple[DocumentError, ...] = ()
    source_uri: str = ""
    read_incoming: Callable[[OperationRow | None], tuple[Incoming, ...]] = lambda _: ()

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the received document, in hexadecimal digits; computed at its first use."""
        return self.references.fingerprint if self.references is not None else ""
