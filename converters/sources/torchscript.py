"""A TorchScript module, live or saved as ``.pt`` or ``.jit``."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.torch_runner import TorchSource
from assay.specs.errors import brief
from assay.specs.interface import TensorSpec

_DTYPES = {"int": "int64", "float": "float64", "bool": "bool"}


class TorchScriptSource(TorchSource):
    """A scripted or traced module; its inputs carry the names of the arguments of ``forward``."""

    kind = "torchscript"

    def __init__(self, module: torch.jit.ScriptModule, request: Request) -> None:
        forward: Any = module.forward
        arguments = [a for a in forward.schema.arguments if a.name != "self"]
        given = request.inputs or {}
        own = [_spec(a) for a in arguments if not a.has_default_value() or a.name in {*given, *request.hints}]
        super().__init__(request, resolve_inputs(request.name, own, given, request.hints))
        self.module = module
        self._arguments = arguments

    def copy_module(self) -> Any:
        """A deep copy of the scripted module."""
        return copy.deepcopy(self.module)

    def state(self) -> dict[str, torch.Tensor]:
        """Parameters and buffers; of a frozen module, whose graph holds them, its constants."""
        graph = getattr(self.module, "inlined_graph", None)
        nodes = graph.findAllNodes("prim::Constant") if graph is not None else []
        constants = {node.output().debugName(): node.t("value") for node in nodes if _is_tensor(node)}
        return {**constants, **super().state()}

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """By position, with plain numbers where the signature wants those, and its default before the last input."""
        given = {spec.name: value for spec, value in zip(self.inputs, values, strict=True)}
        last = max((index for index, a in enumerate(self._arguments) if a.name in given), default=-1)
        wanted = self._arguments[: last + 1]
        return tuple(_argument(a, given[a.name]) if a.name in given else a.default_value for a in wanted), {}


def from_object(module: torch.jit.ScriptModule, request: Request) -> TorchScriptSource:
    """The source of a live scripted module."""
    return TorchScriptSource(module, request)


def open_file(path: Path, request: Request) -> TorchScriptSource:
    """Load a TorchScript archive."""
    try:
        module = torch.jit.load(path, map_location="cpu")
    except (RuntimeError, ValueError) as error:
        raise SourceError(request.name, f"can't be loaded as TorchScript: {brief(error)}") from error
    return TorchScriptSource(module, request)


def _is_tensor(node: Any) -> bool:
    return bool(node.hasAttribute("value") and node.kindOf("value") == "t")


def _argument(argument: Any, value: Any) -> Any:
    return value.item() if str(argument.type) in _DTYPES else value


def _spec(argument: Any) -> TensorSpec:
    scalar = _DTYPES.get(str(argument.type))
    return TensorSpec(argument.name, scalar or "float32", () if scalar else None)
