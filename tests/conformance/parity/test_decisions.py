"""A flip at a tie is information, a flip with a wide margin is a defect."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from assay.conformance.parity.decisions import flips
from assay.conformance.parity.judgement import contract_findings
from assay.conformance.parity.oracle import Noise, Reference

SCORES = np.array([[0.1, 0.9, 0.9 - 1e-7, 0.2], [0.3, 0.2, 0.1, 0.8]], np.float32)
FLOOR = 1e-7


def reference(discrete: np.ndarray, scores: np.ndarray | None = None, twins: Sequence[np.ndarray] = ()) -> Reference:
    values = {"choice": discrete} if scores is None else {"choice": discrete, "scores": scores}
    floor = dict.fromkeys(values, Noise(FLOOR, FLOOR))
    return Reference(values, values, floor, twins=lambda: [{"choice": twin} for twin in twins])


def judged(got: np.ndarray, wanted: Reference) -> list[tuple[str, str]]:
    values = {**wanted.values, "choice": got}
    return [(finding.code, finding.severity) for finding in contract_findings(values, wanted, "typical")]


BEST = SCORES.argmax(1)


def test_the_same_choice_is_no_finding() -> None:
    assert judged(BEST.copy(), reference(BEST, SCORES)) == []


@pytest.mark.parametrize("shape", [lambda picks: picks, lambda picks: picks[:, None]], ids=["squeezed", "kept"])
def test_a_choice_between_scores_within_rounding_is_information(shape: Callable[[np.ndarray], np.ndarray]) -> None:
    assert judged(shape(np.array([2, 3])), reference(shape(BEST), SCORES)) == [("PA018", "info")]


@pytest.mark.parametrize("shape", [lambda picks: picks, lambda picks: picks[:, None]], ids=["squeezed", "kept"])
@pytest.mark.parametrize("other", [0, 3, 4, -1])
def test_a_choice_with_a_wide_margin_is_a_defect(shape: Callable[[np.ndarray], np.ndarray], other: int) -> None:
    assert judged(shape(np.array([other, 3])), reference(shape(BEST), SCORES)) == [("PA025", "error")]


def test_the_margin_is_told_with_the_scores_that_give_it() -> None:
    wanted = reference(BEST, SCORES)
    (finding,) = contract_findings({**wanted.values, "choice": np.array([1, 0])}, wanted, "typical")
    assert finding.message.startswith("output choice decides for 0, but should for 3: by scores the two are 0.5 apart")
    assert finding.evidence["margin"] == pytest.approx(0.5)


def test_the_lowest_may_be_what_is_chosen() -> None:
    assert judged(np.array([0, 1]), reference(SCORES.argmin(1), SCORES)) == [("PA025", "error")]


VALUES = np.array([[0.9, 0.5, 0.5 - 1e-8, 0.1]], np.float32)
INDICES = np.array([[7, 3, 5, 2]])


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([7, 5, 3, 2], [("PA018", "info")]),
        ([3, 7, 5, 2], [("PA025", "error")]),
        ([9, 3, 5, 2], [("PA025", "error")]),
        ([7, 3, 5, 9], [("PA010", "error")]),
    ],
    ids=["a tie in another order", "another order", "an index of none", "another one in the last place"],
)
def test_top_k_is_compared_by_the_values_picked(got: list[int], expected: list[tuple[str, str]]) -> None:
    assert judged(np.array([got]), reference(INDICES, VALUES)) == expected


def test_the_last_of_top_k_may_tie_with_one_that_is_not_listed() -> None:
    wanted = reference(INDICES, VALUES, twins=[np.array([[7, 3, 5, 8]])])
    assert judged(np.array([[7, 3, 5, 9]]), wanted) == [("PA018", "info")]


def test_flags_beside_their_scores_have_margins() -> None:
    flags = SCORES > 0.25
    got = flags.copy()
    got[0, 1] = False
    assert judged(got, reference(flags, SCORES)) == [("PA025", "error")]


def test_without_scores_the_sources_own_twins_say_what_is_undecided() -> None:
    twins = [np.array([1, 3]), np.array([2, 3])]
    assert judged(np.array([0, 3]), reference(BEST, twins=twins)) == [("PA018", "info")]
    assert judged(np.array([1, 2]), reference(BEST, twins=twins)) == [("PA010", "error")]
    assert judged(np.array([0, 2]), reference(BEST, twins=twins)) == [("PA010", "error"), ("PA018", "info")]


def test_the_float64_twin_decides_too() -> None:
    wanted = Reference({"choice": BEST}, {"choice": np.array([0, 3])}, {"choice": Noise(0, 0)})
    found = flips("choice", np.array([0, 2]), wanted)
    assert (found.total, found.undecided, found.wrong) == (2, 1, 1)


def test_twins_of_another_length_leave_all_undecided() -> None:
    wanted = reference(BEST, twins=[np.array([1])])
    assert judged(np.array([0, 0]), wanted) == [("PA018", "info")]


def test_twins_are_not_run_where_scores_say_it_all() -> None:
    def never() -> list[dict[str, np.ndarray]]:
        raise AssertionError

    wanted = reference(BEST, SCORES)
    wanted = Reference(wanted.values, wanted.truth, wanted.floor, twins=never)
    assert judged(np.array([2, 3]), wanted) == [("PA018", "info")]
    assert judged(BEST.copy(), wanted) == []
