"""torchvision's detectors: one image to the boxes, labels and scores that the model gives for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from assay import AssayError, Verdict, check, convert

detection = pytest.importorskip("torchvision.models.detection")  # no wheel of it is for the torch of this project


def test_a_detector_is_converted_for_one_image(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5).eval()
    for head in model.head.modules():
        if isinstance(head, torch.nn.Conv2d):
            torch.nn.init.normal_(head.weight, std=0.1)
    bundle = convert(model, tmp_path / "bundle", inputs={"images.0": "float32[3,96,128] in 0..1"})
    assert {spec.name for spec in bundle.interface.outputs} == {"boxes", "scores", "labels"}
    assert bundle.interface.outputs[0].dims is not None
    assert check(bundle, model, level="quick").verdict is Verdict.PASS


def test_a_detector_for_images_of_any_size_is_refused(tmp_path: Path) -> None:
    model = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5).eval()
    with pytest.raises(AssayError, match=r"axes height, width are dynamic, but .* should have images of fixed size"):
        convert(model, tmp_path / "bundle", inputs={"images.0": "float32[3,height=96,width=128] in 0..1"})
