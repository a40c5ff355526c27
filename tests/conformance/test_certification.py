"""Certifying by manifest: the verdict follows from every step, and the output is written whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import tiny_onnx

from assay import Result, Verdict, certify
from assay.conformance import certification
from assay.conformance.certificate import verify_certificate
from assay.conformance.certification import Certification, Step, plan, require_replaceable
from assay.conformance.manifest import load_manifest
from assay.converters.files import UnreadableError, UnwritableError
from assay.specs.schemas import validate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a source, by a name with a space and a letter that is not ASCII."""
    folder = tmp_path / "models, é"
    folder.mkdir()
    tiny_onnx.write(tiny_onnx.RELU, folder / "m.onnx")
    return folder


def judged(folder: Path, method: str = "static-int8", **variant: object) -> dict[str, object]:
    """The fields that ask for accuracy, and the data for them in the folder."""
    tiny_onnx.save(folder / "e.npz", tiny_onnx.samples())
    tiny_onnx.save(folder / "c.npz", tiny_onnx.samples(32, seed=2), "x")
    accuracy = {"metric": "top1", "output": "logits", "variants": {method: variant}}
    return {"data": {"evaluation": "e.npz", "calibration": "c.npz"}, "accuracy": accuracy}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def codes(result: Result) -> set[str]:
    return {finding.code for check in result.checks for finding in check.findings if finding.severity != "info"}


def test_the_plan_holds_a_step_for_each_check_and_provider(folder: Path) -> None:
    others = {"vendor": {"model": "m.onnx"}, "unjudged": {"model": "m.onnx", "parity": False}}
    path = tiny_onnx.manifest(folder, providers=["cpu", "cuda"], others=others, **judged(folder))
    assert [step.name for step in plan(load_manifest(path))] == [
        *("convert", "lint", "parity[cpu]", "parity[cuda]", "parity:vendor[cpu]", "parity:vendor[cuda]"),
        *("accuracy[cpu]", "accuracy[cuda]", "latency[cpu]", "latency[cuda]"),
    ]


def test_a_healthy_model_passes_and_all_is_written(folder: Path, tmp_path: Path) -> None:
    tiny_onnx.classifier(folder / "m.onnx")
    result = certify(tiny_onnx.manifest(folder, **judged(folder)), tmp_path / "out")
    assert (result.verdict, result.stage, codes(result)) == (Verdict.PASS, None, set())
    assert sorted(contents(tmp_path / "out")) == [
        *("bundle/certificate.json", "bundle/interface.json", "bundle/model.onnx", "junit.xml", "m.result.json"),
        *("report.html", "static-int8/interface.json", "static-int8/model.onnx", "summary.md"),
    ]
    validate("result", json.loads((tmp_path / "out" / "m.result.json").read_text()))
    told = verify_certificate(tmp_path / "out" / "bundle" / "certificate.json", tmp_path / "out" / "bundle")
    assert (told.certified, [finding.code for finding in told.findings]) == ("pass", ["MD004"])


def test_a_model_that_int8_ruins_fails_at_accuracy_and_its_certificate_says_so(folder: Path, tmp_path: Path) -> None:
    fields = judged(folder, max_drop=0.01)
    tiny_onnx.fragile(folder / "m.onnx")
    tiny_onnx.save(folder / "e.npz", tiny_onnx.fragile_samples())
    tiny_onnx.save(folder / "c.npz", tiny_onnx.fragile_samples(seed=2), "x")
    result = certify(tiny_onnx.manifest(folder, **fields), tmp_path / "out")
    assert (result.verdict, result.stage) == (Verdict.FAIL, "accuracy")
    told = verify_certificate(tmp_path / "out" / "bundle" / "certificate.json", tmp_path / "out" / "bundle")
    assert (told.verdict, told.certified) == (Verdict.FAIL, "fail")


def test_a_form_that_only_informs_fails_nobody(folder: Path, tmp_path: Path) -> None:
    fields = judged(folder, required=False)
    tiny_onnx.fragile(folder / "m.onnx")
    tiny_onnx.save(folder / "e.npz", tiny_onnx.fragile_samples())
    result = certify(tiny_onnx.manifest(folder, **fields), tmp_path / "out")
    assert (result.verdict, codes(result)) == (Verdict.PASS, {"AC001"})


