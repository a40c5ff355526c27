"""Tiny checkpoint folders that tests convert, judge and break."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

WEIGHTS, CONFIG, INDEX = "model.safetensors", "config.json", "model.safetensors.index.json"


def llama(folder: Path, shard_size: str = "1GB", **settings: Any) -> Path:
    """A decoder of two layers, saved by transformers; the same weights each time."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 700}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(**{**sizes, **heads, **settings}))
    for scale in (parameter for parameter in model.parameters() if parameter.ndim == 1):
        torch.nn.init.normal_(scale, 1.0, 0.1)  # alike, exporters make them one
    model.to(getattr(torch, settings.get("dtype", "float32"))).save_pretrained(folder, max_shard_size=shard_size)
    return folder


def change_weights(folder: Path, changes: Mapping[str, torch.Tensor | None]) -> None:
    """Give tensors other values, or none."""
    tensors = {**load_file(folder / WEIGHTS), **changes}
    save_file({name: value for name, value in tensors.items() if value is not None}, folder / WEIGHTS)


def change_config(folder: Path, **changes: Any) -> None:
    """Give settings other values."""
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **changes}))
