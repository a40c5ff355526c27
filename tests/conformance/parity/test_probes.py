"""Probes: each axis moves alone, each content has a name, and all stay within what the interface allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.conformance.parity.probes import make_probes
from assay.converters.examples import numpy_dtype
from assay.specs.interface import Interface, parse_spec, parse_specs, with_roles

DTYPES = ["float32", "float64", "float16", "int64", "int32", "uint8", "bool", "string", "bfloat16"]
DIMS = ["batch", "3", "seq>=4<=9", "height>=12=48", "1", "0"]
RANGES = ["", " in 0..1", " in 2..99"]


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    specs = []
    for index in range(draw(st.integers(1, 3))):
        dims = draw(st.lists(st.sampled_from(DIMS), max_size=3, unique=True))
        dtype = draw(st.sampled_from(DTYPES))
        bounds = "" if dtype in ("bool", "string") else draw(st.sampled_from(RANGES))
        specs.append(parse_spec(f"x{index}", f"{dtype}[{','.join(dims)}]{bounds}"))
    return Interface(tuple(specs))


@given(interfaces())
def test_every_probe_is_what_the_interface_allows(interface: Interface) -> None:
    for probe in make_probes(interface):
        sizes: dict[str, int] = {}
        for spec in interface.inputs:
            array = probe.feeds[spec.name]
            assert spec.dtype == "string" or array.dtype == numpy_dtype(spec.dtype)
            for dim, size in zip(spec.dims or (), array.shape, strict=True):
                expected = dim if isinstance(dim, int) else sizes.setdefault(dim.name, size)
                assert size == expected
            if spec.range is not None and array.size:
                low, high = float(array.astype(np.float64).min()), float(array.astype(np.float64).max())
                assert spec.range[0] <= low <= high <= spec.range[1]
        assert all(interface.axes[name].allows(size) for name, size in sizes.items())


@given(interfaces())
def test_the_same_interface_gives_the_same_probes_each_with_a_name_of_its_own(interface: Interface) -> None:
    first, second = make_probes(interface), make_probes(interface)
    assert len({probe.name for probe in first}) == len(first)
    for a, b in zip(first, second, strict=True):
        assert (a.name, a.purpose) == (b.name, b.purpose)
        assert all(a.feeds[name].tobytes() == b.feeds[name].tobytes() for name in a.feeds)


def names(*specs: str) -> list[str]:
    return [probe.name for probe in make_probes(Interface(parse_specs({f"x{i}": s for i, s in enumerate(specs)})))]


def test_a_batch_is_tried_at_one_two_and_five() -> None:
    assert [name for name in names("float32[batch,6]") if "=" in name] == ["batch=1", "batch=2", "batch=5"]


def test_another_axis_is_tried_at_its_ends_and_around_the_traced_size() -> None:
    assert [n for n in names("float32[seq>=4<=40=16]") if "=" in n] == ["seq=4", "seq=15", "seq=17", "seq=32", "seq=40"]


def test_an_axis_of_two_inputs_moves_in_both() -> None:
    interface = Interface(parse_specs({"a": "float32[seq,2]", "b": "int64[seq]"}))
    for probe in make_probes(interface):
        assert probe.feeds["a"].shape[0] == probe.feeds["b"].shape[0]


def test_a_fixed_shape_is_tried_with_several_contents() -> None:
    assert names("float32[2,6] in 0..1") == ["typical", "lowest", "highest", "ramp", "impulse", "constant rows"]


def test_a_mask_stays_a_mask() -> None:
    specs = parse_specs({"ids": "int64[batch,seq] in 0..9", "mask": "int64[batch,seq]"})
    interface = Interface(with_roles(specs, {"mask": "attention_mask"}))
    for probe in make_probes(interface):
        assert set(np.unique(probe.feeds["mask"])) <= {0, 1}


def test_padded_masks_end_where_no_other_rows_does() -> None:
    specs = parse_specs({"ids": "int64[batch,seq=8] in 0..9", "mask": "float32[batch,seq=8]"})
    interface = Interface(with_roles(specs, {"mask": "attention_mask"}))
    (padded,) = (probe for probe in make_probes(interface) if probe.name == "padded")
    assert padded.feeds["mask"].tolist() == [[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]]
    assert padded.feeds["mask"].dtype == np.float32


@pytest.mark.parametrize("dims", ["", "1", "0", "3,1", "batch,0"])
def test_a_mask_that_can_not_be_padded_is_left_alone(dims: str) -> None:
    interface = Interface(with_roles(parse_specs({"mask": f"int64[{dims}]"}), {"mask": "attention_mask"}))
    assert "padded" not in [probe.name for probe in make_probes(interface)]


def test_real_samples_are_a_probe_of_the_first_few() -> None:
    interface = Interface(parse_specs({"x": "float32[batch,2]"}))
    samples = {"x": np.arange(40, dtype=np.float32).reshape(20, 2)}
    probe = make_probes(interface, samples)[-1]
    assert (probe.name, probe.feeds["x"].tolist()) == ("real samples", samples["x"][:8].tolist())


@pytest.mark.parametrize("dtype", ["bool", "string"])
def test_what_has_no_magnitude_has_no_probes_of_magnitude(dtype: str) -> None:
    assert names(f"{dtype}[2]") == ["typical"]
