"""How a case is made of a layer of Keras: a model of that layer alone, with weights that hide nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tensorflow_cases.case import Argument, Case, Shapes, arguments

_SIZES = (
    {"a": 2, "t": 6, "h": 9, "w": 8, "d": 6},
    {"a": 1, "t": 7, "h": 12, "w": 11, "d": 7},
    {"a": 3, "t": 8, "h": 8, "w": 9, "d": 8},
)


@dataclass(frozen=True)
class Layer:
    """A layer that is not made yet: its class by name, and what it is made with, which may be layers again."""

    name: str
    args: tuple[Any, ...]
    options: tuple[tuple[str, Any], ...]

    def build(self) -> Any:
        """The layer."""
        import keras

        made = [_made(value) for value in self.args]
        return getattr(keras.layers, self.name)(*made, **{key: _made(value) for key, value in self.options})

    def __repr__(self) -> str:
        options = [f"{key}={value!r}" for key, value in self.options]
        return f"{self.name}({', '.join([*map(repr, self.args), *options])})"


def made_of(name: str, *args: Any, **options: Any) -> Layer:
    """A layer that is made later."""
    return Layer(name, args, tuple(options.items()))


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(part) for part in value]
    return value.build() if isinstance(value, Layer) else value


def with_exact(case: Case, function: Callable[..., Any]) -> Case:
    """The case with what the layer means in float64, by which its own rounding errors are known."""
    return replace(case, double=lambda: _Exact(function))


@dataclass(frozen=True)
class _Exact:
    function: Callable[..., Any]

    def get_concrete_function(self) -> Callable[..., Any]:
        """The function, of tensors in float64."""
        return self.function


def layer(text: str, name: str, *args: Any, **options: Any) -> Case:
    """A model of one layer; several inputs go to it as a list."""
    whole = made_of(name, *args, **options)
    return called(f"{whole!r} {text}", text, lambda inputs: whole.build()(inputs if len(inputs) > 1 else inputs[0]))


def called(name: str, text: str, function: Callable[[list[Any]], Any]) -> Case:
    """A model of what the function makes of its inputs, the first axis of which is the batch."""
    inputs = arguments(text)
    letters = {dim for one in inputs for dim in one.dims if isinstance(dim, str)}
    sizes = _SIZES if letters else _SIZES[:1]
    shapes = tuple(tuple(one.shape(trial) for one in inputs) for trial in sizes)

    def values(generator: np.random.Generator, shape: Shapes) -> list[Any]:
        return [one.make(generator, size) for one, size in zip(inputs, shape, strict=True)]

    return Case(name, lambda: _model(inputs, function), shapes, values)


def _model(inputs: tuple[Argument, ...], function: Callable[[list[Any]], Any]) -> Any:
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    places = [keras.Input(batch_shape=[_size(dim) for dim in one.dims], dtype=one.dtype) for one in inputs]
    model = keras.Model(places, function(places))
    generator = np.random.default_rng(0)
    for weight in model.weights:  # new biases and means are zeros, which would hide what is forgotten
        if weight.dtype in ("float32", "float64", "float16") and "seed" not in weight.path:
            low = 0.5 if "variance" in weight.path or "gamma" in weight.path else -0.5
            weight.assign(generator.uniform(low, low + 1.0, weight.shape))
    return model


def _size(dim: int | str) -> int | None:
    return dim if isinstance(dim, int) else None
