"""One output on one probe: the contract is exact, the error is a multiple of the source's own noise."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.conformance.parity.judgement import (
    FAIL_GATE,
    PASS_GATE,
    OutputError,
    contract_findings,
    output_errors,
    overflowed,
    ratio_finding,
    smallest_tolerances,
)
from assay.conformance.parity.noise_floor import usual_noise
from assay.conformance.parity.oracle import Noise, Reference, distance
from assay.conformance.result import Finding

ROW = np.array([[1.0, -2.0, 3.0]], np.float32)


def reference(y: np.ndarray, floor: float = 1e-6) -> Reference:
    return Reference({"y": y}, {"y": y}, {"y": Noise(floor, floor / 2)})


def contract(got: dict[str, np.ndarray], y: np.ndarray) -> list[Finding]:
    return list(contract_findings(got, reference(y), "typical"))


def ratio(got: np.ndarray, truth: np.ndarray, floor: float) -> float:
    wanted = reference(truth, floor)
    (error,) = output_errors({"y": got}, wanted, usual_noise([wanted], [wanted]))
    return error.ratio


def test_the_same_values_keep_the_contract() -> None:
    assert contract({"y": ROW.copy()}, y=ROW) == []


@pytest.mark.parametrize(
    ("got", "code", "says"),
    [
        ({}, "PA002", "output y is missing, but the source gives it"),
        ({"y": ROW, "z": ROW}, "PA002", "output z is not the source's, which gives y"),
        ({"y": ROW.astype(np.float64)}, "PA003", "output y is float64, but should be float32"),
        ({"y": np.vstack([ROW, ROW])}, "PA004", "output y has shape [2, 3], but should have [1, 3]"),
        ({"y": ROW[0]}, "PA004", "output y has shape [3], but should have [1, 3]"),
        ({"y": np.where(ROW == 3, np.nan, ROW)}, "PA005", "output y is nan at [0, 2], but should be 3"),
        ({"y": np.where(ROW == 3, np.inf, ROW)}, "PA005", "output y is inf at [0, 2], but should be 3"),
    ],
)
def test_a_broken_contract_is_told_in_a_sentence(got: dict[str, np.ndarray], code: str, says: str) -> None:
    (finding,) = contract({name: value.astype(value.dtype) for name, value in got.items()}, y=ROW)
    assert (finding.code, finding.severity, finding.location["probe"]) == (code, "error", "typical")
    assert finding.message.startswith(says)


def test_a_value_that_should_not_be_finite_must_not_be() -> None:
    wanted = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert contract({"y": wanted.copy()}, y=wanted) == []
    for wrong in ([0, np.inf, -np.inf], [np.nan, -np.inf, -np.inf], [np.nan, np.inf, 0]):
        assert [finding.code for finding in contract({"y": np.array(wrong, np.float32)}, y=wanted)] == ["PA005"]


@pytest.mark.parametrize("values", [np.array([1, 2, 3]), np.array([True, False, True]), np.array(["a", "b", "c"])])
def test_discrete_values_are_equal_or_wrong(values: np.ndarray) -> None:
    assert contract({"y": values.copy()}, y=values) == []
    (finding,) = contract({"y": values[[0, 1, 1]]}, y=values)
    assert (finding.code, finding.evidence["share"]) == ("PA010", pytest.approx(1 / 3))


def test_text_is_text_in_whatever_array() -> None:
    assert contract({"y": np.array(["a"], object)}, y=np.array(["a"])) == []


def test_a_scalar_is_compared_too() -> None:
    (finding,) = contract({"y": np.array(np.nan, np.float32)}, y=np.array(1, np.float32))
    assert finding.code == "PA005"


@given(st.floats(1e-6, 1e-2), st.floats(0.1, 100))
def test_the_ratio_is_the_error_over_the_noise(floor: float, times: float) -> None:
    truth = np.ones(64)
    assert ratio(truth + floor * times, truth, floor) == pytest.approx(2 * times, rel=1e-3)


@given(st.floats(0.01, 1000))
def test_a_ratio_passes_is_doubted_or_fails(value: float) -> None:
    finding = ratio_finding(OutputError("y", 1, 1, 1, 1, value, 1), "typical")
    expected = None if value <= PASS_GATE else "PA009" if value <= FAIL_GATE else "PA001"
    assert (finding and finding.code) == expected
    assert (finding and finding.severity) == (finding and {"PA009": "warning", "PA001": "error"}[finding.code])


def test_a_source_without_any_noise_still_allows_a_rounding() -> None:
    truth = np.full(64, 100.0, np.float32)
    rounded = truth.copy()
    rounded[5] = np.nextafter(rounded[5], np.float32(np.inf))
    assert ratio(rounded, truth, 0.0) <= PASS_GATE
    assert ratio(truth + np.float32(0.01), truth, 0.0) > FAIL_GATE


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.floats(-1, 1))
def test_distance_is_symmetric_and_zero_only_for_equal_values(values: list[float], shift: float) -> None:
    a = np.array(values)
    b = a + shift
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b).max == 0) == np.array_equal(a, b)


def test_distance_leaves_out_what_is_not_finite_and_not_comparable() -> None:
    a, b = np.array([1.0, np.nan, np.inf]), np.array([2.0, 5.0, 1.0])
    assert distance(a, b) == Noise(1.0, 1.0)
    assert distance(a, b[:2]) == distance(np.array([1]), np.array([2])) == Noise(0.0, 0.0)


def test_a_value_that_the_source_defines_by_rounding_alone_is_information() -> None:
    values, truth = np.array([np.inf, 1.0], np.float32), np.array([4e38, 1.0])
    wanted = Reference({"y": values}, {"y": truth}, {"y": Noise(1e-7, 1e-7)})
    (finding,) = contract_findings({"y": np.array([3e38, 1.0], np.float32)}, wanted, "large")
    assert (finding.code, finding.severity, finding.evidence["count"]) == ("PA018", "info", 1)
    found = list(contract_findings({"y": np.array([3e38, np.nan], np.float32)}, wanted, "large"))
    assert [finding.code for finding in found] == ["PA018", "PA005"]


@pytest.mark.parametrize(("wanted", "code"), [([3.0, 1e30], "PA018"), ([3.0, 1e18], "PA005"), ([1e30, 1e30], "PA005")])
def test_what_is_chosen_among_numbers_that_overflow_is_no_failure(wanted: list[float], code: str) -> None:
    expected, got = np.array(wanted, np.float32), {"y": np.array([np.inf, wanted[1]], np.float32)}
    (finding,) = contract(got, y=expected)
    assert (finding.code, overflowed(finding, got, reference(expected)).code) == ("PA005", code)


def test_a_shape_that_rounding_decides_is_information() -> None:
    wanted = Reference({"y": ROW}, {"y": ROW}, {"y": Noise(0, 0)}, twins=lambda: [{"y": ROW[:, :2]}])
    (finding,) = contract_findings({"y": ROW[:, :1]}, wanted, "typical")
    assert (finding.code, finding.severity) == ("PA018", "info")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_an_unit_of_the_outputs_own_dtype_is_always_allowed(dtype: str) -> None:
    values = np.full(64, 100.0).astype(dtype if dtype == "float16" else ml_dtypes.bfloat16)
    wanted = Reference({"y": values}, {"y": values.astype(np.float64)}, {"y": Noise(0.0, 0.0)})
    rounded = np.nextafter(values, values.dtype.type(np.inf))
    (error,) = output_errors({"y": rounded}, wanted, usual_noise([wanted], [wanted]))
    assert 1 < error.ratio <= PASS_GATE
    (error,) = output_errors({"y": values * values.dtype.type(1.25)}, wanted, usual_noise([wanted], [wanted]))
    assert error.ratio > FAIL_GATE


def test_the_smallest_tolerances_are_those_that_just_pass() -> None:
    random = np.random.default_rng(0)
    truth = random.standard_normal((5, 40)).astype(np.float32) * 100
    got = truth + random.standard_normal((5, 40)).astype(np.float32) * np.float32(1e-2)
    wanted = reference(truth)
    found = smallest_tolerances(output_errors({"y": got}, wanted, usual_noise([wanted], [wanted])))
    for rtol, atol in ((0.0, found["atol"]), (found["rtol"], found["atol_at_rtol"])):
        a, b = got.astype(np.float64), truth.astype(np.float64)
        assert np.allclose(a, b, rtol=rtol, atol=atol * (1 + 1e-9))
        assert not np.allclose(a, b, rtol=rtol, atol=atol * 0.99)
    assert found["atol_at_rtol"] < found["atol"]
