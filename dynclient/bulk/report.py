"""The HTML report of a run: results as a table, and plots. It needs no external resources.

matplotlib draws the plots as SVG (extra ``report``), so that the page needs no script and is small. Plots have the
page's colours, and are readable in light and dark mode.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

from dynclient._deferred import needing
from dynclient.bulk.journal import OUTCOMES, BulkError

_LONGEST = 200
_BUCKETS = 120
_BINS_A_DECADE = 20
_MOST_KINDS = 30
_MOST_UNKNOWN = 1000
_FOREGROUND = "#010203"
_LINES = {"done": "#2a9d4a", "refused": "#c77d00", "failed": "#d1383d", "unknown": "#7b4fd1"}
_PERCENTILES = {50: "#2277cc", 90: "#c77d00", 99: "#d1383d"}

_NAMES = ("row", "key", "outcome", "status", "attempts", "ms", "data", "problem")


def _cell(value: Any) -> str:
    """The text of a cell."""
    if value is None or type(value) is int:
        return "" if value is None else f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["cell"] = _cell
    return environment.get_template(name)


def results_html(title: str, results: Iterable[Any], most: int) -> str:
    """The first results as a table of HTML."""
    rows = [[getattr(each, name) for name in _NAMES] for each in islice(results, most + 1)]
    return str(_template("table.html").module.first_rows(title, _NAMES, rows, most))


class _Figures:
    """The figures of a page, counted in one pass over the results. Memory use does not grow with their number."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.width = start, max(end - start, 1e-3) / _BUCKETS
        self.outcomes: dict[str, list[int]] = {name: [0] * _BUCKETS for name in _LINES}
        self.latencies: list[Counter[int]] = [Counter() for _ in range(_BUCKETS)]
        self.statuses: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.unknown: list[str] = []

    def add(self, result: Any) -> None:
        if result.outcome == "unknown" and len(self.unknown) < _MOST_UNKNOWN:
            self.unknown.append(result.key)
        if result.status:
            self.statuses[str(result.status)] += 1
        if result.problem:
            text = re.sub(r"[0-9]{4,}", "N", str(result.problem.get("message", "")))[:_LONGEST]
            kind = f"{result.problem.get('type', '')}: {text}"
            if kind in self.kinds or len(self.kinds) < _MOST_KINDS:
                self.kinds[kind] += 1
        if result.time is None or result.outcome not in self.outcomes:
            return
        bucket = min(max(int((result.time - self.start) / self.width), 0), _BUCKETS - 1)
        self.outcomes[result.outcome][bucket] += 1
        if result.ms:
            self.latencies[bucket][round(math.log10(result.ms) * _BINS_A_DECADE)] += 1

    def percentile(self, bucket: int, percent: int) -> float:
        """A percentile of the latencies in milliseconds, accurate to about six per cent; NaN if there are none."""
        bins = self.latencies[bucket]
        left = bins.total() * percent / 100
        for number in sorted(bins):
            left -= bins[number]
            if left <= 0:
                return float(10 ** (number / _BINS_A_DECADE))
        return math.nan


def page(run: Any) -> str:
    """A page about a run, in one file of HTML.

    Raises:
        BulkError: matplotlib is not installed.
    """
    figures = _Figures(*_span(run))
    for result in run.results():
        figures.add(result)
    summary, (pace, latency) = run.summary, _plots(figures)
    return str(
        _template("report.html").render(
            title=f"{os.path.basename(run.path)}: {run.operation}",
            id=run.id,
            summary=summary,
            counts=[(name, getattr(summary, name)) for name in (*OUTCOMES, "pending")],
            seconds=figures.width * _BUCKETS,
            pace=pace,
            latency=latency,
            figures=figures,
        )
    )


def _span(run: Any) -> tuple[float, float]:
    """The times of the first and the last response."""
    first, last = math.inf, -math.inf
    for each in run.results():
        if each.time is not None:
            first, last = min(first, each.time), max(last, each.time)
    return (first, last) if first <= last else (0.0, 0.0)


def _plots(figures: _Figures) -> list[str]:
    """The plots of the pace, by outcome, and of the latency, by percentile."""
    # Lines of zeros would hide each other.
    pace = [
        (name, color, [count / figures.width if count or name == "done" else math.nan for count in counts])
        for (name, color), counts in zip(_LINES.items(), figures.outcomes.values(), strict=True)
        if any(counts)
    ]
    latency = [
        (f"{percent} %", color, [figures.percentile(bucket, percent) for bucket in range(_BUCKETS)])
        for percent, color in _PERCENTILES.items()
    ]
    return [_plot(figures, pace, "calls a second"), _plot(figures, latency, "milliseconds")]


def _plot(figures: _Figures, lines: list[tuple[str, str, list[float]]], label: str) -> str:
    with needing(BulkError, "a report needs", "report"):
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    colors = dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _FOREGROUND
    )
    with rc_context({**colors, "svg.fonttype": "none", "svg.hashsalt": label, "font.family": "sans-serif"}):
        figure = Figure(figsize=(9, 3), layout="constrained")
        axes = figure.add_subplot()
        moments = [(bucket + 0.5) * figures.width for bucket in range(_BUCKETS)]
        for name, color, values in lines:
            axes.plot(moments, values, label=name, color=color, linewidth=1.4, marker=".")
        axes.set_xlabel("seconds")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        if lines:
            axes.legend(frameon=False, ncols=len(lines), loc="lower right", bbox_to_anchor=(1, 1))
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    found = text.getvalue()
    found = found[found.index("<svg") :].replace(_FOREGROUND, "currentColor")
    before, _, after = found.partition("<metadata>")
    return before + after.partition("</metadata>")[2] if after else before
