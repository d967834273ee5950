"""``client.operations``, a mapping that prints as a table, the namespace of a tag, and their completion by IPython."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dynclient._client.operation_method import Dispatcher, OperationMethod
from dynclient._client.state import (
    OperationNames,
    attributes_near,
    no_such_operation,
    variant,
)
from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import arguments, secret
from dynclient.model import API, OperationRow, Schema

if TYPE_CHECKING:
    from dynclient._tables import Row


# Only reading an operation shows whether it is broken, which takes milliseconds for each.
_CHECKED = 500
BEST = 15  # results of a search that are printed at once


class Operations(Mapping[str, Any]):
    """The operations of a client by their flat Python names, in the document's order.

    ``operations[...]`` also takes an operationId, a name within a namespace (``calls.create_call``) and
    ``"POST /accounts/{accountId}/calls"``. Printed, it is a table.
    """

    __slots__ = ("_dispatcher", "_most", "_names")

    def __init__(self, dispatcher: Dispatcher, names: OperationNames, *, most: int | None = None) -> None:
        """``most``: the document has more operations than these, of which so many are printed."""
        self._dispatcher = dispatcher
        self._names = names
        self._most = most

    def __getitem__(self, name: str) -> Any:
        return OperationMethod(self._dispatcher, self._names.find(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.by_name)

    def __len__(self) -> int:
        return len(self._names.by_name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._names.by_any

    def search(self, words: str) -> Operations:
        """The operations that best match these words in names, paths, texts or parameters, best first."""
        keys = {row.key: row for row in self._names.by_name.values()}
        found = self._dispatcher.document.search_index.search(words)
        return Operations(
            self._dispatcher, OperationNames(keys[row.key] for row in found if row.key in keys), most=BEST
        )

    def __repr__(self) -> str:
        # Colours and the terminal's width at the prompt; plain text in a log or a pipe.
        return self._in_terminal() if hasattr(sys, "ps1") else self._as_text()

    def _repr_html_(self) -> str:
        from dynclient.inspection.catalog import as_html

        return as_html(*self._table(), note=self._note())

    def _repr_mimebundle_(self, **_formats: Any) -> dict[str, str]:
        return {"text/plain": self._in_terminal(), "text/html": self._repr_html_()}

    def _in_terminal(self) -> str:
        from dynclient._tables import as_text, for_stream

        if not sys.stdout.isatty():  # a notebook: it forces colours, which its HTML has by itself
            return as_text(*self._table(), note=self._note())
        return for_stream(*self._table(), sys.stdout, note=self._note())

    def _as_text(self) -> str:
        from dynclient._tables import as_text

        return as_text(*self._table(), note=self._note())

    def _note(self) -> str:
        if self._most is not None:
            more = len(self) > self._most
            return f"the best {self._most} of {len(self):,}; list(...) has the names of all" if more else ""
        if len(self) <= _CHECKED:
            return ""
        return f"broken operations are marked in the first {_CHECKED:,} only; `dynclient ls --check` marks all of them"

    def _table(self) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """A row for each operation, and the paths that could not be listed."""
        from dynclient.inspection.catalog import lost, rows

        document = self._dispatcher.document
        api, every = document.api, tuple(self._names.by_name.values())
        if self._most is not None:
            # Results of a search are in the order of their rank, without the headings of tags.
            every = tuple(row._replace(tags=()) for row in every[: self._most])
        found = rows(api._replace(rows=every[:_CHECKED]), document.fault)
        found += rows(api._replace(rows=every[_CHECKED:]))
        return found, () if self._most is not None else lost(api)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._names.by_any)


class Namespace:
    """The operations of one tag."""

    __slots__ = ("_dispatcher", "_name")

    def __init__(self, name: str, dispatcher: Dispatcher) -> None:
        self._name = name
        self._dispatcher = dispatcher

    def __getattr__(self, name: str) -> OperationMethod:
        found = variant(self._rows, name)
        if found is None:
            raise no_such_operation(name, attributes_near(name, self._rows), self._name)
        return OperationMethod(self._dispatcher, *found, self._name)

    @property
    def _rows(self) -> dict[str, OperationRow]:
        return self._dispatcher.document.names.by_namespace[self._name]

    def __dir__(self) -> list[str]:
        return list(self._rows)

    def __repr__(self) -> str:
        return repr(self._listed()) if hasattr(sys, "ps1") else f"<{self._name}: {', '.join(self._rows)}>"

    def _repr_mimebundle_(self, **formats: Any) -> dict[str, str]:
        return self._listed()._repr_mimebundle_(**formats)  # IPython's name for it

    def _listed(self) -> Operations:
        """The operations by their names in this namespace."""
        rows = (row._replace(name=name) for name, row in self._rows.items())
        return Operations(self._dispatcher, OperationNames(rows), most=len(self._rows))


class Summary:
    """The namespaces of a large API, with the number of operations of each, which a client shows instead of a list."""

    __slots__ = ("_api",)

    def __init__(self, api: API) -> None:
        self._api = api

    def __repr__(self) -> str:
        from dynclient._tables import aligned
        from dynclient.inspection.catalog import NAMESPACE_HEAD, namespaces

        return "\n".join([aligned([NAMESPACE_HEAD, *namespaces(self._api)]), self._note])

    def _repr_mimebundle_(self, **_formats: Any) -> dict[str, str]:
        from dynclient.inspection.catalog import namespaces_as_html

        return {"text/plain": repr(self), "text/html": namespaces_as_html(self._api, note=self._note)}

    @property
    def _note(self) -> str:
        return "a namespace lists its operations, `operations` all of them; `operations.search(words)` finds some"


def allow_completion(*classes: type) -> None:
    """Let IPython, if it is loaded, evaluate attributes of these classes while it completes, and offer values.

    Its completer evaluates no attribute of a class that has ``__getattr__``, since that could have effects. Here it
    only makes a method, so the classes are added to IPython's list of safe ones.
    """
    guarded = sys.modules.get("IPython.core.guarded_eval")
    for policy in getattr(guarded, "EVALUATION_POLICIES", {}).values():
        allowed = getattr(policy, "allowed_getattr", None)
        if isinstance(allowed, set):
            allowed.update(classes)
    shells = sys.modules.get("IPython.core.interactiveshell") if guarded is not None else None
    if shells is not None and shells.InteractiveShell.initialized():
        shell = shells.InteractiveShell.instance()
        matchers = getattr(shell.Completer, "custom_matchers", None)
        if isinstance(matchers, list) and not any(isinstance(one, ValueMatcher) for one in matchers):
            matchers.append(ValueMatcher(shell, classes))


class ValueMatcher:
    """Completes ``voice.update_call(state="`` with the values that the document lists for it."""

    def __init__(self, shell: Any, classes: tuple[type, ...]) -> None:
        """Take IPython's shell, and the classes of clients and namespaces: nothing else is evaluated."""
        self._shell = shell
        self._classes = classes
        self.__qualname__ = type(self).__qualname__  # IPython recognizes a matcher by it

    def __call__(self, text: str) -> list[str]:
        """Complete the last word before the cursor; returns the whole words."""
        called, keyword, quote = _value_begun(getattr(self._shell.Completer, "text_until_cursor", ""))
        method = self._method(called.split(".")) if keyword else None
        if method is None:
            return []
        words = [
            str(value) if quote or not isinstance(value, str) else f'"{value}"' for value in _values(method, keyword)
        ]
        return [word for word in words if word.startswith(text)]

    def _method(self, names: list[str]) -> OperationMethod | None:
        found = self._shell.user_ns.get(names[0])
        for name in names[1:]:
            if not isinstance(found, self._classes):
                return None
            found = getattr(found, name, None)
        return found if isinstance(found, OperationMethod) else None


def _values(method: OperationMethod, keyword: str) -> tuple[Any, ...]:
    try:
        found = next((one for one in arguments(method.operation) if keyword in {one.name, one.wire}), None)
        schema: Schema | None = found.schema if found is not None else None
        if schema is None or secret(schema):
            return ()
        seen = shape(schema)
        values = seen.enum or (shape(seen.items).enum if seen.items is not None else None) or ()
    except DocumentError:
        return ()
    return tuple(value for value in values if isinstance(value, str | int) and str(value).isprintable())


def _value_begun(line: str) -> tuple[str, str, str]:
    """The call in a line up to the cursor, the keyword whose value is being typed, and its quote.

    Empty if there is none.
    """
    before, _, arguments = line.rpartition("(")
    head, _, value = arguments.rpartition("=")
    value = value.lstrip()
    quote = value[:1] if value[:1] in {"'", '"'} else ""
    keyword = _last_word(head.rstrip(), "_")
    if ")" in arguments or set(value.removeprefix(quote)) & set("'\"(),="):
        return "", "", ""
    return _last_word(before, "_."), keyword, quote


def _last_word(text: str, others: str) -> str:
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in others):
        start -= 1
    return text[start:]
