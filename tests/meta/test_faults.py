"""Single faults in small models of both frameworks: each is found, its node and its name are told, and it is mended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import onnx_ir as ir
import pytest
from fault_models import SUBJECTS
from faults import FAULTS, Fault, NotApplicable

import assay as api
from assay import Bundle, Verdict
from assay.conformance.parity import check
from assay.converters.files import read_model

QUICK = ("tanh GELU", "baked Reshape", "ignored mask", "float16", "swapped outputs", "negated")
EQUIVALENT = {  # the source itself gives the same: a shift before a normalization, a sign before a square
    ("vision", "dropped bias"),
    ("Keras text", "negated"),
    ("Keras text", "swapped operands"),
}
Converted = Callable[[str], tuple[Any, Bundle]]


def cases() -> list[Any]:
    """Each subject with each fault; a few on one subject are quick enough to run always."""
    every = [(s, f) for s in SUBJECTS for f in FAULTS if (s, f) not in EQUIVALENT]
    always = {("attention by TorchScript", fault) for fault in QUICK}
    return [pytest.param(s, f, id=f"{s}-{f}", marks=() if (s, f) in always else pytest.mark.slow) for s, f in every]


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """The source and the healthy bundle of each subject, converted once."""

    @cache
    def convert(name: str) -> tuple[Any, Bundle]:
        subject = SUBJECTS[name]
        source, folder = subject.build(), tmp_path_factory.mktemp("healthy") / "bundle"
        return source, api.convert(source, folder, inputs=subject.inputs, exporter=subject.exporter)

    return convert


def planted(bundle: Bundle, fault: Fault, folder: Path) -> str | None:
    """Write the faulty bundle; the name of the node that the fault sits in."""
    model = read_model(bundle.model)
    try:
        node = fault.plant(model)
    except NotApplicable as reason:
        pytest.skip(f"the graph has no {reason}")
    folder.mkdir()
    ir.save(model, folder / "model.onnx")
    shutil.copy(bundle.path / "interface.json", folder)
    return node


@pytest.mark.parametrize(("subject", "name"), cases())
def test_a_fault_is_placed_named_and_mended(subject: str, name: str, converted: Converted, tmp_path: Path) -> None:
    source, bundle = converted(subject)
    fault, wrong, inputs = FAULTS[name], tmp_path / "wrong", SUBJECTS[subject].inputs
    node = planted(bundle, fault, wrong)
    result = check(wrong, source, inputs=inputs, repair=tmp_path / "mended")
    findings, told = result.checks[0].findings, result.checks[0].measurements
    assert result.verdict is Verdict.FAIL
    assert [finding.location["node"] for finding in findings if finding.code == "PA026"] == ([node] if node else [])
    assert {finding.evidence["kind"] for finding in findings if finding.code == "PA027"} & fault.kinds
    assert told["repair"]["output"] == str(tmp_path / "mended")
    assert check(tmp_path / "mended", source, inputs=inputs).verdict is Verdict.PASS


def test_every_kind_of_fault_applies_to_a_subject(converted: Converted) -> None:
    quick = [name for name in SUBJECTS if name in ("attention by TorchScript", "vision")]
    left = set(FAULTS)
    for subject in quick:
        for name in sorted(left):
            try:
                FAULTS[name].plant(read_model(converted(subject)[1].model))
            except NotApplicable:
                continue
            left.discard(name)
    assert not left
