"""What the installed exporters get wrong today: each is found, placed and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_models import LIVE, UNUSED_ARGUMENT, Live, raw_export

import assay as api
from assay import CheckResult, Verdict
from assay.conformance.parity import check

QUICK = ("adaptive pooling", "reshape by int", "TensorFlow floordiv")
MENDED = (
    *("adaptive pooling", "masked attention", "transformer", "floor division", "GELU by Erfc"),
    *("TensorFlow floordiv", "TensorFlow floormod", "resize by area", "resize with antialias"),
)


@pytest.fixture(autouse=True)
def fast_path() -> Iterator[None]:
    """One of the models turns off torch's fast path of attention for the whole process."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def each(names: Any) -> list[Any]:
    """The defects of these names; only a few are quick enough to run always."""
    return [pytest.param(name, id=name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


def exported(live: Live, source: Any, folder: Path) -> Any:
    """The model as its exporter writes it, by way of Assay unless Assay would mend or refuse it."""
    if live.raw:
        return raw_export(live, source, folder / "raw.onnx")
    return api.convert(source, folder / "bundle", inputs=live.inputs or None, exporter=live.exporter)


def judged(live: Live, folder: Path) -> CheckResult:
    """The check of the model, with a minimal case and, if it can be had, a repaired model."""
    source = live.build()
    model = exported(live, source, folder)
    result = check(model, source, inputs=live.inputs or None, repro=folder / "case", repair=folder / "mended.onnx")
    assert result.verdict is Verdict.FAIL
    return result.checks[0]


@pytest.mark.filterwarnings("ignore")  # exporters warn of what they get wrong, and are right to
@pytest.mark.parametrize("name", each(LIVE))
def test_a_live_defect_is_placed_and_named(name: str, tmp_path: Path) -> None:
    live = LIVE[name]
    told = judged(live, tmp_path)
    placed = [finding.location["op"] for finding in told.findings if finding.code == "PA026"]
    named = [finding for finding in told.findings if finding.code == "PA027"]
    assert placed == ([live.op] if live.op else [])
    assert {finding.evidence["kind"] for finding in named} == live.kinds
    assert live.words in named[0].message
    assert ("output" in told.measurements["repair"]) == (name in MENDED)
    if live.op:
        assert (tmp_path / "case" / "issue.md").is_file()


@pytest.mark.filterwarnings("ignore")
def test_an_argument_that_the_source_ignores_and_the_export_lost_is_a_warning(tmp_path: Path) -> None:
    source = UNUSED_ARGUMENT.build()
    result = check(exported(UNUSED_ARGUMENT, source, tmp_path), source, inputs=UNUSED_ARGUMENT.inputs)
    (finding,) = result.checks[0].findings
    assert (result.verdict, finding.code, finding.severity) == (Verdict.PASS, "PA012", "warning")
    assert "input unused is missing" in finding.message
