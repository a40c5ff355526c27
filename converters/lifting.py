"""Conditions that shut out a few sizes only are tried there: torch notes many by which nothing hangs.

Where the model and its source agree at each size that a condition shuts out, it is lifted; those sizes are then
allowed, and parity judges them like all others. Any other condition stays, for no trial of a few sizes would prove it
idle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx_ir as ir

from assay.converters.contract import Clause
from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.sources.base import Outputs, Source
from assay.specs.condition_sets import nearest, simplified
from assay.specs.conditions import Condition
from assay.specs.interface import Axis, Interface

_MOST_SIZES = 3
_LARGEST = 1 << 30  # beyond it a run of the source may take longer than the conversion
_SMALL = 1 << 10
_HANDED_OVER = (ir.DataType.FLOAT, ir.DataType.DOUBLE, ir.DataType.INT64, ir.DataType.INT32, ir.DataType.FLOAT16)
_TOLERANCE = 1e-3


def idle_conditions(
    source: Source, model: ir.Model, asked: Interface, conditions: Sequence[Condition], clauses: Sequence[Clause]
) -> frozenset[Condition]:
    """The conditions outside of which the model still agrees with its source; ``asked`` has the axes without them.

    A model that can't be tried has those lifted that no code of its own asked for.
    """
    shut_out = {condition: sizes for condition in conditions if (sizes := _shut_out(condition, asked.axes))}
    if not shut_out:
        return frozenset()
    if not _can_be_tried([value.const_value for value in model.graph.initializers.values()]):
        theirs = {name for clause in clauses if not clause.of_operator for name in _tight(clause, asked)}
        return frozenset(condition for condition in shut_out if condition.names.isdisjoint(theirs))
    trial = _Trial(source, model, asked, conditions)
    return frozenset(condition for condition, sizes in shut_out.items() if trial.agrees(condition, sizes))


def _can_be_tried(weights: Sequence[ir.TensorProtocol | None]) -> bool:
    """Not what is too large, nor weights in a file of their own that can't be handed over."""
    known = [weight for weight in weights if weight is not None]
    beside = [weight for weight in known if isinstance(weight, ir.ExternalTensor)]
    return sum(w.nbytes for w in known) <= _LARGEST and all(w.dtype in _HANDED_OVER for w in beside)


def _tight(clause: Clause, asked: Interface) -> frozenset[str]:
    """The axes of a clause that shuts out any size at all."""
    known = clause.condition.names <= set(asked.axes)
    return clause.condition.names if not known or simplified([clause.condition], asked.axes) else frozenset()


def _shut_out(condition: Condition, axes: Mapping[str, Axis]) -> list[int]:
    """The sizes of its axis at which it does not hold, where these are few."""
    if len(condition.names) != 1:
        return []
    (name,) = condition.names
    largest = max(condition.constants, default=0)
    tried = np.arange(axes[name].minimum, 2 * largest + 64, dtype=np.int64)
    outside = tried[~condition.holds({name: tried})]
    return [int(size) for size in outside] if 0 < outside.size <= _MOST_SIZES else []


class _Trial:
    """The model beside its source."""

    def __init__(self, source: Source, model: ir.Model, asked: Interface, conditions: Sequence[Condition]) -> None:
        self.source, self.asked, self.conditions = source, asked, conditions
        self._session = _session(model)

    def agrees(self, condition: Condition, sizes: Sequence[int]) -> bool:
        """Whether both give the same at each of these sizes of the condition's axis."""
        (name,) = condition.names
        others = [other for other in self.conditions if name not in other.names]
        typical = trace_sizes(self.asked)
        for size in sizes:
            chosen = nearest({**typical, name: size}, self.asked.axes, others, held=[name])
            if chosen is None or not self._same(typical_feeds(self.asked.inputs, chosen, seed=1)):
                return False
        return True

    def _same(self, feeds: Mapping[str, np.ndarray]) -> bool:
        try:
            wanted = self.source.run(feeds)
            names = [output.name for output in self._session.get_outputs()]
            got = dict(zip(names, map(np.asarray, self._session.run(names, dict(feeds))), strict=True))
        except Exception:  # noqa: BLE001 - a source or runtime that refuses the size, in whatever way: the condition stays
            return False
        return _alike(got, wanted)


def _session(model: ir.Model) -> Any:
    """The model as it lies in memory: its large weights are handed over, not copied."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1")
    large = [value for value in model.graph.initializers.values() if _is_large(value.const_value)]
    weights = {str(value.name): np.ascontiguousarray(_tensor(value).numpy()) for value in large}
    values = list(map(ort.OrtValue.ortvalue_from_numpy, weights.values()))
    options.add_external_initializers(list(weights), values)
    with _set_aside(large):
        proto = ir.to_proto(model).SerializeToString()
    return ort.InferenceSession(proto, options, providers=["CPUExecutionProvider"])


@contextmanager
def _set_aside(weights: Sequence[ir.Value]) -> Iterator[None]:
    """Each weight is said to lie elsewhere meanwhile."""
    tensors = [_tensor(value) for value in weights]
    try:
        for value, tensor in zip(weights, tensors, strict=True):
            shape, name = ir.Shape(tensor.shape.numpy()), str(value.name)
            value.const_value = ir.ExternalTensor("weights", 0, tensor.nbytes, tensor.dtype, shape=shape, name=name)
        yield
    finally:
        for value, tensor in zip(weights, tensors, strict=True):
            value.const_value = tensor


def _is_large(tensor: ir.TensorProtocol | None) -> bool:
    if isinstance(tensor, ir.ExternalTensor):
        return True
    return tensor is not None and tensor.nbytes > _SMALL and tensor.dtype in _HANDED_OVER


def _tensor(value: ir.Value) -> ir.TensorProtocol:
    assert value.const_value is not None
    return value.const_value


def _alike(got: Outputs, wanted: Outputs) -> bool:
    if list(got) != list(wanted):
        return False
    return all(_close(got[name], array) for name, array in wanted.items())


def _close(got: np.ndarray, wanted: np.ndarray) -> bool:
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return False
    if wanted.dtype.kind not in "fc" or not wanted.size:
        return bool(np.array_equal(got, wanted))
    scale = float(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
    return bool(np.allclose(got, wanted, rtol=0, atol=_TOLERANCE * scale, equal_nan=True))
