"""Random numbers, of which no model can be shown to be the same as another."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from assay.converters.pytorch.lowerings.arguments import argument
from assay.converters.pytorch.lowerings.registry import decomposes, refuses

aten = torch.ops.aten
_OPERATORS = (
    *("bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal", "normal_functional"),
    *("poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "uniform"),
    *("random", "rrelu_with_noise", "rrelu_with_noise_functional"),
    *("bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_"),
    *("_standard_gamma", "_sample_dirichlet", "binomial"),
)


def _overloads() -> Iterator[torch._ops.OpOverload]:
    for name in _OPERATORS:
        packet = getattr(torch.ops.aten, name, None)
        for overload in packet.overloads() if packet is not None else ():
            yield getattr(packet, overload)


@refuses(*_overloads(), torch.ops.prims.normal.default)
def random_numbers(node: torch.fx.Node) -> str | None:
    """Whatever draws from PyTorch's generator; activations that do so in training alone are taken otherwise."""
    training = [argument for argument in node.args if isinstance(argument, bool)] if "rrelu" in str(node.target) else []
    if training and not any(training):
        return None
    return "draws random numbers, so that the two models can't be shown to be the same"


_DROPOUTS = tuple(
    getattr(aten, name).default for name in ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
)


@refuses(*_DROPOUTS, aten.native_dropout.default)
def dropout(node: torch.fx.Node) -> str | None:
    """Dropping elements at random is no function of the inputs; dropping none or all is."""
    certain = (0, 1, None) if node.target in _DROPOUTS else (0, None)
    drops = argument(node, 1, "p") not in certain and bool(argument(node, 2, "train"))
    return "drops elements at random, so that the two models can't be shown to be the same" if drops else None


@decomposes(*_DROPOUTS, condition=lambda node: bool(argument(node, 2, "train")))
def certain_dropout(tensor: torch.Tensor, p: float, train: bool) -> torch.Tensor:
    """Of none of the elements, or of all."""
    return tensor * 0 if train and p == 1 else tensor.clone()
