"""The heat map: each judgement against each output, coloured by its error as a multiple of the noise floor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assay.conformance.comparison.comparison import Comparison, OutputParity, Parity
from assay.conformance.reports import wording
from assay.conformance.reports.comparison_tables import breach, heat_rows, heat_text
from assay.conformance.result import Verdict

MOST_OUTPUTS = 10
"""Of more outputs than these, those with the worst errors are shown."""

_FAINTEST, _FULLEST = 10, 52
_DECADES = 4.0
"""A ratio of 1 has the faintest shade, one of ten thousand the fullest."""


@dataclass(frozen=True)
class Cell:
    """What one output did in one judgement; ``shade`` is a percentage."""

    text: str | None
    verdict: str | None
    shade: int
    told: str


@dataclass(frozen=True)
class HeatRow:
    """One model judged by one reference."""

    model: str
    reference: str
    verdict: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class HeatMap:
    """Rows against outputs; ``omitted`` counts the outputs that are left out, ``by_each_other`` the pairs of models."""

    outputs: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    omitted: int
    by_each_other: int


def heat_map(comparison: Comparison) -> HeatMap | None:
    """The heat map; None where nothing was judged."""
    rows = heat_rows(comparison)
    outputs = _outputs([parity for _, _, parity in rows])
    shown = outputs[:MOST_OUTPUTS]
    if not rows:
        return None
    drawn = tuple(
        HeatRow(wording.plain(model), wording.plain(reference), parity.verdict.value, _cells(parity, shown))
        for model, reference, parity in rows
    )
    return HeatMap(tuple(map(wording.plain, shown)), drawn, len(outputs) - len(shown), len(comparison.pairs))


def _outputs(judgements: list[Parity]) -> list[str]:
    """All outputs in their order; where they are too many, the worst first."""
    worst: dict[str, float] = {}
    for output in (output for parity in judgements for output in parity.outputs):
        worst[output.name] = max(worst.get(output.name, -1.0), _badness(output))
    return list(worst) if len(worst) <= MOST_OUTPUTS else sorted(worst, key=lambda name: -worst[name])


def _cells(parity: Parity, outputs: list[str]) -> tuple[Cell, ...]:
    """One cell an output; a model that does not run at all has one reason for all of them."""
    known = {output.name: output for output in parity.outputs}
    whole = next((f for f in parity.findings if f.severity == "error" and "output" not in f.location), None)
    nothing = Cell(breach(whole.code), "fail", _FULLEST, wording.plain(whole.message)) if whole else None
    return tuple(
        _cell(known[name]) if name in known else nothing or Cell(None, None, 0, parity.reason or "not judged")
        for name in outputs
    )


def _cell(output: OutputParity) -> Cell:
    worst = output.ratio is not None and f"worst error {wording.error(output.max_error)}"
    told = wording.listed([worst or None, output.probe and f"probe {output.probe}", output.code], "; ")
    return Cell(heat_text(output), output.verdict.value, _shade(output), wording.plain(told or "equal on every probe"))


def _shade(output: OutputParity) -> int:
    badness = _badness(output)
    if math.isinf(badness):
        return _FULLEST
    share = min(max(math.log10(badness), 0.0), _DECADES) / _DECADES if badness > 0 else 0.0
    return round(_FAINTEST + share * (_FULLEST - _FAINTEST))


def _badness(output: OutputParity) -> float:
    """The ratio; where there is none, infinite for a breach and zero for an equal output."""
    if breach(output.code) or (output.ratio is None and output.verdict is Verdict.FAIL):
        return math.inf
    if output.ratio is None:
        return 0.0
    return output.ratio if math.isfinite(output.ratio) else math.inf
