"""The caches of transformers as flat tensors: ``past_key_values.0.key``, with ``decoder`` or ``encoder`` between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from assay.converters.sources.base import SourceError

PAST = "past_key_values"
_PARTS = ("key", "value")
_WITH_ENCODER = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")
Layer = dict[str, torch.Tensor]  # by what follows the number of the layer: key, value, decoder.key, …


def past_layers(flat: Mapping[str, Any]) -> list[Layer]:
    """The tensors of each layer, the first layer first; raises `SourceError` where one is missing."""
    parts = _WITH_ENCODER if any(".encoder." in name for name in flat) else _PARTS
    due = [[f"{PAST}.{layer}.{part}" for part in parts] for layer in range(-(-len(flat) // len(parts)))]
    missing = [name for names in due for name in names if name not in flat]
    if missing:
        raise SourceError(PAST, f"lacks {', '.join(missing)}, but should have {' and '.join(parts)} of each layer")
    return [{part: flat[name] for part, name in zip(parts, names, strict=True)} for names in due]


def cache_of(layers: list[Layer]) -> Any:
    """A cache that holds these tensors, each layer in full: the mask of a sliding window does without a shorter one."""
    from transformers.cache_utils import EncoderDecoderCache

    if "decoder.key" not in layers[0]:
        return _dynamic((layer["key"], layer["value"]) for layer in layers)
    own = _dynamic((layer["decoder.key"], layer["decoder.value"]) for layer in layers)
    cross = _dynamic((layer["encoder.key"], layer["encoder.value"]) for layer in layers)
    cache = EncoderDecoderCache(own, cross)
    cache.is_updated = dict.fromkeys(range(len(layers)), True)
    return cache


def is_cache(value: Any) -> bool:
    """Whether a value among a model's outputs is a cache, of transformers' own classes or a model's."""
    return any(cls.__name__.endswith("Cache") for cls in type(value).__mro__)


def tensors_of(cache: Any, prefix: str) -> dict[str, torch.Tensor]:
    """What a cache holds, by name; of the encoder's keys and values nothing, for they stay as they were."""
    decoder = getattr(cache, "self_attention_cache", None)
    within = "" if decoder is None else "decoder."
    return dict(_named(cache if decoder is None else decoder, prefix, within))


def _named(cache: Any, prefix: str, within: str) -> Iterator[tuple[str, torch.Tensor]]:
    for index, layer in enumerate(cache.layers):
        yield f"{prefix}.{index}.{within}key", layer.keys
        yield f"{prefix}.{index}.{within}value", layer.values


def _dynamic(pairs: Any) -> Any:
    """Filled by hand: appending to an empty cache would have torch.export look whether it is empty."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    cache = DynamicCache()
    cache.layers = [_filled(DynamicLayer(), keys, values) for keys, values in pairs]
    return cache


def _filled(layer: Any, keys: torch.Tensor, values: torch.Tensor) -> Any:
    layer.lazy_initialization(keys, values)
    layer.keys, layer.values = keys, values
    return layer
