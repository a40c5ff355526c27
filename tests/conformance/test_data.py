"""Data are what the model takes, or one sentence says what is wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.conformance.data import DataError, batch_axes, load_dataset, take
from assay.specs.interface import Interface, parse_specs

INTERFACE = Interface(parse_specs({"x": "float32[batch,6]", "scale": "float32[]"}))
X, SCALE = np.zeros((5, 6), np.float32), np.float32(2)
MODULE = """
import numpy as np
X = np.zeros((5, 6), np.float32)
def good(): return {"inputs": {"x": X, "scale": np.float32(2)}, "labels": list(range(5))}
def bare(): return {"x": X}
def nothing(): return None
def raises(): raise RuntimeError("the disk is gone")
def ragged(): return {"inputs": {"x": [[1.0], [2.0, 3.0]], "scale": 1}}
def ragged_labels(): return {"inputs": {"x": X, "scale": np.float32(2)}, "labels": [[1], [2, 3]]}
def one_label(): return {"inputs": {"x": X, "scale": np.float32(2)}, "labels": 3}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "some_data.py").write_text(MODULE)
    sys.modules.pop("some_data", None)
    return tmp_path


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "d.npz", **arrays)
    return folder


def test_a_callable_gives_inputs_and_labels(folder: Path) -> None:
    data = load_dataset("some_data:good", INTERFACE, [folder])
    assert (data.name, data.size, data.inputs["x"].shape) == ("some_data:good", 5, (5, 6))
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2, 3, 4]


def test_an_npz_gives_inputs_and_labels_if_there_are_any(folder: Path) -> None:
    assert load_dataset("d.npz", INTERFACE, [save(folder, x=X, scale=SCALE)]).labels is None
    labelled = load_dataset("d.npz", INTERFACE, [save(folder, x=X, scale=SCALE, labels=np.arange(5))])
    assert labelled.labels is not None


def test_a_path_may_hold_spaces_and_letters_of_any_script(tmp_path: Path) -> None:
    folder = tmp_path / "données 数据"
    folder.mkdir()
    assert load_dataset(str(save(folder, x=X, scale=SCALE) / "d.npz"), INTERFACE).size == 5


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another dtype": ({"x": X.astype(np.float64)}, "gives x as float64, but should give float32"),
    "another rank": ({"x": X[0]}, r"gives x with shape \[6\], but should give float32\[batch,6\]"),
    "another size": ({"x": X[:, :3]}, r"gives x with shape \[5, 3\], but should give float32\[batch,6\]"),
    "no samples": ({"x": X[:0]}, "gives 0 of x, but should give the same number, at least one"),
    "another number of labels": ({"x": X, "labels": np.arange(4)}, "gives 5 of x, 4 of labels"),
    "another name": ({"y": X}, "has no input x, but has y, scale"),
    "objects": ({"x": np.array([{}], object)}, "can't be loaded as .npz"),
    "words for numbers": ({"x": np.array([["a"] * 6])}, "gives x as str"),
}


@pytest.mark.parametrize(("arrays", "says"), WRONG.values(), ids=WRONG)
def test_wrong_arrays_are_one_sentence(arrays: dict[str, Any], says: str, folder: Path) -> None:
    with pytest.raises(DataError, match=f"^data d.npz .*{says}"):
        load_dataset("d.npz", INTERFACE, [save(folder, **arrays, scale=SCALE)])


@pytest.mark.parametrize("name", ["bare", "nothing", "raises", "ragged", "ragged_labels", "one_label", "missing"])
def test_a_wrong_callable_is_one_sentence(name: str, folder: Path) -> None:
    from assay import AssayError

    with pytest.raises(AssayError, match=f"some_data:{name}") as refused:
        load_dataset(f"some_data:{name}", INTERFACE, [folder])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 and no more", b"x,y\n1,2\n", b"\x93NUMPY"])
def test_a_wrong_file_is_one_sentence(content: bytes | None, folder: Path) -> None:
    if content is not None:
        (folder / "d.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"can't be loaded as \.npz"):
        load_dataset("d.npz", INTERFACE, [folder])


def test_a_truncated_file_is_one_sentence_wherever_it_is_cut(folder: Path) -> None:
    path = save(folder, x=X, scale=SCALE) / "d.npz"
    whole = path.read_bytes()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError):
            load_dataset("d.npz", INTERFACE, [folder])


def test_a_single_array_is_no_npz(folder: Path) -> None:
    np.save(folder / "d.npy", X)
    (folder / "d.npy").rename(folder / "d.npz")
    with pytest.raises(DataError, match="is a single array"):
        load_dataset("d.npz", INTERFACE, [folder])


def test_samples_lie_along_the_axis_named_batch_else_the_first_dynamic_one() -> None:
    specs = {"a": "float32[time,batch]", "b": "float32[3,rows,columns]", "c": "float32[2,2]"}
    assert batch_axes(Interface(parse_specs(specs))) == {"a": 1, "b": 1}


def test_taking_samples_cuts_each_input_along_its_own_axis() -> None:
    interface = Interface(parse_specs({"a": "float32[time,batch]", "b": "float32[2,2]"}))
    taken = take(interface, {"a": np.arange(10).reshape(2, 5), "b": np.ones((2, 2))}, 3, 9)
    assert taken["a"].tolist() == [[3, 4], [8, 9]]
    assert taken["b"].shape == (2, 2)
