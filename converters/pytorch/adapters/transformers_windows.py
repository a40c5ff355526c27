"""Longformer and LED, whose tokens see a window, and all of the text where a mask says 2 (arXiv 2004.05150)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from assay.specs.interface import TensorSpec

_UNFOLDED = "onnx_export"  # their own word for cutting overlapping windows by unfolding, not by strides
_LOCAL, _GLOBAL = "attention_mask", "global_attention_mask"


@contextmanager
def windows(module: torch.nn.Module, inputs: Sequence[TensorSpec]) -> Iterator[None]:
    """Windows are unfolded meanwhile; where no mask can say 2, no layer asks whether a token sees all of the text."""
    parts: list[Any] = [part for part in module.modules() if hasattr(part, "_sliding_chunks_query_key_matmul")]
    with ExitStack() as changes:
        for config in {id(part.config): part.config for part in parts}.values():
            changes.enter_context(_set(config, _UNFOLDED, True))
        if _sees_windows_only(inputs):
            for part in parts:
                changes.enter_context(_set(part, "forward", _within_windows(part.forward)))
        yield


def _sees_windows_only(inputs: Sequence[TensorSpec]) -> bool:
    masks = {spec.name: spec.range for spec in inputs if spec.name in (_LOCAL, _GLOBAL)}
    return _GLOBAL not in masks and all(known is not None and known[1] <= 1 for known in masks.values())


def _within_windows(forward: Any) -> Any:
    def local(*args: Any, **kwargs: Any) -> Any:
        return forward(*args, **{**kwargs, "is_global_attn": False})

    return local


@contextmanager
def _set(owner: Any, name: str, value: object) -> Iterator[None]:
    """An attribute of the object itself, as it was afterwards or gone."""
    own = vars(owner)
    had, usual = name in own, own.get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if had:
            setattr(owner, name, usual)
        else:
            delattr(owner, name)
