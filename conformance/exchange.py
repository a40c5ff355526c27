"""Arrays cross between processes as mapped files, not as pickled copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Mapped:
    """An array in a ``.npy`` file; ``dtype`` names it where the file format can't (bfloat16)."""

    path: Path
    dtype: str

    def read(self) -> np.ndarray:
        """The array, mapped read-only where it is not empty."""
        mode: Literal["r"] | None = "r" if self.path.stat().st_size > 128 else None
        array: np.ndarray = np.load(self.path, mmap_mode=mode, allow_pickle=False)
        return array.view(_extension_dtype(self.dtype)) if array.dtype.kind == "V" else array


def write_arrays(arrays: Mapping[str, np.ndarray], folder: Path) -> dict[str, Mapped]:
    """Write each array to a file of its own in the folder, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _write(array, folder / f"{index}.npy") for index, (name, array) in enumerate(arrays.items())}


def read_arrays(arrays: Mapping[str, Mapped]) -> dict[str, np.ndarray]:
    """Read each array by name."""
    return {name: mapped.read() for name, mapped in arrays.items()}


def _write(array: np.ndarray, path: Path) -> Mapped:
    array = np.asarray(array)
    if array.dtype == object:  # ONNX Runtime gives strings as objects
        array = array.astype(np.str_)
    np.save(path, array, allow_pickle=False)
    return Mapped(path, array.dtype.name)


def _extension_dtype(name: str) -> np.dtype:
    import ml_dtypes

    dtype: np.dtype = np.dtype(getattr(ml_dtypes, name))
    return dtype
