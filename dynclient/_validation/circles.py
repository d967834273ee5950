"""The circles of a graph (Tarjan's strongly connected components, without recursion)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping


def circles(graph: Mapping[str, Collection[str]]) -> list[set[str]]:
    """The sets of nodes that reach each other, and the nodes that reach themselves."""
    found: list[set[str]] = []
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()

    def enter(name: str) -> tuple[str, Iterator[str]]:
        order[name] = low[name] = len(order)
        path.append(name)
        on_path.add(name)
        return name, iter(graph[name])

    for start in graph:
        work = [] if start in order else [enter(start)]
        while work:
            name, onward = work[-1]
            for other in onward:
                if other not in order:
                    work.append(enter(other))
                    break
                if other in on_path:
                    low[name] = min(low[name], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    found.append(_taken(path, on_path, name))
    return [circle for circle in found if len(circle) > 1 or circle <= set(graph[min(circle)])]


def _taken(path: list[str], on_path: set[str], name: str) -> set[str]:
    """Take what was entered since a node off the path."""
    at = path.index(name)
    circle = set(path[at:])
    del path[at:]
    on_path -= circle
    return circle
