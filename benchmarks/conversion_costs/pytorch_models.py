"""The PyTorch models whose conversion is measured, with random weights, and their inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Model = tuple[nn.Module, dict[str, str]]
MODELS = ("ResNet-50", "ViT-base", "BERT-base", "decoder 1.1 B")


def build(name: str) -> Model:
    """The model of this name and the specifications of its inputs."""
    torch.manual_seed(0)
    made = {"ResNet-50": resnet50, "ViT-base": vit, "BERT-base": bert, "decoder 1.1 B": decoder, "tiny": tiny}[name]()
    return made[0].eval(), made[1]


class First(nn.Module):
    """The first output of a model of transformers, called by names."""

    def __init__(self, model: nn.Module, **settings: Any) -> None:
        super().__init__()
        self.model, self.settings = model, settings

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """int64[batch, sequence] twice to float32[batch, sequence, features]."""
        found = self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=False, **self.settings)
        result: torch.Tensor = found[0]
        return result


class Pixels(nn.Module):
    """The last hidden state of a vision model of transformers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """float32[batch, 3, 224, 224] to float32[batch, patches, features]."""
        result: torch.Tensor = self.model(pixel_values=pixel_values, return_dict=False)[0]
        return result


def resnet50() -> Model:
    """Of the benchmarks' own, 25.6 million weights."""
    import resnet50 as own

    return own.build(), own.INPUTS


def vit() -> Model:
    """Dosovitskiy et al., 2021: 86 million weights."""
    from transformers import ViTConfig, ViTModel

    return Pixels(ViTModel(ViTConfig())), {"pixel_values": "float32[batch,3,224,224] in -1..1"}


def _text(words: int, longest: int) -> dict[str, str]:
    shape = f"int64[batch,sequence<={longest}]"
    return {"input_ids": f"{shape} in 0..{words - 1}", "attention_mask": f"{shape} in 0..1"}


def bert() -> Model:
    """Devlin et al., 2019: 110 million weights."""
    from transformers import BertConfig, BertModel

    return First(BertModel(BertConfig())), _text(30522, 512)


def decoder(layers: int = 22, width: int = 2048, inner: int = 5632, words: int = 32000) -> Model:
    """Of the size of TinyLlama (Zhang et al., 2024): 22 layers, 4 heads of keys and values, 1.1 billion weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=32,
        num_key_value_heads=4,
        vocab_size=words,
        max_position_embeddings=2048,
    )
    return First(LlamaForCausalLM(config), use_cache=False), _text(words, 2048)


def tiny() -> Model:
    """A network that converts at once, to try the benchmark with."""
    return nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 2)), {"input": "float32[batch,8]"}
