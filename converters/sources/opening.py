"""From any form that the user gives to an opened source."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from assay.converters.sources.base import Inputs, Request, Source, SourceError
from assay.converters.sources.detection import kind_of, with_signature
from assay.converters.sources.import_string import call, is_import_string
from assay.specs.interface import TensorSpec

_FILE_KINDS = {
    "bundle": "onnx_model:open_file",
    "onnx": "onnx_model:open_file",
    "exported-program": "exported_program:open_file",
    "torchscript": "torchscript:open_file",
    "torch-pickle": "pytorch_module:open_pickle",
    "keras": "keras_model:open_file",
    "h5": "keras_model:open_file",
    "saved-model": "saved_model:open_folder",
    "graph-def": "graph_def:open_file",
    "checkpoint": "checkpoint:open_folder",
}
_EXTRAS = {"torch": "pytorch", "transformers": "transformers"}
# the frameworks' classes by name, so that nothing is imported that the object does not bring along
_OBJECT_KINDS = (
    ("torch.jit._script.ScriptModule", "torchscript:from_object"),
    ("torch.export.exported_program.ExportedProgram", "exported_program:from_object"),
    ("torch.nn.modules.module.Module", "pytorch_module:from_object"),
    ("keras.src.models.model.Model", "keras_model:from_object"),
    ("tensorflow.python.eager.polymorphic_function.concrete_function.ConcreteFunction", "tf_function:from_concrete"),
    ("tensorflow.python.eager.polymorphic_function.polymorphic_function.Function", "tf_function:from_object"),
)


def open_source(
    source: Any,
    inputs: Inputs | None = None,
    outputs: Sequence[str] | None = None,
    *,
    trust: bool = False,
    folders: Sequence[Path] = (),
    hints: Sequence[TensorSpec] = (),
    output_hints: Sequence[str] = (),
) -> Source:
    """Open a source: path, import string or live object; raises `SourceError` where it is none.

    ``inputs`` gives specifications or example arrays by name; ``outputs`` gives names to outputs that have none;
    ``folders`` are searched by import strings and relative paths; ``hints`` are specifications that are used only
    where the source has an input of that name and nobody else says its shape; ``output_hints`` name outputs that
    have no names, where there are as many. A SavedModel's signature is asked for as in ``folder#signature``.
    """
    if isinstance(source, Source):
        return source
    if hasattr(source, "path") and hasattr(source, "model"):  # a Bundle
        source = source.path
    if not isinstance(source, str | os.PathLike):
        return _open_object(source, Request(_name_of(source), inputs, outputs, trust, _by_name(hints), output_hints))
    text = os.fspath(source)
    request = Request(text, inputs, outputs, trust, _by_name(hints), output_hints)
    if is_import_string(text) and not Path(text).exists():
        return _open_object(call(text, folders), request)
    return _open_path(text, folders, request)


def _open_path(text: str, folders: Sequence[Path], request: Request) -> Source:
    located = _locate(text, folders)
    place, signature = (str(located), None) if located.exists() else with_signature(text)
    path = located if signature is None else _locate(place, folders)
    kind = kind_of(path)
    if signature is not None and kind != "saved-model":
        raise SourceError(request.name, f"asks for the signature {signature}, but only a SavedModel has signatures")
    return _opener(_FILE_KINDS[kind])(path, replace(request, signature=signature))


def _open_object(value: Any, request: Request) -> Source:
    if isinstance(value, str | os.PathLike):  # a factory may give the path of a file or folder
        return _open_path(os.fspath(value), (), request)
    classes = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(value).__mro__}
    for name, opener in _OBJECT_KINDS:
        if name in classes:
            return _opener(opener)(value, request)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise SourceError(
        request.name,
        f"is a {kind}, but should be an nn.Module, ExportedProgram, ScriptModule, Keras model, "
        "tf.function or ConcreteFunction",
    )


def _locate(text: str, folders: Sequence[Path]) -> Path:
    candidates = [folder / text for folder in folders] + [Path(text)]
    return next((path for path in candidates if path.exists()), Path(text))


def _opener(entry: str) -> Callable[[Any, Request], Source]:
    module, _, function = entry.partition(":")
    try:
        found: Callable[[Any, Request], Source] = getattr(import_module(f"assay.converters.sources.{module}"), function)
    except ModuleNotFoundError as error:
        raise _not_installed(error) from error

    def opener(value: Any, request: Request) -> Source:
        try:
            return found(value, request)
        except ModuleNotFoundError as error:
            if error.name not in _EXTRAS:  # a module of the user's own code
                raise
            raise _not_installed(error) from error

    return opener


def _not_installed(error: ModuleNotFoundError) -> SourceError:
    extra = _EXTRAS.get(str(error.name), "tensorflow")
    return SourceError(str(error.name), f"is not installed, but this source needs it: pip install 'assay[{extra}]'")


def _by_name(specs: Sequence[TensorSpec]) -> dict[str, TensorSpec]:
    return {spec.name: spec for spec in specs}


def _name_of(value: Any) -> str:
    kind = type(value)
    module = sys.modules.get(kind.__module__)
    return f"{kind.__module__}.{kind.__qualname__}" if module else kind.__qualname__
