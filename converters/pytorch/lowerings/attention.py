"""Scaled dot-product attention where the exporter has no form for it, or another meaning."""

from __future__ import annotations

import math

import torch

from assay.converters.pytorch.lowerings.registry import decomposes

aten = torch.ops.aten


def _is_unusual(node: torch.fx.Node) -> bool:
    """A mask of booleans, whose rows may be all false, or tensors without a batch and heads of one axis each."""
    tensors = [arg.meta["val"] for arg in node.args if isinstance(arg, torch.fx.Node)]
    mask = node.kwargs.get("attn_mask")
    tensors += [mask.meta["val"]] if isinstance(mask, torch.fx.Node) else []
    return any(tensor.ndim != 4 for tensor in tensors[:3]) or any(t.dtype is torch.bool for t in tensors[3:])


@decomposes(aten.scaled_dot_product_attention.default, condition=_is_unusual, wrong_upstream=True)
def scaled_dot_product_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Attention over the last two axes; a row that nothing is seen from is zero, as in PyTorch."""
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        key, value = (each.repeat_interleave(query.shape[-3] // key.shape[-3], -3) for each in (key, value))
    if is_causal:
        rows, columns = torch.arange(query.shape[-2]), torch.arange(key.shape[-2])
        attn_mask = rows[:, None] >= columns[None, :]
    root = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else abs(scale))
    signed = -root if scale is not None and scale < 0 else root
    scores = (query * signed) @ (key.transpose(-2, -1) * root)
    if attn_mask is None:
        return torch.softmax(scores, -1) @ value
    if attn_mask.dtype is not torch.bool:
        return torch.softmax(scores + attn_mask, -1) @ value
    seen = torch.softmax(scores + torch.where(attn_mask, 0.0, -torch.inf).to(scores.dtype), -1)
    return torch.where(attn_mask.any(-1, keepdim=True), seen, 0.0) @ value
