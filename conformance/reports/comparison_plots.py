"""Operators of graphs side by side, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.conformance.comparison.comparison import Comparison
from assay.conformance.reports import axes as frame
from assay.conformance.reports import svg, wording
from assay.conformance.reports.comparison_tables import operators_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_OPERATORS = 18
"""Of more operators than these, the plot shows the most frequent; the table has all."""

Graphs = Sequence[tuple[str, dict[str, int]]]


def operator_plot(comparison: Comparison, key: str) -> str | None:
    """One ``<svg>`` with one row an operator and one bar a model; None where there is no graph."""
    graphs = [(model.name, model.graph.operators) for model in comparison.models if model.graph is not None]
    rows = operators_of(comparison)[:MOST_OPERATORS]
    if not rows:
        return None
    with svg.drawing():
        figure, (axes,) = frame.panels(len(rows), inches_a_row=max(0.26, 0.1 + 0.085 * len(graphs)))
        for index, (name, operators) in enumerate(graphs):
            _draw(axes, index, len(graphs), name, [operators.get(row, 0) for row in rows])
        frame.label_rows(axes, rows)
        axes.set_xlabel("nodes")
        axes.margins(x=0.06)
        _whole_numbers(axes)
        frame.legend(figure, axes)
        told = (f"{wording.plain(name)}: {wording.counted(sum(counts.values()), 'node')}" for name, counts in graphs)
        return svg.inline(figure, key, "Operators", "; ".join(told))


def _draw(axes: Axes, index: int, models: int, name: str, counts: Sequence[int]) -> None:
    height = 0.8 / models
    places = [row - 0.4 + height * (index + 0.5) for row in range(len(counts))]
    colour = svg.SERIES[index % len(svg.SERIES)]
    # beyond as many models as there are colours, the next ones are paler
    alpha = max(0.25, 0.9 - 0.35 * (index // len(svg.SERIES)))
    axes.barh(places, counts, 0.92 * height, color=colour, alpha=alpha, linewidth=0, label=frame.short(name))
    if models <= 3:
        for place, count in zip(places, counts, strict=True):
            text = str(count) if count else ""
            axes.annotate(
                text, (count, place), (3, 0), textcoords="offset points", va="center", fontsize=frame.SMALL - 1
            )


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
