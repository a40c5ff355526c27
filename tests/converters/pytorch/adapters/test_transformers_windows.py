"""Longformer sees windows, and all of the text where its mask says 2."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
import torch

from assay.converters.exporter import ConvertError
from assay.converters.pytorch.native_exporter import export
from assay.converters.sources.base import Request
from assay.converters.sources.pytorch_module import ModuleSource

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
if find_spec("transformers") is not None:
    import transformers

IDS = {"input_ids": "int64[batch,sequence<=40] in 2..63"}


def longformer() -> Any:
    """One layer, whose tokens see four to each side."""
    torch.manual_seed(0)
    config = transformers.LongformerConfig(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=64,
        attention_window=[8],
    )
    model = transformers.LongformerModel(config).eval()
    for weight in model.parameters():
        if weight.ndim >= 2:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return model


@pytest.mark.slow
def test_a_model_of_windows_is_right_at_other_lengths_and_left_as_it_was() -> None:
    model = longformer()
    source = ModuleSource(model, Request("longformer", {**IDS, "attention_mask": "int64[batch,sequence] in 0..1"}))
    exported = export(source, None)
    assert model.config.onnx_export is False
    assert "forward" not in vars(model.encoder.layer[0].attention.self)
    session = onnxruntime.InferenceSession(ir.to_proto(exported.model).SerializeToString())
    for length in (5, 33):
        ids = np.random.default_rng(length).integers(2, 64, (2, length))
        mask = (np.arange(length) < [[length], [length - 3]]).astype(np.int64)
        with torch.no_grad():
            due = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))[0].numpy()
        found = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        np.testing.assert_allclose(found, due, atol=2e-5)


def test_a_mask_that_may_let_a_token_see_all_is_refused() -> None:
    source = ModuleSource(
        longformer(), Request("longformer", {**IDS, "attention_mask": "int64[batch,sequence] in 0..2"})
    )
    with pytest.raises(ConvertError, match=r"modeling_longformer\.py:\d+ decides by the values of a tensor"):
        export(source, None)
