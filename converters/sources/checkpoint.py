"""A checkpoint folder of transformers: ``config.json`` and weights as safetensors, in one file or in shards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from assay.converters.examples import numpy_dtype
from assay.converters.safetensors_file import PlacedTensor
from assay.converters.sources.base import Feeds, Outputs, Request
from assay.converters.sources.checkpoint_files import CheckpointFiles, read_checkpoint
from assay.converters.sources.checkpoint_model import MappedModel, mapped_model
from assay.converters.sources.pytorch_module import ModuleSource
from assay.converters.sources.torch_runner import flatten, inference, to_tensor
from assay.specs.interface import Axis, TensorSpec

_SHARE_FOR_A_COPY = 4  # of the machine's memory, one part


class CheckpointSource(ModuleSource):
    """A module whose weights stay in the shards: mapped when it runs, and not read at all when it is traced."""

    kind = "checkpoint"

    def __init__(self, files: CheckpointFiles, model: MappedModel, request: Request) -> None:
        super().__init__(model.module, replace(request, hints={**_own_inputs(model.module), **request.hints}))
        self.files = files
        self._places = model.places

    @property
    def shards(self) -> tuple[Path, ...]:
        """The files that hold the weights."""
        return self.files.shards

    def place_of(self, tensor: torch.Tensor) -> PlacedTensor | None:
        """Where the elements of a weight lie in a shard; None where they do not, as they are here."""
        place = self._places.get(tensor.data_ptr()) if _has_memory(tensor) else None
        if place is None or tensor.dtype != getattr(torch, place.dtype) or tuple(tensor.shape) != place.shape:
            return None
        return place if tensor.is_contiguous() else None

    def place_at(self, address: int) -> PlacedTensor | None:
        """The tensor that begins at this address of the mapped shards."""
        return self._places.get(address)

    def outline(self, feeds: Feeds) -> Outputs:
        """Shapes and dtypes of the outputs alone; no weight is read."""
        with FakeTensorMode(allow_non_fake_inputs=True) as mode, inference(self.module):
            args, kwargs = self.arguments([mode.from_tensor(to_tensor(feeds[spec.name])) for spec in self.inputs])
            named = self.name_outputs(list(flatten(self.module(*args, **kwargs))))
        return {name: _empty(value) for name, value in named.items()}

    def copy_module(self) -> Any:
        """A copy with weights in memory; raises RuntimeError where they would take more than a quarter of it."""
        size, limit = sum(shard.stat().st_size for shard in self.shards), _memory() // _SHARE_FOR_A_COPY
        if size > limit:
            raise RuntimeError(f"a copy of {size} bytes of weights takes more than {limit} bytes of memory")
        return super().copy_module()

    def sha256(self) -> str:
        return self.files.sha256()

    def _double_copy(self) -> Any:
        """The module itself: each weight is cast when it is used, and none is held in float64."""
        return self.module


def open_folder(path: Path, request: Request) -> CheckpointSource:
    """Open a checkpoint; its own code runs with ``--trust-source`` alone."""
    files = read_checkpoint(path)
    return CheckpointSource(files, mapped_model(files, request.name, request.trusted), request)


def _own_inputs(module: Any) -> Mapping[str, TensorSpec]:
    """What a language model takes where nobody says it: tokens, and which of them are no padding."""
    vocabulary = getattr(module.config.get_text_config(), "vocab_size", None)
    if getattr(module, "main_input_name", None) != "input_ids" or not vocabulary:
        return {}
    dims = (Axis("batch"), Axis("sequence"))
    tokens = TensorSpec("input_ids", "int64", dims, (0, vocabulary - 1), "input_ids")
    return {
        "input_ids": tokens,
        "attention_mask": TensorSpec("attention_mask", "int64", dims, (0, 1), "attention_mask"),
    }


def _has_memory(tensor: torch.Tensor) -> bool:
    return tensor.device.type == "cpu" and type(tensor) in (torch.Tensor, torch.nn.Parameter)


def _empty(value: torch.Tensor) -> np.ndarray:
    dtype = numpy_dtype(str(value.dtype).removeprefix("torch."))
    return np.broadcast_to(np.zeros((), dtype), tuple(map(int, value.shape)))


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
