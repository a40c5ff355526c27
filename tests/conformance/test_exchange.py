"""Arrays that go through files come back with the same dtype, shape and bits."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from assay.conformance.exchange import read_arrays, write_arrays

DTYPES = ["float16", "float32", "float64", "int8", "int64", "uint8", "uint64", "bool", "complex64"]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), dtype=st.sampled_from(DTYPES), shape=arrays.array_shapes(min_dims=0, min_side=0))
def test_an_array_comes_back_as_it_was(tmp_path: Path, data: st.DataObject, dtype: str, shape: tuple[int, ...]) -> None:
    array = data.draw(arrays.arrays(dtype, shape))
    back = read_arrays(write_arrays({"x": array}, tmp_path / "a"))["x"]
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.int4])
def test_what_numpy_has_no_name_for_comes_back_too(dtype: type, tmp_path: Path) -> None:
    array: np.ndarray = np.array([[0, 1], [-2, 3]]).astype(dtype)
    back = read_arrays(write_arrays({"x": array}, tmp_path))["x"]
    assert back.dtype == array.dtype
    assert np.array_equal(back.astype(np.float32), array.astype(np.float32))


def test_strings_come_back_as_text(tmp_path: Path) -> None:
    array = np.array([["", "naïve"]], object)
    assert read_arrays(write_arrays({"x": array}, tmp_path))["x"].tolist() == [["", "naïve"]]


def test_any_name_will_do_for_an_array(tmp_path: Path) -> None:
    given_ = {"a/b:0": np.zeros(1), "../c": np.ones(2), "": np.ones(3)}
    back = read_arrays(write_arrays(given_, tmp_path / "in"))
    assert {name: array.shape for name, array in back.items()} == {"a/b:0": (1,), "../c": (2,), "": (3,)}
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_array_that_is_read_can_not_change_the_file(tmp_path: Path) -> None:
    back = read_arrays(write_arrays({"x": np.zeros(1000)}, tmp_path))["x"]
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 1
