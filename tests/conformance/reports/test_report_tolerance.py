"""Measurements may miss, be null or be nonsense: every renderer still renders, and keeps the verdict."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from assay.conformance.reports import render_html, render_junit, render_markdown, render_summary, render_terminal
from assay.conformance.result import Result

Measurements = dict[str, dict[str, Any]]
ODD = [None, "text", -1, 0, 1e308, float("nan"), float("inf"), True, [], {}, [[1]], [None], {"name": None}]


def render_all(result: Result) -> None:
    console = Console(file=io.StringIO(), width=80)
    render_terminal(result, console)
    render_summary([("m", result)], console)
    assert "1 model: 1 pass" in render_html([("m", result)])
    assert "1 model: 1 pass" in render_markdown([("m", result)])
    assert 'failures="0"' in render_junit([("m", result)])


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the parts of a JSON value are, lists by their first two items."""
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 2)) if isinstance(value, list) else []
    for key in keys:
        yield (*at, key)
        yield from paths(value[key], (*at, key))


def replaced(value: Any, path: tuple[Any, ...], part: Any) -> Any:
    changed = copy.deepcopy(value)
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = part
    return changed


def test_every_key_may_be_missing(measurements: Measurements, result_of: Callable[[Measurements], Result]) -> None:
    render_all(result_of({check: {} for check in measurements}))
    sparse: Measurements = {check: {key: [{}] for key in measured} for check, measured in measurements.items()}
    render_all(result_of(sparse))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_every_value_may_be_nonsense(
    measurements: Measurements, result_of: Callable[[Measurements], Result], odd: Any
) -> None:
    for check, measured in measurements.items():
        render_all(result_of({check: dict.fromkeys(measured, odd)}))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_part_may_be_nonsense(
    measurements: Measurements, result_of: Callable[[Measurements], Result], data: st.DataObject
) -> None:
    check = data.draw(st.sampled_from(sorted(measurements)))
    path = data.draw(st.sampled_from(list(paths(measurements[check]))))
    part = data.draw(st.sampled_from(ODD) | st.floats() | st.text(max_size=5))
    render_all(result_of({check: replaced(measurements[check], path, part)}))
