"""Which adapter a model has, by the classes that it is built of."""

from __future__ import annotations

from importlib import import_module

import torch

from assay.converters.exporter import ConvertError, Exporter, find_exporter
from assay.converters.pytorch.adapters.adapter import PLAIN, Adapter
from assay.converters.sources.base import Source

_TORCHVISION = "torchvision.models.detection"

# a class, and the module of this package that adapts it; the first that a model is built of decides
_KINDS = {
    f"{_TORCHVISION}.generalized_rcnn.GeneralizedRCNN": "torchvision_detection",
    f"{_TORCHVISION}.retinanet.RetinaNet": "torchvision_detection",
    f"{_TORCHVISION}.ssd.SSD": "torchvision_detection",
    f"{_TORCHVISION}.fcos.FCOS": "torchvision_detection",
    "transformers.modeling_utils.PreTrainedModel": "transformers_models",
}


def find_adapter(module: torch.nn.Module) -> Adapter:
    """The adapter of the kind that a model, or a part of it, belongs to; one that changes nothing where it has none."""
    classes = {f"{cls.__module__}.{cls.__qualname__}" for part in module.modules() for cls in type(part).__mro__}
    for name, place in _KINDS.items():
        if name in classes:
            adapter: Adapter = import_module(f"{__package__}.{place}").ADAPTER
            return adapter
    return PLAIN


def adapted_export(source: Source) -> Exporter | None:
    """The exporter that is right for the kind of a model, None where it is the native one.

    Raises `ConvertError` where no graph would be right.
    """
    adapter: Adapter = getattr(source, "adapter", PLAIN)
    refused = adapter.refusal(source)
    if refused is not None:
        raise ConvertError(source.name, refused)
    return None if adapter.exporter is None else find_exporter(source, adapter.exporter)
