"""A model of a library to convert: how it is built, with random weights that no output hides, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class ModelCase:
    """``inputs`` are specifications by name; ``steps`` is how often what it gives as ``present`` is fed back."""

    name: str
    build: Callable[[], torch.nn.Module]
    inputs: Mapping[str, str] | Callable[[], Mapping[str, str]]
    task: str = "generic"
    steps: int = 0


def unit_gain(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Give a model weights that keep the size of what passes, none of them zero, and put it into evaluation mode.

    Libraries begin heads, layer scales and the last norm of a block with zeros: a converted model that lost such a
    part would then be right all the same.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn: set[int] = set()
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if value.is_floating_point() and id(value) not in drawn:
                drawn.add(id(value))
                _draw(name.rpartition(".")[2], value, generator, isinstance(value, torch.nn.Parameter))
    return module.eval()


def _draw(name: str, value: torch.Tensor, generator: torch.Generator, learned: bool) -> None:
    noise = torch.randn(value.shape, generator=generator)
    if name == "running_mean":
        value.copy_(0.1 * noise)
    elif name == "running_var":
        value.copy_(0.5 + torch.rand(value.shape, generator=generator))
    elif not learned:
        return  # tables of positions, masks, mel filters: computed, not learned
    elif value.ndim >= 2:
        value.copy_(noise / max(1.0, float(value[0].numel())) ** 0.5)
    elif "bias" in name:
        value.copy_(0.1 * noise)
    else:
        value.copy_(0.5 + torch.rand(value.shape, generator=generator))


def settings(**values: Any) -> dict[str, Any]:
    """Options of a model by name."""
    return values
