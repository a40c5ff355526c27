"""The floor on a probe that rounds worse than natural ones, though the source's own error is small there by luck."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assay.conformance.parity.judgement import FAIL_GATE, PASS_GATE, OutputError, output_errors
from assay.conformance.parity.noise_floor import usual_noise
from assay.conformance.parity.oracle import Noise, Oracle, Reference
from assay.converters.sources import open_source


class Pooled(torch.nn.Module):
    """Features of each pixel, and their mean over the image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(3, 8, 1)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.conv(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x).mean((2, 3))


MODEL = Pooled().eval()
TYPICAL = np.random.default_rng(0).standard_normal((2, 3, 64, 64)).astype(np.float32)
FLAT = np.zeros((2, 3, 64, 64), np.float32)


def summed_one_by_one(x: np.ndarray) -> np.ndarray:
    """What an implementation gives that adds up pixels in float32, one after the other."""
    with torch.no_grad():
        pixels = MODEL.features(torch.from_numpy(x)).numpy().reshape(2, 8, -1)
    total: np.ndarray = np.add.accumulate(pixels, axis=-1)[..., -1] / np.float32(pixels.shape[-1])
    return total


def judged(got: np.ndarray, reference: Reference, natural: list[Reference]) -> OutputError:
    (error,) = output_errors({"output": got}, reference, usual_noise([*natural, reference], natural))
    return error


def references() -> tuple[Reference, Reference]:
    oracle = Oracle(open_source(MODEL, {"x": "float32[batch,3,64,64]"}), {"x": TYPICAL})
    return oracle.judge({"x": TYPICAL}), oracle.judge({"x": FLAT})


def test_sums_over_a_flat_image_may_drift_as_rounding_makes_them() -> None:
    typical, flat = references()
    got = summed_one_by_one(FLAT)
    without = Reference(flat.values, flat.truth, flat.floor)
    assert judged(got, without, [typical]).ratio > FAIL_GATE
    assert judged(got, flat, [typical]).ratio <= PASS_GATE


def test_what_rounding_does_not_explain_fails_on_it_too() -> None:
    typical, flat = references()
    assert judged(flat.values["output"] * np.float32(1.001), flat, [typical]).ratio > FAIL_GATE


def test_conditioning_is_measured_only_where_an_error_is_above_the_gate() -> None:
    def never() -> dict[str, Noise]:
        raise AssertionError

    typical, flat = references()
    silent = Reference(flat.values, flat.truth, flat.floor, conditioning=never)
    assert judged(flat.values["output"].copy(), silent, [typical]).ratio <= PASS_GATE
    with pytest.raises(AssertionError):
        judged(flat.values["output"] * np.float32(1.001), silent, [typical])
