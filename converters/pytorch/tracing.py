"""A module to an ``ExportedProgram`` whose axes are dynamic as its interface says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.exporter import ConvertError
from assay.converters.pytorch.flat_call import flat_call
from assay.converters.pytorch.upstream import reason
from assay.converters.sources.base import Source, require_inputs
from assay.converters.sources.exported_program import ExportedProgramSource
from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import inference, to_tensor
from assay.specs.interface import Axis, TensorSpec


def trace(source: Source) -> torch.export.ExportedProgram:
    """The program of a module (or the one given), with its axes dynamic as asked; raises `ConvertError`."""
    if isinstance(source, ExportedProgramSource):
        return source.program
    if not isinstance(source, ModuleSource):
        raise ConvertError(
            source.name, f"torch.export takes an nn.Module or ExportedProgram, but this is {source.kind}"
        )
    interface = require_inputs(source)
    feeds = typical_feeds(source.inputs, trace_sizes(interface), seed=0)
    tensors = [to_tensor(array) for array in feeds.values()]
    try:
        with inference(source.module), flat_call(source, tensors) as (args, kwargs):
            return torch.export.export(
                source.module,
                args,
                kwargs,
                dynamic_shapes=_dynamic_shapes(source.inputs, tensors),  # type: ignore[arg-type]
                strict=False,
                prefer_deferred_runtime_asserts_over_guards=True,
            )
    except Exception as error:
        raise ConvertError(source.name, _pinned(error) or f"torch.export: {reason(error)}") from error


def _pinned(error: Exception) -> str | None:
    """The axes that the model's code fixes to one size, which is what most of these errors are about."""
    if not isinstance(error, torch._dynamo.exc.UserError):
        return None
    axes = re.findall(r"^\s*(\w+) = (\d+)$", str(error).partition("Suggested fixes:")[2], re.MULTILINE)
    if not axes:
        return None
    told = ", ".join(f"axis {name} is fixed to {size}" for name, size in axes)
    names = ", ".join(f"{size} in place of {name}" for name, size in axes)
    return (
        f"{told} by the model's code as torch.export reads it, but should be dynamic; "
        f"write {names} in its input, change the code, or try --exporter torch.onnx.torchscript"
    )


def _dynamic_shapes(inputs: Sequence[TensorSpec], tensors: Sequence[torch.Tensor]) -> torch.export.ShapesCollection:
    axes = {axis.name: axis for spec in inputs for axis in spec.axes}
    dims = {name: _dim(axis) for name, axis in axes.items()}
    shapes = torch.export.ShapesCollection()
    for spec, tensor in zip(inputs, tensors, strict=True):
        shapes[tensor] = {i: dims[dim.name] for i, dim in enumerate(spec.dims or ()) if isinstance(dim, Axis)}
    return shapes


def _dim(axis: Axis) -> Any:
    bounds = {} if axis.minimum <= 1 else {"min": axis.minimum}
    if axis.maximum is not None:
        bounds["max"] = axis.maximum
    return torch.export.Dim(axis.name, **bounds)
