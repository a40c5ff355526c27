"""One case, one exporter, one verdict: right, refused, wrong, unloadable, or failed (an error that is no refusal).

Outputs are judged as `assay check` judges them: names, dtypes, shapes and discrete values exactly, numbers by the
source's own rounding against its twin in float64, on every trial of the case.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
from outcomes import Outcome, Unjudgeable, told

from assay.conformance.parity.judgement import (
    PASS_GATE,
    contract_findings,
    output_errors,
    ratio_finding,
    reconsidered,
)
from assay.conformance.parity.noise_floor import Usual, usual_noise
from assay.conformance.parity.oracle import Oracle, Reference, ReferenceRefused
from assay.converters.exporter import ConvertError, Exported, find_exporter
from assay.converters.passes.context import PassContext
from assay.converters.passes.remove_unused_nodes import remove_unused_nodes
from assay.converters.sources.base import Request
from assay.converters.sources.pytorch_module import ModuleSource
from assay.specs.conditions import satisfied
from assay.specs.errors import AssayError
from assay.specs.interface import Axis, Interface
from pytorch_cases.case import Case, Feeds


def judge(case: Case, exporter: str, opset: int | None = None) -> Outcome:
    """Convert the case and compare it with PyTorch on each of its trials."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source, trials = _source(case), list(case.trials())
        start = time.perf_counter()
        try:
            exported = find_exporter(source, exporter)(source, opset)
        except ConvertError as error:
            return Outcome(case.name, exporter, "refused", told(error.reason), seconds=_since(start))
        except Exception as error:  # noqa: BLE001 - what an exporter raises is counted
            reason = f"{type(error).__name__}: {told(str(error))}"
            return Outcome(case.name, exporter, "failed", reason, seconds=_since(start))
        return _compared(case, exporter, source, exported, trials, _since(start))


def _since(start: float) -> float:
    return round(time.perf_counter() - start, 2)


def _source(case: Case) -> ModuleSource:
    try:
        return ModuleSource(case.module(), Request(case.name, case.inputs))
    except AssayError as error:
        raise Unjudgeable(f"{case.name}: {error}") from error


def _compared(
    case: Case, exporter: str, source: ModuleSource, exported: Exported, trials: Sequence[Feeds], seconds: float
) -> Outcome:
    remove_unused_nodes(exported.model, PassContext("case", Interface(()), exported.inputs, {}, {}))
    nodes = sum(1 for _ in exported.model.graph)
    try:
        session = _session(exported.model)
    except Exception as error:  # noqa: BLE001 - a runtime's own errors have no common class
        return Outcome(case.name, exporter, "unloadable", told(str(error)), nodes=nodes, seconds=seconds)
    oracle = Oracle(source, trials[0])
    references = list(_references(oracle, [feeds for feeds in trials if _is_allowed(source, exported, feeds)]))
    if not references:
        raise Unjudgeable(f"{case.name}: PyTorch itself takes none of its trials")
    usual, worst = usual_noise(*(2 * [[reference for _, reference in references]])), 0.0
    for feeds, reference in references:
        reason, ratio = _trial(session, exported.inputs, source, oracle, feeds, reference, usual)
        worst = max(worst, ratio)
        if reason:
            shapes = ", ".join(str(list(array.shape)) for array in feeds.values())
            return Outcome(case.name, exporter, "wrong", told(f"{shapes}: {reason}"), worst, nodes, seconds)
    return Outcome(case.name, exporter, "right", "", worst, nodes, seconds)


def _is_allowed(source: ModuleSource, exported: Exported, feeds: Feeds) -> bool:
    """Whether the sizes are among those for which the exporter says that the graph is right."""
    sizes = {
        dim.name: size
        for spec in source.inputs
        for dim, size in zip(spec.dims or (), feeds[spec.name].shape, strict=True)
        if isinstance(dim, Axis)
    }
    return satisfied([clause.condition for clause in exported.clauses], sizes)


def _references(oracle: Oracle, trials: Sequence[Feeds]) -> Iterator[tuple[Feeds, Reference]]:
    for feeds in trials:
        try:
            yield feeds, oracle.judge(feeds)
        except ReferenceRefused:
            continue


def _session(model: ir.Model) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    data = ir.to_proto(model).SerializeToString()
    return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])


def _trial(
    session: Any,
    inputs: Sequence[str],
    source: ModuleSource,
    oracle: Oracle,
    feeds: Feeds,
    reference: Reference,
    usual: Usual,
) -> tuple[str, float]:
    """Why the outputs are wrong on these inputs (empty where they are not), and the largest error over its floor."""
    fed = dict(zip(inputs, (feeds[spec.name] for spec in source.inputs), strict=True))
    wanted = {value.name for value in session.get_inputs()}
    try:
        got = session.run(None, {name: array for name, array in fed.items() if name in wanted})
    except Exception as error:  # noqa: BLE001 - a runtime's own errors have no common class
        return f"does not run: {told(str(error))}", 0.0
    if len(got) != len(reference.values):
        return f"{len(got)} outputs, but should be {len(reference.values)}", 0.0
    values = {name: np.asarray(value) for name, value in zip(reference.values, got, strict=True)}
    reasons = [f.message for f in contract_findings(values, reference, "trial") if f.severity != "info"]
    worst = 0.0
    for found in output_errors(values, reference, usual):
        spread = (oracle.conditioning(feeds, reference) or {}).get(found.output) if found.ratio > PASS_GATE else None
        measured = reconsidered(found, spread) if spread else found
        worst = max(worst, measured.ratio)
        finding = ratio_finding(measured, "trial")
        reasons += [finding.message] if finding else []
    return "; ".join(reasons), worst
