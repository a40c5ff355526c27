"""A comparison as tables; terminal and page show the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.conformance.comparison.comparison import ComparedModel, Comparison, LintCounts, OutputParity, Parity
from assay.conformance.reports import wording
from assay.conformance.reports.readings import Latency, Timing, reading_of
from assay.conformance.reports.tables import Cells, Table
from assay.conformance.result import Finding, Verdict

REFERENCE = "reference"
_BREACHES: Mapping[str, str] = {
    "PA002": "other outputs",
    "PA003": "other dtype",
    "PA004": "other shape",
    "PA005": "not finite",
    "PA006": "does not run",
    "PA007": "crashes",
    "PA008": "hangs",
    "PA010": "not equal",
    "PA012": "other inputs",
    "PA015": "not repeatable",
    "PA019": "other settings",
}
_RATIOS = ("PA001", "PA009")

_INTERFACE = ("PA002", "PA003", "PA012")
_VERBS = {
    Verdict.PASS: ("passes", "pass"),
    Verdict.FAIL: ("fails", "fail"),
    Verdict.INCONCLUSIVE: ("is inconclusive", "are inconclusive"),
}
_MOST_AXES = 4


def parity_table(comparison: Comparison) -> Table:
    """The verdict on each model, its worst error and where, the tolerance that would pass, and the static rules."""
    headings = ("model", "verdict", "error", "worst probe", "atol", "lint")
    rows = ((wording.plain(m.name), *_parity_cells(m), _lint(m.lint)) for m in comparison.models)
    return Table(headings, tuple(rows), names=2)


def graph_table(comparison: Comparison) -> Table:
    """What each graph is made of."""
    headings = ("model", "nodes", "transposes", "parameters", "size", "opset", "axes")
    return Table(headings, tuple((wording.plain(m.name), *_graph_cells(m)) for m in comparison.models))


def cost_table(comparison: Comparison) -> Table:
    """What each conversion and each run costs."""
    timings, base = _timings(comparison)
    headings = ("model", "convert", "memory", "median", f"time, {base} = 1" if base else "time")
    return Table(headings, tuple((wording.plain(m.name), *_cost_cells(m, timings)) for m in comparison.models))


def summary_table(comparison: Comparison) -> Table:
    """All of them in one."""
    first, *others = parity_table(comparison), graph_table(comparison), cost_table(comparison)
    headings = first.headings + tuple(heading for table in others for heading in table.headings[1:])
    rows = tuple(
        row + tuple(cell for table in others for cell in table.rows[index][1:]) for index, row in enumerate(first.rows)
    )
    return Table(headings, rows, names=2)


def pair_table(comparison: Comparison) -> Table:
    """The models judged by each other."""
    headings = ("model", "judged by", "verdict", "error", "worst probe")
    rows = (
        (wording.plain(pair.model), wording.plain(pair.parity.reference), *_judgement(pair.parity)[:3])
        for pair in comparison.pairs
    )
    return Table(headings, tuple(rows), names=3)


def operator_table(comparison: Comparison, only_different: bool = False, most: int | None = None) -> Table:
    """How often each operator stands in each graph, the most frequent first."""
    graphs = [(model.name, model.graph.operators) for model in comparison.models if model.graph is not None]
    counts = [(name, [operators.get(name, 0) for _, operators in graphs]) for name in operators_of(comparison)]
    shown = [(name, row) for name, row in counts if not only_different or len(set(row)) > 1][:most]
    rows = ((wording.plain(name), *(str(count) if count else None for count in row)) for name, row in shown)
    return Table(("operator", *(wording.plain(name) for name, _ in graphs)), tuple(rows))


def operators_of(comparison: Comparison) -> list[str]:
    """Every operator in any graph, by its largest count."""
    most: dict[str, int] = {}
    for model in comparison.models:
        for name, count in (model.graph.operators if model.graph else {}).items():
            most[name] = max(most.get(name, 0), count)
    return sorted(most, key=lambda name: (-most[name], name))


def interface_table(comparison: Comparison) -> Table:
    """The inputs and outputs that the graphs declare, each once, with the models that have it so."""
    found: dict[tuple[str, str, str], list[str]] = {}
    graphs = [(model.name, model.graph) for model in comparison.models if model.graph is not None]
    for name, graph in graphs:
        for kind, tensors in (("input", graph.inputs), ("output", graph.outputs)):
            for tensor in tensors:
                found.setdefault((kind, tensor.name, tensor.specification), []).append(name)
    rows = (
        (wording.plain(name), kind, wording.plain(text), "all" if len(models) == len(graphs) else _listed(models))
        for (kind, name, text), models in sorted(found.items(), key=lambda item: item[0][:2])
    )
    return Table(("name", "kind", "specification", "in"), tuple(rows), names=4)


def notes(model: ComparedModel) -> Iterator[tuple[str, str]]:
    """What a reader has to know of a model beyond the tables: severity and sentence."""
    reasons = (model.reason, model.parity.reason if model.parity else None, model.lint.reason if model.lint else None)
    yield from (("warning", wording.plain(reason)) for reason in reasons if reason)
    for finding in model.parity.findings if model.parity else ():
        if finding.message not in reasons:
            yield finding.severity, told(finding)
    told_already = model.parity is not None and any(f.code in _INTERFACE for f in model.parity.findings)
    for difference in model.graph.differences if model.graph and not told_already else ():
        yield "info", wording.plain(difference)


def told(finding: Finding) -> str:
    """A finding with its rule and the probe that shows it."""
    probe = finding.location.get("probe")
    return wording.plain(f"{finding.code} {finding.message}" + (f", on probe {probe}" if probe else ""))


def tally(comparison: Comparison) -> str:
    """``3 models against digits: 2 pass, 1 fails``."""
    verdicts = [model.verdict for model in comparison.candidates]
    counts = [(verdicts.count(verdict), forms) for verdict, forms in _VERBS.items()]
    parts = wording.listed(f"{count} {forms[count > 1]}" for count, forms in counts if count)
    name = wording.plain(comparison.reference["name"])
    return f"{wording.counted(len(verdicts), 'model')} against {name}: {parts or 'nothing to judge'}"


def reference_line(comparison: Comparison) -> str:
    """What judged: ``pytorch module, float64``."""
    reference = comparison.reference
    oracle = next((m.parity.oracle for m in comparison.candidates if m.parity and m.parity.oracle), None)
    what = [reference.get("framework"), reference.get("kind")]
    kind = wording.listed(dict.fromkeys(str(part) for part in what if part), " ")
    return wording.plain(wording.listed([reference["name"], kind, oracle and f"noise floor by {oracle}"]) or "")


def heat_rows(comparison: Comparison) -> list[tuple[str, str, Parity]]:
    """Every judgement: the model, what judged it, and the judgement."""
    models = [(model.name, model.parity) for model in comparison.candidates if model.parity is not None]
    every = [*models, *((pair.model, pair.parity) for pair in comparison.pairs)]
    return [(name, parity.reference, parity) for name, parity in every]


def breach(code: str | None) -> str | None:
    """What is wrong where the size of an error does not tell it, in two words or by the rule's code; else None."""
    return None if code is None or code in _RATIOS else _BREACHES.get(code, code)


