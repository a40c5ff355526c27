"""Probes: each axis moves alone, each content has a name, and all stay within what the interface allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.conformance.parity.probes import make_probes
from assay.conformance.parity.probes.steps import feedback
from assay.conformance.parity.probes.typical import Typical
from assay.converters.examples import numpy_dtype
from assay.specs.interface import Interface, TensorSpec, parse_spec, parse_specs, with_roles

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


def within_range(spec: TensorSpec, array: np.ndarray) -> bool:
    if spec.range is None or not array.size:
        return True
    low, high = float(array.astype(np.float64).min()), float(array.astype(np.float64).max())
    return spec.range[0] <= low <= high <= spec.range[1]


@given(interfaces(), st.sampled_from(["quick", "default", "thorough"]))
def test_every_probe_is_what_the_interface_allows(interface: Interface, level: str) -> None:
    for probe in make_probes(interface, level=level, constants=(5, 64)):  # type: ignore[arg-type]
        for feeds in (probe.feeds, *probe.ladder):
            sizes: dict[str, int] = {}
            for spec in interface.inputs:
                array = feeds[spec.name]
                assert spec.dtype == "string" or array.dtype == numpy_dtype(spec.dtype)
                for dim, size in zip(spec.dims or (), array.shape, strict=True):
                    assert size == (dim if isinstance(dim, int) else sizes.setdefault(dim.name, size))
                assert within_range(spec, array)
            assert all(interface.axes[name].allows(size) for name, size in sizes.items())


@given(interfaces())
def test_the_same_interface_gives_the_same_probes_each_with_a_name_of_its_own(interface: Interface) -> None:
    first, second = make_probes(interface), make_probes(interface)
    assert len({probe.name for probe in first}) == len(first)
    for a, b in zip(first, second, strict=True):
        assert (a.name, a.purpose) == (b.name, b.purpose)
        assert all(a.feeds[name].tobytes() == b.feeds[name].tobytes() for name in a.feeds)


@given(interfaces())
def test_a_relation_is_to_a_probe_that_is_there_and_costs_are_bounded(interface: Interface) -> None:
    most = {"quick": 8, "default": 56, "thorough": 160}
    for level, count in most.items():
        probes = make_probes(interface, level=level, constants=range(3, 90))  # type: ignore[arg-type]
        known = {probe.name for probe in probes}
        assert all(relation.base in known for probe in probes for relation in probe.relations)
        assert len(probes) <= count


def interface_of(*specs: str) -> Interface:
    return Interface(parse_specs({f"x{i}": s for i, s in enumerate(specs)}))


def names(*specs: str) -> list[str]:
    return [probe.name for probe in make_probes(interface_of(*specs))]


def test_a_batch_is_tried_at_one_two_and_five() -> None:
    assert [name for name in names("float32[batch,6]") if "=" in name] == ["batch=1", "batch=2", "batch=5"]


def test_another_axis_is_tried_at_its_ends_and_around_the_traced_size() -> None:
    assert [n for n in names("float32[seq>=4<=40=16]") if "=" in n] == [
        *("seq=4", "seq=17", "seq=32", "seq=15", "seq=40", "seq=23")
    ]


def test_an_axis_of_two_inputs_moves_in_both() -> None:
    interface = Interface(parse_specs({"a": "float32[seq,2]", "b": "int64[seq]"}))
    for probe in make_probes(interface):
        assert probe.feeds["a"].shape[0] == probe.feeds["b"].shape[0]


def test_a_fixed_shape_is_tried_with_several_contents() -> None:
    contents = ["lowest", "highest", "blank", "small", "ramp", "impulse", "constant rows", "ties"]
    assert names("float32[2,6] in 0..1") == ["typical", *contents]


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
    assert probe.name in [one.name for one in make_probes(interface, samples, level="quick")]
    assert (probe.name, probe.feeds["x"].tolist()) == ("real samples", samples["x"][:8].tolist())


@pytest.mark.parametrize(
    ("dtype", "others"), [("bool", ["x0 all false", "x0 all true"]), ("string", ["unusual texts", "empty texts"])]
)
def test_what_has_no_magnitude_has_no_probes_of_magnitude(dtype: str, others: list[str]) -> None:
    assert names(f"{dtype}[3]") == ["typical", *others]


def test_sizes_are_tried_around_constants_of_the_graph() -> None:
    probes = make_probes(interface_of("float32[batch,seq]"), constants=(64,))
    assert {"seq=63", "seq=64", "seq=65", "seq=66"} <= {probe.name for probe in probes}


def test_the_smaller_batches_are_rows_of_the_largest() -> None:
    probes = {probe.name: probe.feeds["x0"] for probe in make_probes(interface_of("float32[batch,6]"))}
    np.testing.assert_array_equal(probes["batch=1"], probes["batch=5"][[3]])
    np.testing.assert_array_equal(probes["batch=2"], probes["batch=5"][[4, 1]])
    np.testing.assert_array_equal(probes["rows reversed"], probes["batch=5"][::-1])
    np.testing.assert_array_equal(probes["other mates"][0], probes["batch=5"][0])
    assert (probes["other mates"][1:] != probes["batch=5"][1:]).all()


def test_every_index_of_a_small_vocabulary_is_visited() -> None:
    (probe,) = (p for p in make_probes(interface_of("int64[batch,seq] in 0..99")) if p.name == "every index")
    assert np.unique(probe.feeds["x0"]).tolist() == list(range(100))


def test_a_large_vocabulary_is_visited_from_end_to_end() -> None:
    (probe,) = (p for p in make_probes(interface_of("int64[batch,seq] in 0..29999")) if p.name == "spread indices")
    found = np.unique(probe.feeds["x0"])
    assert (found.min(), found.max()) == (0, 29999)
    assert np.diff(found).max() < 60


def test_longer_padding_keeps_what_counts() -> None:
    specs = parse_specs({"ids": "int64[batch,seq=8] in 0..9", "mask": "int64[batch,seq=8]"})
    probes = {p.name: p.feeds for p in make_probes(Interface(with_roles(specs, {"mask": "attention_mask"})))}
    shorter, longer = probes["padded"], probes["longer padding"]
    np.testing.assert_array_equal(longer["ids"][:, :8], shorter["ids"])
    assert longer["mask"].shape == (2, 15)
    assert longer["mask"].sum() == shorter["mask"].sum()


CACHED = {
    "input_ids": "int64[batch,seq=5] in 0..9",
    "attention_mask": "int64[batch,total_seq]",
    "position_ids": "int64[batch,seq=5]",
    "past_key_values.0.key": "float32[batch,2,past_seq=6,4]",
}
PRESENT = {"logits": "float32[batch,seq,10]", "present.0.key": "float32[batch,2,total_seq,4]"}
ROLES = {name: name for name in ("input_ids", "attention_mask", "position_ids")}


def test_the_sizes_of_a_cache_belong_together() -> None:
    interface = Interface(with_roles(parse_specs(CACHED), ROLES), parse_specs(PRESENT))
    for probe in make_probes(interface):
        shapes = {name: array.shape for name, array in probe.feeds.items()}
        assert shapes["attention_mask"][1] == shapes["input_ids"][1] + shapes["past_key_values.0.key"][2]
    probes = {probe.name: probe for probe in make_probes(interface)}
    steps, at_once = probes["steps"], probes["steps at once"]
    assert steps.feedback == {"present.0.key": "past_key_values.0.key"}
    assert [later["attention_mask"].shape[1] for later in steps.later] == [12, 13, 14]
    assert [later["position_ids"].tolist() for later in steps.later] == [[[11]] * 2, [[12]] * 2, [[13]] * 2]
    tokens = [steps.feeds["input_ids"], *(later["input_ids"] for later in steps.later)]
    np.testing.assert_array_equal(at_once.feeds["input_ids"], np.concatenate(tokens, 1))


def test_a_cache_that_a_task_lets_be_empty_is_tried_empty() -> None:
    interface = Interface(with_roles(parse_specs(CACHED), ROLES), parse_specs(PRESENT), "causal-lm-with-past")
    (empty,) = (probe for probe in make_probes(interface) if probe.name == "empty cache")
    assert empty.feeds["past_key_values.0.key"].shape[2] == 0


@pytest.mark.parametrize("output", ["stateN", "next_state", "state_out", "new_state"])
def test_a_state_is_fed_back_by_its_name_dtype_and_rank(output: str) -> None:
    inputs, shape = parse_specs({"x": "float32[batch,2]", "state": "float32[1,batch,4]"}), "float32[1,batch,4]"
    assert feedback(Interface(inputs, parse_specs({"y": "float32[batch,2]", output: shape}))) == {output: "state"}
    for other in ("float64[1,batch,4]", "float32[batch,4]", "float32[2,batch,4]"):
        assert feedback(Interface(inputs, parse_specs({output: other}))) == {}


def test_samples_lie_along_the_batch_or_the_first_axis_of_all() -> None:
    assert Typical(interface_of("float32[n,6]", "int64[n]")).sample_axis == "n"
    assert Typical(interface_of("float32[n,6]", "int64[m]")).sample_axis is None
    assert Typical(interface_of("float32[2,batch,6]", "int64[batch]")).sample_axis == "batch"
