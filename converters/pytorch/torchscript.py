"""TorchScript to ONNX through the TorchScript-based exporter, the only one that takes a ScriptModule."""

from __future__ import annotations

import io
from contextlib import nullcontext

import onnx
import onnx_ir as ir
import torch

from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.exporter import ConvertError, Exported
from assay.converters.pytorch.flat_call import flat_call
from assay.converters.pytorch.upstream import quiet, reason
from assay.converters.silence import STDOUT, silenced
from assay.converters.sources.base import Source, require_inputs
from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import TorchSource, inference, to_tensor
from assay.specs.interface import Axis

_DEFAULT_OPSET = 20


def export(source: Source, opset: int | None) -> Exported:
    """Export a scripted module; modules that are not scripted are traced by this exporter."""
    assert isinstance(source, TorchSource)
    interface = require_inputs(source)
    feeds = typical_feeds(source.inputs, trace_sizes(interface), seed=0)
    outputs = list(source.run(feeds))
    names = [spec.name for spec in source.inputs]
    axes = {
        spec.name: {i: d.name for i, d in enumerate(spec.dims or ()) if isinstance(d, Axis)} for spec in source.inputs
    }
    buffer = io.BytesIO()
    # torch writes a graph that it can't export to standard output
    tensors = [to_tensor(feeds[name]) for name in names]
    call = flat_call(source, tensors) if isinstance(source, ModuleSource) else nullcontext(source.arguments(tensors))
    with quiet(), silenced(STDOUT), inference(source.module), call as (args, kwargs):
        try:
            torch.onnx.export(
                source.module,
                args,
                buffer,  # type: ignore[arg-type]
                kwargs=kwargs,
                dynamo=False,
                input_names=names,
                output_names=outputs,
                dynamic_axes=axes,
                opset_version=opset or _DEFAULT_OPSET,
            )
        except Exception as error:
            raise ConvertError(source.name, f"torch.onnx.export(dynamo=False): {reason(error)}") from error
    model = ir.from_proto(onnx.load_from_string(buffer.getvalue()))
    return Exported(model, tuple(names), "torch.onnx.torchscript")
