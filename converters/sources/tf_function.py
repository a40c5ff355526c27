"""A ``tf.function`` or ConcreteFunction; also what the other TensorFlow sources end in: one flat ConcreteFunction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from assay.converters.sources.base import (
    ExactTwin,
    Feeds,
    Outputs,
    Request,
    Runnable,
    Source,
    SourceError,
    resolve_inputs,
)
from assay.converters.sources.keras_composites import marked_layers
from assay.converters.sources.tf_float64 import float64_function
from assay.converters.sources.tf_shaking import shaken_function, wavering_function
from assay.specs.errors import brief
from assay.specs.interface import Axis, Dim, TensorSpec

_FLOATS = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
_OF_THE_PROCESS = {"shared_name", "container", "config", "config_proto", "executor_type"}


class TensorFlowSource(Source):
    """A function of flat inputs and outputs, traced once; ``function`` is what is run and what is converted."""

    framework = "tensorflow"

    def __init__(
        self,
        kind: str,
        request: Request,
        inputs: Sequence[TensorSpec],
        call: Callable[[list[Any]], Any],
        owner: Any = None,
    ) -> None:
        super().__init__(request, inputs)
        self.kind = kind
        self.owner = owner  # keeps variables alive
        self.function, self.output_names = self._trace(call)

    def run(self, feeds: Feeds) -> Outputs:
        return self.run_function(self.function, feeds)

    def outline(self, feeds: Feeds) -> Outputs:
        with _unoptimized():
            return self.run(feeds)

    def run_function(self, function: Any, feeds: Feeds) -> Outputs:
        """One forward pass of this function or a twin of it."""
        values = function(*[tf.constant(feeds[spec.name]) for spec in self.inputs])
        return {name: _to_array(value) for name, value in zip(self.output_names, values, strict=True)}

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        for variable in self.function.variables:
            if variable.dtype in _FLOATS:
                yield variable.name.removesuffix(":0"), variable.numpy()
        yield from floating_nodes(self.function)

    def sha256(self) -> str:
        values = [variable.numpy() for variable in self.function.variables]
        values += [capture.numpy() for capture in self.function.captured_inputs if capture.dtype != tf.resource]
        digest = hashlib.sha256("".join(sorted(map(_digest, values))).encode())  # TensorFlow keeps them in no order
        digest.update(_operations(self.function))
        return digest.hexdigest()

    def exact(self) -> ExactTwin | None:
        try:
            function, kept = float64_function(self.function)
        except Exception:  # noqa: BLE001 - what TensorFlow raises on a graph that it can't freeze or import is not known
            return None
        return _Exact(self, function, kept)

    def perturbed(self, seed: int) -> Runnable | None:
        variables = sorted(
            (v for v in self.function.variables if v.dtype in _FLOATS), key=lambda v: (v.name, _digest(v.numpy()))
        )
        return _Perturbed(self, variables, seed) if variables else None

    def shaken(self, seed: int) -> Runnable | None:
        return _Twin(self, shaken_function(self.function, seed))

    def wavering(self, seed: int) -> Runnable | None:
        return _Twin(self, wavering_function(self.function, seed))

    def _trace(self, call: Callable[[list[Any]], Any]) -> tuple[Any, list[str]]:
        names: list[str] = []
        signature = [tf.TensorSpec(tf_shape(spec), spec.dtype, name=_graph_name(spec.name)) for spec in self.inputs]

        def flat(*values: Any) -> list[Any]:
            with marked_layers():
                named = self.name_outputs(list(flatten(call(list(values)))))
            names[:] = named
            return [tf.identity(value) for value in named.values()]

        return _traced(self.name, tf.function(flat, input_signature=signature, autograph=False)), names


@dataclass(frozen=True)
class _Twin:
    source: TensorFlowSource
    function: Any

    def run(self, feeds: Feeds) -> Outputs:
        return self.source.run_function(self.function, feeds)


@dataclass(frozen=True)
class _Exact:
    source: TensorFlowSource
    function: Any
    kept: tuple[str, ...]

    def run(self, feeds: Feeds) -> Outputs:
        return self.source.run_function(self.function, {name: _doubled(array) for name, array in feeds.items()})


class _Perturbed:
    """The same function with its variables moved by one unit in the last place; each run puts them back."""

    def __init__(self, source: TensorFlowSource, variables: Sequence[Any], seed: int) -> None:
        self.source, self.variables, self.seed = source, variables, seed

    def run(self, feeds: Feeds) -> Outputs:
        generator = np.random.default_rng(self.seed)
        saved = [variable.numpy() for variable in self.variables]
        try:
            for variable, value in zip(self.variables, saved, strict=True):
                up = generator.random(value.shape) < 0.5
                variable.assign(np.nextafter(value, np.where(up, np.inf, -np.inf).astype(value.dtype)))
            return self.source.run(feeds)
        finally:
            for variable, value in zip(self.variables, saved, strict=True):
                variable.assign(value)


def from_object(function: Any, request: Request) -> TensorFlowSource:
    """The source of a live ``tf.function``: by its input signature, or by the inputs that the user gives."""
    if function.input_signature is not None:
        return from_concrete(_traced(request.name, function), request, "tf-function", owner=function)
    if not (request.inputs or request.hints):
        raise SourceError(
            request.name, "has no input signature; give the shapes of its inputs: --input NAME=float32[batch,...]"
        )
    specs = resolve_inputs(request.name, (), request.inputs, request.hints)
    return TensorFlowSource("tf-function", request, specs, lambda values: function(*values), function)


def from_concrete(
    function: Any, request: Request, kind: str = "concrete-function", owner: Any = None
) -> TensorFlowSource:
    """The source of a live ConcreteFunction; its inputs carry the names of its signature.

    ``owner`` is what keeps the variables alive, which a ConcreteFunction holds only weakly.
    """
    structure = function.structured_input_signature
    flat = tf.nest.flatten(structure, expand_composites=False)
    tensors = [spec for spec in flat if isinstance(spec, tf.TensorSpec)]  # others are plain values, traced as they are
    own = [spec_from_tf(spec.name or f"input_{index}", spec) for index, spec in enumerate(tensors)]

    def call(values: list[Any]) -> Any:
        given = iter(values)
        leaves = [next(given) if isinstance(spec, tf.TensorSpec) else spec for spec in flat]
        args, kwargs = tf.nest.pack_sequence_as(structure, leaves)
        return function(*args, **kwargs)

    return TensorFlowSource(
        kind, request, resolve_inputs(request.name, own, request.inputs, request.hints), call, (function, owner)
    )


def floating_nodes(function: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Name and array of each floating constant of a function's graph and of the functions that it calls."""
    definition = function.graph.as_graph_def()
    for node in (*definition.node, *(node for inner in definition.library.function for node in inner.node_def)):
        if node.op == "Const" and tf.dtypes.as_dtype(node.attr["dtype"].type) in _FLOATS:
            yield node.name, tf.make_ndarray(node.attr["value"].tensor)


