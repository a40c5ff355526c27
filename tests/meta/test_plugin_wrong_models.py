"""Models that are wrong on purpose fail ``pytest`` with a sentence that names the defect; their healthy twin passes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import onnx.numpy_helper
import onnx.parser
import onnx_ir as ir
import pytest
from crashing_models import HEALTHY, KILLED_AT_RUN_TIME, write
from mutations import MUTATIONS

# pytester unloads what a run in this process was the first to load, and extension modules can't be loaded again
for module in ("assay.conformance.certification", "assay.conformance.reports", "onnxruntime"):
    import_module(module)

# what ``mutations`` looks for, without a framework
ENCODER = """
<ir_version: 9, opset_import: ["" : 20]>
encoder (float[batch,6] x) => (float[batch,3] left, float[batch,3] right) <int64[2] target = {-1, 8}> {
    wide = MatMul(x, widen)
    normal = LayerNormalization <epsilon = 1e-12> (wide, scale)
    curved = Gelu(normal)
    folded = Reshape(curved, target)
    left = MatMul(folded, to_left)
    right = MatMul(folded, to_right)
}"""
WEIGHTS = {"widen": (6, 8), "scale": (8,), "to_left": (8, 3), "to_right": (8, 3)}
MANIFEST = "{{assay: manifest/v1, name: {name}, source: healthy.onnx, model: {name}.onnx, latency: {{samples: 20}}}}"


@pytest.fixture
def folder(pytester: pytest.Pytester) -> Path:
    generator = np.random.default_rng(0)
    model = onnx.parser.parse_model(ENCODER)
    for name, shape in WEIGHTS.items():
        weight = generator.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weight, name))
    onnx.save(model, pytester.path / "healthy.onnx")
    return pytester.path


def judge(pytester: pytest.Pytester, name: str) -> pytest.RunResult:
    (pytester.path / f"{name}.assay.yaml").write_text(MANIFEST.format(name=name), encoding="utf-8")
    return pytester.runpytest_inprocess("-k", "parity", "-p", "no:xdist", "-p", "no:hypothesispytest")


def failure(result: pytest.RunResult, name: str) -> list[str]:
    """What stands below the one headline."""
    result.assert_outcomes(failed=1, deselected=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = result.outlines
    start = next(index for index, line in enumerate(lines) if f" {name}: parity[cpu] " in line)
    end = next(index for index, line in enumerate(lines) if "short test summary info" in line)
    return lines[start + 1 : end]


def test_the_healthy_twin_passes(folder: Path, pytester: pytest.Pytester) -> None:
    assert (folder / "healthy.onnx").is_file()
    judge(pytester, "healthy").assert_outcomes(passed=1, deselected=3)


@pytest.mark.parametrize(
    ("mutation", "code", "sentence"),
    [
        ("a NaN output", "PA005", "output left"),
        ("a dropped output", "PA002", "output right"),
        ("a baked batch", "PA006", "the model does not run, though its source does"),
        ("tanh GELU", "PA001", "output"),
    ],
)
def test_a_wrong_model_fails(mutation: str, code: str, sentence: str, folder: Path, pytester: pytest.Pytester) -> None:
    model = ir.load(folder / "healthy.onnx")
    MUTATIONS[mutation].change(model)
    ir.save(model, folder / "mutant.onnx")
    said = failure(judge(pytester, "mutant"), "mutant")
    assert any(line.startswith(f"error {code}: ") and sentence in line for line in said)
    assert not any("Traceback" in line or line.startswith(("E ", ">")) for line in said)


def test_a_worker_killed_by_a_signal_fails_with_its_name(pytester: pytest.Pytester) -> None:
    write(HEALTHY, pytester.path / "healthy.onnx")
    write(KILLED_AT_RUN_TIME, pytester.path / "killer.onnx")
    said = failure(judge(pytester, "killer"), "killer")
    assert said[0].startswith("error PA007: the model does not run, though its source does: the process was killed by")
    assert "SIGFPE" in said[0]
