"""One model to convert: how it is built, and the shapes and values on which it is judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

Shapes = tuple[tuple[int, ...], ...]
Maker = Callable[[np.random.Generator, Shapes], list[Any]]

_SIZES = ({"a": 2, "b": 3, "c": 4}, {"a": 1, "b": 1, "c": 1}, {"a": 5, "b": 2, "c": 7})
_EMPTY = ({"a": 0, "b": 2, "c": 3},)
_DTYPES = {
    "f2": "float16",
    "bf": "bfloat16",
    "f4": "float32",
    "f8": "float64",
    "i1": "int8",
    "i2": "int16",
    "i4": "int32",
    "i8": "int64",
    "u1": "uint8",
    "u2": "uint16",
    "u4": "uint32",
    "u8": "uint64",
    "b1": "bool",
    "s": "string",
    "c8": "complex64",
}
_FLOATS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "": lambda g, s: g.standard_normal(s) * 2,
    "pos": lambda g, s: g.uniform(0.05, 4, s),
    "unit": lambda g, s: g.uniform(-0.97, 0.97, s),
    "prob": lambda g, s: g.uniform(0, 1, s),
    "above1": lambda g, s: g.uniform(1.01, 5, s),
    "nonzero": lambda g, s: g.uniform(0.5, 3, s) * g.choice([-1, 1], s),
    "large": lambda g, s: g.standard_normal(s) * 30,
    "ties": lambda g, s: np.round(g.standard_normal(s) * 4) / 2,
    "edge": lambda g, s: g.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -1.0, 1.0, 1e-30, 87.0], s),
    "missing": lambda g, s: np.where(g.random(s) < 0.3, np.nan, g.standard_normal(s)),
    "zeros": lambda g, s: g.choice([0.0, 0.0, 1.5, -2.0], s),
    "box": lambda g, s: np.concatenate([g.uniform(-0.1, 0.4, (s[0], 2)), g.uniform(0.5, 1.2, (s[0], 2))], 1),
    "spd": lambda g, s: _definite(g.standard_normal(s)),
    "sorted": lambda g, s: np.sort(g.standard_normal(s) * 3, -1),
}
_INTEGERS: dict[str, tuple[int, int]] = {
    "": (-9, 10),
    "small": (0, 5),
    "pos": (1, 8),
    "two": (0, 2),
    "wide": (-120, 120),
}


def _definite(matrix: Any) -> Any:
    return matrix @ np.swapaxes(matrix, -1, -2) + np.eye(matrix.shape[-1]) * 2


@dataclass(frozen=True)
class Argument:
    """One input: dtype, axes (a letter is a dynamic one), and which values it takes."""

    dtype: str
    dims: tuple[int | str, ...]
    values: str = ""

    def shape(self, sizes: dict[str, int]) -> tuple[int, ...]:
        """Its shape where the letters have these sizes."""
        return tuple(dim if isinstance(dim, int) else sizes[dim] for dim in self.dims)

    def make(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
        """Values of this kind."""
        if self.dtype == "bool":
            return generator.random(shape) < 0.5
        if self.dtype == "string":
            return generator.choice(np.array(["", "a", "Ab c", "b,b", "straße", "a-b_c"], object), shape)
        if self.dtype in ("float16", "bfloat16", "float32", "float64"):
            return _cast(_FLOATS[self.values](generator, shape), self.dtype)
        if self.dtype == "complex64":
            return (generator.standard_normal(shape) + 1j * generator.standard_normal(shape)).astype(np.complex64)
        return self._integers(generator, shape)

    def _integers(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
        if self.values.startswith("below"):
            return generator.integers(0, int(self.values[5:]), shape).astype(self.dtype)
        if self.values == "sorted":
            return np.sort(generator.integers(0, 4, shape)).astype(self.dtype)
        if self.values == "permutation":
            return generator.permutation(shape[0]).astype(self.dtype)
        if self.values == "mask":  # some of the first positions count, at least one
            lengths = generator.integers(1, shape[-1] + 1, (*shape[:-1], 1))
            return (np.arange(shape[-1]) < lengths).astype(self.dtype)
        if self.values == "image":
            return generator.integers(0, 256, shape).astype(self.dtype)
        low, high = _INTEGERS[self.values]
        return generator.integers(max(low, 0) if self.dtype[0] == "u" else low, high, shape).astype(self.dtype)


def _cast(array: Any, dtype: str) -> Any:
    if dtype == "bfloat16":
        import ml_dtypes

        return np.asarray(array, np.float32).astype(ml_dtypes.bfloat16)
    return np.asarray(array).astype(dtype)


@dataclass(frozen=True)
class Case:
    """A model by its builder (a Keras model, or a tf.function with a signature), and the shapes to try it at."""

    name: str
    build: Callable[[], Any]
    shapes: tuple[Shapes, ...]
    values: Maker | None = None
    double: Callable[[], Any] | None = None
    traits: frozenset[str] = field(default_factory=frozenset)
    function: Callable[..., Any] | None = None
    inputs: tuple[Argument, ...] = ()


def filled(case: Case) -> Case:
    """Without the trial that has no elements."""
    return replace(case, shapes=case.shapes[: len(_SIZES)])


def arguments(text: str) -> tuple[Argument, ...]:
    """Inputs written as ``f4[a,3]:pos i4[a]``."""
    found = []
    for word in text.split():
        match = re.fullmatch(r"(\w+)\[([^\]]*)\](?::(\w+))?", word)
        if match is None:
            raise ValueError(f"{word!r}, but should be DTYPE[DIMS] or DTYPE[DIMS]:VALUES")
        dims = tuple(int(dim) if dim.isdigit() else dim for dim in match[2].split(",") if dim)
        found.append(Argument(_DTYPES[match[1]], dims, match[3] or ""))
    return tuple(found)


def operator(name: str, function: Callable[..., Any], text: str, *traits: str) -> Case:
    """A case of one call of TensorFlow, tried at several sizes of its dynamic axes."""
    inputs = arguments(text)
    letters = {dim for one in inputs for dim in one.dims if isinstance(dim, str)}
    trials = (*_SIZES, *_EMPTY) if letters else _SIZES[:1]
    shapes = tuple(tuple(one.shape(sizes) for one in inputs) for sizes in trials)

    def values(generator: np.random.Generator, shape: Shapes) -> list[Any]:
        return [one.make(generator, size) for one, size in zip(inputs, shape, strict=True)]

    wide = tuple(Argument("float64", one.dims) if one.dtype == "float32" else one for one in inputs)
    build, double = (partial(_traced, function, taken) for taken in (inputs, wide))
    return Case(name, build, shapes, values, double, frozenset(traits), function, inputs)


def behind_pools(case: Case) -> Case | None:
    """The same call of tensors that a converter may hold with channels first; None where no input has 3 to 5 axes."""
    function = case.function
    chosen = [index for index, one in enumerate(case.inputs) if one.dtype == "float32" and 3 <= len(one.dims) <= 5]
    if not chosen or function is None:
        return None

    def pooled(*values: Any) -> Any:
        return function(*(_pooled(value) if index in chosen else value for index, value in enumerate(values)))

    trials = tuple(shapes for shapes in case.shapes if not any(0 in shape for shape in shapes))
    return replace(
        case,
        name=f"{case.name} behind a pool",
        build=partial(_traced, pooled, case.inputs),
        double=None,
        shapes=trials,
        function=pooled,
        traits=case.traits,
    )


def _pooled(value: Any) -> Any:
    """The value itself, as a pool of one element gives it."""
    import tensorflow as tf

    if value.shape.rank == 3:
        return tf.reduce_sum(tf.nn.max_pool2d(value[:, tf.newaxis], 1, 1, "VALID"), 1)
    if value.shape.rank == 4:
        return tf.nn.max_pool2d(value, 1, 1, "VALID")
    return tf.nn.max_pool3d(value, 1, 1, "VALID")


def _traced(function: Callable[..., Any], inputs: Sequence[Argument]) -> Any:
    import tensorflow as tf

    signature = [
        tf.TensorSpec([dim if isinstance(dim, int) else None for dim in one.dims], one.dtype, name=f"x{index}")
        for index, one in enumerate(inputs)
    ]
    return tf.function(function, input_signature=signature, autograph=False)
