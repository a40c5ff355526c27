"""Error of every output on every probe, as a multiple of the noise floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.conformance.reports import axes as frame
from assay.conformance.reports import svg, wording
from assay.conformance.reports.readings import OutputError, Parity, Probe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PROBES = 60
"""Of more probes than these, the plot shows those with the worst errors."""

MOST_OUTPUTS = 8
"""Outputs beyond these share the last marker."""

_MARKERS = "osD^vP*X"
_LOW, _HIGH, _HIGHEST = 0.1, 100.0, 1000.0
Series = Sequence[tuple[str, Parity]]


@dataclass(frozen=True)
class _Point:
    output: str
    row: int
    ratio: float


def parity_plot(series: Series, key: str) -> str:
    """One ``<svg>`` with one marker an output on every probe; the first series is the candidate's."""
    rows = _rows(series)
    with svg.drawing():
        figure, (axes,) = frame.panels(len(rows), inches_a_row=0.24)
        axes.set_xlim(*_bounds(series))
        frame.log_scale(axes)
        _draw_gate(axes, series[0][1])
        _draw_refusals(axes, series[0][1], rows)
        for number, (who, parity) in enumerate(series):
            _draw(axes, _points(parity, rows), number, who if len(series) > 1 else None)
        frame.label_rows(axes, rows)
        axes.set_xlabel("error as a multiple of the noise floor")
        frame.legend(figure, axes)
        worst = wording.ratio(series[0][1].worst_ratio) or "not measured"
        return svg.inline(figure, key, "Error against probe", f"Worst error: {worst}. The probe table has every value.")


def omitted_probes(parity: Parity) -> int:
    """How many probes the plot leaves out."""
    return max(0, len({probe.name for probe in parity.probes}) - MOST_PROBES)


def _rows(series: Series) -> list[str | None]:
    worst: dict[str | None, float] = {}
    for probe in (probe for _, parity in series for probe in parity.probes):
        worst[probe.name] = max(worst.get(probe.name, -1.0), _worst(probe))
    shown = set(sorted(worst, key=lambda name: -worst[name])[:MOST_PROBES])
    return [name for name in worst if name in shown]


def _worst(probe: Probe) -> float:
    return max((_magnitude(output) for output in probe.outputs), default=-1.0)


def _magnitude(output: OutputError) -> float:
    return -1.0 if output.ratio is None else output.ratio if math.isfinite(output.ratio) else math.inf


def _bounds(series: Series) -> tuple[float, float]:
    ratios = [_magnitude(output) for _, parity in series for probe in parity.probes for output in probe.outputs]
    finite = [ratio for ratio in ratios if 1e-3 < ratio < math.inf]
    return min([_LOW, *(ratio / 2 for ratio in finite)]), min(max([_HIGH, *(3 * ratio for ratio in finite)]), _HIGHEST)


def _points(parity: Parity, rows: Sequence[str | None]) -> list[_Point]:
    """Every ratio that was measured, with the row of its probe."""
    labels = _labels(parity)
    return [
        _Point(labels[output.output], rows.index(probe.name), _magnitude(output))
        for probe in parity.probes
        for output in probe.outputs
        if output.ratio is not None and probe.name in rows
    ]


def _labels(parity: Parity) -> dict[str | None, str]:
    """What the legend calls each output; of very many, those with the worst errors keep their names."""
    worst: dict[str | None, float] = {}
    for output in (output for probe in parity.probes for output in probe.outputs):
        worst[output.output] = max(worst.get(output.output, -1.0), _magnitude(output))
    named = (
        set(sorted(worst, key=lambda name: -worst[name])[: MOST_OUTPUTS - 1])
        if len(worst) > MOST_OUTPUTS
        else set(worst)
    )
    others = f"{len(worst) - len(named)} other outputs"
    return {name: frame.short(name) if name in named else others for name in worst}


def _draw(axes: Axes, points: Sequence[_Point], number: int, who: str | None) -> None:
    low, high = axes.get_xlim()
    shift = 0.28 * number - 0.14 if who else 0.0
    places: dict[str, list[tuple[float, int]]] = {}
    for point in points:
        places.setdefault(point.output, []).append((min(max(point.ratio, low), high), point.row))
        _tell_extreme(axes, point, low, high)
    for index, (output, where) in enumerate(places.items()):
        marker, colour = _MARKERS[index % len(_MARKERS)], svg.SERIES[(number if who else index) % len(svg.SERIES)]
        x, y = [place for place, _ in where], [row + shift for _, row in where]
        label = f"{output}, {frame.short(who)}" if who else output
        axes.plot(x, y, label=label, **_style(marker, number, colour))


def _tell_extreme(axes: Axes, point: _Point, low: float, high: float) -> None:
    """Say beside the edge what stands there because the axis can't show it."""
    if point.ratio > high:
        text = "not finite" if math.isinf(point.ratio) else wording.times(point.ratio) or ""
        axes.text(high * 0.88, point.row, text, color=svg.FAIL, va="center", ha="right", fontsize=frame.SMALL)
    elif point.ratio == 0:
        axes.text(low * 1.12, point.row, "no error", color=svg.MUTED, va="center", fontsize=frame.SMALL)


def _style(marker: str, number: int, colour: str) -> dict[str, Any]:
    face = colour if number == 0 else "none"
    style = {"marker": marker, "color": colour, "markerfacecolor": face, "markeredgecolor": colour, "linestyle": "none"}
    return {**style, "markersize": 5.5, "markeredgewidth": 1.2, "clip_on": False, "zorder": 3 - 0.1 * number}


def _draw_gate(axes: Axes, parity: Parity) -> None:
    low, high = axes.get_xlim()
    axes.axvline(1, color=svg.MUTED, linewidth=1)
    frame.note(axes, 1, "noise floor", svg.MUTED)
    passes, fails = (parity.gate.passes, parity.gate.fails) if parity.gate else (None, None)
    if passes is not None and low < passes < high:
        axes.axvline(passes, color=svg.PASS, linewidth=1.3, linestyle=(0, (4, 2)))
        frame.note(axes, passes, f"pass to {passes:g} ", svg.PASS, "right")
    if fails is not None and low < fails < high:
        axes.axvspan(fails, high, color=svg.FAIL, alpha=0.08, linewidth=0)
        axes.axvline(fails, color=svg.FAIL, linewidth=1.3)
        frame.note(axes, fails, f" fail from {fails:g}", svg.FAIL, "left")


def _draw_refusals(axes: Axes, parity: Parity, rows: Sequence[str | None]) -> None:
    low, _ = axes.get_xlim()
    for probe in parity.probes:
        if not probe.outputs and probe.name in rows:
            text = frame.short(probe.status or "not judged")
            row = rows.index(probe.name)
            axes.text(low * 1.1, row, text, color=svg.MUTED, va="center", style="italic", fontsize=frame.SMALL)
