"""A candidate whose names are its own is run under ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import parser

from assay.conformance.candidate import Candidate
from assay.conformance.isolation import Worker
from assay.conformance.providers.trial import Trial
from assay.specs.interface import Interface

TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[n] input_1, float threshold) => (float[n] Identity_0) { Identity_0 = Mul(input_1, threshold) }"""


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    (tmp_path / "m.onnx").write_bytes(parser.parse_model(TEXT).SerializeToString())
    return Candidate(
        tmp_path / "m.onnx",
        Interface(()),
        inputs={"x": "input_1"},
        outputs={"y": "Identity_0"},
        constants={"threshold": np.float32(2)},
    )


def test_names_are_ours_and_constants_are_fed(candidate: Candidate) -> None:
    with Worker(60) as worker:
        trial = Trial(candidate, "cpu", worker)
        facts = trial.facts()
        assert [name for name, _, _ in facts.inputs] == ["x"]
        assert [name for name, _, _ in facts.outputs] == ["y"]
        first, second = (trial.run({"x": np.array([1, value], np.float32)}) for value in (5, 6))
    assert (first["y"].tolist(), second["y"].tolist()) == ([2, 10], [2, 12])


def _peak_and_own() -> tuple[int, int]:
    """The largest resident memory of this process until now, and what it holds of its own now, in bytes."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak, own = (int(lines[key].split()[0]) * 1024 for key in ("VmHWM", "RssAnon"))
    return peak, own


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_large_arrays_cross_without_copies(tmp_path: Path) -> None:
    """In the worker there are the mapped input and the runtime's output, and nothing of either is copied here."""
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[n] x) => (float[n] y) { y = Relu (x) }'
    (tmp_path / "m.onnx").write_bytes(parser.parse_model(text).SerializeToString())
    size = 256 << 20
    array = np.ones(size // 4, np.float32)
    with Worker(60) as worker:
        trial = Trial(Candidate(tmp_path / "m.onnx", Interface(())), "cpu", worker)
        trial.run({"x": array[:4]})
        (peak, _), (_, ours) = worker.call(_peak_and_own), _peak_and_own()
        result = trial.run({"x": array})["y"]
        (later_peak, _), (_, ours_later) = worker.call(_peak_and_own), _peak_and_own()
    assert result.shape == array.shape
    assert later_peak - peak < 2.2 * size
    assert ours_later - ours < 0.1 * size
