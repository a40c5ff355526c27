"""Recurrent models of transformers, whose loops over time a trace would unroll to its own length."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from assay.converters.pytorch.adapters.scans import Place, replaced, scan, scans_in_order

_MODELS = "transformers.models"
Wkv = tuple[torch.Tensor, list[torch.Tensor] | None]


@contextmanager
def recurrences() -> Iterator[None]:
    """Loops over time are scans meanwhile, in the modules of transformers that are loaded."""
    with scans_in_order(), replaced(_replacements()):
        yield


def _replacements() -> dict[Place, Any]:
    found: dict[Place, Any] = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith(_MODELS) and hasattr(module, "is_torchdynamo_exporting"):
            found[module, "is_torchdynamo_exporting"] = lambda: False  # has them take `associative_scan`
    rwkv = sys.modules.get(f"{_MODELS}.rwkv.modeling_rwkv")
    if rwkv is not None:
        found[rwkv, "rwkv_linear_attention"] = weighted_sums
    gemma = sys.modules.get(f"{_MODELS}.recurrent_gemma.modeling_recurrent_gemma")
    if gemma is not None:
        found[gemma.RecurrentGemmaRglru, "_rnn_scan"] = gated_recurrence
    return found


def weighted_sums(
    time_decay: torch.Tensor,
    time_first: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    state: list[torch.Tensor] | None = None,
    return_state: bool = False,
) -> Wkv:
    """RWKV's attention (arXiv 2305.13048, appendix D): keys and values ``[batch, sequence, size]``, in float32.

    The state is the numerator, the denominator and the largest exponent so far, which keeps both in range.
    """
    decay = -torch.exp(time_decay)

    def step(carried: Any, items: Any) -> Any:
        above, below, top = carried
        exponent, content = items
        highest = torch.maximum(top, exponent + time_first)
        old, new = torch.exp(top - highest), torch.exp(exponent + time_first - highest)
        output = (old * above + new * content) / (old * below + new)
        highest = torch.maximum(top + decay, exponent)
        old, new = torch.exp(top + decay - highest), torch.exp(exponent - highest)
        return (old * above + new * content, old * below + new, highest), output

    nothing = torch.zeros_like(key[:, 0], dtype=torch.float32)
    start = (nothing, nothing.clone(), nothing - 1e38) if state is None else tuple(state)
    last, output = scan(step, start, (key.float(), value.float()), 1)
    return output.to(key.dtype), list(last) if return_state or state is not None else None


def gated_recurrence(
    _layer: Any,
    hidden_states: torch.Tensor,
    recurrent_gate: torch.Tensor,
    reset: torch.Tensor,
    recurrent_states: torch.Tensor | None,
    acc_dtype: torch.dtype = torch.float32,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Griffin's linear recurrence (arXiv 2402.19427, 2.4): the state times the gate, plus what comes in."""
    gate = (recurrent_gate * ~reset).type(acc_dtype)

    def step(state: Any, items: Any) -> Any:
        kept, added = items
        state = kept * state + added
        return state, state.clone()

    start = torch.zeros_like(hidden_states[:, 0], dtype=acc_dtype) if recurrent_states is None else recurrent_states
    last, states = scan(step, start, (gate, hidden_states.type(acc_dtype)), 1)
    return states.type(hidden_states.dtype), last