def test_a_form_that_has_nothing_to_quantize_fails(folder: Path, tmp_path: Path) -> None:
    tiny_onnx.write("g (float[batch,16] x) => (float[batch,16] logits) { logits = Relu(x) }", folder / "m.onnx")
    fields = judged(folder)
    accuracy = {"metric": "agreement", "output": "logits", "variants": {"dynamic-int8": {}}}
    result = certify(tiny_onnx.manifest(folder, **{**fields, "accuracy": accuracy}), tmp_path / "out")
    assert (result.verdict, result.stage, codes(result)) == (Verdict.FAIL, "accuracy", {"AC002"})
    assert not (tmp_path / "out" / "dynamic-int8").exists()


def test_a_slow_model_fails_at_latency(folder: Path, tmp_path: Path) -> None:
    tiny_onnx.write(tiny_onnx.LOOP, folder / "m.onnx")
    path = tiny_onnx.manifest(folder, latency={"samples": 80, "max_median_ms": 0.01})
    result = certify(path, tmp_path / "out")
    assert (result.verdict, result.stage, codes(result)) == (Verdict.FAIL, "latency", {"LT001"})


def test_a_provider_that_is_not_here_is_inconclusive_with_the_reason(folder: Path, tmp_path: Path) -> None:
    result = certify(tiny_onnx.manifest(folder, providers=["qnn"]), tmp_path / "out")
    assert (result.verdict, result.stage, codes(result)) == (Verdict.INCONCLUSIVE, "parity", {"PA014", "LT003"})
    assert all("has no QNNExecutionProvider" in f.message for check in result.checks[2:] for f in check.findings)


def test_another_model_never_takes_the_place_of_ours(folder: Path, tmp_path: Path) -> None:
    tiny_onnx.write(tiny_onnx.LOOP, folder / "vendor.onnx")
    path = tiny_onnx.manifest(
        folder, others={"vendor": {"model": "vendor.onnx"}}, latency={"samples": 80, "max_median_ms": 5}
    )
    result = certify(path, tmp_path / "out")
    assert [row["name"] for row in result.checks[-1].measurements["models"]] == ["ours", "vendor"]


def test_a_ready_model_is_judged_as_it_is(folder: Path, tmp_path: Path) -> None:
    wrong = "g (float[batch,6] x) => (float[batch,6] y) { z = Relu(x) y = Add(z, z) }"
    tiny_onnx.write(wrong, folder / "vendor.onnx")
    result = certify(tiny_onnx.manifest(folder, model="vendor.onnx"), tmp_path / "out")
    assert (result.verdict, result.stage, result.checks[0].check) == (Verdict.FAIL, "parity", "open")


