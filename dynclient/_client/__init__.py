"""Clients: an API as an object, its operations as methods, and the drivers that run calls."""

from __future__ import annotations

from dynclient._client.clients import AsyncClient, Client, load
from dynclient._client.operation_method import OperationMethod

__all__ = ["AsyncClient", "Client", "OperationMethod", "load"]
