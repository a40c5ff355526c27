"""Data that models are calibrated and judged on: arrays by input name, and labels where somebody made them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from assay.converters.sources.import_string import call, is_import_string
from assay.specs.errors import AssayError, brief
from assay.specs.interface import Dim, Interface, TensorSpec


class DataError(AssayError):
    """Data that can't be loaded, or that is not what the model takes."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"data {self.source} {self.reason}"


@dataclass(frozen=True)
class Dataset:
    """Samples along the batch axis of each input; labels, if any, along their first axis."""

    name: str
    inputs: Mapping[str, np.ndarray]
    labels: np.ndarray | None
    size: int


def load_dataset(reference: str, interface: Interface, folders: Sequence[Path] = ()) -> Dataset:
    """Load from ``module:callable`` (gives ``{"inputs": {...}, "labels": ...}``) or an ``.npz`` (``labels`` apart)."""
    content = call(reference, folders) if is_import_string(reference) else _from_npz(reference, folders)
    if not isinstance(content, Mapping) or not isinstance(content.get("inputs"), Mapping):
        raise DataError(
            reference, "gives no mapping with the key 'inputs', but should give {'inputs': {...}, 'labels': ...}"
        )
    inputs = {spec.name: _array(reference, spec, content["inputs"]) for spec in interface.inputs}
    labels = _labels(reference, content.get("labels"))
    return Dataset(reference, inputs, labels, _size(reference, inputs, labels, interface))


def batch_axes(interface: Interface) -> dict[str, int]:
    """For each input, the index of the axis that samples lie along: the one named batch, else the first dynamic one."""
    return {spec.name: index for spec in interface.inputs if (index := batch_axis(spec)) is not None}


def batch_axis(spec: TensorSpec) -> int | None:
    """The index of one specification's sample axis."""
    dynamic = [(index, dim.name) for index, dim in enumerate(spec.dims or ()) if not isinstance(dim, int)]
    named = [index for index, name in dynamic if "batch" in name]
    return named[0] if named else dynamic[0][0] if dynamic else None


def take(interface: Interface, feeds: Mapping[str, np.ndarray], start: int, stop: int) -> dict[str, np.ndarray]:
    """The samples ``start`` to ``stop`` of each input; an input without a sample axis is taken whole."""
    axes = batch_axes(interface)
    return {
        name: array.take(range(start, min(stop, array.shape[axes[name]])), axes[name]) if name in axes else array
        for name, array in feeds.items()
    }


def _from_npz(reference: str, folders: Sequence[Path]) -> Mapping[str, Any]:
    path = next((folder / reference for folder in folders if (folder / reference).is_file()), Path(reference))
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(reference, "is a single array, but should be an .npz with one array an input")
            with archive:
                arrays = dict(archive)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(reference, f"can't be loaded as .npz: {brief(error)}") from error
    return {"labels": arrays.pop("labels", None), "inputs": arrays}


def _array(reference: str, spec: TensorSpec, inputs: Mapping[str, Any]) -> np.ndarray:
    if spec.name not in inputs:
        raise DataError(reference, f"has no input {spec.name}, but has {', '.join(inputs)}")
    array = _asarray(reference, spec.name, inputs[spec.name])
    if spec.dtype != "string" and array.dtype.name != spec.dtype:
        raise DataError(reference, f"gives {spec.name} as {array.dtype.name}, but should give {spec.dtype}")
    if spec.dims is not None and not _fits(array.shape, spec.dims, batch_axis(spec)):
        raise DataError(reference, f"gives {spec.name} with shape {list(array.shape)}, but should give {spec}")
    return array


def _labels(reference: str, values: Any) -> np.ndarray | None:
    labels = None if values is None else _asarray(reference, "labels", values)
    if labels is not None and labels.ndim == 0:
        raise DataError(reference, "gives a single label, but should give one of each sample")
    return labels


def _asarray(reference: str, name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(reference, f"gives {name} that is no array: {brief(error)}") from error


def _fits(shape: tuple[int, ...], dims: tuple[Dim, ...], samples: int | None) -> bool:
    """Whether an array of this shape can be fed; along the sample axis it is cut to size."""
    return len(shape) == len(dims) and all(
        index == samples or (size == dim if isinstance(dim, int) else dim.allows(size))
        for index, (size, dim) in enumerate(zip(shape, dims, strict=True))
    )


def _size(reference: str, inputs: Mapping[str, np.ndarray], labels: np.ndarray | None, interface: Interface) -> int:
    sizes = {name: inputs[name].shape[axis] for name, axis in batch_axes(interface).items()}
    if labels is not None:
        sizes["labels"] = len(labels)
    if len(set(sizes.values())) != 1 or 0 in sizes.values():
        listed = ", ".join(f"{size} of {name}" for name, size in sizes.items())
        raise DataError(
            reference, f"gives {listed or 'no samples'}, but should give the same number, at least one, of each"
        )
    return int(next(iter(sizes.values())))
