"""The steps of torch.onnx one by one give the graph that torch.onnx gives, and are still there."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

import onnx_ir as ir
import pytest
import torch
import torch_models
from onnxscript import rewriter
from torch import Tensor, nn
from torch.onnx._internal.exporter import _core, _fx_passes, _registration
from torch.onnx._internal.fx.passes import type_promotion

from assay.converters.pytorch import dynamo, native_exporter
from assay.converters.pytorch.optimization import Dispatcher
from assay.converters.sources import open_source


class Convolutional(nn.Module):
    """Convolution, normalization, activations that write in place, and a pool."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.body(x).relu_().mean((2, 3))
        return result


class Attending(nn.Module):
    """A layer of a transformer's encoder and a head, over integers and a mask."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(16, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        hidden = self.embedding(tokens)
        hidden = hidden + self.attention(hidden, hidden, hidden, key_padding_mask=mask == 0)[0]
        result: Tensor = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return result


SUBJECTS: dict[str, tuple[nn.Module, dict[str, str]]] = {
    "encoder": (torch_models.encoder(), {"x": "float32[batch,6]"}),
    "convolutional": (Convolutional(), {"x": "float32[batch,3,height>=5,width>=5]"}),
    "attending": (Attending(), {"tokens": "int64[batch,time] in 0..15", "mask": "int64[batch,time] in 0..1"}),
}


def operators(model: ir.Model) -> Counter[str]:
    """How often each operator stands in the graph; of a size it doesn't matter which tensor it is read off."""
    return Counter(node.op_type for node in model.graph if node.op_type != "Shape")


@pytest.mark.parametrize(("module", "inputs"), SUBJECTS.values(), ids=SUBJECTS)
def test_the_graph_holds_the_operators_that_torch_gives(module: nn.Module, inputs: dict[str, str]) -> None:
    source = open_source(module, inputs)
    assert operators(native_exporter.export(source, 20).model) == operators(dynamo.export(source, 20).model)


def test_a_half_precision_model_keeps_the_casts_that_torch_computes_in() -> None:
    source = open_source(nn.Sequential(nn.Linear(6, 4), nn.GELU(), nn.Softmax(1)).half(), {"input": "float16[batch,6]"})
    assert operators(native_exporter.export(source, 20).model) == operators(dynamo.export(source, 20).model)


def test_each_rule_is_tried_at_its_own_operator_alone() -> None:
    dispatcher = Dispatcher(rewriter._DEFAULT_REWRITE_RULES)
    tried: list[str] = []
    for name, rules in dispatcher._by_operator.items():
        for rule in rules:
            assert str(rule._target_pattern.output_node.op) == name
            tried.append(name)
    searching = [rule for rule in rewriter._DEFAULT_REWRITE_RULES if not rule._target_pattern.has_single_output_node]
    assert (len(tried) + len(searching), [str(rule) for rule in searching]) == (
        len(rewriter._DEFAULT_REWRITE_RULES),
        ["SlicesSplit"],
    )


# what is taken from torch.onnx and is not its public interface: when upstream moves it, this tells
SEAMS: dict[Any, tuple[str, ...]] = {
    _core._exported_program_to_onnx_program: ("exported_program", "registry", "lower"),
    _fx_passes.remove_assertion_nodes: ("graph_module",),
    _registration.ONNXRegistry.from_torchlib: ("opset_version",),
    type_promotion.InsertTypePromotion: ("module", "type_promotion_table"),
    type_promotion._TypePromotionInterpreter.run_node: ("self", "n"),
}


@pytest.mark.parametrize(("seam", "parameters"), SEAMS.items(), ids=[seam.__qualname__ for seam in SEAMS])
def test_a_seam_of_torch_is_where_it_was(seam: Any, parameters: tuple[str, ...]) -> None:
    assert tuple(inspect.signature(seam).parameters) == parameters
