"""The stated test by which a mutant is equal to the healthy model, and is left out of the kill rate.

It is equal when it loads, when its contract (names, order, dtypes and declared shapes of inputs and outputs, metadata)
is the same, and when on every one of 48 independent inputs, and on a quarter of these without graph optimization, no
output differs from the healthy ONNX model's by more than 4 times that model's own spread: how far its outputs move
when the optimizer is off, or when each weight moves by one unit in the last place. Twins whose weights move by eight
units count an eighth. Whole numbers may differ in 4 times as many elements as in the worst twin: rounding turns them.
A rewrite is benign when it stays below 20 times that spread under the same names and dtypes; the optimizers of others
do break models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from assay.conformance.isolation import Worker
from verdicts.graph import Graph, is_float
from verdicts.inputs import Feeds
from verdicts.runtime import Job, Ran, run_all

EQUAL = 4.0
BENIGN = 20.0
_NEAR, _FAR, _FAR_UNITS = 3, 3, 8
_UNOPTIMIZED = 4  # every fourth input is run without optimization too


@dataclass(frozen=True)
class Comparison:
    """How far a case is from the healthy model: the worst error over spread, or the reason why there is none."""

    excess: float
    reason: str | None = None

    def within(self, gate: float) -> bool:
        """Whether it is equal to the healthy model as far as this gate."""
        return self.reason is None and self.excess <= gate


@dataclass(frozen=True)
class Yardstick:
    """The healthy model's outputs on the benchmark's inputs, with their spread."""

    contract: Mapping[str, object]
    feeds: Sequence[Feeds]
    runs: Sequence[Sequence[Ran]]  # for each input: the healthy model, without optimization, near twins, far twins

    def jobs(self) -> list[Job]:
        """What a case is run on."""
        plain = [Job("all", feeds) for feeds in self.feeds]
        return plain + [Job("disable", feeds) for feeds in self.feeds[::_UNOPTIMIZED]]

    def compare(self, ran: Sequence[Ran]) -> Comparison:
        """Judge what the jobs of a case gave."""
        runs = [*self.runs, *self.runs[::_UNOPTIMIZED]]
        excess = 0.0
        for number, (twins, got) in enumerate(zip(runs, ran, strict=True)):
            if any(twin.error for twin in twins):
                continue
            if got.error:
                return Comparison(np.inf, f"input {number}: {got.error[:200]}")
            step = _compared([twin.named for twin in twins], got.named)
            if step.reason:
                return Comparison(np.inf, f"input {number}: {step.reason}")
            excess = max(excess, step.excess)
        return Comparison(excess)


def make_yardstick(worker: Worker, path: str, model: onnx.ModelProto, feeds: Sequence[Feeds], folder: str) -> Yardstick:
    """Run the healthy model and its twins on every input; raises RuntimeError where most are refused."""
    series = [
        run_all(worker, path, [Job("all", f) for f in feeds]),
        run_all(worker, path, [Job("disable", f) for f in feeds]),
    ]
    for seed in range(_NEAR + _FAR):
        twin = f"{folder}/twin{seed}.onnx"
        onnx.save(jittered(model, seed, 1 if seed < _NEAR else _FAR_UNITS), twin)
        series.append(run_all(worker, twin, [Job("all", f) for f in feeds]))
    runs = list(zip(*series, strict=True))
    refused = [run.error for twins in runs for run in twins if run.error]
    if 2 * sum(any(run.error for run in twins) for twins in runs) > len(runs):
        raise RuntimeError(f"the healthy model refuses most inputs, but should take them: {refused[0]}")
    return Yardstick(contract(model), feeds, runs)


def jittered(model: onnx.ModelProto, seed: int, units: int = 1) -> onnx.ModelProto:
    """The model with each float weight moved by so many units in the last place, up or down."""
    graph, generator = Graph.copy(model), np.random.default_rng(seed)
    sizes = {name for _, node in graph.of("Resize") for name in node.input[1:]}  # scales are no weights: sizes follow
    for name in [tensor.name for tensor in graph.proto.initializer]:
        array = graph.constant(name)
        if array is not None and is_float(array) and array.size > 1 and name not in sizes:
            towards = np.where(generator.random(array.shape) < 0.5, np.inf, -np.inf).astype(array.dtype)
            for _ in range(units):
                array = np.nextafter(array, towards)
            graph.set_constant(name, array)
    return graph.model


def contract(model: onnx.ModelProto) -> dict[str, object]:
    """Names, order, dtypes and declared shapes of inputs and outputs, and the metadata."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {
        "inputs": [_declared(value) for value in model.graph.input if value.name not in constants],
        "outputs": [_declared(value) for value in model.graph.output],
        "metadata": sorted((entry.key, entry.value) for entry in model.metadata_props),
    }


def _declared(value: onnx.ValueInfoProto) -> tuple[str, int, tuple[int | str, ...] | None]:
    kind = value.type.tensor_type
    dims = tuple(d.dim_param or d.dim_value for d in kind.shape.dim) if kind.HasField("shape") else None
    return value.name, kind.elem_type, dims


def _compared(twins: Sequence[Mapping[str, np.ndarray]], got: Mapping[str, np.ndarray]) -> Comparison:
    base, excess = twins[0], 0.0
    if set(base) != set(got):
        return Comparison(np.inf, f"outputs {', '.join(got)}, but should be {', '.join(base)}")
    for name, value in base.items():
        others = [twin[name] for twin in twins[1:]]
        if any(other.shape != value.shape for other in others):
            continue  # a count that rounding decides, such as the boxes that a threshold leaves
        if got[name].shape != value.shape or got[name].dtype != value.dtype:
            return Comparison(
                np.inf, f"{name} is {got[name].dtype}{got[name].shape}, but should be {value.dtype}{value.shape}"
            )
        step = _float_excess(value, others, got[name]) if value.dtype.kind == "f" else _flips(value, others, got[name])
        if step == np.inf:
            return Comparison(step, f"{name} has other values, or other non-finite ones")
        excess = max(excess, step)
    return Comparison(excess)


def _flips(value: np.ndarray, others: Sequence[np.ndarray], got: np.ndarray) -> float:
    """Elements that differ, over those that rounding turns in the worst twin; infinite where it turns none."""
    turned = max(int(np.sum(other != value)) for other in others)
    count = int(np.sum(got != value))
    return count / turned if turned else float("inf") if count else 0.0


def _float_excess(value: np.ndarray, others: Sequence[np.ndarray], got: np.ndarray) -> float:
    finite = np.isfinite(value) & np.all([np.isfinite(other) for other in others], axis=0)
    stable = ~finite & np.all([_alike(other, value) for other in others], axis=0)
    if np.any(finite & ~np.isfinite(got)) or np.any(stable & ~_alike(got, value)):
        return float(np.inf)
    if not finite.any():
        return 0.0
    base = value[finite].astype(np.float64)
    shares = [1.0] * (1 + _NEAR) + [1.0 / _FAR_UNITS] * _FAR
    spreads = [
        share * np.abs(other[finite].astype(np.float64) - base) for share, other in zip(shares, others, strict=True)
    ]
    error = np.abs(got[finite].astype(np.float64) - base)
    unit = float(np.finfo(value.dtype).eps)
    largest = max(*(float(s.max()) for s in spreads), unit * float(np.abs(base).max()), np.finfo(value.dtype).tiny)
    typical = max(*(_rms(s) for s in spreads), unit * _rms(base), np.finfo(value.dtype).tiny)
    return float(max(error.max() / largest, _rms(error) / typical))


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    same: np.ndarray = (a == b) | (np.isnan(a) & np.isnan(b))
    return same


def _rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array))))
