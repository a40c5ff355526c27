"""W: weights that are not the source's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import ml_dtypes
import numpy as np
from onnx import NodeProto

from verdicts.graph import Graph, is_float
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject

_SMALLEST = 8


def weights(subject: Subject, rank: int = 2) -> list[tuple[str, np.ndarray]]:
    """The float initializers of at least this rank, in order of the nodes that take them."""
    graph, found = subject.graph, {}
    for node in graph.nodes:
        for name in node.input:
            array = graph.constant(name)
            if array is not None and is_float(array) and array.ndim >= rank and array.size >= _SMALLEST:
                found[name] = array
    return list(found.items())


def biases(subject: Subject) -> list[tuple[str, np.ndarray]]:
    """The float vectors that layers add."""
    graph, found = subject.graph, {}
    places = {"Conv": 2, "Gemm": 2, "ConvTranspose": 2, "LayerNormalization": 2, "BatchNormalization": 2}
    for node in graph.nodes:
        names = node.input if node.op_type == "Add" else node.input[places.get(node.op_type, 99) :][:1]
        for name in names:
            array = graph.constant(name)
            if array is not None and is_float(array) and array.size >= 2 and max(array.shape) == array.size:
                found[name] = array
    return list(found.items())


def _set(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Graph, NodeProto], None]:
    def apply(graph: Graph, node: NodeProto) -> None:
        array = graph.constant(name)
        if array is not None:
            graph.set_constant(name, change(array).astype(array.dtype))

    return apply


def noisy(array: np.ndarray, size: float) -> np.ndarray:
    """The array with relative Gaussian noise of this size."""
    return array * (1 + size * np.random.default_rng(7).standard_normal(array.shape))


@mutation("W1", "weights carry relative noise")
def noise(subject: Subject) -> Iterator[Edit]:
    """Each severity is one point of the curve that gives the detection limit."""
    for size in (1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 1e-4, 1e-3, 1e-2):

        def apply(graph: Graph, node: NodeProto, size: float = size) -> None:
            for name, array in weights(subject):
                graph.set_constant(name, noisy(array, size).astype(array.dtype))

        yield Edit(None, apply, f"{size:g}")


@mutation("W1b", "one layer's weights carry relative noise")
def noise_in_one(subject: Subject) -> Iterator[Edit]:
    """The noise of W1 in one layer."""
    for size in (1e-5, 1e-4, 1e-3):
        for name, _ in weights(subject):
            yield Edit(None, _set(name, lambda array, size=size: noisy(array, size)), f"{size:g}")  # type: ignore[misc]


@mutation("W2", "weights are rounded to fewer bits")
def rounded(subject: Subject) -> Iterator[Edit]:
    """Float16 and bfloat16 and back, for all weights."""
    for kind in (np.float16, ml_dtypes.bfloat16):

        def apply(graph: Graph, node: NodeProto, kind: type = kind) -> None:
            for name, array in weights(subject):
                graph.set_constant(name, array.astype(kind).astype(array.dtype))

        yield Edit(None, apply, np.dtype(kind).name)


@mutation("W2b", "one layer's weights are rounded to float16")
def rounded_in_one(subject: Subject) -> Iterator[Edit]:
    """Float16 and back, for one layer."""
    for name, _ in weights(subject):
        yield Edit(None, _set(name, lambda array: array.astype(np.float16)))


def quantized(array: np.ndarray, bits: int, axis: int | None = None) -> np.ndarray:
    """Symmetric quantization and back, per tensor or along an axis."""
    axes = None if axis is None else tuple(i for i in range(array.ndim) if i != axis)
    top = 2 ** (bits - 1) - 1
    scale = np.maximum(np.abs(array).max(axis=axes, keepdims=axis is not None), 1e-30) / top
    rounded: np.ndarray = np.clip(np.round(array / scale), -top, top) * scale
    return rounded


@mutation("W3", "one layer's weights are quantized and back, per tensor")
def fake_quantized(subject: Subject) -> Iterator[Edit]:
    """Eight and four bits."""
    for bits in (8, 4):
        for name, _ in weights(subject):
            yield Edit(None, _set(name, lambda array, bits=bits: quantized(array, bits)), f"int{bits}")  # type: ignore[misc]


@mutation("W4", "one row of a weight is zero")
def zero_row(subject: Subject) -> Iterator[Edit]:
    """The row in the middle."""

    def change(array: np.ndarray) -> np.ndarray:
        changed = array.copy()
        changed[len(array) // 2] = 0
        return changed

    return (Edit(None, _set(name, change)) for name, _ in weights(subject))


@mutation("W5", "one row of an embedding is another's")
def embedding_row(subject: Subject) -> Iterator[Edit]:
    """A rare token has the vector of its neighbour."""

    def change(array: np.ndarray) -> np.ndarray:
        changed = array.copy()
        changed[-2] = changed[1]
        return changed

    for _, node in subject.graph.of("Gather"):
        array = subject.graph.constant(node.input[0])
        if array is not None and is_float(array) and array.ndim == 2 and len(array) > 3:
            yield Edit(None, _set(node.input[0], change))


@mutation("W6", "a square weight is transposed")
def transposed(subject: Subject) -> Iterator[Edit]:
    """Its last two axes change places."""
    for name, array in weights(subject):
        if array.shape[-1] == array.shape[-2] > 1:
            yield Edit(None, _set(name, lambda array: np.swapaxes(array, -1, -2)))


@mutation("W7", "a bias is dropped")
def no_bias(subject: Subject) -> Iterator[Edit]:
    """Zeros stand in its place."""
    return (Edit(None, _set(name, np.zeros_like)) for name, _ in biases(subject))


@mutation("W8", "two weights of the same shape change places")
def swapped(subject: Subject) -> Iterator[Edit]:
    """As from a checkpoint whose keys were mapped wrongly."""
    found = weights(subject)
    for place, (name, array) in enumerate(found):
        other = next((n for n, a in found[place + 1 :] if a.shape == array.shape), None)
        if other is not None:

            def apply(graph: Graph, node: NodeProto, a: str = name, b: str = other) -> None:
                first, second = graph.constant(a), graph.constant(b)
                if first is not None and second is not None:
                    graph.set_constant(a, second.copy())
                    graph.set_constant(b, first.copy())

            yield Edit(None, apply)


@mutation("W10", "one single weight has another sign")
def one_sign(subject: Subject) -> Iterator[Edit]:
    """The largest weight of a layer, as from a flipped bit."""

    def change(array: np.ndarray) -> np.ndarray:
        changed = array.copy()
        changed.flat[np.abs(array).argmax()] *= -1
        return changed

    return (Edit(None, _set(name, change)) for name, _ in weights(subject))


@mutation("W11", "weights are read from a wrong offset")
def rotated(subject: Subject) -> Iterator[Edit]:
    """Every element moves by one, as from external data that is shifted but has the right size."""
    return (
        Edit(None, _set(name, lambda array: np.roll(array.reshape(-1), 1).reshape(array.shape)))
        for name, _ in weights(subject)
    )


@mutation("W12", "the last channels of a bias are scaled")
def bias_scaled(subject: Subject) -> Iterator[Edit]:
    """By 1.001, 1.01 and 1.1."""
    for factor in (1.001, 1.01, 1.1):
        for name, _ in biases(subject):
            yield Edit(None, _set(name, lambda array, factor=factor: array * factor), f"{factor:g}")  # type: ignore[misc]
