"""Exporters by name, each for its framework."""

from __future__ import annotations

import pytest
import torch_models

from assay.converters.exporter import ConvertError, find_exporter
from assay.converters.sources import open_source

SOURCE = open_source(torch_models.encoder(), {"x": "float32[batch,6]"})


def test_the_source_chooses_where_the_user_does_not() -> None:
    assert find_exporter(SOURCE, None) is find_exporter(SOURCE, "torch.onnx")


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
