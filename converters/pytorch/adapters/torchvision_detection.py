"""Detectors of torchvision: a list of images to a list of dictionaries with boxes, labels and scores."""

from __future__ import annotations

from assay.converters.pytorch.adapters.adapter import Adapter

ADAPTER = Adapter("torchvision-detection", exporter="torch.onnx.torchscript")