def test_a_failing_model_gets_its_node_and_its_diagnosis(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(tiny_onnx.classifier(folder / "m.onnx"))
    model.graph.node[1].op_type = "Elu"
    onnx.save(model, folder / "vendor.onnx")
    result = certify(tiny_onnx.manifest(folder, model="vendor.onnx"), tmp_path / "out")
    (parity,) = (check for check in result.checks if check.check == "parity")
    told = [finding.message for finding in parity.findings if finding.code in ("PA026", "PA027")]
    assert told == ["Elu relu is the first node that differs from the source", "relu is Elu, but should be Relu"]
    assert parity.findings[0].location["node"] == "relu"


def test_an_error_of_the_harness_is_inconclusive_and_the_other_steps_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(certification, "check_parity", broken)
    opened = Certification(load_manifest(tiny_onnx.manifest(folder)))
    try:
        check = opened.run(Step("parity", "cpu"))
        assert (check.verdict, check.findings[0].code) == (Verdict.INCONCLUSIVE, "PA016")
        assert "ZeroDivisionError: a bug" in check.findings[0].message
        assert opened.run(Step("latency", "cpu")).verdict is Verdict.PASS
    finally:
        opened.close()


class TestTheOutput:
    """What lies at ``-o`` before, during and after."""

    def test_an_earlier_certification_is_replaced_whole(self, folder: Path, tmp_path: Path) -> None:
        certify(tiny_onnx.manifest(folder, name="old"), tmp_path / "out")
        certify(tiny_onnx.manifest(folder, name="new"), tmp_path / "out")
        assert {"new.result.json"} == {name for name in contents(tmp_path / "out") if name.endswith(".result.json")}
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["models, é", "out"])

    @pytest.mark.parametrize("foreign", ["notes.txt", "photos/holiday.jpg", "another/bundle/model.onnx"])
    def test_a_folder_with_something_else_is_not_overwritten(self, foreign: str, folder: Path, tmp_path: Path) -> None:
        certify(tiny_onnx.manifest(folder), tmp_path / "out")
        (tmp_path / "out" / foreign).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / foreign).touch()
        before = contents(tmp_path / "out")
        with pytest.raises(UnwritableError, match="is not overwritten"):
            certify(tiny_onnx.manifest(folder), tmp_path / "out")
        assert contents(tmp_path / "out") == before

    def test_a_file_is_not_overwritten_and_an_empty_folder_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "empty").mkdir()
        require_replaceable(tmp_path / "empty")
        require_replaceable(tmp_path / "nothing")
        with pytest.raises(UnwritableError, match="it is a file"):
            require_replaceable(tmp_path / "file")

    def test_a_key_that_is_none_is_told_before_the_work(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(certification, "opened_reference", lambda *_, **__: pytest.fail("the work began"))
        with pytest.raises(UnreadableError, match="can't be read"):
            certify(tiny_onnx.manifest(folder), tmp_path / "out", key=tmp_path / "no.pem")

    @pytest.mark.parametrize("earlier", [False, True], ids=["nothing before", "one before"])
    def test_a_full_disk_leaves_nothing_half_written(
        self, earlier: bool, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if earlier:
            certify(tiny_onnx.manifest(folder), tmp_path / "out")
        before = contents(tmp_path)
        monkeypatch.setattr("assay.conformance.reports.write_reports", _full_disk)
        with pytest.raises(UnwritableError, match=r"out can't be written: No space left on device"):
            certify(folder / "m.assay.yaml" if earlier else tiny_onnx.manifest(folder), tmp_path / "out")
        assert set(contents(tmp_path)) - set(before) <= {"models, é/m.assay.yaml"}
        assert {name: data for name, data in contents(tmp_path).items() if name in before} == before

    @pytest.mark.parametrize("earlier", [False, True], ids=["nothing before", "one before"])
    def test_a_kill_leaves_nothing_half_written(self, earlier: bool, folder: Path, tmp_path: Path) -> None:
        path, out = tiny_onnx.manifest(folder), tmp_path / "out"
        if earlier:
            certify(path, out)
        before = contents(out)
        program = """if True:
            import os, signal, sys, assay
            import assay.conformance.reports as reports
            reports.write_reports = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            assay.certify(sys.argv[1], sys.argv[2])"""
        command = [sys.executable, "-c", program, str(path), str(out)]
        run = subprocess.run(command, check=False, capture_output=True, timeout=60)  # the worker holds the pipes too
        assert run.returncode == -signal.SIGKILL
        assert contents(out) == before
        assert out.exists() == earlier

    def test_several_at_once_leave_one_whole(self, folder: Path, tmp_path: Path) -> None:
        path, out = tiny_onnx.manifest(folder), tmp_path / "out"
        command = [sys.executable, "-m", "assay", "certify", str(path), "-o", str(out), "--json", "-"]
        runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
        assert [(run.communicate()[1], run.returncode) for run in runs] == [(b"", 0)] * 2
        told = verify_certificate(out / "bundle" / "certificate.json", out / "bundle")
        assert [finding.code for finding in told.findings] == ["MD004"]
        assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]

    def test_folders_that_replace_each_other_without_rest_stay_whole(self, tmp_path: Path) -> None:
        program = """if True:
            import sys
            from pathlib import Path
            from assay.converters.files import new_folder
            for _ in range(200):
                with new_folder(Path(sys.argv[1])) as folder:
                    for name in "abc":
                        (folder / name).write_text(sys.argv[2])"""
        command = [sys.executable, "-c", program, str(tmp_path / "out")]
        runs = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE) for number in range(2)]
        assert [run.communicate()[1] for run in runs] == [b"", b""]
        assert len({(tmp_path / "out" / name).read_text() for name in "abc"}) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _full_disk(*_arguments: object) -> None:
    raise OSError(28, os.strerror(28))


Change = Callable[[Path], object]
DATA: dict[str, tuple[Change, str]] = {
    "missing": (lambda path: path.unlink(), "can't be loaded"),
    "empty": (lambda path: path.write_bytes(b""), "can't be loaded"),
    "of another shape": (lambda path: tiny_onnx.save(path, {"x": tiny_onnx.samples(4)["x"][:, :3]}), "with shape"),
    "of another dtype": (lambda path: tiny_onnx.save(path, {"x": tiny_onnx.samples(4)["x"].astype("f8")}), "float64"),
}


@pytest.mark.parametrize(("change", "says"), DATA.values(), ids=DATA)
@pytest.mark.parametrize("file", ["e.npz", "c.npz"])
def test_wrong_data_are_told_and_nothing_is_written(
    file: str, change: Change, says: str, folder: Path, tmp_path: Path
) -> None:
    from assay import AssayError

    tiny_onnx.classifier(folder / "m.onnx")
    path = tiny_onnx.manifest(folder, **judged(folder))
    change(folder / file)
    with pytest.raises(AssayError, match=f"data {file} .*{says}"):
        certify(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
