"""A live ``nn.Module``, from a factory or, if the user trusts it, from a pickle."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.torch_runner import TorchSource
from assay.specs.errors import brief
from assay.specs.interface import TensorSpec

_SETTINGS = ("eps", "negative_slope", "alpha", "approximate")


class ModuleSource(TorchSource):
    """An ``nn.Module``; its inputs carry the names of the parameters of ``forward``."""

    kind = "module"

    def __init__(self, module: torch.nn.Module, request: Request) -> None:
        parameters = forward_parameters(module)
        own = [TensorSpec(name, "float32") for name in parameters]
        given = request.inputs or {}
        required = [spec for spec in own if spec.name in {*given, *request.hints} or parameters[spec.name]]
        super().__init__(request, resolve_inputs(request.name, required, given, request.hints))
        self.module = module
        self._by_name = bool(parameters)

    def copy_module(self) -> torch.nn.Module:
        """A deep copy, so that the user's own model stays as it is."""
        twin: torch.nn.Module = copy.deepcopy(self.module)
        return twin

    def settings(self) -> dict[str, dict[str, float | str]]:
        """Of the layers of torch.nn alone: elsewhere an ``eps`` may mean anything."""
        layers = ((path, layer) for path, layer in self.module.named_modules() if _is_of_torch(layer))
        return {path: told for path, layer in layers if (told := _settings(layer))}

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """By name where ``forward`` takes names; ``*args`` by position."""
        if not self._by_name:
            return tuple(values), {}
        return (), {spec.name: value for spec, value in zip(self.inputs, values, strict=True)}


def _is_of_torch(layer: torch.nn.Module) -> bool:
    return type(layer).__module__.startswith("torch.nn.modules.")


def _settings(layer: torch.nn.Module) -> dict[str, float | str]:
    found = ((name, getattr(layer, name, None)) for name in _SETTINGS)
    return {name: value for name, value in found if isinstance(value, (float, str))}


def forward_parameters(module: torch.nn.Module) -> dict[str, bool]:
    """The names of ``forward``'s parameters, each with whether it has to be given."""
    kinds = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    parameters = inspect.signature(module.forward).parameters.values()
    return {p.name: p.default is inspect.Parameter.empty for p in parameters if p.kind in kinds}


def from_object(module: torch.nn.Module, request: Request) -> ModuleSource:
    """The source of a live module."""
    return ModuleSource(module, request)


def open_pickle(path: Path, request: Request) -> ModuleSource:
    """Unpickle a module, which runs code of the file's author: only with ``--trust-source``."""
    if not request.trusted:
        raise SourceError(
            request.name, "is a pickle, which runs its author's code when opened; add --trust-source to allow it"
        )
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:
        raise SourceError(request.name, f"can't be unpickled: {type(error).__name__}: {brief(error)}") from error
    if not isinstance(loaded, torch.nn.Module):
        raise SourceError(request.name, f"holds a {type(loaded).__name__}, but should hold a whole nn.Module")
    return ModuleSource(loaded, request)