def heat_text(output: OutputParity | None) -> str | None:
    """What a cell of the heat map says: the ratio, the breach, or that a discrete output is equal."""
    if output is None:
        return None
    return breach(output.code) or wording.times(output.ratio) or output.code or "equal"


def latency_of(comparison: Comparison) -> Latency | None:
    """The measurements of latency; None where none was measured."""
    reading = reading_of(comparison.latency) if comparison.latency else None
    return reading if isinstance(reading, Latency) and reading.models else None


def _parity_cells(model: ComparedModel) -> Cells:
    if model.role == REFERENCE:
        return REFERENCE, None, None, None
    if model.parity is None:
        return Verdict.INCONCLUSIVE.value, None, None, None
    return _judgement(model.parity)


def _judgement(parity: Parity) -> Cells:
    """Verdict, error, probe, tolerance; where there is no error, the breach stands in its place."""
    first = next((finding for finding in parity.findings if finding.severity == "error"), None)
    if first is not None and breach(first.code):
        return parity.verdict.value, breach(first.code), _plain(first.location.get("probe")), None
    error, atol = wording.times(parity.worst_ratio), wording.error(parity.atol)
    return parity.verdict.value, error, _plain(parity.worst_probe), atol


def _graph_cells(model: ComparedModel) -> Cells:
    graph = model.graph
    if graph is None:
        return (None,) * 6
    opset = graph.opsets.get("ai.onnx")
    return (
        wording.integer(graph.nodes),
        wording.integer(graph.transposes),
        wording.integer(graph.parameters),
        wording.size(graph.bytes),
        None if opset is None else str(opset),
        _some(graph.dynamic_axes),
    )


def _cost_cells(model: ComparedModel, timings: Mapping[str | None, tuple[Timing, str | None]]) -> Cells:
    conversion = model.conversion
    timing, ratio = timings.get(model.name, (None, None))
    return (
        f"{wording.significant(conversion.seconds)} s" if conversion else None,
        wording.size(conversion.peak_bytes) if conversion else None,
        wording.milliseconds(timing.median_ms) if timing else None,
        ratio,
    )


def _timings(comparison: Comparison) -> tuple[dict[str | None, tuple[Timing, str | None]], str | None]:
    """Each model's times and their ratio to those of the base, and the base."""
    latency = latency_of(comparison)
    if latency is None:
        return {}, None
    base = latency.models[0].name
    ratios: dict[str | None, str | None] = {base: "1"}
    for item in latency.ratios:
        span = [wording.significant(end) for end in (item.low, item.high)]
        ratios[item.name] = f"{wording.time_ratio(item.ratio)} ({span[0]} to {span[1]})"
    return {model.name: (model, ratios.get(model.name)) for model in latency.models}, _plain(base)


def _lint(counts: LintCounts | None) -> str | None:
    if counts is None or counts.reason:
        return None
    told = wording.listed(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.severities.items() if n)
    return told or "clean"


def _listed(names: Sequence[str]) -> str:
    return wording.plain(", ".join(names))


def _some(names: Sequence[str]) -> str | None:
    rest = len(names) - _MOST_AXES
    return wording.listed([*map(wording.plain, names[:_MOST_AXES]), f"{rest} more" if rest > 0 else None])


def _plain(text: object) -> str | None:
    return None if text is None else wording.plain(text)
