"""A client for any HTTP API that has an OpenAPI document, made at run time.

Load the document, call its operations as methods::

    voice = dynclient.load("openapi/voice.yaml", auth=("user", "password"))
    call = voice.create_call("9900000", to="+19195551234", from_="+19195554321", ...)

The names below are loaded when they are first used: importing dynclient costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynclient._version import __version__ as __version__

if TYPE_CHECKING:
    from dynclient._client import AsyncClient, Client, load
    from dynclient.exceptions import (
        ApiError,
        DocumentError,
        DynclientError,
        RequestError,
        ResponseError,
        TransportError,
    )
    from dynclient.messages import HTTPResult, Request, Response
    from dynclient.options import Retry, Timeout, Validation

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "DocumentError",
    "DynclientError",
    "HTTPResult",
    "Request",
    "RequestError",
    "Response",
    "ResponseError",
    "Retry",
    "Timeout",
    "TransportError",
    "Validation",
    "load",
]

_MODULES = {
    "_client": ("AsyncClient", "Client", "load"),
    "exceptions": ("ApiError", "DocumentError", "DynclientError", "RequestError", "ResponseError", "TransportError"),
    "messages": ("HTTPResult", "Request", "Response"),
    "options": ("Retry", "Timeout", "Validation"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a public name or module when it is first used (PEP 562)."""
    from importlib import import_module

    if name in _WHERE:
        value = getattr(import_module(f"dynclient.{_WHERE[name]}"), name)
    elif name in {"exceptions", "options", "testing"}:
        value = import_module(f"dynclient.{name}")
    else:
        raise AttributeError(f"module 'dynclient' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__", "exceptions", "options", "testing"]
