"""JSONPath (RFC 9535) in bounded time: jsonpath-rfc9535 evaluates, and a clock is checked for each visited node.

This library passes all cases of the RFC's test suite, but has no limits. So its nodes and queries, including those in
filters, are replaced by ones that check the clock, and the functions ``match`` and ``search`` by ones that use
:mod:`dynclient._regex`, whose time is bounded.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from typing import Any

from dynclient._deferred import expression, needing
from dynclient._records import Record
from dynclient._regex import compile as compile_pattern
from dynclient.exceptions import ArgumentError

with needing(ArgumentError, "overlays need", "overlay", argument="overlays"):
    import jsonpath_rfc9535 as library
    from iregexp_check import check
    from jsonpath_rfc9535.filter_expressions import Expression, FilterQuery
    from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction
    from jsonpath_rfc9535.tokens import TokenStream

_LONGEST = 10_000
"""The largest number of characters of a path."""
_DEEPEST = 512
_PLACE = expression(r"(, line \d+)?, column \d+$")
_DOT = expression(r"\\.|\[(?:\\.|[^\]\\])*\]?|(\.)", re.DOTALL)

Location = tuple[str | int, ...]


class PathError(Exception):
    """A text is not a JSONPath, or it can't be evaluated."""


class OutOfTime(Exception):
    """The time limit has passed."""


class Selected(Record):
    """A node that a path selects: its keys and indices from the root, its parent, and its value."""

    location: Location
    parent: Any
    value: Any


class Paths(library.JSONPathEnvironment):
    """Evaluates paths, within a total of CPU seconds of this thread; None is no limit."""

    max_recursion_depth = _DEEPEST

    def __init__(self, seconds: float | None) -> None:
        """Start the clock, which counts only the CPU time of this thread."""
        self._most = math.inf if seconds is None else time.thread_time() + seconds
        self._next = time.monotonic() + min(seconds or 0, 1)
        self.parser_class = _Parser
        super().__init__()

    def setup_function_extensions(self) -> None:
        """Replace the functions that match regular expressions."""
        super().setup_function_extensions()
        self.function_extensions |= {"match": _Pattern(self, "^(?:", ")$"), "search": _Pattern(self)}

    def look(self) -> None:
        """Check the clock.

        Raises:
            OutOfTime: the time limit has passed.
        """
        if time.monotonic() > self._next:  # it is faster to read than the thread's own clock
            left = self._most - time.thread_time()
            if left < 0:
                raise OutOfTime
            self._next = time.monotonic() + min(left, 1)

    def read(self, path: str) -> _Query:
        """Read a path.

        Raises:
            PathError: it is not a JSONPath.
        """
        if len(path) > _LONGEST:
            raise PathError(f"has {len(path):,} characters, {_LONGEST:,} are allowed")
        try:
            return _Query(env=self, segments=self.compile(path).segments)
        except library.JSONPathError as error:
            raise PathError(f"is not a JSONPath of RFC 9535: {_PLACE.sub('', str(error))}") from None
        except RecursionError:
            raise PathError("nests too deep") from None

    def select(self, path: str, root: Any) -> Iterator[Selected]:
        """Yield the nodes that a path selects, each once.

        Raises:
            PathError: it is not a JSONPath.
            OutOfTime: the time limit has passed.
        """
        seen: set[Location] = set()
        try:
            for node in self.read(path).finditer(root):
                if node.location not in seen:
                    seen.add(node.location)
                    yield Selected(node.location, node.parent.value if node.parent is not None else None, node.value)
        except library.JSONPathError as error:
            raise PathError(f"can't be evaluated: {error}") from None
        except RecursionError:
            raise PathError("can't be evaluated: it nests too deep") from None


class _Node(library.JSONPathNode):
    __slots__ = ("paths",)

    def __init__(self, paths: Paths, **members: Any) -> None:
        self.paths = paths
        paths.look()
        super().__init__(**members)

    def new_child(self, value: object, key: int | str, parent: library.JSONPathNode | None) -> library.JSONPathNode:
        return _Node(self.paths, value=value, location=(*self.location, key), parent=parent, root=self.root)


class _Query(library.JSONPathQuery):
    __slots__ = ()

    def finditer(self, value: Any) -> Any:
        nodes: Any = [_Node(self.env, value=value, location=(), parent=None, root=value)]  # type: ignore[arg-type]  # Paths made it
        for segment in self.segments:
            nodes = segment.resolve(nodes)
        return nodes


class _Parser(library.Parser):
    def parse_root_query(self, stream: TokenStream) -> Expression:
        return _bounded(super().parse_root_query(stream))

    def parse_relative_query(self, stream: TokenStream) -> Expression:
        return _bounded(super().parse_relative_query(stream))


def _bounded(found: Expression) -> Expression:
    if isinstance(found, FilterQuery):
        found.query = _Query(env=found.query.env, segments=found.query.segments)
    return found


class _Pattern(FilterFunction):
    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  # as in the library
    return_type = ExpressionType.LOGICAL

    def __init__(self, paths: Paths, before: str = "", after: str = "") -> None:
        self._paths, self._before, self._after = paths, before, after

    def __call__(self, text: object, pattern: object) -> bool:
        """Return whether an I-Regexp (RFC 9485) matches; one that is invalid matches nothing (RFC 9535, 2.4.6)."""
        self._paths.look()
        if not isinstance(text, str) or not isinstance(pattern, str) or not check(pattern):
            return False
        # RFC 9485, 5.3: for ECMA-262, a dot outside of a class becomes [^\n\r].
        pattern = _DOT.sub(lambda found: r"[^\n\r]" if found[1] else found[0], pattern)
        found = compile_pattern(f"{self._before}{pattern}{self._after}", longest=_LONGEST).search(text)
        if found is None:
            raise OutOfTime
        return found
