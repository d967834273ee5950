"""What is known of an operation before it is read. Whoever only lists operations needs no more of the model."""

from __future__ import annotations

from dynclient._records import Record


class OperationRow(Record):
    """What is known of an operation before it is read: enough to list it and to find it.

    ``key`` is ``"POST /accounts/{accountId}/calls"``. ``name`` is its flat Python name, ``names_by_tag`` pairs each of
    its namespaces with its name there. ``pointer`` is the Operation Object's place, ``path_pointer`` its Path Item's.
    """

    key: str
    method: str
    path: str
    operation_id: str | None
    name: str
    names_by_tag: tuple[tuple[str, str], ...]
    summary: str
    tags: tuple[str, ...]
    deprecated: bool
    pointer: str
    path_pointer: str
