"""The table: each row is a measurement, with dynclient, its limit, the goal, and each peer as a ratio to that limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Figure = float | str
"""A number, or instead of it a word: the class of an error, a timeout, or a dash."""


class Goal(NamedTuple):
    """The goal: at most this ratio to the limit, and at most this figure; or at least this ratio."""

    ratio: float | None = None
    figure: float | None = None
    at_least: float | None = None

    def shown(self, unit: str) -> str:
        """The goal in words."""
        parts = [f"<= {self.ratio:g}x" if self.ratio is not None else ""]
        parts.append(f"<= {self.figure:g} {unit}" if self.figure is not None else "")
        parts.append(f">= {self.at_least:g}x" if self.at_least is not None else "")
        return ", ".join(filter(None, parts))

    def met(self, own: float, ratio: float | None) -> bool:
        """Whether it is reached."""
        return (
            (self.ratio is None or (ratio is not None and ratio <= self.ratio))
            and (self.figure is None or own <= self.figure)
            and (self.at_least is None or (ratio is not None and ratio >= self.at_least))
        )


class Row(NamedTuple):
    """One thing that was measured. Peers are in the limit's unit; ``ratio`` is given where it is not that of both."""

    what: str
    unit: str
    own: Figure
    limit: Figure = "-"
    goal: Goal | None = None
    peers: Mapping[str, Figure] = {}
    ratio: float | None = None

    @property
    def shown_ratio(self) -> float | None:
        """Dynclient's ratio to the limit."""
        if self.ratio is not None:
            return self.ratio
        return self.own / self.limit if isinstance(self.own, float) and isinstance(self.limit, float) else None


def _number(figure: Figure) -> str:
    if isinstance(figure, str):
        return figure
    return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.1f}"  # noqa: PLR2004  # digits that say something


def _ratio(figure: Figure, limit: Figure) -> str:
    if isinstance(figure, str) or isinstance(limit, str) or not limit:
        return _number(figure)
    ratio = figure / limit
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"  # noqa: PLR2004  # as above


def _cells(row: Row, peers: Sequence[str]) -> list[str]:
    ratio = row.shown_ratio
    mark = ""
    if row.goal is not None:
        mark = "met" if isinstance(row.own, float) and row.goal.met(row.own, ratio) else "NOT met"
    return [
        f"{row.what}, {row.unit}",
        _number(row.limit),
        _number(row.own),
        f"{ratio:.2f}x" if ratio is not None else "-",
        row.goal.shown(row.unit) if row.goal is not None else "",
        mark,
        *(_ratio(row.peers.get(peer, "-"), row.limit) for peer in peers),
    ]


def rendered(rows: Iterable[Row], peers: Sequence[str]) -> str:
    """The table in Markdown, in columns of equal width, for a terminal and for the manual."""
    cells = [["what", "limit", "dynclient", "ratio", "goal", "", *peers], *(_cells(row, peers) for row in rows)]
    widths = [max(3, *(len(line[column]) for line in cells)) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
