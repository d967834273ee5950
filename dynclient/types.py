"""Types for annotations of what clients accept and return.

Generated type hints import from here and not from private modules, so that committed files keep working.
"""

from __future__ import annotations

from dynclient._client import AsyncClient, Client, OperationMethod
from dynclient._client.keywords import AsyncLoadOptions, Auth, CallOptions, Credential, LoadOptions
from dynclient._client.links import ResultLink
from dynclient._client.namespaces import Operations
from dynclient._client.operation_method import Described
from dynclient._client.paging import AsyncPages, Pages
from dynclient._client.raw_requests import RawRequests
from dynclient._client.streaming import Answer, AsyncAnswer, AsyncStreaming, Streaming
from dynclient._client.waiting import State, Waiter
from dynclient._client.waits import AsyncJob, Job
from dynclient._paging.rules import Evidence, Pagination
from dynclient._paging.stepping import Page
from dynclient._request import Explanation, ServerChoice

__all__ = [
    "Answer",
    "AsyncAnswer",
    "AsyncClient",
    "AsyncJob",
    "AsyncLoadOptions",
    "AsyncPages",
    "AsyncStreaming",
    "Auth",
    "CallOptions",
    "Client",
    "Credential",
    "Described",
    "Evidence",
    "Explanation",
    "Job",
    "LoadOptions",
    "OperationMethod",
    "Operations",
    "Page",
    "Pages",
    "Pagination",
    "RawRequests",
    "ResultLink",
    "ServerChoice",
    "State",
    "Streaming",
    "Waiter",
]
