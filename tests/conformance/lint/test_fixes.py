"""What ``assay lint --fix`` mends is mended, means the same, and is written whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from lint_models import METADATA, Case, parse, rows, write_model
from test_rules import CASES

from assay.conformance.lint import lint
from assay.conformance.lint.fixes import mend_file
from assay.conformance.lint.fixes.registry import FIXES, Draft
from assay.specs.rules import load_rules

MENDABLE = [case for case in CASES if case.code in FIXES]


def mend(case: Case, folder: Path) -> tuple[Path, set[str]]:
    path = write_model(folder, case.broken, **case.options)
    return path, {f.code for f in lint(path, **case.lint)}


def test_at_least_twenty_rules_can_be_mended() -> None:
    assert len(FIXES) >= 20
    assert set(FIXES) <= set(load_rules())


@pytest.mark.parametrize("case", MENDABLE, ids=[f"{case.code}-{i}" for i, case in enumerate(MENDABLE)])
def test_a_mended_model_no_longer_breaks_the_rule_or_is_left_as_it_was(case: Case, tmp_path: Path) -> None:
    path, _ = mend(case, tmp_path)
    before = path.read_bytes()
    target = case.lint.get("target")
    mended = mend_file(path, target)
    if not mended.written:
        assert path.read_bytes() == before
        assert mended.proof.doubt or mended.proof.difference or case.code not in mended.fixed
        return
    assert case.code not in {f.code for f in lint(path, **case.lint)} or case.code in {f.code for f in mended.left}


# each fix, on a model whose proof runs, really mends; two have models of their own below
@pytest.mark.parametrize("code", sorted(set(FIXES) - {"MD002", "SE004"}))
def test_every_fix_mends_some_model(code: str, tmp_path: Path) -> None:
    tried = []
    for index, case in enumerate(case for case in MENDABLE if case.code == code):
        folder = tmp_path / str(index)
        folder.mkdir()
        path, _ = mend(case, folder)
        mended = mend_file(path, case.lint.get("target"))
        if code in mended.fixed:
            return
        tried.append((mended.refused, mended.proof, [f"{f.code} {f.message}" for f in mended.left if f.code == code]))
    pytest.fail(f"{code} is mended in no model: {tried}")


def test_a_profile_of_another_version_is_stated_anew(tmp_path: Path) -> None:
    path = write_model(tmp_path, rows("y = Relu(x)"), metadata=METADATA | {"assay.profile": "0.9"})
    assert "MD002" in mend_file(path).fixed
    assert lint(path) == []


def test_large_external_data_is_aligned(tmp_path: Path) -> None:
    weights = {"w": np.arange(3, dtype=np.float32), "v": np.full((3, 1 << 17), 0.5, np.float32)}
    path = write_model(
        tmp_path,
        rows("a = Add(x, w) b = MatMul(a, v) y = MatMul(b, u)"),
        weights=weights | {"u": np.ones((1 << 17, 3), np.float32)},
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert "SE004" in {finding.code for finding in lint(path)}
    mended = mend_file(path)
    assert "SE004" in mended.fixed
    assert mended.proof.identical
    assert "SE004" not in {finding.code for finding in lint(path)}


def test_a_fix_that_changes_the_numbers_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it(draft: Draft) -> None:
        next(node for node in draft.graph if node.op_type == "Relu").op_type = "Tanh"

    monkeypatch.setitem(FIXES, "OP038", break_it)
    path = write_model(tmp_path, rows("a = Relu(x) b = Identity(a) y = Neg(b)"))
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    mended = mend_file(path)
    assert not mended.written
    assert mended.proof.difference is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_fix_that_raises_is_told_of_and_the_others_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(draft: Draft) -> None:
        draft.graph.outputs.clear()
        raise ValueError("no way")

    monkeypatch.setitem(FIXES, "OP038", give_up)
    path = write_model(
        tmp_path,
        rows("a = Relu(x) b = Identity(a) c = Transpose<perm=[1,0]>(b) d = Transpose<perm=[1,0]>(c) y = Neg(d)"),
    )
    mended = mend_file(path)
    assert mended.refused == {"OP038": "no way"}
    assert "OP036" in mended.fixed
    assert mended.written


def test_the_diff_shows_what_changed(tmp_path: Path) -> None:
    path = write_model(tmp_path, rows("a = Relu(x) b = Identity(a) y = Neg(b)"))
    mended = mend_file(path)
    assert "-b = Identity(a)" in mended.diff
    assert "+y = Neg(a)" in mended.diff


def test_a_sound_model_is_not_touched(tmp_path: Path) -> None:
    path = write_model(tmp_path, rows("y = Relu(x)"))
    stamp = path.stat().st_mtime_ns
    mended = mend_file(path)
    assert (mended.fixed, mended.written, mended.diff) == ((), False, "")
    assert path.stat().st_mtime_ns == stamp


def test_mending_twice_mends_nothing_more(tmp_path: Path) -> None:
    path = write_model(tmp_path, rows("a = Relu(x) b = Identity(a) y = Neg(b)"), metadata={})
    assert mend_file(path).written
    assert mend_file(path).fixed == ()


def test_a_renamed_input_means_what_it_meant(tmp_path: Path) -> None:
    model = parse("g (float[batch,3] input_1) => (float[batch,3] y) { y = Relu(input_1) }")
    model.graph.input[0].name = model.graph.node[0].input[0] = "serving_default_x:0"
    path = write_model(tmp_path, model, metadata=METADATA)
    assert "IO001" in mend_file(path).fixed
    x = np.array([[-1.0, 0.0, 2.0]], np.float32)
    session = ort.InferenceSession(path)
    (name,) = (value.name for value in session.get_inputs())
    assert ":" not in name
    assert session.run(None, {name: x})[0].tolist() == [[0.0, 0.0, 2.0]]


def test_external_data_in_a_bad_layout_is_laid_out_again(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.code == "SE012")
    path = write_model(tmp_path, case.broken, **case.options)
    before = onnx.load(path)
    mended = mend_file(path)
    if mended.written:
        after = onnx.load(path)
        values = [
            {t.name: onnx.numpy_helper.to_array(t).tolist() for t in m.graph.initializer} for m in (before, after)
        ]
        assert values[0] == values[1]
        assert (
            len(
                {
                    e.value
                    for t in onnx.load(path, load_external_data=False).graph.initializer
                    for e in t.external_data
                    if e.key == "location"
                }
            )
            <= 1
        )
