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
