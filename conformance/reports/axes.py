"""What the plots of a report share: rows with names, logarithmic ticks, notes on lines, intervals, the legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from assay.conformance.reports import svg, wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALL = 8.5
"""Size of a note, in points."""

Side = Literal["left", "center", "right"]

_WIDTH = 9.8
_LABEL = 30


def panels(rows: int, inches_a_row: float, count: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with panels beside each other, high enough for so many rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, 1.0 + inches_a_row * max(rows, 1)), layout="constrained")
    axes: list[Axes] = list(figure.subplots(1, count, squeeze=False)[0])
    for panel in axes:
        panel.grid(axis="x", color=svg.RULE, linewidth=0.6)
    return figure, axes


def label_rows(axes: Axes, names: Sequence[str | None], above: float = 0.6) -> None:
    """Name the rows, the first on top."""
    axes.set_yticks(range(len(names)), labels=[short(name) for name in names])
    axes.set_ylim(max(len(names), 1) - 0.4, -above)


def short(name: str | None) -> str:
    """A name that fits beside a plot; matplotlib would leave one out of the legend that begins with an underscore."""
    text = wording.shortened(wording.plain("unnamed" if name is None else name), _LABEL)
    return f"\u200a{text}" if text.startswith("_") else text


def log_scale(axes: Axes) -> None:
    """A logarithmic axis whose ticks are plain numbers, with 2 and 5 between where it spans little."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1.0,) if math.log10(high / low) > 2.5 else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def note(axes: Axes, x: float, text: str, colour: str, side: Side = "center") -> None:
    """A few words above the plot, at a vertical line."""
    axes.annotate(
        text,
        (x, 1),
        (0, 4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha=side,
        color=colour,
        fontsize=SMALL,
        annotation_clip=False,
    )


def interval(
    axes: Axes, row: float, centre: float, low: float | None, high: float | None, colour: str, label: str | None
) -> None:
    """A value with its confidence interval."""
    if low is not None and high is not None:
        axes.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="round")
    axes.plot([centre], [row], "o", color=colour, markersize=6.5, linestyle="none", label=label, clip_on=False)


def legend(figure: Figure, axes: Axes) -> None:
    """The legend below the plot, each label once; none where nothing is labelled."""
    handles, labels = axes.get_legend_handles_labels()
    entries = dict(zip(labels, handles, strict=True))
    if entries:
        columns = max(1, min(len(entries), 110 // (6 + max(map(len, entries)))))
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns, handletextpad=0.4)
