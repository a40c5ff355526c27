"""The language of conditions, and what conditions leave of sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.specs.condition_sets import beside, bounded, nearest, simplified
from assay.specs.conditions import Condition, ConditionError, satisfied
from assay.specs.interface import Axis, Interface, parse_spec

AXES = {name: Axis(name) for name in ("batch", "height", "width", "time")}


def conditions(*texts: str) -> list[Condition]:
    """The conditions of these texts."""
    return list(map(Condition, texts))


def simple(*texts: str) -> list[str]:
    """The texts that these conditions are simplified to."""
    return [str(condition) for condition in simplified(conditions(*texts), AXES)]


@pytest.mark.parametrize(
    "text",
    [
        *("", "time", "time + 1", "time ** 2 > 4", "time > 1.5", "time > True", "((", "f(time) > 1", "time.size > 1"),
        *("__import__('os').system('true') > 0", "[time] > 1", "time > 'a'", "lambda: 1 > 2", "time in (1, 2)"),
        *("min(time) > 1", "max(time, key=1) > 2", "time > 99999999999999999999", "time > 1 if time else 2", "(" * 500),
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ConditionError):
        Condition(text)


def test_a_condition_holds_as_python_would_say() -> None:
    assert Condition("2*time > 20").holds({"time": 11})
    assert not Condition("2*time > 20").holds({"time": 10})
    assert Condition("-time // 2 == -6").holds({"time": 11})
    assert Condition("not 8 < time <= 16 or max(time, height) == 16").holds({"time": 16, "height": 3})


def test_a_condition_that_divides_by_zero_does_not_hold() -> None:
    assert not Condition("time % height == 0").holds({"time": 4, "height": 0})
    assert not Condition("not time // height > 3").holds({"time": 4, "height": 0})


@given(st.integers(0, 400), st.integers(1, 40))
def test_arrays_are_judged_as_single_sizes_are(size: int, other: int) -> None:
    condition = Condition("(time + 3) // batch % 4 != 1 and time - batch < 100")
    expected = (size + 3) // other % 4 != 1 and size - other < 100
    assert condition.holds({"time": size, "batch": other}) == expected
    assert condition.holds({"time": np.array([size]), "batch": np.array([other])}).tolist() == [expected]


@pytest.mark.parametrize(
    ("given_texts", "left"),
    [
        (["2 * time > 20"], ["time >= 11"]),
        (["time // 2 != 1"], ["time != 2", "time != 3"]),
        (["height % 3 == 0", "height // 3 == 3"], ["height == 9"]),
        (["(time + 3) // 4 == 4", "12 <= time"], ["time >= 13", "time <= 16"]),
        (["time == min(32, time)"], ["time <= 32"]),
        (["time * batch % (8 * batch) == 0", "time * batch == 8 * batch * (time // 8)"], ["time % 8 == 0"]),
        (["time % 4 == 2", "time >= 20"], ["time >= 22", "time % 4 == 2"]),
        (["time >= 1", "batch >= 0", "time * batch >= 1"], []),
        (["height < width"], ["height < width"]),
        (["time % 4 != 0", "time >= 0"], ["time % 4 != 0"]),
        (["time <= 100000"], ["time <= 100000"]),
        (["time != 1000000"], ["time != 1000000"]),
    ],
)
def test_conditions_are_said_as_simply_as_can_be(given_texts: list[str], left: list[str]) -> None:
    assert simple(*given_texts) == left


@given(st.lists(st.sampled_from(
    ["time % 4 == 0", "time >= 7", "time < 90", "time != 12", "time // 5 > 2", "time * batch > 30", "batch <= time"]
), max_size=4))  # fmt: skip
def test_simpler_conditions_hold_at_the_same_sizes(texts: list[str]) -> None:
    before = conditions(*texts)
    after = simplified(before, AXES)
    for time in range(1, 120):
        for batch in (1, 2, 5, 40):
            sizes = {"time": time, "batch": batch}
            assert satisfied(before, sizes) == satisfied(after, sizes)


def test_an_axis_is_as_narrow_as_its_conditions() -> None:
    assert bounded(Axis("time"), conditions("time >= 11")) == Axis("time", 11)
    assert bounded(Axis("time", 4, 99), conditions("time % 8 == 0")) == Axis("time", 8, 96)
    assert bounded(Axis("time"), conditions("time > 5", "time < 4")) is None


def test_the_nearest_sizes_satisfy_every_condition() -> None:
    wanted = conditions("height % 32 == 0", "width % 32 == 0", "height > width")
    found = nearest({"height": 17, "width": 40}, AXES, wanted)
    assert found is not None
    assert satisfied(wanted, found)
    assert nearest({"height": 17, "width": 19}, AXES, conditions("height == width"), held=["height"]) == {
        "height": 17,
        "width": 17,
    }
    assert nearest({"time": 17}, AXES, conditions("time % 4 == 0"), held=["time"]) is None
    assert nearest({"time": 17}, AXES, conditions("time >= 50000")) == {"time": 50000}


def test_the_sizes_beside_a_condition_are_the_nearest_that_break_it() -> None:
    found = list(beside(conditions("time >= 11", "height % 32 == 0"), {"time": 17, "height": 64}))
    assert [(name, size) for _, name, size in found] == [("time", 10), ("height", 63)]


def test_an_interface_keeps_its_conditions() -> None:
    interface = Interface((parse_spec("x", "float32[batch,time]"),), conditions=tuple(conditions("time % 8 == 0")))
    assert Interface.from_json(interface.to_json()) == interface
