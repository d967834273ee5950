"""Clients: an API as an object, its operations as methods, and the drivers that run calls."""

from __future__ import annotations

from dynclient._client._clients import AsyncClient, Client, load
from dynclient._client._method import OperationMethod

__all__ = ["AsyncClient", "Client", "OperationMethod", "load"]
