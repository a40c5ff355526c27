"""An ``ExportedProgram``, live or saved as ``.pt2``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.torch_runner import TorchSource
from assay.specs.errors import brief
from assay.specs.interface import Axis, Dim, TensorSpec


class ExportedProgramSource(TorchSource):
    """A program of ``torch.export``: its shapes, dtypes and dynamic axes are its own."""

    kind = "exported-program"

    def __init__(self, program: torch.export.ExportedProgram, request: Request) -> None:
        own = _specs(program)
        super().__init__(request, resolve_inputs(request.name, own, request.inputs, request.hints))
        self.program = program
        self.module = _module(program)

    def copy_module(self) -> Any:
        """A fresh module of the same program, with weights of its own."""
        module = _module(self.program)
        for owner in module.modules():
            for store in (owner._parameters, owner._buffers):
                store.update({k: None if v is None else v.detach().clone() for k, v in store.items()})
        return module

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """As the program was exported."""
        args, kwargs = torch.utils._pytree.tree_unflatten(list(values), self.program.call_spec.in_spec)
        return tuple(args), dict(kwargs)


def from_object(program: torch.export.ExportedProgram, request: Request) -> ExportedProgramSource:
    """The source of a live program."""
    return ExportedProgramSource(program, request)


def open_file(path: Path, request: Request) -> ExportedProgramSource:
    """Load a ``.pt2`` file."""
    try:
        program = torch.export.load(path)
    except Exception as error:
        raise SourceError(request.name, f"can't be loaded as an ExportedProgram: {brief(error)}") from error
    return ExportedProgramSource(program, request)


def _module(program: torch.export.ExportedProgram) -> Any:
    """Its mode is fixed since the export; ``eval()`` raises, so that nobody may seem to ask for another one."""
    module = program.module()
    for part in module.modules():
        part.training = False
    return module


def _specs(program: torch.export.ExportedProgram) -> list[TensorSpec]:
    wanted = set(program.graph_signature.user_inputs)
    names: dict[str, str] = {}
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in wanted]
    return [
        _spec(node.name, node.meta["val"], program, names)
        for node in nodes
        if isinstance(node.meta.get("val"), torch.Tensor)
    ]


def _spec(name: str, value: torch.Tensor, program: torch.export.ExportedProgram, names: dict[str, str]) -> TensorSpec:
    dims = tuple(_dim(name, index, size, program, names) for index, size in enumerate(value.shape))
    return TensorSpec(name, str(value.dtype).removeprefix("torch."), dims)


def _dim(name: str, index: int, size: Any, program: torch.export.ExportedProgram, names: dict[str, str]) -> Dim:
    if isinstance(size, int):
        return size
    symbol = size.node.expr
    if str(symbol) not in names:
        free = index == 0 and "batch" not in names.values()
        names[str(symbol)] = "batch" if free else f"{name}_{index}"
    bounds = program.range_constraints.get(symbol)
    upper = int(bounds.upper) if bounds is not None and bounds.upper.is_Integer else None
    lower = int(bounds.lower) if bounds is not None and bounds.lower.is_Integer else 1
    return Axis(names[str(symbol)], max(1, lower), upper)
