"""Large models: their rules, and what linting them costs in memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from lint_models import Case, ramp, write_model
from onnx import TensorProto, helper, numpy_helper

from assay.conformance.lint import lint, security

SIDE = 1024
MEGABYTES = 4 * SIDE * SIDE >> 20
LIMIT_BYTES = 300 << 20


def chain(count: int, external: str | None = None, offset: int = 0) -> onnx.ModelProto:
    """``y = relu(x @ w0) @ w1 …`` with so many weights of 4 MiB; external ones lie one after the other."""
    rng = np.random.default_rng(0)
    nodes, tensors = [], []
    for index in range(count):
        before = f"r{index - 1}" if index else "x"
        nodes += [
            helper.make_node("MatMul", [before, f"w{index}"], [f"m{index}"], name=f"m{index}"),
            helper.make_node("Relu", [f"m{index}"], [f"r{index}" if index < count - 1 else "y"], name=f"r{index}"),
        ]
        if external is None:
            array = rng.standard_normal((SIDE, SIDE), dtype=np.float32)
            tensors.append(numpy_helper.from_array(array, f"w{index}"))
        else:
            tensors.append(_external(f"w{index}", external, offset + index * 4 * SIDE * SIDE))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", SIDE]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _external(name: str, location: str, offset: int) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[SIDE, SIDE], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", 4 * SIDE * SIDE)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def sparse(path: Path, size: int) -> None:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def test_large_data_off_a_page_is_told_and_on_a_page_passes(tmp_path: Path) -> None:
    sparse(tmp_path / "data.bin", 8 << 20)
    assert lint(write_model(tmp_path, chain(1, "data.bin")), select=["SE"]) == []
    (finding,) = lint(write_model(tmp_path, chain(1, "data.bin", 64)), select=["SE"])
    assert (finding.code, finding.severity) == ("SE004", "info")
    assert finding.message == "external data begins at byte 64 (1 such tensors), but should begin at a multiple of 4096"


def test_a_file_near_the_limit_of_protobuf_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path, chain(1))
    assert lint(path, select=["SE011"]) == []
    monkeypatch.setattr(security, "_CROWDED", 4 << 20)
    (finding,) = lint(path, select=["SE011"])
    assert "of the 2147483647 that a protobuf holds, but should keep its weights apart" in finding.message


def test_weights_beyond_the_target_fail(tmp_path: Path) -> None:
    sparse(tmp_path / "data.bin", 600 << 20)
    assert lint(write_model(tmp_path, chain(3, "data.bin")), target="edge", select=["WT015"]) == []
    (finding,) = lint(write_model(tmp_path, chain(120, "data.bin")), target="edge", select=["WT015"])
    assert finding.message == "the weights have 503316480 bytes, but should have at most 500000000 on the target edge"


def test_more_nodes_than_the_target_takes_fail(tmp_path: Path) -> None:
    text = ["r0 = Relu(x)", *(f"r{i} = Relu(r{i - 1})" for i in range(1, 10_001)), "y = Neg(r10000)"]
    many = f"g (float[1,3] x) => (float[1,3] y) {{ {' '.join(text)} }}"
    few = "g (float[1,3] x) => (float[1,3] y) { y = Neg(x) }"
    case = Case("OP046", few, many, lint={"target": "safety"})
    assert case.judge_kept(tmp_path) == []
    (finding,) = case.judge_broken(tmp_path)
    assert finding.message == "there are 10002 nodes, but should be at most 10000 on the target safety"


def test_transposed_weights_in_external_data_are_found(tmp_path: Path) -> None:
    weight = ramp(SIDE, SIDE)
    (tmp_path / "data.bin").write_bytes(weight.tobytes() + weight.T.tobytes())
    found = lint(write_model(tmp_path, chain(2, "data.bin")), select=["WT"])
    assert [finding.code for finding in found] == ["WT006"]


PROGRAM = """
import json, re, sys, time
from pathlib import Path
start = time.perf_counter()
from assay.conformance.lint import lint
found = lint(sys.argv[1])
# of this program alone; getrusage keeps the peak of the process that started it
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
print(json.dumps([sorted({finding.code for finding in found}), peak, time.perf_counter() - start]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_4_gib_of_external_data_lint_in_little_memory(tmp_path: Path) -> None:
    sparse(tmp_path / "data.bin", 4 << 30)
    path = write_model(tmp_path, chain(1024, "data.bin"))
    run = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=True)
    codes, peak, _ = json.loads(run.stdout)
    assert codes == ["WT004"]
    assert peak < LIMIT_BYTES


TIMES = """
import json, sys, time
import onnx
from assay.conformance.lint import lint

def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start

def check(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)

path = sys.argv[1]
lint(path)
pairs = [(seconds(lambda: lint(path)), seconds(lambda: check(path))) for _ in range(7)]
print(json.dumps([min(ours for ours, _ in pairs), min(theirs for _, theirs in pairs)]))
"""


@pytest.mark.slow
def test_100_megabytes_lint_within_twice_the_time_of_loading_and_checking(tmp_path: Path) -> None:
    path = write_model(tmp_path, chain(100 // MEGABYTES))
    run = subprocess.run([sys.executable, "-c", TIMES, path], capture_output=True, text=True, check=True)
    ours, theirs = json.loads(run.stdout)
    assert ours < 2 * theirs
    assert ours < 2
