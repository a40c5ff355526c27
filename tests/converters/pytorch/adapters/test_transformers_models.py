"""Models of transformers: caches as flat tensors, experts, windows, recurrences."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from assay import AssayError, Bundle, convert
from assay.converters.sources import open_source

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
if find_spec("transformers") is not None:
    import transformers

IDS = {"input_ids": "int64[batch,sequence<=30] in 2..63"}
SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
PAST = {
    f"past_key_values.{layer}.{part}": "float32[batch,2,past_sequence>=0=7,8]"
    for layer in range(2)
    for part in ("key", "value")
}


def seeded(build: Callable[[Any], torch.nn.Module], config: Any) -> torch.nn.Module:
    """A model of this configuration, whose weights are the same each time and large enough to be seen."""
    torch.manual_seed(0)
    model = build(config).eval()
    for weight in model.parameters():
        if weight.ndim >= 2:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return model


def llama(**options: Any) -> torch.nn.Module:
    """Two layers of Llama."""
    return seeded(transformers.LlamaForCausalLM, transformers.LlamaConfig(**SMALL, **options))


def mistral() -> torch.nn.Module:
    """Two layers that see six tokens back."""
    return seeded(transformers.MistralForCausalLM, transformers.MistralConfig(**SMALL, sliding_window=6))


def mixtral() -> torch.nn.Module:
    """Two layers of four experts, of which each token takes two."""
    config = transformers.MixtralConfig(**SMALL, num_local_experts=4, num_experts_per_tok=2)
    return seeded(transformers.MixtralForCausalLM, config)


def session_of(bundle: Bundle) -> onnxruntime.InferenceSession:
    """The bundle's model in ONNX Runtime."""
    return onnxruntime.InferenceSession(bundle.model, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("build", [llama, mistral, mixtral])
def test_a_writer_with_a_cache_goes_on_from_its_own_outputs(
    build: Callable[[], torch.nn.Module], tmp_path: Path
) -> None:
    model, inputs = build(), {**IDS, **PAST}
    bundle = convert(model, tmp_path / "bundle", task="generic", inputs=inputs)
    presents = [name.replace("past_key_values", "present") for name in PAST]
    assert [spec.name for spec in bundle.interface.outputs] == ["logits", *presents]
    tokens = np.random.default_rng(0).integers(2, 64, (2, 12))
    with torch.no_grad():
        due = model(input_ids=torch.from_numpy(tokens)).logits.numpy()
    session, past = session_of(bundle), {name: np.zeros((2, 2, 0, 8), np.float32) for name in PAST}
    for start, stop in ((0, 8), (8, 9), (9, 12)):  # the window of six is passed in each way
        logits, *kept = session.run(None, {"input_ids": tokens[:, start:stop], **past})
        np.testing.assert_allclose(logits, due[:, start:stop], atol=2e-5)
        past = dict(zip(PAST, kept, strict=True))


def test_a_model_that_is_given_no_cache_gives_none(tmp_path: Path) -> None:
    bundle = convert(llama(), tmp_path / "bundle", inputs=IDS)
    assert [spec.name for spec in bundle.interface.outputs] == ["logits"]


def test_a_cache_with_holes_is_refused() -> None:
    inputs = {**IDS, **PAST}
    del inputs["past_key_values.0.value"]
    source = open_source(llama(), inputs)
    with pytest.raises(AssayError, match=r"lacks past_key_values\.0\.value"):
        source.run(
            {
                name: np.zeros((2, 3), np.int64) if name == "input_ids" else np.zeros((2, 2, 4, 8), np.float32)
                for name in inputs
            }
        )


def test_the_model_and_the_library_are_left_as_they_were(tmp_path: Path) -> None:
    model: Any = mixtral()
    usual, attention = model.get_experts_implementation(), torch.nn.functional.scaled_dot_product_attention
    convert(model, tmp_path / "bundle", inputs={**IDS, **PAST})
    assert model.get_experts_implementation() == usual
    assert torch.nn.functional.scaled_dot_product_attention is attention
    assert "forward" not in vars(model)


@pytest.mark.parametrize("kind", ["mamba", "rwkv", "recurrent_gemma"])
def test_a_recurrent_model_is_a_scan(kind: str, tmp_path: Path) -> None:
    config = transformers.AutoConfig.for_model(
        kind,
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        attention_hidden_size=32,
        attention_window_size=8,
        state_size=8,
        lru_width=32,
        pad_token_id=0,
    )
    model = seeded(transformers.AutoModelForCausalLM.from_config, config)
    inputs = {"input_ids": "int64[batch,sequence>=3<=30] in 2..63"}  # Mamba's convolution sees three tokens back
    bundle = convert(model, tmp_path / "bundle", inputs=inputs)
    assert "Scan" in {node.op_type for node in onnx.load(bundle.model).graph.node}
    for length in (3, 21):
        ids = np.random.default_rng(length).integers(2, 64, (3, length))
        with torch.no_grad():
            due = model(input_ids=torch.from_numpy(ids)).logits.numpy()
        (found,) = session_of(bundle).run(None, {"input_ids": ids})
        np.testing.assert_allclose(found, due, atol=5e-5)
