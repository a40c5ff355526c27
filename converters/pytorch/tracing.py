"""A module to an ``ExportedProgram`` whose axes are dynamic as its interface says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.exporter import ConvertError
from assay.converters.pytorch.flat_call import flat_call
from assay.converters.pytorch.guards import line_of_error
from assay.converters.pytorch.lowerings.substitutions import Substitution
from assay.converters.pytorch.upstream import reason
from assay.converters.sources.base import Source, require_inputs
from assay.converters.sources.exported_program import ExportedProgramSource
from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import inference, to_tensor
from assay.specs.interface import Axis, TensorSpec


def trace(source: Source) -> torch.export.ExportedProgram:
    """The program of a module (or the one given), with its axes as dynamic as its code lets them be.

    What it holds on is for the caller to read: an axis that the code pins to one size is no error here. Sizes of 0 and
    1 are as open as others. Raises `ConvertError`.
    """
    with torch.fx.experimental._config.patch(backed_size_oblivious=True), Substitution():  # type: ignore[attr-defined]
        return _traced(source, _hinted)


def trace_strictly(source: Source) -> torch.export.ExportedProgram:
    """The same as torch does it of its own accord: a named axis that the code pins or bounds is an error."""
    return _traced(source, _named)


def _traced(source: Source, dim: Callable[[Axis], Any]) -> torch.export.ExportedProgram:
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
                dynamic_shapes=_dynamic_shapes(source.inputs, tensors, dim),  # type: ignore[arg-type]
                strict=False,
                prefer_deferred_runtime_asserts_over_guards=True,
            )
    except Exception as error:
        told = _pinned(error) or _of_data(error) or f"torch.export: {reason(error)}"
        raise ConvertError(source.name, told) from error


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


def _of_data(error: BaseException) -> str | None:
    """Which line decides by the values of a tensor, where that is what the error is about."""
    root = error
    while root.__cause__ is not None and not isinstance(root, GuardOnDataDependentSymNode):
        root = root.__cause__
    if not isinstance(root, GuardOnDataDependentSymNode):
        return None
    line = line_of_error(root) or line_of_error(error)
    where = f" at {line}" if line else ""
    told = f"the model's code{where} decides by the values of a tensor, which a traced graph can't"
    return f"{told}; write torch.where or torch.cond instead"


def _dynamic_shapes(
    inputs: Sequence[TensorSpec], tensors: Sequence[torch.Tensor], dim: Callable[[Axis], Any]
) -> torch.export.ShapesCollection:
    axes = {axis.name: axis for spec in inputs for axis in spec.axes}
    dims = {name: dim(axis) for name, axis in axes.items()}
    shapes = torch.export.ShapesCollection()
    for spec, tensor in zip(inputs, tensors, strict=True):
        shapes[tensor] = {i: dims[dim.name] for i, dim in enumerate(spec.dims or ()) if isinstance(dim, Axis)}
    return shapes


def _named(axis: Axis) -> Any:
    return torch.export.Dim(axis.name, **_bounds(axis))


def _hinted(axis: Axis) -> Any:
    """Open, and not an error where it turns out not to be."""
    return torch.export.Dim.AUTO(**_bounds(axis)) if _bounds(axis) else torch.export.Dim.AUTO


def _bounds(axis: Axis) -> dict[str, int]:
    bounds = {} if axis.minimum <= 1 else {"min": axis.minimum}
    return bounds if axis.maximum is None else {**bounds, "max": axis.maximum}
