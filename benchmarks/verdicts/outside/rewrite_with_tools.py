"""Run by the tools' interpreter: MODEL FOLDER -> one JSON line with the files made, and what refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import onnx


def simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """onnxsim with its defaults."""
    import onnxsim

    made, sound = onnxsim.simplify(model)
    if not sound:
        raise RuntimeError("onnxsim's own check failed")
    return made  # type: ignore[no-any-return]


def slimmed(model: onnx.ModelProto) -> onnx.ModelProto:
    """onnxslim with its defaults."""
    import onnxslim

    return onnxslim.slim(model)  # type: ignore[no-any-return]


def optimized(model: onnx.ModelProto) -> onnx.ModelProto:
    """onnxoptimizer with its default passes."""
    import onnxoptimizer

    return onnxoptimizer.optimize(model)  # type: ignore[no-any-return]


TOOLS: dict[str, Callable[[onnx.ModelProto], onnx.ModelProto]] = {
    "onnxsim": simplified,
    "onnxslim": slimmed,
    "onnxoptimizer": optimized,
}


def main(path: str, folder: str) -> None:
    """Each tool on its own copy."""
    made, refused = {}, {}
    for name, tool in TOOLS.items():
        target = Path(folder) / f"{name}.onnx"
        try:
            onnx.save(tool(onnx.load(path)), target)
        except Exception as error:  # noqa: BLE001 - foreign code; what it raises is reported
            refused[name] = f"{type(error).__name__}: {error}"[:200]
            continue
        made[name] = str(target)
    sys.stdout.write("\n" + json.dumps({"made": made, "refused": refused}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
