"""Call any HTTP API that has an OpenAPI document; the client is built at run time.

Load the document, and call its operations as methods::

    voice = dynclient.load("openapi/voice.yaml", auth=("user", "password"))
    call = voice.create_call("9900000", to="+19195551234", from_="+19195554321", ...)

``python -m dynclient demo`` shows it with an example document. The names below are loaded at their first use, so
importing dynclient takes almost no time.
"""

from __future__ import annotations

from typing import Any

from dynclient._version import __version__ as __version__

_MODULES = {
    "_client": ("AsyncClient", "Client", "load"),
    "_client.jobs": ("resume",),
    "exceptions": (
        "ApiError", "ArgumentError", "AuthorizationError", "BadRequest", "BlockedAddress", "ClientClosed", "Conflict",
        "ConnectError", "ConnectionLost", "CredentialScopeError", "DecodeError", "DocumentError", "DocumentLocation",
        "DynclientError", "EncodeError", "ExpressionError", "Fault", "Forbidden", "Gone", "InvalidDocument",
        "InvalidWebhook", "LinkError", "MissingCredential", "NoSuchOperation", "NotFound", "PaceTimeout",
        "PaginationError", "PaginationUnclear", "PoolTimeout", "Problem", "ProtocolError", "RateLimited",
        "RedirectError", "ReplayedWebhook", "RequestError", "RequestValidationError", "ResponseError",
        "ResponseTooLarge", "ResponseValidationError", "ServerError", "SignatureError", "TLSError", "TimeoutError",
        "TransportError", "Unauthorized", "UndocumentedStatus", "UnexpectedMediaType", "UnknownWebhook",
        "UnprocessableContent", "UnreadableDocument", "UnresolvableReference", "UnsafeDocument",
        "UnsupportedMediaType", "UnsupportedVersion", "WaitFailed", "WaitTimeout", "WebhookError",
    ),
    "_call.http_cache": ("HTTPCache",),
    "messages": ("HTTPResult", "Headers", "Request", "Response"),
    "options": (
        "DeviceCode", "Limits", "OAuth2", "Rate", "RateLimiter", "Retry", "TLS", "Timeout", "TokenStore", "Validation",
    ),
    "security": ("Auth", "AuthContext", "HMACAuth", "SigV4"),
}  # fmt: skip
_WHERE = {name: module for module, names in _MODULES.items() for name in names}
_SUBMODULES = ("bulk", "drift", "exceptions", "explorer", "mcp", "options", "security", "testing", "webhooks")

# `from dynclient import *` must not hide the built-in TimeoutError, of which dynclient's is a subclass.
__all__ = sorted(name for name in _WHERE if name != "TimeoutError")  # noqa: PLE0605  # a list, of _MODULES


def __getattr__(name: str) -> Any:
    """Load a public name or module when it is first used (PEP 562)."""
    from importlib import import_module

    if name in _WHERE:
        value = getattr(import_module(f"dynclient.{_WHERE[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"dynclient.{name}")
    else:
        raise AttributeError(f"module 'dynclient' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*_WHERE, "__version__", *_SUBMODULES]
