"""From a source to a bundle: what the interface says, and what ends a conversion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch_models
from judging import described

from assay import AssayError, convert
from assay.specs.data import PROFILE_VERSION

X = {"x": "float32[batch,6]"}


def test_the_model_is_stamped_with_where_it_comes_from(tmp_path: Path) -> None:
    model = onnx.load(convert(torch_models.encoder(), tmp_path / "b", inputs=X).model)
    stamps = {entry.key: entry.value for entry in model.metadata_props}
    assert stamps["assay.profile"] == PROFILE_VERSION
    assert stamps["assay.exporter"] == "assay.pytorch"
    assert stamps["assay.source.framework"] == "pytorch"
    assert len(stamps["assay.source.sha256"]) == 64
    assert (model.producer_name, model.producer_version) == ("assay", "")


def test_the_interface_lies_beside_the_model(tmp_path: Path) -> None:
    bundle = convert(torch_models.encoder(), tmp_path / "b", inputs=X)
    assert json.loads((bundle.path / "interface.json").read_text()) == bundle.interface.to_json()
    model = onnx.load(bundle.model)
    assert [value.name for value in model.graph.input] == ["x"]
    assert [value.name for value in model.graph.output] == ["left", "right"]
    dims = [dim.dim_param or dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim]
    assert dims == ["batch", 3]


def test_an_example_array_fixes_the_shape(tmp_path: Path) -> None:
    bundle = convert(torch_models.encoder(), tmp_path / "b", inputs={"x": np.zeros((4, 6), np.float32)})
    assert described(bundle) == ({"x": "float32[4,6]"}, {"left": "float32[4,3]", "right": "float32[4,3]"})


def test_output_axes_are_told_by_what_they_follow(tmp_path: Path) -> None:
    class Shapes(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return a @ b, a.reshape(-1), a.sum(0), torch.cat([a, a], 1)

    inputs = {"a": "float32[batch,n]", "b": "float32[n,m]"}
    assert described(convert(Shapes(), tmp_path / "b", inputs=inputs))[1] == {
        "output_0": "float32[batch,m]",
        "output_1": "float32[output_1_0]",
        "output_2": "float32[n]",
        "output_3": "float32[batch,output_3_1]",
    }


@pytest.mark.parametrize("opset", [17, 23])
def test_the_opset_is_the_one_that_is_asked_for(opset: int, tmp_path: Path) -> None:
    model = onnx.load(convert(torch_models.encoder(), tmp_path / "b", inputs=X, opset=opset).model)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [opset]


@pytest.mark.parametrize("opset", [9, 99])
def test_an_opset_that_the_exporter_does_not_write_ends_the_conversion(opset: int, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=rf"assay\.pytorch wrote opset 18, but should write {opset}"):
        convert(torch_models.encoder(), tmp_path / "b", inputs=X, opset=opset)
    assert not (tmp_path / "b").exists()


def test_an_axis_that_the_code_pins_ends_the_conversion(tmp_path: Path) -> None:
    class Pinned(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(2, 6) * 2

    with pytest.raises(AssayError, match=r"can't be converted|does not run"):
        convert(Pinned(), tmp_path / "b", inputs=X)
    assert not (tmp_path / "b").exists()


def test_an_index_out_of_range_asks_for_the_range(tmp_path: Path) -> None:
    model = torch.nn.Embedding(5, 2)
    with pytest.raises(AssayError, match=r'IndexError: .*; if its values .* --input "input=int64\[n,3\] in 0..N"$'):
        convert(model, tmp_path / "b", inputs={"input": "int64[n,3]"})
    assert convert(model, tmp_path / "b", inputs={"input": "int64[n,3] in 0..4"}).model.exists()


def test_a_model_that_raises_ends_the_conversion_in_its_own_words(tmp_path: Path) -> None:
    class Raising(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise KeyError(x.shape)

    with pytest.raises(AssayError, match=r"does not run on x \[2, 6\]: KeyError: "):
        convert(Raising(), tmp_path / "b", inputs=X)


def test_a_folder_that_is_no_bundle_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    class Counted(torch.nn.Module):
        runs = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Counted.runs += 1
            return x

    with pytest.raises(AssayError, match="it is not overwritten"):
        convert(Counted(), tmp_path, inputs=X)
    assert Counted.runs == 0
