"""Scores of the float model and its quantized variants, and each drop against its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.conformance.reports import axes as frame
from assay.conformance.reports import svg, wording
from assay.conformance.reports.readings import Accuracy, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def accuracy_plot(accuracy: Accuracy, key: str) -> str | None:
    """One ``<svg>``: scores on the left, drops and limits on the right; None where nothing was scored."""
    rows = _rows(accuracy)
    if not rows:
        return None
    with svg.drawing():
        figure, (scores, drops) = frame.panels(len(rows), inches_a_row=0.34, count=2)
        for row, (name, score) in enumerate(rows):
            colour = svg.SERIES[0] if name == "float" and score is accuracy.float_model else svg.SERIES[1]
            frame.interval(scores, row, score.score or 0.0, score.low, score.high, colour, None)
        _draw_drops(drops, accuracy, len(rows))
        for panel in (scores, drops):
            frame.label_rows(panel, [name for name, _ in rows])
            panel.margins(x=0.1)
        drops.tick_params(labelleft=False)
        _name_axis(scores, accuracy.metric, wording.plain(accuracy.metric or "score"), "%")
        _name_axis(drops, accuracy.metric, "drop against float", " points")
        frame.legend(figure, drops)
        told = (f"{wording.plain(name)} {wording.score(score.score, accuracy.metric)}" for name, score in rows)
        return svg.inline(figure, key, "Accuracy", "; ".join(told))


def _rows(accuracy: Accuracy) -> list[tuple[str, Score]]:
    """What has a score, by name; the float model first."""
    base = [("float", accuracy.float_model)] if accuracy.float_model else []
    scored: list[tuple[str, Score]] = [*base, *((variant.name or "unnamed", variant) for variant in accuracy.variants)]
    return [(name, score) for name, score in scored if score.score is not None]


def _draw_drops(axes: Axes, accuracy: Accuracy, count: int) -> None:
    axes.axvline(0, color=svg.MUTED, linewidth=0.9)
    scored = [variant for variant in accuracy.variants if variant.score is not None]
    for row, variant in enumerate(scored, count - len(scored)):
        if variant.drop is not None:
            label = "drop and its confidence interval"
            frame.interval(axes, row, variant.drop, variant.drop_low, variant.drop_high, svg.SERIES[1], label)
        if variant.max_drop is not None:
            style: dict[str, Any] = {"color": svg.FAIL, "markersize": 15, "markeredgewidth": 2.2, "linestyle": "none"}
            axes.plot([variant.max_drop], [row], "|", label="largest drop allowed", **style)


def _name_axis(axes: Axes, metric: str | None, name: str, unit: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel(name)
    if wording.is_fraction(metric):
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{100 * value:.3g}{unit if unit == '%' else ''}")
        )
        axes.set_xlabel(name if unit == "%" else f"{name},{unit}")
