"""The row of an operation in the list. To list operations, nothing else of the model is loaded."""

from __future__ import annotations

from dynclient._records import Record


class OperationRow(Record):
    """An operation that has not been read yet: the fields that are needed to list it and to find it.

    ``key`` is ``"POST /accounts/{accountId}/calls"``. ``name`` is its flat Python name, ``names_by_tag`` pairs each of
    its namespaces with its name there. ``pointer`` is the location of the Operation Object, ``path_pointer`` that of
    its Path Item.
    """

    key: str
    method: str
    path: str
    operation_id: str | None
    name: str
    names_by_tag: tuple[tuple[str, str], ...] = ()
    summary: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    pointer: str = ""
    path_pointer: str = ""
