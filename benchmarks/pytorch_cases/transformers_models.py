"""Tiny models of transformers' architectures: each forward, and those that write with a cache over three steps too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pytorch_cases.case import Case
from pytorch_cases.model_case import ModelCase, named
from pytorch_cases.tiny_transformers import build, cache_shape

_IDS = {"input_ids": "int64[batch,sequence<=100] in 2..63"}
_MASKED = {**_IDS, "attention_mask": "int64[batch,sequence<=100] in 0..1"}
_BOTH = {**_MASKED, "decoder_input_ids": "int64[batch,decoder_sequence<=100] in 2..63"}
_WAVE = {"input_values": "float32[batch,samples>=400=900]"}

_MLA = {
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 8,
    "num_key_value_heads": 4,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
_MAMBA = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 4}

# model types, with what their tiny configuration needs besides
_TEXT: dict[str, dict[str, Any]] = {
    "albert": {},
    "bert": {},
    "big_bird": {"attention_type": "original_full"},
    "camembert": {},
    "canine": {"downsampling_rate": 2, "local_transformer_stride": 8},
    "convbert": {},
    "data2vec-text": {},
    "deberta": {},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "distilbert": {},
    "electra": {},
    "ernie": {},
    "esm": {},
    "eurobert": {},
    "flaubert": {},
    "fnet": {},
    "funnel": {"block_sizes": [1, 1], "block_repeats": [1, 1], "num_decoder_layers": 1},
    "ibert": {},
    "layoutlm": {},
    "longformer": {"attention_window": [8, 8]},
    "luke": {},
    "megatron-bert": {},
    "mobilebert": {"intra_bottleneck_size": 16, "num_feedforward_networks": 2},
    "modernbert": {"local_attention": 8},
    "mpnet": {},
    "nomic_bert": {},
    "nystromformer": {"segment_means_seq_len": 8, "num_landmarks": 8},  # with fewer it takes one length, and no mask
    "rembert": {},
    "roberta": {},
    "roberta-prelayernorm": {},
    "roc_bert": {"enable_pronunciation": False, "enable_shape": False},
    "roformer": {},
    "splinter": {},
    "squeezebert": {},
    "tapas": {},
    "xlm": {},
    "xlm-roberta": {},
    "xlm-roberta-xl": {},
    "xlnet": {},
}
_CAUSAL: dict[str, dict[str, Any]] = {
    "apertus": {},
    "arcee": {},
    "bart": {},
    "biogpt": {},
    "bloom": {},
    "codegen": {"rotary_dim": 4},
    "cohere": {"logit_scale": 1.0},
    "cohere2": {"logit_scale": 1.0},
    "ctrl": {"dff": 48},
    "deepseek_v2": {**_MLA, "head_dim": 4},
    "deepseek_v3": {**_MLA, "head_dim": 4},
    "diffllama": {},
    "doge": {},
    "ernie4_5": {},
    "ernie4_5_moe": {},
    "exaone4": {},
    "falcon": {},
    "flex_olmo": {},
    "gemma": {},
    "gemma2": {},
    "gemma3_text": {},
    "glm": {},
    "glm4": {},
    "glm4_moe": {},
    "gpt2": {},
    "gpt_bigcode": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 6},
    "gpt_neox": {},
    "gpt_oss": {},
    "gptj": {"rotary_dim": 4},
    "granite": {},
    "granitemoe": {},
    "helium": {},
    "hunyuan_v1_dense": {},
    "jetmoe": {},
    "llama": {},
    "ministral": {},
    "mistral": {},
    "mixtral": {},
    "modernbert-decoder": {},
    "nemotron": {},
    "olmo": {},
    "olmo2": {},
    "olmo3": {},
    "olmoe": {},
    "opt": {},
    "persimmon": {},
    "phi": {},
    "phi3": {},
    "phimoe": {},
    "qwen2": {},
    "qwen2_moe": {},
    "qwen3": {},
    "qwen3_moe": {},
    "seed_oss": {},
    "smollm3": {},
    "stablelm": {},
    "starcoder2": {},
    "xglm": {},
}
# without keys and values in their cache, or without a cache that is one
_STATES: dict[str, dict[str, Any]] = {
    "bamba": {**_MAMBA, "attn_layer_indices": [1]},
    "falcon_mamba": {},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2},
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "mamba": {},
    "mamba2": {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 1, "chunk_size": 4},
    "minimax": {},
    "mpt": {},
    "openai-gpt": {},
    "qwen3_next": {"layer_types": ["linear_attention", "full_attention"]},
    "recurrent_gemma": {"num_hidden_layers": 3, "attention_window_size": 8},
    "rwkv": {},
}
_SEQ2SEQ: dict[str, dict[str, Any]] = {
    "bart": {},
    "bigbird_pegasus": {"attention_type": "original_full"},
    "blenderbot": {},
    "blenderbot-small": {},
    "led": {"attention_window": [8, 8], "max_encoder_position_embeddings": 128, "max_decoder_position_embeddings": 128},
    "longt5": {"local_radius": 4},
    "m2m_100": {},
    "marian": {},
    "mbart": {},
    "mt5": {},
    "mvp": {},
    "nllb-moe": {},
    "pegasus": {},
    "pegasus_x": {"block_size": 8},
    "plbart": {},
    "prophetnet": {},
    "switch_transformers": {},
    "t5": {},
    "umt5": {},
}
_VISION: dict[str, dict[str, Any]] = {
    "beit": {},
    "bit": {},
    "convnext": {"patch_size": 4},
    "convnextv2": {"patch_size": 4},
    "cvt": {},
    "data2vec-vision": {},
    "deit": {},
    "dinov2": {},
    "dinov2_with_registers": {},
    "efficientnet": {"hidden_dim": 1280, "width_coefficient": 1.0, "depth_coefficient": 1.0},
    "focalnet": {},
    "hgnet_v2": {},
    "hiera": {"image_size": [64, 64]},
    "ijepa": {},
    "levit": {"image_size": 64, "patch_size": 16},
    "mobilenet_v1": {},
    "mobilenet_v2": {},
    "mobilevit": {},
    "mobilevitv2": {"image_size": 64, "patch_size": 2},
    "poolformer": {},
    "pvt": {"patch_size": 4},
    "pvt_v2": {},
    "regnet": {},
    "resnet": {},
    "segformer": {},
    "swiftformer": {},
    "swin": {"image_size": 64, "patch_size": 2, "window_size": 4, "embed_dim": 24},
    "swinv2": {"patch_size": 2, "window_size": 4, "embed_dim": 24},
    "vit": {},
}
_AUDIO: dict[str, dict[str, Any]] = {
    kind: {"conv_dim": [32] * 3, "conv_kernel": [10, 3, 2], "conv_stride": [5, 2, 2], "num_conv_pos_embeddings": 8}
    for kind in ("wav2vec2", "hubert", "wavlm", "unispeech", "sew", "wav2vec2-conformer")
}

_SIZES = (
    {"batch": 1, "sequence": 6, "decoder_sequence": 3, "past_sequence": 11, "samples": 400},
    {"batch": 3, "sequence": 33, "decoder_sequence": 21, "past_sequence": 1, "samples": 1333},
)


def _cases() -> Iterator[ModelCase]:
    """Every architecture forward, then those with keys and values to remember in three steps."""
    yield from _forward(_TEXT, "AutoModel", _MASKED, "text")
    yield from _forward({**_CAUSAL, **_STATES}, "AutoModelForCausalLM", _IDS, "causal")
    yield from _forward(_SEQ2SEQ, "AutoModelForSeq2SeqLM", _BOTH, "seq2seq")
    for kind, options in _VISION.items():
        yield from _forward({kind: options}, "AutoModelForImageClassification", _pixels(options), "vision")
    yield from _forward(_AUDIO, "AutoModel", _WAVE, "audio")
    for kind, options in _CAUSAL.items():
        model = partial(build, kind, "AutoModelForCausalLM", options)
        yield ModelCase(f"cached: {kind}", model, partial(_with_past, kind, options), _SIZES, steps=3)


def _forward(kinds: Mapping[str, Any], head: str, inputs: Mapping[str, str], group: str) -> Iterator[ModelCase]:
    for kind, options in kinds.items():
        yield ModelCase(f"{group}: {kind}", partial(build, kind, head, options), partial(dict, inputs), _SIZES)


def _pixels(options: Mapping[str, Any]) -> dict[str, str]:
    """Images of the size that the configuration says, by default a small one."""
    size = options.get("image_size", 32)
    height, width = [size, size] if isinstance(size, int) else size
    return {"pixel_values": f"float32[batch,3,{height},{width}]"}


def _with_past(kind: str, options: dict[str, Any]) -> dict[str, str]:
    """Tokens, and the keys and values of those before."""
    inputs = {"input_ids": "int64[batch,sequence=4] in 2..63"}
    for layer, (keys, values) in enumerate(cache_shape(kind, options)):
        for part, (heads, size) in (("key", keys), ("value", values)):
            inputs[f"past_key_values.{layer}.{part}"] = f"float32[batch,{heads},past_sequence>=0=7,{size}]"
    return inputs


def names(_samples: int | None) -> list[str]:
    """The names of the cases."""
    return [case.name for case in _cases()]


def case(name: str) -> Case:
    """The case of this name."""
    return named(list(_cases()), name)
