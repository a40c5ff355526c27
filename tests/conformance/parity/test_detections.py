"""Detections whose scores tie may come in any order; everything else about them is compared as it stands."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from assay.conformance.parity.detections import matched
from assay.conformance.parity.judgement import PASS_GATE, contract_findings, output_errors
from assay.conformance.parity.noise_floor import usual_noise
from assay.conformance.parity.oracle import Noise, Reference

BOXES = np.array([[[0, 0, 10, 10], [20, 20, 40, 50], [22, 20, 41, 50], [5, 60, 9, 70]]], np.float32)
TIED = np.array([[0.9, 0.7, 0.7 - 1e-8, 0.2]], np.float32)
LABELS = np.array([[3, 1, 2, 3]])
VALUES = {"boxes": BOXES, "scores": TIED, "labels": LABELS}
SWAPPED = [0, 2, 1, 3]


def reference(values: Mapping[str, np.ndarray] = VALUES, roles: Mapping[str, str] | None = None) -> Reference:
    floor = dict.fromkeys(values, Noise(1e-6, 1e-6))
    return Reference(values, values, floor, roles=roles or {})


def ordered(order: list[int]) -> dict[str, np.ndarray]:
    return {name: value[:, order].copy() for name, value in VALUES.items()}


def test_a_swap_of_two_that_tie_is_no_difference() -> None:
    wanted = reference()
    swapped = ordered(SWAPPED)
    assert list(contract_findings(swapped, wanted, "typical")) == []
    errors = output_errors(swapped, wanted, usual_noise([wanted], [wanted]))
    assert all(error.ratio <= PASS_GATE for error in errors)


def test_a_swap_of_two_that_do_not_tie_is_one() -> None:
    swapped = ordered([1, 0, 2, 3])
    assert matched(swapped, reference()) is swapped
    assert [f.code for f in contract_findings(swapped, reference(), "typical")] == ["PA010"]


def test_roles_tell_boxes_and_scores_whatever_their_names() -> None:
    names = dict(zip(VALUES, ("places", "sure", "kinds"), strict=True))
    wanted = {names[name]: value for name, value in VALUES.items()}
    swapped = {names[name]: value for name, value in ordered(SWAPPED).items()}
    assert matched(swapped, reference(wanted)) is swapped
    found = matched(swapped, reference(wanted, {"places": "boxes", "sure": "class_scores"}))
    assert np.array_equal(found["kinds"], LABELS)


def test_a_wrong_label_stays_wrong() -> None:
    got = ordered(SWAPPED)
    got["labels"][0, 1] = 7
    assert [f.code for f in contract_findings(got, reference(), "typical")] == ["PA010"]


def test_a_moved_box_stays_moved() -> None:
    got = ordered(SWAPPED)
    got["boxes"][0, 1] += 1
    wanted = reference()
    (worst, *_) = sorted(output_errors(got, wanted, usual_noise([wanted], [wanted])), key=lambda e: -e.ratio)
    assert worst.output == "boxes"
    assert worst.max_error == pytest.approx(1)


def test_boxes_of_centre_and_size_are_matched_too() -> None:
    centred = np.concatenate([(BOXES[..., :2] + BOXES[..., 2:]) / 2, BOXES[..., 2:] - BOXES[..., :2]], -1)
    wanted = {**VALUES, "boxes": centred.astype(np.float32)}
    swapped = {name: value[:, SWAPPED].copy() for name, value in wanted.items()}
    assert np.array_equal(matched(swapped, reference(wanted))["labels"], LABELS)


def test_outputs_without_boxes_come_back_as_they_are() -> None:
    values = {"scores": TIED}
    assert matched(values, reference(values)) is values
