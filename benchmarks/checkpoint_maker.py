"""Checkpoints of decoders as transformers writes them: random weights, or zeros that take no space on the disk."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_CHUNK = 1 << 24  # elements
_DTYPES = {"bfloat16": ("BF16", 2), "float16": ("F16", 2), "float32": ("F32", 4)}
_LAYER = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")


@dataclass(frozen=True)
class Decoder:
    """Sizes of a Llama-like model, its dtype, and in how many shards it lies."""

    layers: int
    width: int
    inner: int
    heads: int
    vocabulary: int
    dtype: str
    shards: int
    sparse: bool = False

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor by its name."""
        square, wide = (self.width, self.width), (self.inner, self.width)
        layer = {f"{name}.weight": square for name in _LAYER}
        layer |= {"mlp.gate_proj.weight": wide, "mlp.up_proj.weight": wide, "mlp.down_proj.weight": wide[::-1]}
        layer |= {"input_layernorm.weight": (self.width,), "post_attention_layernorm.weight": (self.width,)}
        found = {"model.embed_tokens.weight": (self.vocabulary, self.width), "model.norm.weight": (self.width,)}
        found["lm_head.weight"] = (self.vocabulary, self.width)
        for index in range(self.layers):
            found |= {f"model.layers.{index}.{name}": shape for name, shape in layer.items()}
        return found

    @property
    def size(self) -> int:
        """Bytes of all weights."""
        return sum(map(math.prod, self.shapes.values())) * _DTYPES[self.dtype][1]

    @property
    def config(self) -> dict[str, object]:
        """What stands in ``config.json``."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads,
            "vocab_size": self.vocabulary,
            "tie_word_embeddings": False,
            "dtype": self.dtype,
        }


def make_checkpoint(decoder: Decoder, folder: Path) -> None:
    """Write configuration, index and shards; the same bytes each time."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(decoder.config))
    generator, places = np.random.default_rng(0), {}
    for index, names in enumerate(_parts(decoder)):
        file = f"model-{index + 1:05d}-of-{decoder.shards:05d}.safetensors"
        places |= dict.fromkeys(names, file)
        with (folder / file).open("wb") as opened:
            _write_shard(decoder, names, opened, generator)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def _parts(decoder: Decoder) -> Iterator[list[str]]:
    names = list(decoder.shapes)
    step = -(-len(names) // decoder.shards)
    yield from (names[start : start + step] for start in range(0, len(names), step))


def _write_shard(decoder: Decoder, names: list[str], file: BinaryIO, generator: np.random.Generator) -> None:
    header, end, (code, width) = {}, 0, _DTYPES[decoder.dtype]
    for name in names:
        shape, start = decoder.shapes[name], end
        end += math.prod(shape) * width
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    if decoder.sparse:
        file.truncate(8 + len(text) + end)
        return
    for name in names:
        _write_weight(decoder.shapes[name], decoder.dtype, file, generator)


def _write_weight(shape: tuple[int, ...], dtype: str, file: BinaryIO, generator: np.random.Generator) -> None:
    """Matrices of unit gain; scales of normalizations around 1."""
    scale, mean = (shape[-1] ** -0.5, 0.0) if len(shape) > 1 else (0.1, 1.0)
    size = math.prod(shape)
    for start in range(0, size, _CHUNK):
        values = generator.standard_normal(min(_CHUNK, size - start), dtype=np.float32)
        values = values * np.float32(scale) + np.float32(mean)
        file.write(_bytes(values, dtype))


def _bytes(values: np.ndarray, dtype: str) -> bytes:
    if dtype == "bfloat16":
        return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return values.astype(dtype).tobytes()
