"""A header is read as the format says, and a file that does not agree with it is refused in one sentence."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from assay.converters.files import UnreadableError
from assay.converters.safetensors_file import LONGEST_JSON, PlacedTensor, placed_tensors

ENTRY = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def written(folder: Path, header: Any, data: bytes = bytes(24)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    file = folder / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return file


def test_each_tensor_is_where_its_bytes_are(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(5, dtype=np.int8),
        "c": np.ones(()),
    }
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "np"})
    content = (tmp_path / "model.safetensors").read_bytes()
    placed = placed_tensors(tmp_path / "model.safetensors")
    assert placed.keys() == arrays.keys()
    for name, tensor in placed.items():
        stored = np.frombuffer(content[tensor.offset : tensor.offset + tensor.length], tensor.dtype)
        assert (tensor.shape, tensor.is_aligned) == (arrays[name].shape, True)
        np.testing.assert_array_equal(stored.reshape(tensor.shape), arrays[name])


@pytest.mark.parametrize(
    ("header", "data", "sentence"),
    [
        ({"a": ENTRY}, bytes(23), "is truncated: it has .* bytes, but should have"),
        ({"a": ENTRY}, bytes(25), "holds more than its header says"),
        ({"a": ENTRY | {"dtype": "F8_E9"}}, bytes(24), "whose dtype is F8_E9, but should be one of BOOL"),
        ({"a": ENTRY | {"shape": [2, -3]}}, bytes(24), "whose shape is no list of sizes"),
        ({"a": ENTRY | {"shape": [True, 6]}}, bytes(24), "whose shape is no list of sizes"),
        ({"a": ENTRY | {"shape": [1] * 65}}, bytes(24), "whose shape is no list of sizes"),
        ({"a": ENTRY | {"data_offsets": [0]}}, bytes(24), "whose data_offsets are no two offsets"),
        ({"a": ENTRY | {"shape": [2, 4]}}, bytes(24), "holds 24 bytes for the tensor 'a', but should hold 32"),
        ({"a": ENTRY, "b": ENTRY}, bytes(24), "begins the tensor 'b' at byte"),
        ({"a": ENTRY | {"data_offsets": [4, 28]}}, bytes(28), "begins its tensors at byte"),
        ({"a": None}, b"", "whose dtype is None"),
        ([], b"", "holds a JSON list, but should hold an object"),
        (b'{"a": {}, "a": {}}', b"", "a name stands twice in one object"),
        (b"[" * 100_000, b"", "holds no JSON where it should"),
        (b"\xff\xfe", b"", "holds no JSON where it should"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: Any, data: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=sentence):
        placed_tensors(written(tmp_path, header, data))


@pytest.mark.parametrize("length", [1, 1 << 20, (1 << 64) - 1])
def test_a_header_longer_than_the_file_is_refused_before_it_is_read(length: int, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", length))
    with pytest.raises(UnreadableError, match=f"has 8 bytes, but should have {8 + length} for its header alone"):
        placed_tensors(tmp_path / "model.safetensors")


def test_a_header_of_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 1 << 30))
        file.truncate(1 << 31)
    with pytest.raises(UnreadableError, match=f"a header of {1 << 30} bytes, but should have at most {LONGEST_JSON}"):
        placed_tensors(tmp_path / "model.safetensors")


def test_a_tensor_at_an_odd_byte_is_not_aligned() -> None:
    assert not PlacedTensor(Path("x"), "a", "float32", (2,), 9, 8).is_aligned
    assert PlacedTensor(Path("x"), "a", "float32", (0,), 9, 0).is_aligned


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=80))
def test_no_bytes_crash_the_reader(data: bytes, tmp_path: Path) -> None:
    with suppress(UnreadableError):
        placed_tensors(written(tmp_path, data[:40], data[40:]))
