"""A bundle: one folder with ``model.onnx``, its external data, ``interface.json``, later ``certificate.json``."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from assay.converters.files import UnreadableError, UnwritableError, copy_file, new_folder
from assay.converters.inline_writer import write_inline
from assay.converters.interface_json import FILE_NAME, interface_text, read_interface
from assay.converters.safetensors_file import SUFFIX
from assay.converters.stored_weights import read_with_stored_weights
from assay.specs.interface import Interface

MODEL, CERTIFICATE, EXTERNAL_DATA = "model.onnx", "certificate.json", "model.onnx.data"
FILES = frozenset({MODEL, EXTERNAL_DATA, FILE_NAME, CERTIFICATE})
_INLINE_LIMIT = 1 << 30  # protobuf ends at 2 GiB; above half of it weights go to a file of their own


@dataclass(frozen=True)
class Bundle:
    """An opened bundle: its folder and its interface."""

    path: Path
    interface: Interface

    @property
    def model(self) -> Path:
        """The path of ``model.onnx``."""
        return self.path / MODEL

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that a certificate binds, sorted by name: all but the certificate itself."""
        found = (path for path in self.path.rglob("*") if path.is_file() and path != self.path / CERTIFICATE)
        return tuple(sorted(found, key=lambda path: path.relative_to(self.path).as_posix()))


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Open the bundle in this folder; raises `UnreadableError` where it is none."""
    folder = Path(path)
    if not (folder / MODEL).is_file():
        raise UnreadableError(folder, f"is no bundle: it holds no {MODEL}")
    interface = read_interface(folder / MODEL)
    if interface is None:
        raise UnreadableError(folder, f"is no bundle: it holds no {FILE_NAME}")
    return Bundle(folder, interface)


def write_bundle(
    model: ir.Model, interface: Interface, output: str | os.PathLike[str], shards: Sequence[Path] = ()
) -> Bundle:
    """Write the bundle whole or not at all; the same model gives the same bytes.

    Those ``shards`` that weights of the model lie in are copied into the bundle.
    """
    target = Path(output)
    require_replaceable(target)
    used = external_files(model)
    kept = [shard for shard in shards if shard.name in used]
    with new_folder(target) as folder:
        save_model(model, folder / MODEL, kept=[shard.name for shard in kept])
        for shard in kept:
            copy_file(shard, folder / shard.name)
        (folder / FILE_NAME).write_text(interface_text(interface), encoding="utf-8")
    return Bundle(target, interface)


def external_files(model: ir.Model) -> frozenset[str]:
    """The names of the files of external data that the model's weights lie in."""
    tensors = (value.const_value for value in model.graph.initializers.values())
    return frozenset(str(tensor.location) for tensor in tensors if isinstance(tensor, ir.ExternalTensor))


def save_model(model: ir.Model, path: Path, external: str | None = None, kept: Collection[str] = ()) -> None:
    """Save with the weights inside, or in the file named ``external`` beside it; there too if they are too many.

    Weights that lie in the external files named ``kept`` stay there.
    """
    if kept:
        _save_around(model, path, kept)
        return
    size = sum(v.const_value.nbytes for v in model.graph.initializers.values() if v.const_value is not None)
    beside = external or (EXTERNAL_DATA if size > _INLINE_LIMIT else None)
    if beside is not None:
        ir.save(model, path, external_data=beside)
        return
    ir.external_data.load_to_model(model)  # else those that lie beside the source would be left there
    write_inline(model, path)


def _save_around(model: ir.Model, path: Path, kept: Collection[str]) -> None:
    """Save the weights that do not lie in the kept files: inside, or in a file of their own."""
    values = [value for value in model.graph.initializers.values() if not _lies_in(value.const_value, kept)]
    tensors = [value.const_value for value in values if value.const_value is not None]
    if sum(tensor.nbytes for tensor in tensors) > _INLINE_LIMIT:
        placed: Sequence[ir.TensorProtocol] = ir.external_data.convert_tensors_to_external(
            tensors, path.parent, EXTERNAL_DATA
        )
        for value, tensor in zip(values, placed, strict=True):
            value.const_value = tensor
    path.write_bytes(ir.to_proto(model).SerializeToString(deterministic=True))


def _lies_in(tensor: ir.TensorProtocol | None, files: Collection[str]) -> bool:
    return isinstance(tensor, ir.ExternalTensor) and str(tensor.location) in files


def require_replaceable(target: Path) -> None:
    """Raise `UnwritableError` where something lies at the path that is neither a bundle alone nor an empty folder."""
    if not target.exists():
        return
    if not target.is_dir() or (any(target.iterdir()) and not (target / MODEL).is_file()):
        raise UnwritableError(target, "it exists and is no bundle; it is not overwritten")
    foreign = sorted(entry.name for entry in target.iterdir() if entry.name not in FILES)
    if any(name.endswith(SUFFIX) for name in foreign):
        shards = external_files(read_with_stored_weights(target / MODEL)[1])
        foreign = [name for name in foreign if not (name in shards and name.endswith(SUFFIX))]
    if foreign:
        raise UnwritableError(target, f"it holds {foreign[0]}, which is no part of a bundle; it is not overwritten")
