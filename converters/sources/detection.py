"""What a file is follows from its bytes: the kind of source that lies at a path."""

from __future__ import annotations

import zipfile
from pathlib import Path

from assay.converters.sources.base import SourceError
from assay.converters.sources.checkpoint_files import is_checkpoint

_HDF5 = b"\x89HDF\r\n\x1a\n"


def with_signature(text: str) -> tuple[str, str | None]:
    """A path, and the signature that is asked for as in ``saved_model#encode``; a path that exists is taken whole."""
    path, separator, name = text.rpartition("#")
    return (path, name) if separator and path and name and not Path(text).exists() else (text, None)


def kind_of(path: Path) -> str:
    """One of ``saved-model bundle checkpoint exported-program torchscript torch-pickle keras h5 onnx graph-def``."""
    if not path.exists():
        raise SourceError(str(path), "does not exist")
    return _kind_of_folder(path) if path.is_dir() else _kind_of_file(path)


def _kind_of_folder(path: Path) -> str:
    if (path / "saved_model.pb").is_file():
        return "saved-model"
    if (path / "model.onnx").is_file():
        return "bundle"
    if is_checkpoint(path):
        return "checkpoint"
    raise SourceError(
        str(path),
        "is a folder that holds neither a saved_model.pb, nor a model.onnx, nor a config.json with model.safetensors",
    )


def _kind_of_file(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise SourceError(str(path), "is empty, but should be a model")
    if head.startswith(_HDF5):
        return "h5"
    if zipfile.is_zipfile(path):
        return _kind_of_zip(path)
    if head[0] == 0x80 and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):  # the protocol
        return "torch-pickle"
    if _begins_with_a_node(head):
        return "graph-def"
    if head[0] == 0x08 or path.suffix == ".onnx":  # field 1 of an ONNX ModelProto is the varint ir_version
        return "onnx"
    raise SourceError(str(path), "is no source: its bytes are those of no model format that can be read here")


def _begins_with_a_node(head: bytes) -> bool:
    """Field 1 of a GraphDef is a message, a node, whose own field 1 is its name."""
    length = next((index for index, byte in enumerate(head[1:], 1) if byte < 0x80), len(head))
    return head[0] == 0x0A and head[length + 1 : length + 2] == b"\x0a"


def _kind_of_zip(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = {name.split("/", 1)[-1] for name in archive.namelist()} | set(archive.namelist())
    if "archive_format" in names or "serialized_exported_program.json" in names:
        return "exported-program"
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if "config.json" in names and "model.weights.h5" in names:
        return "keras"
    if "data.pkl" in names:
        return "torch-pickle"
    raise SourceError(str(path), "is a zip archive, but of no model format that can be read here")
