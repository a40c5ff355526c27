"""The TorchScript-based exporter writes nothing of its own to the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch_models

from assay import AssayError, convert


def test_a_graph_that_it_can_not_export_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = torch_models.Giving(lambda y, _: torch.complex(y, y))
    with pytest.raises(AssayError, match="the operator 'aten::complex'"):
        convert(model, tmp_path / "b", inputs={"x": "float32[batch,6]"}, exporter="torch.onnx.torchscript")
    assert tuple(capfd.readouterr()) == ("", "")
