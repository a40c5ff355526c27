"""Keras to ONNX through Keras' torch backend and torch.onnx, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx_ir as ir

from assay.converters.exporter import ConvertError, Exported
from assay.converters.files import read_model
from assay.converters.sources.base import Source
from assay.converters.sources.tf_function import TensorFlowSource, flatten
from assay.specs.errors import brief

NAME = "torch.onnx.keras"


def export(source: Source, opset: int | None) -> Exported:
    """Save the model, load it where Keras runs on torch, and export it there; needs both frameworks."""
    assert isinstance(source, TensorFlowSource)
    with tempfile.TemporaryDirectory(prefix="assay-") as name:
        folder = Path(name)
        _save(source, folder / "model.keras")
        inputs = {spec.name: str(spec) for spec in source.inputs}
        outputs = [name for name, _ in flatten(getattr(source.owner, "_outputs_struct", None))]
        request = {"name": source.name, "inputs": inputs, "outputs": outputs, "opset": opset}
        (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
        _run(source, folder)
        model = read_model(folder / "model.onnx")
        ir.external_data.load_to_model(model)  # the folder goes
        exported = json.loads((folder / "exported.json").read_text(encoding="utf-8"))
    return Exported(model, tuple(exported["inputs"]), NAME)


def _save(source: TensorFlowSource, path: Path) -> None:
    try:
        source.owner.save(path)
    except Exception as error:
        raise ConvertError(source.name, f"Keras can't save it: {type(error).__name__}: {brief(error)}") from error


def _run(source: TensorFlowSource, folder: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "assay.converters.pytorch.keras_backend", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    refusal = folder / "refusal.json"
    if refusal.exists():
        raise ConvertError(source.name, json.loads(refusal.read_text(encoding="utf-8")))
    if not (folder / "exported.json").exists():
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ConvertError(source.name, f"Keras on torch ended without a model: {last[:300]}")
