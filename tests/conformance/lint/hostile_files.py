"""Files that are no models, and interfaces that are none."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

from hostile_builders import DENSE, RELU, Build, content
from lint_models import write_model


def _archive() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("model.onnx", b"\0" * 1_000_000)
    return target.getvalue()


def _truncated(share: float) -> Build:
    def build(folder: Path) -> Path:
        path = write_model(folder, DENSE, weights={"w": [[1.0] * 20] * 20})
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        return path

    return build


def made_by(make: Callable[[Path], object]) -> Build:
    """Whatever this puts at the place of the model."""

    def build(folder: Path) -> Path:
        make(folder / "model.onnx")
        return folder / "model.onnx"

    return build


def _socket(path: Path) -> None:
    where = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(where)


def unreadable(folder: Path) -> Path:
    path = write_model(folder, RELU)
    path.chmod(0)
    return path


FILES: dict[str, Build] = {
    "a zip": content(_archive()),
    "a pickle": content(pickle.dumps({"a": [1] * 99})),
    "a text": content(b"not a model\n" * 99),
    "a picture": content(b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    "a gzip": content(gzip.compress(bytes(9999))),
    "a program": content(b"\x7fELF\x02\x01\x01" + bytes(999)),
    "a script": content(b"#!/bin/sh\nrm -rf /\n"),
    "JSON": content(b'{"irVersion": 8, "graph": {}}'),
    "zeros": content(bytes(1_000_000)),
    "2^63 fields in a varint": content(b"\x08" + b"\xff" * 10_000),
    "a length of 2^63": content(b"\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    "groups without end": content(b"\x0b" * 100_000),
    "a pipe": made_by(os.mkfifo),
    "a socket": made_by(_socket),
    "a folder": made_by(Path.mkdir),
    "a link to itself": made_by(lambda path: path.symlink_to(path.name)),
    "a link to zeros": made_by(lambda path: path.symlink_to("/dev/zero")),
    "a link to nothing": made_by(lambda path: path.symlink_to("nothing")),
    "a name of 5000 characters": lambda folder: folder / ("x" * 5000 + ".onnx"),
    "a file that may not be read": unreadable,
    **{f"{share:.0%} of a file": _truncated(share) for share in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)},
}


def interface(data: bytes | Callable[[Path], object]) -> Build:
    def build(folder: Path) -> Path:
        path = folder / "interface.json"
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            data(path)
        write_model(folder, RELU)
        return folder

    return build


def _document(**fields: object) -> Build:
    whole: dict[str, object] = {"schema": "assay.interface/v1", "task": "generic", "inputs": [], "outputs": []}
    return interface(json.dumps(whole | fields).encode())


def _spec(**fields: object) -> Build:
    return _document(inputs=[{"name": "x", "dtype": "float32", "dims": [{"axis": "batch"}, 3]} | fields])


INTERFACES: dict[str, Build] = {
    "interface of 100,000 levels": interface(b"[" * 100_000 + b"]" * 100_000),
    "interface of 100 MB": interface(b"[" + b"[]," * 33_000_000 + b"[]]"),
    "interface of huge numbers": _spec(dims=[10**400, -(10**400)]),
    "interface of a number of 5000 digits": interface(b'{"inputs": ' + b"9" * 5000 + b"}"),
    "interface of infinity": interface(b'{"inputs": Infinity, "outputs": NaN}'),
    "interface of wrong types": _document(inputs=3, outputs={"a": 1}, metadata=[1]),
    "interface whose task is a list": _document(task=["generic"]),
    "interface whose task is a path": _document(task="../../../etc/passwd"),
    "interface whose name is a map": _spec(name={"x": 1}),
    "interface whose role is a list": _spec(role=[1]),
    "interface whose dims are text": _spec(dims="many"),
    "interface whose axis is a map": _spec(dims=[{"axis": {}}]),
    "interface whose bounds are text": _spec(dims=[{"axis": "a", "minimum": "low", "maximum": "high"}]),
    "interface whose range is a number": _spec(range=3),
    "interface that is no UTF-8": interface(b"\xff\xfe{}"),
    "interface with a null byte": _spec(name="a\0b\x1b[2J"),
    "interface by a link out": interface(lambda path: path.symlink_to("/etc/passwd")),
    "interface by a link to zeros": interface(lambda path: path.symlink_to("/dev/zero")),
    "interface by a link to itself": interface(lambda path: path.symlink_to(path.name)),
    "interface in a pipe": interface(os.mkfifo),
    "interface that is a folder": interface(Path.mkdir),
}
