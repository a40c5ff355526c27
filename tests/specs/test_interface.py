"""The interface as text and as JSON: what is written is read back, and other text is refused in one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.specs.interface import (
    DTYPES,
    Axis,
    Interface,
    InterfaceError,
    TensorSpec,
    parse_option,
    parse_spec,
    with_roles,
)
from assay.specs.schemas import validate

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
sizes = st.integers(0, 2**40)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    minimum = draw(st.integers(1, 512))
    maximum = draw(st.none() | st.integers(minimum, 4096))
    example = draw(st.none() | st.integers(minimum, maximum or 4096))
    return Axis(draw(names), minimum, maximum, example)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float]:
    low, high = sorted((draw(numbers), draw(numbers)))
    return low, high


specs = st.builds(
    TensorSpec,
    name=names,
    dtype=st.sampled_from(sorted(DTYPES)),
    dims=st.none() | st.lists(sizes | axes(), max_size=5).map(tuple),
    range=st.none() | ranges(),
)
with_a_role = st.builds(lambda spec, role: with_roles([spec], {spec.name: role})[0], specs, names)
interfaces = st.builds(
    Interface,
    inputs=st.lists(specs | with_a_role, max_size=3).map(tuple),
    outputs=st.lists(specs | with_a_role, max_size=3).map(tuple),
    task=st.just("generic"),
    metadata=st.dictionaries(names, st.text(max_size=8), max_size=3),
)


@given(specs)
def test_a_specification_is_read_back_from_its_text(spec: TensorSpec) -> None:
    assert parse_spec(spec.name, str(spec)) == spec
    assert parse_option(f"{spec.name}={spec}") == spec


@given(interfaces)
def test_an_interface_is_read_back_from_its_json(interface: Interface) -> None:
    document = json.loads(json.dumps(interface.to_json(), allow_nan=False))
    assert Interface.from_json(document) == interface
    validate("interface", document)


@given(st.text(max_size=40) | st.from_regex(r"float32\[.{0,12}\]( in .{0,8})?", fullmatch=True))
def test_any_text_is_a_specification_or_is_refused(text: str) -> None:
    try:
        spec = parse_spec("x", text)
    except InterfaceError:
        return
    assert parse_spec("x", str(spec)) == spec


@given(axes())
def test_an_axis_allows_its_bounds_and_its_example(axis: Axis) -> None:
    assert axis.allows(axis.minimum)
    assert not axis.allows(axis.minimum - 1)
    assert axis.maximum is None or (axis.allows(axis.maximum) and not axis.allows(axis.maximum + 1))
    assert axis.example is None or axis.allows(axis.example)


@pytest.mark.parametrize(
    ("text", "dims"),
    [
        ("float32[]", ()),
        ("float32", None),
        (" float32 [ 2 , n ] ", (2, Axis("n"))),
        ("float32[n>=12=48]", (Axis("n", 12, None, 48),)),
        ("float32[n>=2<=9=4]", (Axis("n", 2, 9, 4),)),
    ],
)
def test_dimensions_are_sizes_and_named_axes(text: str, dims: tuple[object, ...] | None) -> None:
    assert parse_spec("x", text).dims == dims


@pytest.mark.parametrize(
    "text",
    [
        *("float33[2]", "float32[2", "float32[-1]", "float32[2,]", "float32[²]", "float32[n>=9<=2]", "float32[n<=2=3]"),
        *("float32[2] in 1..0", "float32[2] in a..b", "float32[2] in 0..inf", "float32[2] in nan..1", ""),
    ],
)
def test_text_that_says_nothing_sensible_is_refused(text: str) -> None:
    with pytest.raises(InterfaceError):
        parse_spec("x", text)


def test_one_axis_has_the_tightest_bounds_of_all_its_uses() -> None:
    inputs = (parse_spec("a", "float32[n>=2<=9]"), parse_spec("b", "float32[n>=3<=64=5]"))
    assert Interface(inputs).axes == {"n": Axis("n", 3, 9, 5)}


def test_an_axis_whose_uses_contradict_each_other_is_refused() -> None:
    inputs = (parse_spec("a", "float32[n<=4]"), parse_spec("b", "float32[n>=5]"))
    with pytest.raises(InterfaceError, match="has a smallest size above its largest"):
        _ = Interface(inputs).axes


def test_a_shape_takes_the_size_of_each_axis() -> None:
    assert parse_spec("x", "float32[batch,3,n]").shape({"batch": 2, "n": 7}) == (2, 3, 7)
