"""Runs of one model on one input have to agree, again, from bytes, and beside another session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import parser

from assay import Verdict, check
from assay.conformance.candidate import open_candidate
from assay.conformance.isolation import Worker
from assay.conformance.parity.noise_floor import UsualNoise
from assay.conformance.parity.oracle import Noise, Reference
from assay.conformance.parity.repeats import Repeats, same
from assay.conformance.providers.runtime import Loading, RuntimeRefused
from assay.conformance.providers.trial import Trial

X = {"x": np.ones((2, 3), np.float32)}
RIGHT = {"y": np.full((2, 3), 2, np.float32), "label": np.array([1, 0])}


@dataclass(frozen=True)
class Scripted:
    """Gives what it is told, session by session."""

    runs: Iterator[Any] = field(default_factory=lambda: iter(()))
    pairs: Any = (RIGHT, RIGHT)
    from_bytes: Any = None
    loading: Loading = "path"
    candidate: Any = field(default_factory=lambda: SimpleNamespace(size=0))
    worker: Any = field(default_factory=Mock)

    def run(self, _feeds: Any) -> Any:
        return self.from_bytes if self.loading == "bytes" else next(self.runs)

    def run_beside(self, _other: Any, _feeds: Any) -> Any:
        if isinstance(self.pairs, Exception):
            raise self.pairs
        return self.pairs


def repeats(floor: float = 1e-7) -> Repeats:
    reference = Reference(RIGHT, RIGHT, {"y": Noise(floor, floor), "label": Noise(0, 0)})
    usual = {"y": UsualNoise(Noise(0, 0), 2.0)}
    return Repeats(X, RIGHT, reference, usual, lambda error: error)


def moved(by: float) -> dict[str, np.ndarray]:
    return {**RIGHT, "y": RIGHT["y"] + np.float32(by)}


def told(trial: Any, floor: float = 1e-7) -> list[tuple[str, str]]:
    return [(f.code, f.message.split(",")[0]) for f in repeats(floor).beside(trial)]


def test_runs_that_agree_say_nothing() -> None:
    assert repeats().again(Scripted(iter([RIGHT, moved(1e-7), RIGHT])), 3) == []  # type: ignore[arg-type]
    assert told(Scripted()) == []


@pytest.mark.parametrize("odd", [moved(1e-3), {**RIGHT, "y": RIGHT["y"] * np.nan}, {**RIGHT, "y": RIGHT["y"][:1]}])
def test_one_odd_run_of_many_is_found(odd: Any) -> None:
    (finding,) = repeats().again(Scripted(iter([RIGHT, RIGHT, odd, RIGHT])), 4)  # type: ignore[arg-type]
    assert (finding.code, finding.location) == ("PA015", {"output": "y"})


def test_a_label_that_changes_is_found_and_so_is_an_output_that_goes() -> None:
    assert repeats().differing({**RIGHT, "label": np.array([0, 0])}) == ("label",)
    assert repeats().differing({"y": RIGHT["y"]}) == ("label",)


def test_sums_in_another_order_are_no_difference() -> None:
    """As on a GPU: more than one order of threads makes, and within what the source's own rounding is."""
    assert repeats(1e-3).differing(moved(1e-3)) == ()
    assert repeats(1e-7).differing(moved(1e-3)) == ("y",)


def test_what_only_bytes_show_is_their_finding() -> None:
    assert told(Scripted(pairs=(RIGHT, moved(1)), from_bytes=moved(1))) == [
        ("PA029", "output y differs when the model is loaded from bytes")
    ]


@pytest.mark.parametrize("pairs", [(RIGHT, moved(1)), (moved(1), RIGHT)])
def test_what_only_company_shows_is_its_finding(pairs: Any) -> None:
    assert told(Scripted(pairs=pairs, from_bytes=RIGHT)) == [
        ("PA029", "output y differs when a second session runs at the same time")
    ]


def test_a_model_that_memory_holds_once_is_loaded_from_bytes_alone() -> None:
    large = SimpleNamespace(size=1 << 60)
    assert told(Scripted(pairs=(moved(1), moved(1)), from_bytes=RIGHT, candidate=large)) == []
    trial = Scripted(pairs=(RIGHT, RIGHT), from_bytes=moved(1), candidate=large)
    assert told(trial) == [("PA029", "output y differs when the model is loaded from bytes")]
    trial.worker.call.assert_called_once()


def test_a_session_that_is_refused_is_a_finding() -> None:
    (finding,) = repeats().beside(Scripted(pairs=RuntimeRefused("no file w.data")))  # type: ignore[arg-type]
    assert finding.code == "PA029"
    assert "refused, but should run as the one that was loaded from its path: no file w.data" in finding.message


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0]), False),
        (np.array([1.0, np.nan], ml_dtypes.bfloat16), np.array([1.0, np.nan], ml_dtypes.bfloat16), True),
        (np.array([1.0, 2.0], ml_dtypes.bfloat16), np.array([1.0, 3.0], ml_dtypes.bfloat16), False),
        (np.array([np.inf, 1.0]), np.array([np.inf, 1.0 + 1e-15]), True),
        (np.array(["a"]), np.array(["b"]), False),
        (np.zeros((2, 0)), np.zeros((2, 0)), True),
    ],
)
def test_same(a: np.ndarray, b: np.ndarray, equal: bool) -> None:
    assert same(a, b) is equal


def with_external_data(folder: Path) -> Path:
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,64] x) => (float[n,64] y) { y = MatMul(x, w) }'
    model = parser.parse_model(text)
    weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    onnx.save(model, folder / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    return folder / "m.onnx"


def test_external_data_is_found_from_bytes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = with_external_data(tmp_path)
    monkeypatch.chdir("/")
    assert check(model, model).verdict is Verdict.PASS
    feeds = {"x": np.random.default_rng(1).normal(size=(2, 64)).astype(np.float32)}
    with Worker(60) as worker:
        trial = Trial(open_candidate(model), "cpu", worker)
        own, theirs = trial.run_beside(replace(trial, loading="bytes"), feeds)
    assert np.array_equal(own["y"], theirs["y"])
    assert np.ptp(own["y"]) > 1
