"""Models of transformers from configurations as small as they may be, by the names of their model types."""

from __future__ import annotations

from typing import Any

import torch

from pytorch_cases.model_case import unit_gain

# what makes a configuration small, under every name that configurations have for it
_SMALL: dict[str, Any] = {
    **dict.fromkeys(["hidden_size", "d_model", "n_embd", "embed_dim", "embedding_size", "dim", "hidden_dim"], 32),
    **dict.fromkeys(["word_embed_proj_dim", "emb_dim", "projection_dim", "model_dim", "d_embed"], 32),
    **dict.fromkeys(["num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers"], 2),
    **dict.fromkeys(["num_decoder_layers", "num_encoder_layers", "encoder_num_layers"], 2),
    **dict.fromkeys(["num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"], 4),
    **dict.fromkeys(["encoder_attention_heads", "decoder_attention_heads"], 4),
    **dict.fromkeys(["intermediate_size", "n_inner", "ffn_dim", "d_ff", "encoder_ffn_dim", "decoder_ffn_dim"], 48),
    **dict.fromkeys(["ffn_hidden_size", "moe_intermediate_size", "shared_expert_intermediate_size"], 48),
    **dict.fromkeys(["max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "max_sequence_length"], 128),
    **dict.fromkeys(["max_source_positions", "max_target_positions"], 128),
    **dict.fromkeys(["head_dim", "d_kv"], 8),
    **dict.fromkeys(["num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"], 4),
    **dict.fromkeys(["num_experts_per_tok", "top_k_experts", "moe_k"], 2),
    **dict.fromkeys(["pad_token_id", "bos_token_id", "decoder_start_token_id"], 0),
    **dict.fromkeys(["expert_capacity"], 64),
    "vocab_size": 64,
    "num_key_value_heads": 2,
    "eos_token_id": 1,
    "sep_token_id": 1,
    "sliding_window": 6,
    "image_size": 32,
    "patch_size": 8,
    "num_mel_bins": 16,
    "num_labels": 5,
}


def tiny_config(kind: str, options: dict[str, Any]) -> Any:
    """The configuration of a model type; options stand over what makes it small, by name, nested for a part of it."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    return _config(CONFIG_MAPPING[kind], options)


def _config(config: Any, options: dict[str, Any]) -> Any:
    usual = config()
    alike = set(getattr(config, "attribute_map", {}))
    known = {name: value for name, value in _SMALL.items() if name not in alike and _is_number(usual, name)}
    parts = {name: type(getattr(usual, name)) for name in config.sub_configs if getattr(usual, name, None) is not None}
    nested = {name: _config(part, options.get(name, {})).to_dict() for name, part in parts.items()}
    return config(**{**known, **nested, **{k: v for k, v in options.items() if k not in nested}})


def _is_number(config: Any, name: str) -> bool:
    """Whether a configuration has one number there; vision models have one for each stage."""
    return name in vars(config) and not isinstance(getattr(config, name), list | tuple)


def build(kind: str, head: str, options: dict[str, Any]) -> torch.nn.Module:
    """A model of this type with this head (the name of an Auto class) and weights of unit gain."""
    import transformers

    torch.manual_seed(0)
    config = tiny_config(kind, options)
    config.architectures = config.architectures or []  # where an Auto class has two models for a type, it looks here
    return unit_gain(getattr(transformers, head).from_config(config))


def cache_shape(kind: str, options: dict[str, Any]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Heads and their size, of the keys and of the values of each layer, as a run of the model shows them."""
    model = build(kind, "AutoModelForCausalLM", options)
    with torch.no_grad():
        given = model(input_ids=torch.tensor([[2, 3]]), use_cache=True)
    layers = given["cache" if "cache" in given else "past_key_values"].layers
    return [tuple((value.shape[1], value.shape[3]) for value in (layer.keys, layer.values)) for layer in layers]
