"""Typical inputs made from specifications: what a model is traced with, and what many probes start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.specs.condition_sets import nearest
from assay.specs.interface import Axis, Interface, TensorSpec

# odd sizes that differ from each other, so that no axis is mistaken for another; batch is 2, for 1 hides broadcasts
_BATCH = 2
_OTHERS = (17, 19, 23, 29, 31, 37, 41, 43)


def trace_sizes(interface: Interface) -> dict[str, int]:
    """The size that each dynamic axis is traced at: the user's example, else a size of its own within the bounds.

    All of them together satisfy the interface's conditions, where any sizes do.
    """
    spare = iter(_OTHERS * (1 + len(interface.axes)))
    sizes = {name: _trace_size(axis, spare) for name, axis in interface.axes.items()}
    return nearest(sizes, interface.axes, interface.conditions) or sizes


def typical_feeds(inputs: Sequence[TensorSpec], sizes: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """One array an input, by name; the same for the same seed."""
    generator = np.random.default_rng(seed)
    return {spec.name: typical(spec, spec.shape(sizes), generator) for spec in inputs}


def typical(spec: TensorSpec, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Values as the model would see them: uniform in the range, masks of ones, else normal or small integers."""
    dtype = numpy_dtype(spec.dtype)
    if spec.role == "attention_mask":
        return np.ones(shape, dtype)
    if spec.dtype == "bool":
        return generator.random(shape) < 0.5
    if spec.dtype == "string":
        return generator.choice(np.array(["", "a", "assay", "naïve"]), shape)
    if dtype.kind in "iu":
        low, high = spec.range or (0, 9)
        return generator.integers(int(low), int(high), shape, endpoint=True).astype(dtype)
    if spec.range is not None:
        return generator.uniform(*spec.range, shape).astype(dtype)
    return generator.standard_normal(shape).astype(dtype)


def numpy_dtype(name: str) -> np.dtype:
    """The numpy dtype of a specification's dtype, bfloat16 from ml_dtypes, strings as unicode."""
    if name == "bfloat16":
        import ml_dtypes

        bfloat16: np.dtype = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    return np.dtype("U8" if name == "string" else name)


def _trace_size(axis: Axis, spare: object) -> int:
    if axis.example is not None:
        return axis.example
    wanted = _BATCH if "batch" in axis.name else next(spare)  # type: ignore[call-overload]
    size = max(wanted, axis.minimum)
    return min(size, axis.maximum) if axis.maximum is not None else size
