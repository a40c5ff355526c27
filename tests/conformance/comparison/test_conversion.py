"""Conversions in processes of their own: what is measured there, and how they end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch_models
from judging import MODELS

from assay.conformance.comparison.conversion import Order, _peak_bytes, convert_apart, framework_of
from assay.conformance.isolation import Worker
from assay.converters.exporter import ConvertError
from assay.converters.sources.base import SourceError

ORDER = Order("torch_models:encoder", inputs={"x": "float32[batch,6]"})


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MODELS)


def test_the_peak_is_that_of_the_process_alone() -> None:
    ours = np.ones(100_000_000)  # 800 MB, which a child's ru_maxrss would begin with
    with Worker() as worker:
        assert worker.call(_peak_bytes) < ours.nbytes / 2


def test_a_peak_is_no_less_than_what_was_held() -> None:
    with Worker() as worker:
        before = worker.call(_peak_bytes)
        assert worker.call(hold, 200_000_000) >= before + 150_000_000


def hold(size: int) -> int:
    """The peak when so many bytes are held."""
    held = np.ones(size, np.uint8)
    return _peak_bytes() if held.any() else 0


@pytest.mark.slow
def test_a_source_is_converted_and_measured(tmp_path: Path) -> None:
    conversion = convert_apart(ORDER.of(ORDER.source, "torch.onnx.torchscript"), tmp_path / "b")
    assert (tmp_path / "b" / "model.onnx").is_file()
    assert conversion.exporter == "torch.onnx.torchscript"
    assert conversion.peak_bytes is not None
    assert conversion.loaded_bytes is not None
    assert conversion.peak_bytes >= conversion.loaded_bytes > 50e6


@pytest.mark.slow
def test_framework_and_kind_are_found_elsewhere() -> None:
    assert framework_of(ORDER) == ("pytorch", "module")


@pytest.mark.slow
def test_a_refusal_comes_back_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="takes tensorflow models"):
        convert_apart(ORDER.of(ORDER.source, "tf2onnx"), tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_live_object_is_converted_here(tmp_path: Path) -> None:
    conversion = convert_apart(ORDER.of(torch_models.encoder(), "torch.onnx.torchscript"), tmp_path / "b")
    assert conversion.peak_bytes is None


def test_what_is_no_source_is_told() -> None:
    with pytest.raises(SourceError, match="can't be imported"):
        framework_of(ORDER.of("no_such_module:build"))
