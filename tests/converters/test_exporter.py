"""Exporters by name, each for its framework."""

from __future__ import annotations

import pytest
import torch
import torch_models

from assay.converters.exporter import ConvertError, UnknownExporterError, exporters_of, find_exporter, require_exporter
from assay.converters.sources import open_source

SOURCE = open_source(torch_models.encoder(), {"x": "float32[batch,6]"})


def test_the_source_chooses_where_the_user_does_not() -> None:
    assert find_exporter(SOURCE, None) is find_exporter(SOURCE, "assay.pytorch")


def test_another_is_found_by_its_name() -> None:
    exporter = find_exporter(SOURCE, "torch.onnx.torchscript")
    assert exporter(SOURCE, None).exporter == "torch.onnx.torchscript"


@pytest.mark.parametrize(
    ("name", "says"),
    [("magic", "there is no exporter 'magic'"), ("tf2onnx", "takes tensorflow models, but this is a pytorch model")],
)
def test_a_name_that_does_not_fit_is_refused(name: str, says: str) -> None:
    with pytest.raises(ConvertError, match=says):
        find_exporter(SOURCE, name)


@pytest.mark.parametrize(
    ("framework", "kind", "names"),
    [
        ("pytorch", "module", ("assay.pytorch", "torch.onnx", "torch.onnx.torchscript")),
        ("pytorch", "torchscript", ("torch.onnx.torchscript",)),
        ("tensorflow", "keras", ("assay.tensorflow", "tf2onnx", "torch.onnx.keras")),
        ("tensorflow", "saved-model", ("assay.tensorflow", "tf2onnx")),
        ("onnx", "onnx", ("onnx",)),
    ],
)
def test_the_exporters_of_a_kind_begin_with_its_own(framework: str, kind: str, names: tuple[str, ...]) -> None:
    assert exporters_of(framework, kind) == names


def test_an_exporter_of_other_kinds_is_refused() -> None:
    scripted = open_source(torch.jit.script(torch_models.Scriptable()), {"x": "float32[batch,6]"})
    with pytest.raises(ConvertError, match="takes a module or exported-program, but this is a torchscript"):
        find_exporter(scripted, "torch.onnx")


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    require_exporter("tf2onnx")
    with pytest.raises(UnknownExporterError, match=r"'magic', but there are assay\.pytorch"):
        require_exporter("magic")
