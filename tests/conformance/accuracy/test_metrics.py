"""Outputs become decisions, and decisions scores of single samples."""

from __future__ import annotations

import numpy as np
import pytest

from assay.conformance.accuracy.metrics import Metric, MetricError, sqnr_db

LOGITS = np.array([[1, 2, 0], [5, 0, 0], [0, 0, 9]], np.float32)


def test_top1_is_right_where_the_largest_class_is_the_label() -> None:
    scores = Metric("top1", "logits").score(LOGITS, np.array([1, 0, 0]))
    assert scores.tolist() == [1, 1, 0]


def test_top1_takes_no_notice_of_a_threshold() -> None:
    assert Metric("top1", "logits", threshold=0.5).decide(LOGITS).tolist() == [1, 0, 2]


def test_classes_may_lie_on_another_axis() -> None:
    maps = np.stack([LOGITS, LOGITS[::-1]])
    scores = Metric("top1", "maps", axis=1).score(maps, maps.argmax(axis=1))
    assert scores.tolist() == [1, 1]


def test_a_sample_with_several_decisions_has_a_share() -> None:
    scores = Metric("threshold", "p", threshold=0.5).score(np.array([[0.9, 0.1], [0.6, 0.5]]), np.ones((2, 2)))
    assert scores.tolist() == [0.5, 1]


def test_agreement_by_threshold_compares_decisions() -> None:
    metric = Metric("agreement", "p", threshold=0.5)
    assert metric.score(np.array([[0.4], [0.6]]), metric.decide(np.array([[0.1], [0.2]]))).tolist() == [1, 0]


def test_axes_of_one_element_make_no_difference() -> None:
    assert Metric("top1", "logits").score(LOGITS, np.array([[1], [0], [2]])).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "says"),
    {
        "one-hot": (np.eye(3), r"decides on \[3\], but the expected decisions have the shape \[3, 3\]"),
        "too few": (np.array([1, 0]), r"have the shape \[2\]"),
        "words": (np.array(["a", "b", "c"]), "should be numbers"),
    }.values(),
    ids=["one-hot", "too few", "words"],
)
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray, says: str) -> None:
    with pytest.raises(MetricError, match=says):
        Metric("top1", "logits").score(LOGITS, labels)


def test_labels_of_the_same_size_and_another_order_are_refused() -> None:
    with pytest.raises(MetricError, match=r"\[2, 3\].*\[3, 2\]"):
        Metric("top1", "maps").score(np.zeros((2, 3, 4)), np.zeros((3, 2)))


@pytest.mark.parametrize("axis", [0, 2, -2, -3])
def test_an_axis_that_holds_no_classes_is_refused(axis: int) -> None:
    with pytest.raises(MetricError, match=f"should have classes on axis {axis}"):
        Metric("top1", "logits", axis=axis).decide(LOGITS)


def test_noise_is_told_in_decibels_and_silence_in_none() -> None:
    signal = np.ones(4, np.float32)
    assert sqnr_db(signal, signal * np.float32(1.1)) == pytest.approx(20, abs=1e-4)
    assert sqnr_db(signal, signal) is None
    assert sqnr_db(0 * signal, signal) is None
