"""The distribution of the times of every model, with median, its confidence interval, and 95th percentile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assay.conformance.reports import axes as frame
from assay.conformance.reports import svg, wording
from assay.conformance.reports.readings import Latency, Timing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 90
_LOG_FROM = 6.0
"""The medians' largest ratio from which the axis is logarithmic."""

Edges = npt.NDArray[np.float64]


def latency_plot(latency: Latency, key: str) -> str | None:
    """One ``<svg>`` with one row a model; None where no model was timed."""
    models = [model for model in latency.models if _known(model)]
    if not models:
        return None
    with svg.drawing():
        figure, (axes,) = frame.panels(len(models), inches_a_row=0.62)
        edges = _edges(models)
        axes.set_xlim(edges[0], edges[-1])
        if _is_wide(models):
            frame.log_scale(axes)
        for row, model in enumerate(models):
            _draw(axes, model, row, edges)
        frame.label_rows(axes, [model.name for model in models], above=0.9)
        axes.set_xlabel("time of one run, ms")
        frame.legend(figure, axes)
        return svg.inline(figure, key, "Latency", _description(models))


def _known(model: Timing) -> list[float]:
    """The positive times that the row of a model has to show; samples up to its 99th percentile."""
    marks = [model.median_ms, model.median_low, model.median_high, model.p95_ms, model.p95_low, model.p95_high]
    tail = [float(np.percentile(model.times_ms, rank)) for rank in (0, 99)] if model.times_ms else []
    return [mark for mark in [*marks, *tail] if mark is not None and mark > 0]


def _is_wide(models: Sequence[Timing]) -> bool:
    middles = [float(np.median(_known(model))) for model in models]
    return max(middles) > _LOG_FROM * min(middles)


def _edges(models: Sequence[Timing]) -> Edges:
    known = [time for model in models for time in _known(model)]
    low, high = min(known), max(known)
    if _is_wide(models):
        return np.geomspace(low / 1.15, high * 1.15, _BINS + 1)
    margin = 0.06 * (high - low) or 0.1 * high
    return np.linspace(max(low - margin, 0.0), high + margin, _BINS + 1)


def _draw(axes: Axes, model: Timing, row: int, edges: Edges) -> None:
    colour = svg.SERIES[row % len(svg.SERIES)]
    if model.times_ms:
        counts, _ = np.histogram(model.times_ms, edges)
        heights = row - 0.1 - 0.62 * counts / max(counts.max(), 1)
        axes.stairs(heights, edges, baseline=row - 0.1, fill=True, color=colour, alpha=0.45, linewidth=0)
        _tell_outliers(axes, model, row, float(edges[-1]))
    if model.median_ms is not None:
        label = "median and its confidence interval"
        frame.interval(axes, row, model.median_ms, model.median_low, model.median_high, svg.INK, label)
    if model.p95_ms is not None:
        if model.p95_low is not None and model.p95_high is not None:
            axes.plot([model.p95_low, model.p95_high], [row, row], color=svg.MUTED, linewidth=1.4)
        label = "95th percentile and its confidence interval"
        axes.plot(
            [model.p95_ms], [row], "|", color=svg.MUTED, markersize=12, markeredgewidth=2, linestyle="none", label=label
        )


def _tell_outliers(axes: Axes, model: Timing, row: int, high: float) -> None:
    beyond = sum(time > high for time in model.times_ms)
    if beyond:
        text = f"{beyond} slower, up to {wording.milliseconds(max(model.times_ms))}"
        axes.text(high, row - 0.6, text, color=svg.MUTED, ha="right", va="center", fontsize=frame.SMALL)


def _description(models: Sequence[Timing]) -> str:
    medians = ((model.name, wording.milliseconds(model.median_ms)) for model in models)
    return (
        wording.listed((f"{wording.plain(name)}: median {median}" for name, median in medians if median), "; ")
        or "no median"
    )
