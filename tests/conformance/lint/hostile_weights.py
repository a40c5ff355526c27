"""Weights that lie where they should not, or are not what they say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import onnx
from hostile_builders import BYTES, DENSE, Build, changed
from lint_models import write_model
from onnx import AttributeProto, TensorProto


def external(prepare: Callable[[Path], object] | None = None, **entries: str) -> Build:
    """A weight that lies where the entries say, after the folder was prepared."""

    def build(folder: Path) -> Path:
        (folder / "data.bin").write_bytes(b"\1" * BYTES)
        if prepare is not None:
            prepare(folder)
        return write_model(folder, DENSE, edit=lambda model: model.graph.initializer.append(_external("w", entries)))

    return build


def _external(name: str, entries: dict[str, str]) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[20, 20], data_location=TensorProto.EXTERNAL)
    for key, value in ({"location": "data.bin"} | entries).items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def overlapping(folder: Path) -> Path:
    (folder / "data.bin").write_bytes(b"\1" * 2 * BYTES)
    places = [_external("w", {"offset": "0"}), _external("v", {"offset": "800"})]
    return write_model(folder, DENSE, edit=lambda model: model.graph.initializer.extend(places))


def link(name: str, target: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).symlink_to(target)


def fifo(name: str) -> Callable[[Path], object]:
    return lambda folder: os.mkfifo(folder / name)


EXTERNAL: dict[str, Build] = {
    "data in the folder above": external(location="../secret.bin"),
    "data above, by a detour": external(location="sub/../../secret.bin"),
    "data at an absolute path": external(location="/etc/passwd"),
    "data on a Windows drive": external(location="C:\\secret.bin"),
    "data by a link to a file": external(link("l.bin", "/etc/passwd"), location="l.bin"),
    "data by a link to a folder": external(link("etc", "/etc"), location="etc/passwd"),
    "data by a link to itself": external(link("l.bin", "l.bin"), location="l.bin"),
    "data by a link to zeros": external(link("l.bin", "/dev/zero"), location="l.bin"),
    "data by a link to noise": external(link("l.bin", "/dev/urandom"), location="l.bin"),
    "data by a link to the process": external(link("l.bin", "/proc/self/mem"), location="l.bin"),
    "data on a device": external(location="/dev/zero"),
    "data in a pipe": external(fifo("pipe"), location="pipe"),
    "data in the folder itself": external(location="."),
    "data nowhere": external(location=""),
    "data under a long name": external(location="x" * 100_000),
    "data under a name with a zero": external(location="a\0b"),
    "data past the end": external(offset="1"),
    "data far past the end": external(offset=str(1 << 60)),
    "data at a negative offset": external(offset="-4"),
    "data at no number": external(offset="many"),
    "data at 2^63": external(offset=str(1 << 63)),
    "data at a number of 5000 digits": external(offset="9" * 5000),
    "data of a negative length": external(length="-1600"),
    "data of a length of 2^63": external(length=str(1 << 63)),
    "data that overlap": overlapping,
    "data with the checksum of a device": external(link("l.bin", "/dev/zero"), location="l.bin", checksum="0"),
}


def tensor(**fields: object) -> Build:
    made = TensorProto(**({"name": "w", "data_type": 1, "dims": [20, 20]} | fields))  # type: ignore[arg-type]
    return changed(lambda model: model.graph.initializer.append(made), DENSE)


def constant(**fields: object) -> Build:
    def edit(model: onnx.ModelProto) -> None:
        node = model.graph.node.add(op_type="Constant", output=["c"])
        made = TensorProto(**({"data_type": 1, "dims": [20, 20]} | fields))  # type: ignore[arg-type]
        node.attribute.add(name="value", type=AttributeProto.TENSOR, t=made)

    return changed(edit)


def million_axes(folder: Path) -> Path:
    return tensor(dims=[(1 << 62) + 1] * 200_000)(folder)


def input_of_axes(model: onnx.ModelProto) -> None:
    dims = model.graph.input[0].type.tensor_type.shape
    for _ in range(50_000):
        dims.dim.add(dim_value=(1 << 62) + 1)


TENSORS: dict[str, Build] = {
    "2^60 elements": tensor(dims=[1 << 60]),
    "2^60 elements in an attribute": constant(dims=[1 << 60]),
    "dims whose product overflows": tensor(dims=[1 << 40, 1 << 40, 1 << 40]),
    "dims whose product overflows to 400": tensor(dims=[1 << 32, 1 << 32, 400], raw_data=b"\1" * BYTES),
    "2^60 elements and none": tensor(dims=[1 << 60, 0]),
    "negative dims": tensor(dims=[-20, 20], raw_data=b"\1" * BYTES),
    "two negative dims": tensor(dims=[-20, -20], raw_data=b"\1" * BYTES),
    "200,000 axes": million_axes,
    "an input of 50,000 axes": changed(input_of_axes),
    "raw data too short": tensor(raw_data=b"\1"),
    "raw data too long": tensor(raw_data=b"\1" * 9999),
    "raw data and a list": tensor(raw_data=b"\1" * BYTES, float_data=[1.0]),
    "a list too short": tensor(float_data=[1.0]),
    "a list of another dtype": tensor(int32_data=[1] * 400),
    "int4 of odd length": tensor(data_type=22, dims=[3], raw_data=b"\1"),
    "strings as raw data": tensor(data_type=8, dims=[1], raw_data=b"\xff"),
    "strings that are no UTF-8": tensor(data_type=8, dims=[1], string_data=[b"\xff\xfe"]),
    "dtype 9999": tensor(data_type=9999),
    "dtype undefined": tensor(data_type=0),
    "dtype negative": tensor(data_type=-1),
    "a segment": tensor(segment=TensorProto.Segment(begin=-1, end=1 << 62)),
}
