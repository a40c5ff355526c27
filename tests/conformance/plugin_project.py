"""A folder with tiny models and manifests, as a user of the pytest plugin has one."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import onnx.parser
import pytest

# pytester unloads what a run in this process was the first to load, and extension modules can't be loaded again
for module in ("assay.conformance.certification", "assay.conformance.reports", "onnxruntime", "scipy.stats"):
    import_module(module)

HEADER = '<ir_version: 8, opset_import: ["" : 17]>'
GRAPH = "g (float[batch,6] x) => (float[batch,6] y) {{ y = {operator}(x) }}"
STEPS = ("convert", "lint", "parity[cpu]", "latency[cpu]")


def write_model(path: Path, operator: str = "Relu") -> None:
    """Write a model of one operator."""
    model = onnx.parser.parse_model(f"{HEADER} {GRAPH.format(operator=operator)}")
    path.write_bytes(model.SerializeToString())


def write_manifest(path: Path, *fields: str, source: str = "source.onnx") -> Path:
    """Write a manifest that has the name of its file, with these fields besides."""
    name = path.name.partition(".")[0]
    lines = ("assay: manifest/v1", f"name: {name}", f"source: {source}", "latency: {samples: 20}", *fields)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def after(result: pytest.RunResult, headline: str) -> str:
    """The line below a headline of the terminal output."""
    lines = result.outlines
    return lines[next(index for index, line in enumerate(lines) if f"_ {headline} _" in line) + 1]


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in this process, without the plugins that would have to be loaded each time."""
    return pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:hypothesispytest", *arguments)


def run_distributed(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest with two workers of pytest-xdist."""
    return pytester.runpytest_subprocess("-n", "2", "-p", "no:hypothesispytest", *arguments)
