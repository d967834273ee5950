"""Whose fault was it? Four branches under :class:`DynclientError` answer that.

* :class:`DocumentError`: the document's author. * :class:`RequestError`: the caller; nothing was sent.
* :class:`TransportError`: the way between. * :class:`ResponseError`: the server.

Rule 1: an error carries data, and its text is made from that data when it is read.
Rule 2: a text says what, where and the hint; at most 2,000 characters, control characters escaped, no secret.
Rule 3: an error pickles whole, by its arguments by name.
"""

from __future__ import annotations

from dynclient._escaping import escaped
from dynclient.exceptions._document import (
    DocumentError,
    InvalidDocument,
    UnreadableDocument,
    UnresolvableReference,
    UnsafeDocument,
    UnsupportedVersion,
)
from dynclient.exceptions._request import (
    ArgumentError,
    BlockedAddress,
    ClientClosed,
    CredentialScopeError,
    EncodeError,
    MissingCredential,
    NoSuchOperation,
    RequestError,
    RequestValidationError,
    UnsupportedMediaType,
)
from dynclient.exceptions._response import (
    API_ERRORS,
    ApiError,
    AuthorizationError,
    BadRequest,
    Conflict,
    DecodeError,
    Forbidden,
    Gone,
    NotFound,
    Problem,
    RateLimited,
    RedirectError,
    ResponseError,
    ResponseTooLarge,
    ResponseValidationError,
    ServerError,
    Unauthorized,
    UndocumentedStatus,
    UnexpectedMediaType,
    UnprocessableContent,
    api_error,
)
from dynclient.exceptions._root import DynclientError, Fault, Place
from dynclient.exceptions._transport import (
    ConnectError,
    ConnectionLost,
    PoolTimeout,
    ProtocolError,
    TimeoutError,  # noqa: A004  # one word for one thing
    TLSError,
    TransportError,
)

__all__ = [
    "API_ERRORS",
    "ApiError",
    "ArgumentError",
    "AuthorizationError",
    "BadRequest",
    "BlockedAddress",
    "ClientClosed",
    "Conflict",
    "ConnectError",
    "ConnectionLost",
    "CredentialScopeError",
    "DecodeError",
    "DocumentError",
    "DynclientError",
    "EncodeError",
    "Fault",
    "Forbidden",
    "Gone",
    "InvalidDocument",
    "MissingCredential",
    "NoSuchOperation",
    "NotFound",
    "Place",
    "PoolTimeout",
    "Problem",
    "ProtocolError",
    "RateLimited",
    "RedirectError",
    "RequestError",
    "RequestValidationError",
    "ResponseError",
    "ResponseTooLarge",
    "ResponseValidationError",
    "ServerError",
    "TLSError",
    "TimeoutError",
    "TransportError",
    "Unauthorized",
    "UndocumentedStatus",
    "UnexpectedMediaType",
    "UnprocessableContent",
    "UnreadableDocument",
    "UnresolvableReference",
    "UnsafeDocument",
    "UnsupportedMediaType",
    "UnsupportedVersion",
    "api_error",
    "escaped",
]

# One address for each: tracebacks and pickles say `dynclient.exceptions`, whatever file a class stands in.
for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type):
        _value.__module__ = __name__
