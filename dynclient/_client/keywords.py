"""What ``load`` and ``with_options`` take, and what every operation has, as types: emitted type hints name them.

Rule 1: nothing here is used at run time; a test holds it to the signatures that are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from typing_extensions import TypedDict

from dynclient import security
from dynclient._call import Hook
from dynclient._request import Explanation, ServerChoice
from dynclient._secrets import Secret
from dynclient.exceptions import DocumentError
from dynclient.options import TLS, Limits, OAuth2, Redirects, Retry, Timeout, Validation, ValidationMode
from dynclient.transports import AsyncTransport, Transport

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
    """What ``load`` and ``with_options`` both take, beside ``auth``."""

    base_url: str | None
    server: ServerChoice
    allow_origins: Iterable[str]
    headers: Mapping[str, str] | None
    timeout: Timeout | float | None
    retry: Retry | int | None
    validate: Validation | ValidationMode
    redirects: Redirects
    hooks: Hook | Iterable[Hook]


class _LoadOptions(CommonOptions, total=False):
    limits: Limits
    references: Iterable[str]
    tls: TLS
    proxy: str | None
    block_private: bool
    cache: bool | str | os.PathLike[str]
    watch: bool | float


class LoadOptions(_LoadOptions, total=False):
    """The options of ``Client.load``, beside ``auth``."""

    transport: Transport | None


class AsyncLoadOptions(_LoadOptions, total=False):
    """The options of ``AsyncClient.load``, beside ``auth``."""

    transport: AsyncTransport | None


class CallOptions(CommonOptions, total=False):
    """The options of ``with_options``, beside ``auth``."""

    content_type: str | None
    accept: str | None


class Described:
    """What every operation has, whatever its arguments are."""

    @property
    def operation(self) -> Any:
        """The operation as the document describes it (:class:`dynclient.model.Operation`)."""
        raise NotImplementedError

    @property
    def fault(self) -> DocumentError | None:
        """What is broken in it, so that it can't be called; None where nothing is. It is read for that."""
        raise NotImplementedError

    @property
    def schema(self) -> Any:
        """The JSON Schema (2020-12) of the body, complete in itself; None where it takes none."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """What its page says, as data."""
        raise NotImplementedError

    def example(self, seed: int = 0) -> dict[str, Any]:
        """Keyword arguments that make a valid call; the same for the same seed."""
        raise NotImplementedError

    def explain(self, /, *args: Any, **keywords: Any) -> Explanation:
        """Where each argument would go on the wire, which line of the document says so, and what validation says."""
        raise NotImplementedError
