"""A Keras model, live or saved as ``.keras`` or ``.h5``; always run with ``training=False``."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.tf_function import TensorFlowSource, spec_from_tf
from assay.specs.errors import brief
from assay.specs.interface import TensorSpec

_COUNTER_NAME = re.compile(r"^(keras_tensor|input_layer|input)(_?\d+)?(CLONE)?$")


def from_object(model: Any, request: Request) -> TensorFlowSource:
    """The source of a live model; its inputs and outputs carry the names that their author gave them."""
    if keras.config.backend() != "tensorflow":
        raise SourceError(
            request.name, f"runs on the Keras backend {keras.config.backend()}, but should run on tensorflow"
        )
    if not getattr(model, "inputs", None):
        return _subclassed(model, request)
    inputs = resolve_inputs(request.name, _own_inputs(model), request.inputs, request.hints)

    def call(values: list[Any]) -> Any:
        with keras.StatelessScope():  # what the model would write to its variables is dropped
            return _named(model, model(keras.tree.pack_sequence_as(_structure(model), values), training=False))

    return TensorFlowSource("keras", request, inputs, call, model)


def open_file(path: Path, request: Request) -> TensorFlowSource:
    """Load a ``.keras`` or ``.h5`` file without running code that lies in it."""
    try:
        with _named_as_keras_wants(path) as file:
            model = keras.models.load_model(file, compile=False, safe_mode=not request.trusted)
    except Exception as error:
        raise SourceError(request.name, f"can't be loaded by Keras: {brief(error)}") from error
    return from_object(model, request)


@contextmanager
def _named_as_keras_wants(path: Path) -> Iterator[Path]:
    """Keras goes by the file's name; here its bytes count, so it gets a link of the right name."""
    suffix = ".keras" if zipfile.is_zipfile(path) else ".h5"
    if path.suffix == suffix:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"model{suffix}"
        link.symlink_to(path.resolve())
        yield link


def _subclassed(model: Any, request: Request) -> TensorFlowSource:
    if not (request.inputs or request.hints):
        raise SourceError(request.name, "is not built; give the shapes of its inputs: --input NAME=float32[batch,...]")
    inputs = resolve_inputs(request.name, (), request.inputs, request.hints)
    return TensorFlowSource("keras", request, inputs, lambda values: model(*values, training=False), model)


def _structure(model: Any) -> Any:
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None:
        return structure
    return model.inputs if len(model.inputs) > 1 else model.inputs[0]


def _own_inputs(model: Any) -> list[TensorSpec]:
    tensors = keras.tree.flatten(_structure(model))
    names = [str(tensor.name) for tensor in tensors]
    if any(_COUNTER_NAME.match(name) for name in names) or len(set(names)) < len(names):
        names = ["input"] if len(names) == 1 else [f"input_{index}" for index in range(len(names))]
    specs = (tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors)
    return [spec_from_tf(name, spec) for name, spec in zip(names, specs, strict=True)]


def _named(model: Any, outputs: Any) -> Any:
    """Outputs in a list get the names of their layers, where the author gave those names."""
    if isinstance(outputs, dict) or not hasattr(model, "output_names"):
        return outputs
    flat = keras.tree.flatten(outputs)
    names = _author_names(model)
    return dict(zip(names, flat, strict=True)) if len(set(names)) == len(flat) else outputs


def _author_names(model: Any) -> Sequence[str]:
    layers = {layer.name: layer for layer in model.layers}
    automatic = {name for name, layer in layers.items() if _is_automatic(name, type(layer).__name__)}
    names = list(model.output_names)
    return [] if any(name in automatic or name not in layers for name in names) else names


def _is_automatic(name: str, class_name: str) -> bool:
    """Whether Keras made the name from the class and a counter, as ``dense_3`` from ``Dense``."""
    return re.sub(r"_\d+$", "", name).replace("_", "") == class_name.lower()
