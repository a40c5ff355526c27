"""What the source's layers were told stays with their nodes, and lint holds the attributes against it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import onnx
import pytest
import torch_models
from torch import Tensor, nn

from assay.conformance.lint import lint
from assay.converters.convert import convert

KEY = "assay.source.epsilon"


class Activations(nn.Module):
    """Layers whose settings are attributes of ONNX, and one that is not of torch.nn."""

    def __init__(self) -> None:
        super().__init__()
        self.leaky, self.elu = nn.LeakyReLU(0.2), nn.ELU(0.7)
        self.own = Own()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.own(self.elu(self.leaky(x)))
        return result


class Own(nn.Module):
    """A layer whose ``eps`` is not that of the normalization it calls."""

    eps = 0.5

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.layer_norm(x, [6])


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`torch_models.Encoder`, converted."""
    target = tmp_path_factory.mktemp("encoder") / "bundle"
    return convert(torch_models.Encoder().eval(), target, inputs={"x": "float32[batch,6]"}).path


def nodes(model: os.PathLike[str]) -> dict[str, onnx.NodeProto]:
    """The nodes by their operator."""
    return {node.op_type: node for node in onnx.load(model).graph.node}


def records(node: onnx.NodeProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in node.metadata_props if entry.key.startswith("assay.source.")}


def test_the_epsilon_of_a_layer_is_recorded_and_kept(bundle: Path) -> None:
    assert records(nodes(bundle / "model.onnx")["LayerNormalization"]) == {KEY: "1e-12"}
    assert [finding.code for finding in lint(bundle, select=["OP041"])] == []


def test_a_changed_epsilon_is_found(bundle: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copytree(bundle, tmp_path / "changed")) / "model.onnx"
    model = onnx.load(changed)
    norm = next(node for node in model.graph.node if node.op_type == "LayerNormalization")
    next(attribute for attribute in norm.attribute if attribute.name == "epsilon").f = 1e-5
    onnx.save(model, changed)
    (finding,) = lint(changed, select=["OP041"])
    assert finding.message == "epsilon is 1e-05, but should be 1e-12 as in the source's layer norm"


def test_settings_of_activations_are_recorded_and_those_of_other_layers_are_not(tmp_path: Path) -> None:
    made = convert(Activations().eval(), tmp_path / "bundle", inputs={"x": "float32[batch,6]"})
    found = nodes(made.model)
    assert records(found["LeakyRelu"]) == {"assay.source.alpha": "0.2"}
    assert records(found["Elu"]) == {"assay.source.alpha": "0.7"}
    assert records(found["LayerNormalization"]) == {}
    assert lint(made, select=["OP041"]) == []