@contextmanager
def _unoptimized() -> Iterator[None]:
    """Functions run as they are traced: to optimize one takes TensorFlow longer than to run it once."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False, **before})


def _traced(source: str, function: Any) -> Any:
    """The ConcreteFunction by the function's own signature; tracing runs the model's code, which may raise anything."""
    try:
        return function.get_concrete_function()
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(source, f"can't be traced: {type(error).__name__}: {brief(error)}") from error


def flatten(value: Any, name: str | None = None) -> Iterator[tuple[str | None, Any]]:
    """The tensors of nested outputs, each with its dotted name; under a list there is no name."""
    if value is None:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flatten(item, str(key) if name is None else f"{name}.{key}")
    elif isinstance(value, tuple | list):
        fields = getattr(value, "_fields", None)
        for index, item in enumerate(value):
            yield from flatten(item, fields[index] if fields else None if name is None else f"{name}.{index}")
    else:
        yield name, value


def spec_from_tf(name: str, spec: Any) -> TensorSpec:
    """The specification of a ``tf.TensorSpec``; an axis of unknown size is named by its place, the first one batch."""
    dims = None if spec.shape.rank is None else tuple(_dim(name, index, size) for index, size in enumerate(spec.shape))
    return TensorSpec(name, tf.as_dtype(spec.dtype).name, dims)


def tf_shape(spec: TensorSpec) -> list[int | None] | None:
    """The static shape of a specification as TensorFlow wants it: None where an axis is dynamic."""
    return None if spec.dims is None else [dim if isinstance(dim, int) else None for dim in spec.dims]


def _dim(name: str, index: int, size: int | None) -> Dim:
    if size is not None:
        return size
    return Axis("batch" if index == 0 else f"{name}_{index}")


def _graph_name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_.-" else "_" for c in name)


def _digest(value: Any) -> str:
    array = np.ascontiguousarray(value)
    content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return hashlib.sha256(f"{array.dtype} {array.shape} ".encode() + content).hexdigest()


def _operations(function: Any) -> bytes:
    """The operations in no order, with their attributes, but for those that name things of this process."""
    definition = function.graph.as_graph_def()
    nodes = [*definition.node, *(node for inner in definition.library.function for node in inner.node_def)]
    return b"".join(sorted(map(_operation, nodes)))


def _operation(node: Any) -> bytes:
    attributes = [
        key.encode() + value.SerializeToString(deterministic=True)
        for key, value in sorted(node.attr.items())
        if not key.startswith("_") and key not in _OF_THE_PROCESS and not value.HasField("func") and not value.list.func
    ]
    return hashlib.sha256(b"\0".join([node.op.encode(), *attributes])).digest()


def _doubled(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else array


def _to_array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return (
        np.array([text.decode(errors="replace") for text in array.flat], str).reshape(array.shape)
        if array.dtype == object
        else array
    )
