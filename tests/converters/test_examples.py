"""Typical inputs: the same for the same seed, of the sizes and within the ranges that the interface gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.converters.examples import numpy_dtype, trace_sizes, typical_feeds
from assay.specs.interface import DTYPES, Interface, parse_specs, with_roles

RANGED = ["float32", "float64", "int64", "int8", "uint8"]


def test_axes_are_traced_at_sizes_that_differ() -> None:
    sizes = trace_sizes(Interface(parse_specs({"x": "float32[batch,a,b,c,d]"})))
    assert len(set(sizes.values())) == len(sizes)
    assert sizes["batch"] == 2


@given(st.integers(1, 200), st.integers(0, 200), st.none() | st.integers(0, 200))
def test_a_traced_size_is_one_that_the_axis_allows(low: int, more: int, example: int | None) -> None:
    wanted = "" if example is None else f"={low + min(example, more)}"
    interface = Interface(parse_specs({"x": f"float32[n>={low}<={low + more}{wanted}]"}))
    size = trace_sizes(interface)["n"]
    assert interface.axes["n"].allows(size)
    assert example is None or size == low + min(example, more)


@given(st.sampled_from(sorted(DTYPES - {"complex64", "complex128"})), st.integers(0, 9))
def test_a_seed_gives_the_same_values_of_the_dtype(dtype: str, seed: int) -> None:
    specs = parse_specs({"x": f"{dtype}[3,4]"})
    first, second = (typical_feeds(specs, {}, seed)["x"] for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert dtype == "string" or first.dtype == numpy_dtype(dtype)


@given(st.sampled_from(RANGED), st.integers(0, 50), st.integers(0, 50))
def test_values_lie_in_their_range(dtype: str, low: int, more: int) -> None:
    array = typical_feeds(parse_specs({"x": f"{dtype}[50] in {low}..{low + more}"}), {}, 0)["x"]
    assert low <= array.min() <= array.max() <= low + more


def test_a_mask_is_all_ones() -> None:
    specs = with_roles(parse_specs({"mask": "int64[2,5]"}), {"mask": "attention_mask"})
    assert np.array_equal(typical_feeds(specs, {}, 0)["mask"], np.ones((2, 5), np.int64))
