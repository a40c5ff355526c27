"""Detectors of torchvision: a list of images to a list of dictionaries with boxes, labels and scores."""

from __future__ import annotations

from assay.converters.pytorch.adapters.adapter import Adapter
from assay.converters.sources.base import Source


def refusal(source: Source) -> str | None:
    """Why images of any size can't be taken: measured, a trace at one size gives other labels at another."""
    axes = sorted({axis.name for spec in source.inputs for axis in spec.axes})
    if not axes:
        return None
    return (
        f"axes {', '.join(axes)} are dynamic, but a detector of torchvision should have images of fixed size, for its "
        "resizing is traced at one; give a size, such as images.0=float32[3,480,640]"
    )


ADAPTER = Adapter("torchvision-detection", exporter="torch.onnx.torchscript", refusal=refusal)
