"""Error of every output on every probe, as a multiple of the noise floor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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
_LOW, _HIGH = 0.1, 100.0
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
        low, high = _bounds(series)
        axes.set_xlim(low, high)
        frame.log_scale(axes)
        _draw_gate(axes, series[0][1], high)
        _draw_refusals(axes, series[0][1], rows, low)
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
    return min([_LOW, *(ratio / 2 for ratio in finite)]), max([_HIGH, *(3 * ratio for ratio in finite)])


def _points(parity: Parity, rows: Sequence[str | None]) -> list[_Point]:
    """Every ratio that was measured, with the row of its probe."""
    names = list(dict.fromkeys(output.output for probe in parity.probes for output in probe.outputs))
    labels = {name: frame.short(name) for name in names}
    if len(names) > MOST_OUTPUTS:
        labels |= dict.fromkeys(names[MOST_OUTPUTS - 1 :], f"{len(names) - MOST_OUTPUTS + 1} other outputs")
    return [
        _Point(labels[output.output], rows.index(probe.name), _magnitude(output))
        for probe in parity.probes
        for output in probe.outputs
        if output.ratio is not None and probe.name in rows
    ]


def _draw(axes: Axes, points: Iterable[_Point], number: int, who: str | None) -> None:
    """Draw one series; what a log scale can't show stands at its edge, and a word says what it is."""
    low, high = axes.get_xlim()
    places: dict[str, list[tuple[float, int]]] = {}
    for point in points:
        places.setdefault(point.output, []).append((min(max(point.ratio, low), high), point.row))
        if math.isinf(point.ratio):
            axes.text(
                high * 0.85, point.row, "not finite", color=svg.FAIL, va="center", ha="right", fontsize=frame.SMALL
            )
    for index, (output, where) in enumerate(places.items()):
        marker, colour = _MARKERS[index % len(_MARKERS)], svg.SERIES[(number if who else index) % len(svg.SERIES)]
        x, y = zip(*where, strict=True)
        axes.plot(x, y, label=f"{output}, {frame.short(who)}" if who else output, **_style(marker, number, colour))


def _style(marker: str, number: int, colour: str) -> dict[str, Any]:
    face = colour if number == 0 else "none"
    style = {"marker": marker, "color": colour, "markerfacecolor": face, "markeredgecolor": colour, "linestyle": "none"}
    return {**style, "markersize": 5.5, "markeredgewidth": 1.2, "clip_on": False, "zorder": 3 - 0.1 * number}


def _draw_gate(axes: Axes, parity: Parity, high: float) -> None:
    axes.axvline(1, color=svg.MUTED, linewidth=1)
    frame.note(axes, 1, "noise floor", svg.MUTED)
    passes, fails = (parity.gate.passes, parity.gate.fails) if parity.gate else (None, None)
    if passes is not None:
        axes.axvline(passes, color=svg.PASS, linewidth=1.3, linestyle=(0, (4, 2)))
        frame.note(axes, passes, f"pass to {passes:g} ", svg.PASS, "right")
    if fails is not None:
        axes.axvspan(fails, high, color=svg.FAIL, alpha=0.08, linewidth=0)
        axes.axvline(fails, color=svg.FAIL, linewidth=1.3)
        frame.note(axes, fails, f" fail from {fails:g}", svg.FAIL, "left")


def _draw_refusals(axes: Axes, parity: Parity, rows: Sequence[str | None], low: float) -> None:
    for probe in parity.probes:
        if not probe.outputs and probe.name in rows:
            text = frame.short(probe.status or "not judged")
            row = rows.index(probe.name)
            axes.text(low * 1.1, row, text, color=svg.MUTED, va="center", style="italic", fontsize=frame.SMALL)
