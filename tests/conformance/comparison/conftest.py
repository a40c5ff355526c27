"""Models beside each other: one that is right, others that are wrong in one way each, and files that are no models."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_onnx

BODY = "{ h = Relu(x) y = Add(h, one) }"
RIGHT = f"g (float[batch,6] x) => (float[batch,6] y) <float[1] one = {{1}}> {BODY}"
MODELS = {
    "right": RIGHT,
    "same": RIGHT.replace("y = Add(h, one)", "i = Identity(h) y = Add(i, one)"),
    "wrong": RIGHT.replace("{1}", "{1.001}"),
    "frozen": RIGHT.replace("batch,6", "2,6"),
    "renamed": RIGHT.replace(" x)", " other)").replace("(x)", "(other)"),
    "dropped": "g (float[batch,6] x) => (float[batch,6] z) { z = Relu(x) }",
    "double": RIGHT.replace("float[", "double["),
}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one ``.onnx`` a name of `MODELS`, and two files that can't be loaded."""
    folder = tmp_path_factory.mktemp("models")
    for name, text in MODELS.items():
        tiny_onnx.write(text, folder / f"{name}.onnx")
    (folder / "truncated.onnx").write_bytes((folder / "right.onnx").read_bytes()[:40])
    tiny_onnx.write(RIGHT.replace("Relu", "Nonsense"), folder / "unknown.onnx")
    return folder
