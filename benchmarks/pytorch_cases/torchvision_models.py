"""torchvision's models: one small one of each family that classifies, and all that segment, detect or see motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch

from pytorch_cases.case import Case
from pytorch_cases.model_case import ModelCase, named, unit_gain

_CLASSIFICATION = {
    "alexnet": 96,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "googlenet": 64,
    "inception_v3": 96,
    "maxvit_t": 224,
    "mnasnet0_5": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "resnet18": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_1": 64,
    "swin_t": 224,
    "swin_v2_t": 256,
    "vgg11_bn": 64,
    "vit_b_32": 224,
    "wide_resnet50_2": 64,
}
_SEGMENTATION = ("deeplabv3_mobilenet_v3_large", "deeplabv3_resnet50", "fcn_resnet50", "lraspp_mobilenet_v3_large")
_FEW = {"rpn_post_nms_top_n_test": 200, "box_detections_per_img": 20}  # what a head has to look at
_DETECTION: dict[str, dict[str, int]] = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": {"min_size": 96, "max_size": 160, **_FEW},
    "fasterrcnn_mobilenet_v3_large_fpn": {"min_size": 96, "max_size": 160, **_FEW},
    "fasterrcnn_resnet50_fpn": {"min_size": 96, "max_size": 160, **_FEW},
    "fasterrcnn_resnet50_fpn_v2": {"min_size": 96, "max_size": 160, **_FEW},
    "fcos_resnet50_fpn": {"min_size": 96, "max_size": 160},
    "keypointrcnn_resnet50_fpn": {"min_size": 96, "max_size": 160, **_FEW},
    "maskrcnn_resnet50_fpn": {"min_size": 96, "max_size": 160, **_FEW},
    "maskrcnn_resnet50_fpn_v2": {"min_size": 96, "max_size": 160, **_FEW},
    "retinanet_resnet50_fpn": {"min_size": 96, "max_size": 160},
    "retinanet_resnet50_fpn_v2": {"min_size": 96, "max_size": 160},
    "ssd300_vgg16": {},
    "ssdlite320_mobilenet_v3_large": {},
}
_VIDEO = {
    "mc3_18": (8, 48),
    "mvit_v1_b": (16, 224),
    "mvit_v2_s": (16, 224),
    "r2plus1d_18": (8, 48),
    "r3d_18": (8, 48),
    "s3d": (16, 64),
    "swin3d_t": (4, 64),
}
_FLOW = ("raft_small", "raft_large")

_SIZES = ({"batch": 1, "height": 96, "width": 64}, {"batch": 3, "height": 75, "width": 130})


def _cases() -> Iterator[ModelCase]:
    """Classification, segmentation, detection, video, flow."""
    for name, size in _CLASSIFICATION.items():
        yield _case(name, {"x": f"float32[batch,3,{size},{size}]"})
    for name in _SEGMENTATION:
        parameter = "input" if name.startswith("lraspp") else "x"
        yield _case(name, {parameter: "float32[batch,3,height>=32=65,width>=32=97]"}, weights_backbone=None)
    for name, options in _DETECTION.items():
        yield _case(name, {"images.0": "float32[3,96,128] in 0..1"}, weights_backbone=None, num_classes=5, **options)
    for name, (frames, size) in _VIDEO.items():
        yield _case(name, {"x": f"float32[batch,3,{frames},{size},{size}]"})
    for name in _FLOW:
        images = dict.fromkeys(("image1", "image2"), "float32[batch,3,128,136] in -1..1")
        yield _case(name, images)


def _case(name: str, inputs: Mapping[str, str], **options: Any) -> ModelCase:
    return ModelCase(name, partial(_build, name, options), partial(dict, inputs), _SIZES)


def _build(name: str, options: dict[str, Any]) -> torch.nn.Module:
    from torchvision.models import get_model

    torch.manual_seed(0)
    return unit_gain(get_model(name, weights=None, **options))


def names(_samples: int | None) -> list[str]:
    """The names of the cases."""
    return [case.name for case in _cases()]


def case(name: str) -> Case:
    """The case of this name."""
    return named(list(_cases()), name)
