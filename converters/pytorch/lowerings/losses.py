"""Losses in forms that the exporter takes for others."""

from __future__ import annotations

from typing import Any

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten


def _is_unusual(node: torch.fx.Node) -> bool:
    """Targets that are probabilities, or of one row alone."""
    scores, target = (arg.meta["val"] for arg in node.args[:2] if isinstance(arg, torch.fx.Node))
    return bool(target.is_floating_point() or scores.ndim == 1)


@decomposes(aten.cross_entropy_loss.default, condition=_is_unusual, wrong_upstream=True)
def cross_entropy_loss(*args: Any, **kwargs: Any) -> torch.Tensor:
    """As torch computes it from others."""
    loss: torch.Tensor = aten.cross_entropy_loss.default(*args, **kwargs)
    return loss
