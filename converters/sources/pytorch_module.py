"""A live ``nn.Module``, from a factory or, if the user trusts it, from a pickle."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from assay.converters.pytorch.adapters import Adapter, find_adapter
from assay.converters.pytorch.adapters.adapter import PLAIN
from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.nested_arguments import nested, root
from assay.converters.sources.torch_runner import TorchSource
from assay.specs.errors import brief
from assay.specs.interface import TensorSpec

_SETTINGS = ("eps", "negative_slope", "alpha", "approximate")


class ModuleSource(TorchSource):
    """An ``nn.Module``; its inputs carry the names of the parameters of ``forward``."""

    kind = "module"

    def __init__(self, module: torch.nn.Module, request: Request) -> None:
        self.adapter = find_adapter(module)
        names = _input_names(module, self.adapter, [*(request.inputs or {}), *request.hints])
        own = [TensorSpec(name, "float32") for name in names]
        super().__init__(request, resolve_inputs(request.name, own, request.inputs or {}, request.hints))
        self.module = module
        self._forward = module.forward
        self._by_name = bool(forward_parameters(module)) or _takes_any(module)

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
        flat = {spec.name: value for spec, value in zip(self.inputs, values, strict=True)}
        return (), nested(self.adapter.arguments(self.module, flat), self._forward)

    def results(self, value: Any) -> Any:
        return self.adapter.results(self.module, frozenset(spec.name for spec in self.inputs), value)

    @property
    def is_flat(self) -> bool:
        """Whether the model takes its inputs as they are named, without an adapter."""
        return self.adapter is PLAIN and not any("." in spec.name for spec in self.inputs)


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


def _takes_any(module: torch.nn.Module) -> bool:
    parameters = inspect.signature(module.forward).parameters.values()
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)


def _input_names(module: torch.nn.Module, adapter: Adapter, told: Sequence[str]) -> list[str]:
    """The inputs by name: parameters of ``forward`` in its order, each as the user splits it up, then any others.

    Left out are those that may be left out and nobody told of.
    """
    parameters = forward_parameters(module)
    told = list(dict.fromkeys(told))
    names = [
        name
        for parameter, needed in parameters.items()
        for name in [name for name in told if root(name) == parameter] or [parameter] * needed
    ]
    others = [name for name in told if name not in names]
    takes_any = _takes_any(module)
    return names + [name for name in others if takes_any or root(name) in adapter.takes]


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
