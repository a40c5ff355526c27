"""An explanation ends in its time, whatever hangs in it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from tiny_onnx import classifier

from assay.conformance.parity.localisation import healthy as conversions
from assay.conformance.parity.localisation.deadline import Deadline, OutOfTime, interrupted_after
from assay.conformance.parity.localisation.healthy import Conversions, Unhealthy
from assay.converters.sources import open_source


def hang(*_arguments: object) -> None:
    while True:
        time.sleep(0.01)


def test_what_hangs_is_interrupted_and_the_timer_is_put_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(OutOfTime, match=r"it took more than the 0\.05 s"), interrupted_after(0.05):
        hang()
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_code_that_swallows_an_interruption_gets_another() -> None:
    def stubborn() -> None:
        try:
            hang()
        except OutOfTime:
            hang()

    with pytest.raises(OutOfTime), interrupted_after(0.05):
        stubborn()


def test_what_ends_in_time_is_left_alone() -> None:
    with interrupted_after(60):
        pass
    Deadline(60).check()


def test_a_live_source_whose_conversion_hangs_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "convert", hang)
    source = open_source(classifier(tmp_path / "m.onnx"))
    made = Conversions(source, "generic", tmp_path / "made").by("onnx", None, 0.05)
    assert made == Unhealthy("onnx", "the conversion was still at work after 0.05 s")
