"""Weights of the PyTorch models: no parameter stays at its default, for a bias of zero hides that it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def randomised(module: nn.Module, seed: int) -> nn.Module:
    """The module in evaluation mode, with random biases, scales and running statistics; the same for the same seed."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.ndim >= 2:
                bound = (3 / max(parameter[0].numel(), 1)) ** 0.5
                parameter.uniform_(-bound, bound, generator=generator)
            elif name.endswith("weight"):
                parameter.uniform_(0.6, 1.5, generator=generator)
            else:
                parameter.normal_(0.0, 0.3, generator=generator)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0.0, 0.5, generator=generator)
            elif name.endswith("running_var"):
                buffer.uniform_(0.3, 2.0, generator=generator)
    return module.eval()
