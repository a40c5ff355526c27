"""The files of a checkpoint: ``config.json`` and ``model.safetensors``, or shards with their index."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.converters.files import UnreadableError, sha256
from assay.converters.safetensors_file import LONGEST_JSON, SUFFIX, PlacedTensor, parse_object, placed_tensors
from assay.converters.sources.base import SourceError

CONFIG, WEIGHTS = "config.json", "model.safetensors"
INDEX = f"{WEIGHTS}.index.json"


@dataclass(frozen=True)
class CheckpointFiles:
    """A folder's shards in the order of their names, and every tensor in them by its name."""

    folder: Path
    config: Mapping[str, Any]
    shards: tuple[Path, ...]
    tensors: Mapping[str, PlacedTensor]

    def sha256(self) -> str:
        """A digest of the configuration and of every shard; each is read once, and not held."""
        lines = (f"{file.name} {sha256(file)}\n" for file in (self.folder / CONFIG, *self.shards))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def main_dtype(self) -> str | None:
        """The floating dtype that most bytes have; None where there are none."""
        sizes: Counter[str] = Counter()
        for tensor in self.tensors.values():
            if "float" in tensor.dtype:
                sizes[tensor.dtype] += tensor.length
        return sizes.most_common(1)[0][0] if sizes else None


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder holds a configuration and weights as safetensors."""
    return (folder / CONFIG).is_file() and any((folder / name).is_file() for name in (WEIGHTS, INDEX))


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Read the configuration, the index and the headers of the shards; raises `AssayError` where they disagree."""
    config = _read_object(folder / CONFIG)
    places = _index(folder)
    shards = tuple(folder / name for name in sorted(set(places.values()))) if places else (folder / WEIGHTS,)
    tensors: dict[str, PlacedTensor] = {}
    for shard in shards:
        if not shard.is_file():
            raise SourceError(str(folder), f"lacks the shard {shard.name}, which its {INDEX} names")
        found = placed_tensors(shard)
        if twice := sorted(tensors.keys() & found.keys()):
            raise SourceError(
                str(folder), f"holds the tensor {twice[0]} in {tensors[twice[0]].file.name} and {shard.name}"
            )
        tensors |= found
    _require_indexed(folder, places, tensors)
    return CheckpointFiles(folder, config, shards, tensors)


def _index(folder: Path) -> dict[str, str]:
    """The shard of each tensor; empty where one file holds all."""
    if (folder / WEIGHTS).is_file():
        return {}
    places = _read_object(folder / INDEX).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise UnreadableError(folder / INDEX, "has no weight_map that gives the shard of each tensor")
    for name in places.values():
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(SUFFIX) or "\\" in name:
            due = f"but should be a {SUFFIX} file in the same folder"
            raise UnreadableError(folder / INDEX, f"names the shard {str(name)[:200]!r}, {due}")
    return places


def _require_indexed(folder: Path, places: Mapping[str, str], tensors: Mapping[str, PlacedTensor]) -> None:
    for name, shard in places.items():
        if name not in tensors or tensors[name].file.name != shard:
            got = f"{tensors[name].file.name} does" if name in tensors else "no shard does"
            raise SourceError(str(folder), f"should hold the tensor {name} in {shard} as its {INDEX} says, but {got}")


def _read_object(file: Path) -> dict[str, Any]:
    try:
        size = file.stat().st_size
        if size > LONGEST_JSON:
            raise UnreadableError(file, f"has {size} bytes, but should have at most {LONGEST_JSON}")
        return parse_object(file.read_bytes(), file)
    except OSError as error:
        raise UnreadableError(file, f"can't be read: {error.strerror}") from error
