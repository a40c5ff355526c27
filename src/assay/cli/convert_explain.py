"""``assay convert --explain``: how each operator of a source is covered, before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.cli.output import console, emit_json, progress

if TYPE_CHECKING:
    from rich.table import Table

    from assay.converters.explanation import Coverage, Explanation, Place
    from assay.converters.sources.base import Inputs

_COVERED, _REFUSED = 0, 2
_TOLD = 5  # places of one refusal; all of them are in the JSON


def explain_source(
    source: str, inputs: Inputs | None, opset: int | None, exporter: str | None, trust: bool, json_path: str | None
) -> int:
    """Show the coverage; the exit status: 0 where all is covered, 2 where a conversion would be refused."""
    from assay.converters.explanation import explain
    from assay.converters.sources import open_source

    with progress(f"reading {source}"):
        explanation = explain(open_source(source, inputs, trust=trust), opset, exporter)
    if json_path != "-":
        _show(explanation)
    emit_json(json.dumps(explanation.to_json(), indent=2), json_path)
    return _COVERED if explanation.covered else _REFUSED


def _show(explanation: Explanation) -> None:
    out = console()
    out.print(f"{explanation.source} by {explanation.exporter}, opset {explanation.opset}", markup=False)
    out.print(_table(explanation))
    refused = [one for one in explanation.operators if one.reason]
    for coverage in refused:
        out.print(f"{coverage.operator} {coverage.reason}:", markup=False, soft_wrap=True)
        for place in coverage.places[:_TOLD]:
            out.print(f"  {_place(place)}", markup=False, soft_wrap=True)
        if len(coverage.places) > _TOLD:
            out.print(f"  and {len(coverage.places) - _TOLD} more")
    names = ", ".join(dict.fromkeys(one.operator for one in refused))
    verdict = f"refused for {names}; nothing would be written" if refused else "every operator is covered"
    out.print(verdict, markup=False, soft_wrap=True)


def _table(explanation: Explanation) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("operator", overflow="fold")
    table.add_column("count", justify="right")
    table.add_column("covered by", overflow="fold")
    for one in explanation.operators:
        table.add_row(Text(one.operator), str(one.count), Text(_cover(one), style="red" if one.reason else ""))
    return table


def _cover(coverage: Coverage) -> str:
    """The ONNX operators, else what becomes of it."""
    written = ", ".join(f"{name} {count}" for name, count in coverage.onnx.items())
    return written or (f"{coverage.state}: {coverage.reason}" if coverage.reason else coverage.state)


def _place(place: Place) -> str:
    parts = (place.node, place.layer and f"layer {place.layer}", place.line)
    return ", ".join(part for part in parts if part)
