"""Names for annotations: what clients take and give beyond the face.

Emitted type hints name these and nothing behind them, so that what a project has committed stays true.
"""

from __future__ import annotations

from dynclient._client import AsyncClient, Client, OperationMethod
from dynclient._client.keywords import AsyncLoadOptions, Auth, CallOptions, Credential, Described, LoadOptions
from dynclient._client.operations import Operations
from dynclient._client.streaming import Answer, AsyncAnswer, AsyncStreaming, Streaming
from dynclient._request import Explanation, ServerChoice

__all__ = [
    "Answer",
    "AsyncAnswer",
    "AsyncClient",
    "AsyncLoadOptions",
    "AsyncStreaming",
    "Auth",
    "CallOptions",
    "Client",
    "Credential",
    "Described",
    "Explanation",
    "LoadOptions",
    "OperationMethod",
    "Operations",
    "ServerChoice",
    "Streaming",
]
