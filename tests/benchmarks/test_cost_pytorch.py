"""The report of what conversions from PyTorch cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cost_pytorch
import pytest
from cost_pytorch import OWN, PEER, text


def cost(seconds: float, memory: int) -> dict[str, Any]:
    """What a conversion cost."""
    return {"convert_s": seconds, "convert_cpu_s": 2 * seconds, "memory": memory, "weights": 1 << 20, "nodes": 3}


def test_ratios_are_of_models_that_both_converted() -> None:
    told = text({"a": {PEER: cost(4, 100), OWN: cost(1, 50)}, "b": {PEER: {"failed": "died"}, OWN: cost(9, 9)}})
    assert "time, assay.pytorch over torch.onnx.export: median 0.25 (should be at most 0.7)" in told
    assert "memory, assay.pytorch over torch.onnx.export: median 0.50" in told
    assert "| b | torch.onnx.export | failed: died |" in told


# what torch.onnx warns of
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("exporter", [OWN, PEER])
def test_a_model_is_converted_and_measured(exporter: str, tmp_path: Path) -> None:
    found = cost_pytorch.convert("tiny", exporter, str(tmp_path))
    assert found["convert_s"] > 0
    assert found["weights"] == 4 * (8 * 8 + 8 + 8 * 2 + 2)
    assert found["nodes"] > 2
