"""Types for annotations: the values that clients accept and return.

Generated type hints import from here and not from private modules, so that committed files keep working. Nothing here
is used at run time; a test compares the options of ``load`` and ``with_options`` with the signatures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from http.cookiejar import CookieJar
from typing import TypeAlias

from typing_extensions import TypedDict

from dynclient import security
from dynclient._call import Hook
from dynclient._call.http_cache import HTTPCache
from dynclient._client import AsyncClient, Client, OperationMethod
from dynclient._client.jobs import AsyncJob, Job
from dynclient._client.links import ResultLink
from dynclient._client.operation_method import Described, Operations
from dynclient._client.paging import AsyncPages, Pages
from dynclient._client.raw_requests import RawRequests
from dynclient._client.streaming import Answer, AsyncAnswer, AsyncStreaming, Streaming
from dynclient._client.waiting import State, Waiter
from dynclient._paging.rules import Evidence, Pagination
from dynclient._paging.stepping import Page
from dynclient._request import Explanation, ServerChoice
from dynclient._secrets import Secret
from dynclient.options import (
    TLS,
    Conversion,
    Limits,
    OAuth2,
    Rate,
    RateLimiter,
    Redirects,
    Retry,
    Timeout,
    ValidationChoice,
)
from dynclient.transports import AsyncTransport, Transport

__all__ = [
    "Answer", "AsyncAnswer", "AsyncClient", "AsyncJob", "AsyncLoadOptions", "AsyncPages", "AsyncStreaming", "Auth",
    "CallOptions", "Client", "Credential", "Described", "Evidence", "Explanation", "Job", "LoadOptions",
    "OperationMethod", "Operations", "Page", "Pages", "Pagination", "RawRequests", "ResultLink", "ServerChoice",
    "State", "Streaming", "Waiter",
]  # fmt: skip


Credential: TypeAlias = (
    str
    | Secret
    | tuple[str | Secret, str | Secret]
    | OAuth2
    | security.Auth
    | Callable[[security.CredentialRequest], object]
)
Auth: TypeAlias = Credential | Mapping[str, Credential] | None


class CommonOptions(TypedDict, total=False):
    """The options of both ``load`` and ``with_options``, except ``auth``."""

    base_url: str | None
    server: ServerChoice
    allow_origins: Iterable[str]
    headers: Mapping[str, str] | None
    timeout: Timeout | float | None
    retry: Retry | int | None
    rate: Rate | RateLimiter | str | None
    validate: ValidationChoice
    redirects: Redirects
    hooks: Hook | Iterable[Hook]
    cookies: bool | CookieJar
    http_cache: HTTPCache | None
    coerce: bool
    convert: Conversion
    defaults: Mapping[str, object] | None
    paginate: Mapping[str, Mapping[str, object]] | None


class _LoadOptions(CommonOptions, total=False):
    limits: Limits
    references: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
    overlays: str | os.PathLike[str] | Mapping[str, object] | Iterable[str | os.PathLike[str] | Mapping[str, object]]
    document_headers: Mapping[str, str] | None
    document_auth: str | Secret | tuple[str | Secret, str | Secret] | None
    tls: TLS
    proxy: str | None
    unix_socket: str | os.PathLike[str] | None
    block_private: bool
    cache: bool | str | os.PathLike[str]
    watch: bool | float


class LoadOptions(_LoadOptions, total=False):
    """The options of ``Client.load``, except ``auth``."""

    transport: Transport | None


class AsyncLoadOptions(_LoadOptions, total=False):
    """The options of ``AsyncClient.load``, except ``auth``."""

    transport: AsyncTransport | None


class CallOptions(CommonOptions, total=False):
    """The options of ``with_options``, except ``auth``."""

    content_type: str | None
    accept: str | None
    upload_progress: Callable[[int, int | None], object] | None
    query: Mapping[str, object] | None
