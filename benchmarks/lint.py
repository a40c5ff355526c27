"""Lints every model of onnx's own backend tests and every fixture; times lint beside onnx.checker on 100 MB.

python benchmarks/lint.py            # table and JSON under docs/benchmarks/
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from machine import DOCS, machine, table, write
from onnx.backend.test.case import node

from assay.conformance.lint import lint
from assay.specs.errors import AssayError

ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 5


@dataclass
class Tally:
    """What linting many models gave."""

    models: int = 0
    clean: int = 0
    seconds: float = 0.0
    findings: Counter[str] = field(default_factory=Counter)
    models_with: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)


def backend_models(folder: Path) -> list[Path]:
    """Every model of the onnx package's backend tests: the files that it ships, and those that its cases make."""
    shipped = sorted((Path(onnx.__file__).parent / "backend/test/data").rglob("*.onnx"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        cases = node.collect_testcases(None)
    return shipped + [_written(case.model, folder / f"{case.name}.onnx") for case in cases if case.model is not None]


def _written(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def lint_all(paths: list[Path]) -> Tally:
    """Lint each model; an `AssayError` is a refusal, anything else that is raised a crash."""
    tally = Tally()
    for path in paths:
        start = time.perf_counter()
        try:
            found = lint(path)
        except AssayError as error:
            tally.refused.append(f"{path.parent.name}/{path.name}: {error}")
            continue
        except Exception as error:  # noqa: BLE001 - a benchmark that counts crashes
            tally.crashed.append(f"{path.parent.name}/{path.name}: {type(error).__name__}: {error}")
            continue
        tally.seconds += time.perf_counter() - start
        tally.models += 1
        tally.clean += not found
        tally.findings.update(f"{f.code} {f.severity}" for f in found)
        tally.models_with.update({f"{f.code} {f.severity}" for f in found})
    return tally


def large_model(folder: Path, megabytes: int, layers: int = 50) -> Path:
    """A chain of square MatMul and Relu of this size."""
    side = int((megabytes * 1e6 / 4 / layers) ** 0.5)
    generator = np.random.default_rng(0)
    helper, nodes, weights, value = onnx.helper, [], [], "x"
    for layer in range(layers):
        weight = generator.standard_normal((side, side), np.float32) / side
        weights.append(onnx.numpy_helper.from_array(weight, f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{layer}"], [f"m{layer}"]))
        nodes.append(helper.make_node("Relu", [f"m{layer}"], [f"r{layer}"]))
        value = f"r{layer}"
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", side]) for name in ("x", value)]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], weights)
    path = folder / "large.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


def command_seconds(arguments: list[str]) -> float:
    """Wall seconds of a whole command, start-up included."""
    start = time.perf_counter()
    subprocess.run(arguments, check=False, capture_output=True)
    return time.perf_counter() - start


def side_by_side(runs: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median seconds of each, in alternation."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(_ROUNDS):
        for name, run in runs.items():
            times[name].append(run())
    return {name: statistics.median(values) for name, values in times.items()}


def timings(megabytes: int) -> dict[str, float]:
    """Lint and checker as commands on the same model."""
    check = "import onnx,sys; onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)"
    with tempfile.TemporaryDirectory() as folder:
        path = str(large_model(Path(folder), megabytes))
        runs = {
            "assay lint": lambda: command_seconds([sys.executable, "-m", "assay", "lint", path]),
            "onnx.checker full_check": lambda: command_seconds([sys.executable, "-c", check, path]),
        }
        return side_by_side(runs)


def report(backend: Tally, fixtures: Tally, seconds: dict[str, float], megabytes: int) -> str:
    """Both tables."""
    ours, checker = seconds["assay lint"], seconds["onnx.checker full_check"]
    summary = table(
        ["models", "linted", "without finding", "refused", "crashed", "ms a model"],
        [_summary("onnx backend tests", backend), _summary("fixtures", fixtures)],
    )
    codes = sorted(set(backend.findings) | set(fixtures.findings))
    rules = [[code, backend.findings[code], backend.models_with[code], fixtures.findings[code]] for code in codes]
    findings = table(["rule", "findings in backend tests", "in models", "findings in fixtures"], rules)
    speed = f"{megabytes} MB, whole command: lint {ours:.2f} s, checker {checker:.2f} s, ratio {ours / checker:.2f}"
    return f"{summary}\n\n{speed}\n\n{findings}"


def _summary(name: str, tally: Tally) -> list[Any]:
    each = 1000 * tally.seconds / max(tally.models, 1)
    return [name, tally.models, tally.clean, len(tally.refused), len(tally.crashed), f"{each:.1f}"]


def main() -> None:
    """Run all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--bundles", type=Path, default=ROOT / "out" / "demo", help="output of make demo")
    parser.add_argument("--output", type=Path, default=DOCS)
    options = parser.parse_args()
    sys.stdout.write(machine() + "\n\n")
    with tempfile.TemporaryDirectory() as folder:
        backend = lint_all(backend_models(Path(folder)))
    fixtures = lint_all(sorted(options.bundles.rglob("bundle/model.onnx")))
    seconds = timings(options.megabytes)
    text = report(backend, fixtures, seconds, options.megabytes)
    data = {"backend": backend.__dict__, "fixtures": fixtures.__dict__, "seconds": seconds}
    write("lint", "python benchmarks/lint.py", text, data, options.output)
    sys.stdout.write(text + "\n")
    for line in (*backend.crashed, *fixtures.crashed):
        sys.stdout.write(f"crashed: {line}\n")


if __name__ == "__main__":
    main()
