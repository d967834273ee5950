"""What all clients of one loaded document share: the API, its plans, and the connections.

Rule 1: an operation is read, and its plan made, when it is first used; then it is kept.
Rule 2: threads may race to make a plan: the first one that is stored is everybody's.
"""

from __future__ import annotations

from typing import Any

from dynclient._call import Budget
from dynclient._client._connections import Connections
from dynclient._request import Plan
from dynclient.exceptions import DocumentError
from dynclient.model import API, Operation, OperationRow
from dynclient.options import Limits
from dynclient.security import CredentialCache


class Session:
    """The API and the transport behind a client and whatever ``with_options`` made of it."""

    __slots__ = (
        "_operations",
        "_plans",
        "api",
        "budget",
        "certificate",
        "connections",
        "credentials",
        "limits",
    )

    def __init__(self, api: API, limits: Limits, connections: Connections, *, certificate: bool = False) -> None:
        """Take the API, and what has the transport. ``certificate``: TLS shows one of the client."""
        self.api = api
        self.limits = limits
        self.certificate = certificate
        self.connections = connections
        self.budget = Budget()
        self.credentials = CredentialCache()
        self._operations: dict[str, Operation] = {}
        self._plans: dict[str, Plan] = {}

    def renewed(self, api: API) -> Session:
        """A session for another edition of the document, on the same connections, with the tokens that were fetched."""
        session = Session(api, self.limits, self.connections, certificate=self.certificate)
        session.budget, session.credentials = self.budget, self.credentials
        return session

    @property
    def transport(self) -> Any:
        """The transport.

        Raises:
            ClientClosed: the client has been closed.
        """
        return self.connections.transport

    def operation(self, row: OperationRow) -> Operation:
        """Read an operation, or take it as it was read before.

        Raises:
            DocumentError: the document is broken there.
        """
        operation = self._operations.get(row.key)
        if operation is None:
            try:
                operation = self.api.read(row)
            except DocumentError as error:
                error.operation_id = error.operation_id or row.operation_id or row.key
                raise
            operation = self._operations.setdefault(row.key, operation)
        return operation

    def plan(self, row: OperationRow) -> Plan:
        """Everything that each call of an operation needs, made at its first use."""
        plan = self._plans.get(row.key)
        if plan is None:
            operation = self.operation(row)
            try:
                plan = Plan(operation, self.limits)
            except DocumentError as error:
                error.operation_id = error.operation_id or operation.id
                raise
            plan = self._plans.setdefault(row.key, plan)
        return plan

    def fault(self, row: OperationRow) -> DocumentError | None:
        """What is broken in an operation, or None; reads it."""
        try:
            self.plan(row).check_answers()
        except DocumentError as error:
            return error
        return None
