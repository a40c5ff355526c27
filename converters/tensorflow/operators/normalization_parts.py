"""A layer normalization that is written out, as saved models have it, is one again (Ba, Kiros and Hinton, 2016)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.layers import layer_normalization
from assay.converters.tensorflow.registry import Call, shortens
from assay.converters.tensorflow.tensor import Tensor, constant

_PASSING = ("Identity", "StopGradient", "PreventGradient")
_SUMS = ("AddV2", "Add")


@dataclass(frozen=True)
class _Statistics:
    """The tensor that is normalized, its mean, over which axes, and what is added to the variance."""

    tensor: Any
    mean: Any
    axes: tuple[int, ...]
    epsilon: float


@dataclass(frozen=True)
class _Parts:
    """A whole normalization."""

    statistics: _Statistics
    scale: Any | None
    offset: Any | None


def _origin(tensor: Any) -> Any:
    while tensor.op.type in _PASSING:
        tensor = tensor.op.inputs[0]
    return tensor


def _operands(tensor: Any, *operators: str) -> Sequence[Any]:
    """The operands of the operation that gives the tensor, where it is of these."""
    operation = _origin(tensor).op
    return [_origin(given) for given in operation.inputs] if operation.type in operators else ()


def _both_ways(tensor: Any, *operators: str) -> Iterator[Sequence[Any]]:
    found = _operands(tensor, *operators)
    if len(found) == 2:
        yield found
        yield found[::-1]


def _reciprocal_deviation(tensor: Any) -> _Statistics | None:
    """Of ``1 / sqrt(variance + epsilon)``."""
    root = _operands(tensor, "Rsqrt")
    for variance, number in _both_ways(root[0], *_SUMS) if root else ():
        epsilon = tf.get_static_value(number)
        if epsilon is not None and np.ndim(epsilon) == 0:
            return _of_variance(variance, float(epsilon))
    return None


def _of_variance(variance: Any, epsilon: float) -> _Statistics | None:
    """Of the mean of squared differences from the mean, both over the last axes of a float32 tensor."""
    squares, axes = _mean(variance)
    for tensor, mean in _both_ways(squares, "SquaredDifference") if squares is not None else ():
        source, same = _mean(mean)
        plain = source is tensor and axes == same and tensor.dtype == tf.float32
        if plain and axes and _are_last(tensor, axes):
            return _Statistics(tensor, mean, axes, epsilon)
    return None


def _mean(tensor: Any) -> tuple[Any, tuple[int, ...]]:
    """What a mean that keeps its axes is taken of, and its axes counted from the front."""
    operation = tensor.op
    if operation.type != "Mean" or not operation.get_attr("keep_dims") or operation.inputs[0].shape.rank is None:
        return None, ()
    axes = tf.get_static_value(operation.inputs[1])
    if axes is None:
        return None, ()
    rank = operation.inputs[0].shape.rank
    return _origin(operation.inputs[0]), tuple(sorted(int(axis) % rank for axis in np.reshape(axes, -1)))


def _are_last(tensor: Any, axes: Sequence[int]) -> bool:
    rank = tensor.shape.rank
    return list(axes) == list(range(rank - len(axes), rank)) and tensor.shape[axes[0] :].is_fully_defined()


def _is_weight(tensor: Any, statistics: _Statistics) -> bool:
    """Whether a scale or an offset has the normalized axes, and no other but of one element before them."""
    if not tensor.shape.is_fully_defined():
        return False
    own, due = list(tensor.shape), list(statistics.tensor.shape[statistics.axes[0] :])
    spare = len(own) - len(due)
    return 0 <= spare <= statistics.axes[0] and own == [1] * spare + due


def _factors(tensor: Any) -> Iterator[tuple[_Statistics, Any | None]]:
    """What a factor of the tensor may be: the reciprocal deviation, alone or times a scale."""
    alone = _reciprocal_deviation(tensor)
    if alone is not None:
        yield alone, None
    for deviation, scale in _both_ways(tensor, "Mul"):
        found = _reciprocal_deviation(deviation)
        if found is not None and _is_weight(scale, found):
            yield found, scale


def _parts(operation: Any) -> _Parts | None:
    """Of ``x * k + (offset - mean * k)``, in which k is a factor; or of ``(x - mean) * k + offset``."""
    for product, rest in ((a, b) for a, b in _both_ways(operation.outputs[0], *_SUMS) if a.op.type == "Mul"):
        for tensor, factor in _both_ways(product, "Mul"):
            for statistics, scale in _factors(factor):
                found = _folded(tensor, factor, rest, statistics, scale) or _centred(tensor, rest, statistics, scale)
                if found is not None:
                    return found
    return None


def _folded(tensor: Any, factor: Any, rest: Any, statistics: _Statistics, scale: Any) -> _Parts | None:
    """The rest is the offset less the scaled mean, or that alone."""
    if tensor is not statistics.tensor:
        return None
    if _is_less_mean(rest, statistics.mean, factor):
        return _Parts(statistics, scale, None)
    for less, offset in _both_ways(rest, *_SUMS):
        if _is_less_mean(less, statistics.mean, factor) and _is_weight(offset, statistics):
            return _Parts(statistics, scale, offset)
    difference = _operands(rest, "Sub")
    if difference and _is_product(difference[1], statistics.mean, factor) and _is_weight(difference[0], statistics):
        return _Parts(statistics, scale, difference[0])
    return None


def _is_less_mean(tensor: Any, mean: Any, factor: Any) -> bool:
    """Whether the tensor is ``-mean * factor`` or ``-(mean * factor)``."""
    negated = _operands(tensor, "Neg")
    if negated:
        return _is_product(negated[0], mean, factor)
    return any(list(_operands(a, "Neg")) == [mean] and b is factor for a, b in _both_ways(tensor, "Mul"))


def _is_product(tensor: Any, mean: Any, factor: Any) -> bool:
    return any(a is mean and b is factor for a, b in _both_ways(tensor, "Mul"))


def _centred(tensor: Any, rest: Any, statistics: _Statistics, scale: Any) -> _Parts | None:
    """The tensor is less its mean already, and the rest is the offset."""
    difference = _operands(tensor, "Sub")
    same = len(difference) == 2 and difference[0] is statistics.tensor and difference[1] is statistics.mean
    return _Parts(statistics, scale, rest) if same and _is_weight(rest, statistics) else None


def written_out(operation: Any) -> Sequence[Any] | None:
    """The tensor, the scale and the offset of a normalization that ends with this sum."""
    found = _parts(operation)
    if found is None:
        return None
    return [each for each in (found.statistics.tensor, found.scale, found.offset) if each is not None]


@shortens("Add", written_out)
@shortens("AddV2", written_out)
def layer_normalization_parts(e: Emitter, op: Operation) -> Tensor:
    """As the layer itself is written."""
    parts = _parts(op.tf)
    assert parts is not None
    given = iter(op.inputs[1:])
    tensor, dims = op.inputs[0], len(parts.statistics.axes)
    roles = [role for role, has in (("scale", parts.scale), ("offset", parts.offset)) if has is not None]
    tensors = {"tensor": tensor, **{role: _without_spare_axes(e, next(given), dims) for role in roles}}
    settings = {"axes": parts.statistics.axes, "epsilon": parts.statistics.epsilon}
    found = layer_normalization(e, op, Call(tensors, settings))
    if found is None:  # several axes of a tensor whose channels are first
        tensors["tensor"] = e.tensor(e.logical(tensor), tensor.dtype, tensor.shape)
        found = layer_normalization(e, op, Call(tensors, settings))
    assert found is not None
    return found[0]


def _without_spare_axes(e: Emitter, weight: Tensor, rank: int) -> Tensor:
    if weight.rank == rank or weight.shape is None:
        return weight
    shape = weight.shape[-rank:]
    if weight.array is not None:
        return constant(weight.array.reshape(weight.array.shape[-rank:]), weight.dtype, weight.label)
    sizes = e.ints(*(size for size in shape if isinstance(size, int)))
    return e.tensor(e.node("Reshape", [e.logical(weight), sizes]), weight.dtype, shape)
