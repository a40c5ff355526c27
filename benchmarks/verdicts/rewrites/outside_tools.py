"""Tools that live in an environment of their own: onnxsim, onnxslim, onnxoptimizer."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import onnx

from verdicts.rewrites.registry import Inapplicable, Origin, Rewritten, rewrite

SCRIPT = Path(__file__).resolve().parents[1] / "outside" / "rewrite_with_tools.py"


@rewrite("tools", "onnxsim, onnxslim and onnxoptimizer, with their defaults", contract=False)
def tools(origin: Origin) -> Iterator[Rewritten]:
    """Whatever they write; what they refuse is a line in the report."""
    if origin.tools_python is None:
        raise Inapplicable("no --tools-python was given")
    path = origin.folder / "for_tools.onnx"
    onnx.save(origin.subject.model, path)
    command = [origin.tools_python, str(SCRIPT), str(path), str(origin.folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise Inapplicable(f"the tools' script ended with status {ran.returncode}: {ran.stderr[-200:]}")
    answer = json.loads(lines[-1])
    for name, made in answer["made"].items():
        yield Rewritten(name, onnx.load(made))
    if answer["refused"]:
        raise Inapplicable(json.dumps(answer["refused"])[:300])
