"""Whole models of keras-hub in small random configurations, with masks and dynamic lengths.

Needs keras-hub (``pip install keras-hub``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tensorflow_cases.case import Case
from tensorflow_cases.layer_case import called

_WORDS = 13
_TOKENS, _MASK, _SEGMENTS = f"i4[a,t]:below{_WORDS}", "i4[a,t]:mask", "i4[a,t]:two"
_TEXT = {"token_ids": _TOKENS, "padding_mask": _MASK}
_TEXTS = {**_TEXT, "segment_ids": _SEGMENTS}
_PAIR = {
    "encoder_token_ids": _TOKENS,
    "encoder_padding_mask": _MASK,
    "decoder_token_ids": f"i4[a,5]:below{_WORDS}",
    "decoder_padding_mask": "i4[a,5]:mask",
}
_SMALL = {"vocabulary_size": _WORDS, "num_layers": 2, "hidden_dim": 16, "intermediate_dim": 24}
_HEADS = {**_SMALL, "num_heads": 2}
_GROUPED = {**_SMALL, "num_query_heads": 4, "num_key_value_heads": 2}
_IMAGE = {"image_shape": (16, 16, 3), "num_layers": 2, "num_heads": 2, "hidden_dim": 16}


def cases() -> list[Case]:
    """All of them."""
    return [*_encoders(), *_decoders(), *_pairs(), *_vision(), *_prompted()]


def _encoders() -> list[Case]:
    return [
        _family("Bert", _TEXTS, **_HEADS),
        _family("Roberta", _TEXT, **_HEADS),
        _family("DistilBert", _TEXT, **_HEADS),
        _family("Albert", _TEXTS, **_HEADS, embedding_dim=8),
        _family("Electra", _TEXTS, **_renamed(_HEADS), embedding_dim=16),
        _family("DebertaV3", _TEXT, **_HEADS, max_sequence_length=16, bucket_size=4),
        _family("FNet", {"token_ids": _TOKENS, "segment_ids": _SEGMENTS}, **_SMALL),
        _family("XLNet", {**_TEXT, "segment_ids": _SEGMENTS}, **_HEADS),
        _family("ESM", {"token_ids": _TOKENS}, **_HEADS),
    ]


def _decoders() -> list[Case]:
    return [
        _family("GPT2", _TEXT, **_HEADS, max_sequence_length=16),
        _family("OPT", _TEXT, **_HEADS, max_sequence_length=16),
        _family("Bloom", _TEXT, **_HEADS),
        _family("GPTNeoX", _TEXT, **_HEADS),
        _family("Llama3", _TEXT, **_GROUPED),
        _family("Mistral", _TEXT, **_GROUPED, sliding_window=4),
        _family("Mixtral", _TEXT, **_GROUPED, num_experts=3),
        _family("Gemma", _TEXT, **_GROUPED, head_dim=8),
        _family("Qwen3", _TEXT, **_GROUPED, head_dim=8),
        _family("Phi3", _TEXT, **_GROUPED),
        _family("Falcon", _TEXT, **_SMALL, num_attention_heads=2),
    ]


def _pairs() -> list[Case]:
    speech = {"encoder_features": "f4[a,12,8]", "decoder_token_ids": _TOKENS, "decoder_padding_mask": _MASK}
    lengths = {"max_encoder_sequence_length": 12, "max_decoder_sequence_length": 16}
    return [
        _family("T5", _PAIR, **_HEADS, key_value_dim=8),
        _family("Bart", _PAIR, **_HEADS, max_sequence_length=16),
        _family("Whisper", speech, **_HEADS, num_mels=8, **lengths),
    ]


def _vision() -> list[Case]:
    images, free = {"images": "f4[a,16,16,3]"}, {"images": "f4[a,32,32,3]"}
    layered = {
        "layerwise_depths": [1, 1],
        "num_layers": 2,
        "layerwise_num_heads": [1, 2],
        "layerwise_sr_ratios": [2, 1],
    }
    steps = {"max_drop_path_rate": 0.1, "layerwise_patch_sizes": [7, 3], "layerwise_strides": [4, 2]}
    window = {"embed_dim": 8, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4, "patch_size": 2}
    blocks = {"stackwise_num_filters": [64, 64], "stackwise_num_blocks": [1, 1], "stackwise_num_strides": [1, 2]}
    return [
        _family("ViT", images, **_IMAGE, patch_size=(4, 4), mlp_dim=24),
        _family("DeiT", images, **_IMAGE, patch_size=4, intermediate_dim=24),
        _family("DINOV2", images, **_IMAGE, patch_size=4, intermediate_dim=24, position_embedding_shape=(16, 16, 3)),
        _family("SwinTransformer", free, image_shape=(32, 32, 3), **window),
        _family("MiT", free, image_shape=(32, 32, 3), hidden_dims=[8, 16], **layered, **steps),
        _family(
            "ResNet",
            {"images": "f4[a,h,w,3]"},
            input_conv_filters=[64],
            input_conv_kernel_sizes=[7],
            block_type="bottleneck_block",
            **blocks,
        ),
    ]


def _prompted() -> list[Case]:
    points = {"points": "f4[a,2,2]:prob", "labels": "f4[a,2]:prob", "boxes": "f4[a,1,2,2]:prob"}
    return [_named("SAM", {"images": "f4[a,64,64,3]", **points, "masks": "f4[a,1,16,16,1]"}, _sam)]


def _sam() -> Any:
    import keras_hub

    size = (64, 64)
    encoder = keras_hub.models.ViTDetBackbone(
        hidden_size=16,
        num_layers=2,
        intermediate_dim=24,
        num_heads=2,
        global_attention_layer_indices=[1],
        patch_size=16,
        num_output_channels=8,
        window_size=2,
        image_shape=(*size, 3),
    )
    prompts = keras_hub.layers.SAMPromptEncoder(
        hidden_size=8, image_embedding_size=(4, 4), input_image_size=size, mask_in_channels=16
    )
    decoder = keras_hub.layers.SAMMaskDecoder(
        num_layers=2,
        hidden_size=8,
        intermediate_dim=16,
        num_heads=2,
        embedding_dim=8,
        num_multimask_outputs=3,
        iou_head_depth=2,
        iou_head_hidden_dim=8,
    )
    return keras_hub.models.SAMBackbone(image_encoder=encoder, prompt_encoder=prompts, mask_decoder=decoder)


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Electra has another name for the number of words."""
    return {"vocab_size" if key == "vocabulary_size" else key: value for key, value in options.items()}


def _family(family: str, inputs: Mapping[str, str], **options: Any) -> Case:
    """The backbone of a family with these options."""

    def build() -> Any:
        import keras_hub

        return getattr(keras_hub.models, f"{family}Backbone")(**options)

    return _named(family, inputs, build)


def _named(family: str, inputs: Mapping[str, str], build: Callable[[], Any]) -> Case:
    """A case of a backbone whose inputs have these names and forms; a lone input goes to it as it is."""

    def function(values: list[Any]) -> Any:
        whole = build()
        return whole(dict(zip(inputs, values, strict=True)) if isinstance(whole.input, dict) else values[0])

    case = called(family, " ".join(inputs.values()), function)
    return replace(case, traits=case.traits | {"deep"})
