"""A Keras model exported from Keras' torch backend; run as a program, for a process has one backend for good.

``python -m assay.converters.pytorch.keras_backend FOLDER`` reads ``model.keras`` and ``request.json`` in the folder,
and writes ``model.onnx`` and ``exported.json`` there, or ``refusal.json`` with the reason.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import onnx_ir as ir
import torch

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.dynamo import export
from assay.converters.pytorch.upstream import quiet
from assay.converters.sources.base import Request
from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import flatten
from assay.specs.errors import AssayError, brief
from assay.specs.interface import parse_spec


class Flat(torch.nn.Module):
    """The model as a function of its inputs in the order in which Keras flattens them.

    Outputs in a dictionary come in the order of these names, for Keras saves a dictionary in an order of its own.
    """

    def __init__(self, model: Any, outputs: Sequence[str | None]) -> None:
        super().__init__()
        self.model, self.outputs = model, outputs
        inputs = getattr(model, "_inputs_struct", None)
        self.structure = inputs if inputs is not None else model.inputs[0] if len(model.inputs) == 1 else model.inputs

    def forward(self, *values: Any) -> Any:
        """One forward pass in inference mode."""
        flat = list(flatten(self.model(keras.tree.pack_sequence_as(self.structure, list(values)), training=False)))
        named = dict(flat)
        by_name = None not in self.outputs and set(named) == set(self.outputs)
        return tuple(named[name] for name in self.outputs) if by_name else tuple(value for _, value in flat)


def run(folder: Path) -> None:
    """Export what lies in the folder."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        inputs = _export(folder, request)
    except ConvertError as error:
        _write(folder / "refusal.json", error.reason)
    except (AssayError, ValueError, TypeError, ImportError) as error:
        _write(folder / "refusal.json", f"Keras on torch: {type(error).__name__}: {_cause(error)}")
    else:
        _write(folder / "exported.json", {"inputs": inputs})


def _export(folder: Path, request: Mapping[str, Any]) -> list[str]:
    with quiet():
        model = keras.models.load_model(folder / "model.keras", compile=False, safe_mode=False)
    if not getattr(model, "inputs", None):
        raise ConvertError(request["name"], "a subclassed model says nothing of its inputs after it was saved")
    specs = {name: parse_spec(name, text) for name, text in request["inputs"].items()}
    exported = export(ModuleSource(Flat(model, request["outputs"]), Request(request["name"], specs)), request["opset"])
    ir.save(exported.model, folder / "model.onnx", external_data="model.onnx.data")
    return list(exported.inputs)


def _cause(error: Exception) -> str:
    """The last sentence of an error in loading, before which Keras writes the whole configuration."""
    *_, cause = str(error).rpartition("Exception encountered: ")
    return brief(ValueError(cause or error))


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
