"""Verdicts on quantized forms: what loses accuracy fails, what can't be scored is not judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import tiny_onnx
from onnx import parser

from assay import convert
from assay.conformance.accuracy.check import Form, check_accuracy
from assay.conformance.accuracy.metrics import Metric
from assay.conformance.accuracy.quantization import QuantizationError, quantize_bundle
from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.data import Dataset
from assay.conformance.isolation import Worker
from assay.conformance.result import CheckResult, Verdict
from assay.converters.bundle import Bundle

TOP1 = Metric("top1", "logits")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


@pytest.fixture(scope="module")
def sturdy(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("sturdy")
    return tiny_onnx.bundle(tiny_onnx.classifier(folder / "m.onnx"), folder / "bundle")


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("fragile")
    return tiny_onnx.bundle(tiny_onnx.fragile(folder / "m.onnx"), folder / "bundle")


def dataset(arrays: dict[str, np.ndarray], labels: bool = True) -> Dataset:
    return Dataset("data", {"x": arrays["x"]}, arrays["labels"] if labels else None, len(arrays["x"]))


def candidate(bundle: Bundle) -> Candidate:
    return open_candidate(bundle)


def quantized(bundle: Bundle, data: Dataset, folder: Path, worker: Worker, required: bool = True) -> Form:
    made = quantize_bundle(bundle, folder / "int8", "static-int8", data, worker)
    return Form("static-int8", candidate(made), 0.01, required)


def codes(check: CheckResult) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in check.findings]


def test_a_form_that_keeps_its_accuracy_passes(sturdy: Bundle, tmp_path: Path, worker: Worker) -> None:
    form = quantized(sturdy, dataset(tiny_onnx.samples(64, seed=2)), tmp_path, worker)
    check = check_accuracy(TOP1, candidate(sturdy), [form], dataset(tiny_onnx.samples()), "cpu", worker)
    assert (check.verdict, check.findings) == (Verdict.PASS, ())
    assert check.measurements["float"]["score"] == 1
    assert check.measurements["variants"][0]["sqnr_db"] > 15


def test_a_form_that_loses_accuracy_fails(fragile: Bundle, tmp_path: Path, worker: Worker) -> None:
    form = quantized(fragile, dataset(tiny_onnx.fragile_samples(seed=2)), tmp_path, worker)
    check = check_accuracy(TOP1, candidate(fragile), [form], dataset(tiny_onnx.fragile_samples()), "cpu", worker)
    assert (check.verdict, codes(check)) == (Verdict.FAIL, [("AC001", "error")])
    assert "but should by at most 0.01" in check.findings[0].message


def test_a_form_that_is_not_required_only_informs(fragile: Bundle, tmp_path: Path, worker: Worker) -> None:
    form = quantized(fragile, dataset(tiny_onnx.fragile_samples(seed=2)), tmp_path, worker, required=False)
    check = check_accuracy(TOP1, candidate(fragile), [form], dataset(tiny_onnx.fragile_samples()), "cpu", worker)
    assert (check.verdict, codes(check)) == (Verdict.PASS, [("AC001", "warning")])
    assert check.measurements["variants"][0]["verdict"] == "fail"


def test_too_little_data_is_no_verdict(sturdy: Bundle, worker: Worker) -> None:
    form = Form("same", candidate(sturdy), 0.01)
    check = check_accuracy(TOP1, candidate(sturdy), [form], dataset(tiny_onnx.samples(50)), "cpu", worker)
    assert (check.verdict, codes(check)) == (Verdict.INCONCLUSIVE, [("AC001", "warning")])
    assert "more evaluation data is needed" in check.findings[0].message


def test_data_without_labels_is_judged_by_agreement_alone(sturdy: Bundle, worker: Worker) -> None:
    data = dataset(tiny_onnx.samples(), labels=False)
    forms = [Form("same", candidate(sturdy), 0.01)]
    by_labels = check_accuracy(TOP1, candidate(sturdy), forms, data, "cpu", worker)
    assert (by_labels.verdict, codes(by_labels)) == (Verdict.INCONCLUSIVE, [("AC002", "warning")])
    assert "top1 needs labels, but data has none" in by_labels.findings[0].message
    agreement = check_accuracy(Metric("agreement", "logits"), candidate(sturdy), forms, data, "cpu", worker)
    assert agreement.verdict is Verdict.PASS


def test_labels_of_another_model_are_no_verdict(sturdy: Bundle, worker: Worker) -> None:
    arrays = tiny_onnx.samples()
    data = dataset({**arrays, "labels": (arrays["labels"] + 1) % tiny_onnx.CLASSES})
    check = check_accuracy(TOP1, candidate(sturdy), [Form("same", candidate(sturdy), 0.01)], data, "cpu", worker)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "gets no sample right" in check.findings[0].message


def test_an_output_that_is_not_there_is_no_verdict(sturdy: Bundle, worker: Worker) -> None:
    check = check_accuracy(Metric("top1", "scores"), candidate(sturdy), [], dataset(tiny_onnx.samples()), "cpu", worker)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert "there is no output scores, but there are logits" in check.findings[0].message


def test_a_form_of_nan_fails_though_nan_agrees_with_nan(sturdy: Bundle, tmp_path: Path, worker: Worker) -> None:
    graph = "g (float[batch,16] x) => (float[batch,4] logits) <float[16,4] w = {%s}> { logits = MatMul(x, w) }"
    model = parser.parse_model(f"{tiny_onnx.HEADER} {graph % ', '.join(['0'] * 64)}")
    model.graph.initializer[0].ClearField("float_data")
    model.graph.initializer[0].raw_data = np.full(64, np.nan, np.float32).tobytes()
    (tmp_path / "nan.onnx").write_bytes(model.SerializeToString())
    nan = open_candidate(tmp_path / "nan.onnx")
    data = dataset(tiny_onnx.samples())
    metric = Metric("agreement", "logits", threshold=0)
    check = check_accuracy(metric, candidate(sturdy), [Form("nan", nan, 1.0)], data, "cpu", worker)
    assert (check.verdict, codes(check)) == (Verdict.FAIL, [("AC002", "error")])
    assert "is NaN in 600 of 600 samples" in check.findings[0].message
    assert check_accuracy(metric, nan, [], data, "cpu", worker).verdict is Verdict.INCONCLUSIVE


def test_a_form_that_could_not_be_made_fails(sturdy: Bundle, worker: Worker) -> None:
    form = Form("static-int8", None, 0.01, refusal="the quantizer refuses it")
    check = check_accuracy(TOP1, candidate(sturdy), [form], dataset(tiny_onnx.samples()), "cpu", worker)
    assert (check.verdict, codes(check)) == (Verdict.FAIL, [("AC002", "error")])


def test_a_provider_that_is_not_here_is_no_verdict(sturdy: Bundle, worker: Worker) -> None:
    check = check_accuracy(TOP1, candidate(sturdy), [], dataset(tiny_onnx.samples()), "qnn", worker)
    assert (check.verdict, codes(check)) == (Verdict.INCONCLUSIVE, [("AC003", "warning")])


def test_the_class_axis_is_the_models_own_though_samples_move_to_the_front(tmp_path: Path, worker: Worker) -> None:
    transposed = "g (float[batch,3] x) => (float[3,batch] y) { y = Transpose<perm = [1, 0]>(x) }"
    model = open_candidate(tiny_onnx.write(transposed, tmp_path / "t.onnx"))
    x = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    data = Dataset("data", {"x": x}, x.argmax(axis=1), 40)
    check = check_accuracy(Metric("top1", "y", axis=0), model, [], data, "cpu", worker)
    assert check.measurements["float"]["score"] == 1


def test_a_model_with_a_small_batch_is_fed_no_larger_one(tmp_path: Path, worker: Worker) -> None:
    path = tiny_onnx.write("g (float[batch,3] x) => (float[batch,3] y) { y = Relu(x) }", tmp_path / "r.onnx")
    bundle = convert(path, tmp_path / "bundle", inputs={"x": "float32[batch<=7,3]"})
    x = np.random.default_rng(0).uniform(size=(40, 3)).astype(np.float32)
    data = Dataset("data", {"x": x}, x.argmax(axis=1), 40)
    check = check_accuracy(Metric("top1", "y"), candidate(bundle), [], data, "cpu", worker)
    assert check.measurements["float"]["score"] == 1


class TestQuantizing:
    """What `quantize_bundle` writes and refuses."""

    @pytest.mark.parametrize("method", ["static-int8", "dynamic-int8"])
    def test_interface_and_metadata_are_kept(self, sturdy: Bundle, method: str, tmp_path: Path, worker: Worker) -> None:
        data = dataset(tiny_onnx.samples(16))
        made = quantize_bundle(sturdy, tmp_path / "int8", method, data, worker)
        assert made.interface == sturdy.interface
        before, after = (ir.load(one.model) for one in (sturdy, made))
        assert after.metadata_props == {**before.metadata_props, "assay.precision": method}
        assert [(v.name, v.shape) for v in after.graph.outputs] == [(v.name, v.shape) for v in before.graph.outputs]

    @pytest.mark.parametrize("method", ["static-int8", "dynamic-int8"])
    def test_twice_gives_the_same_bytes(self, sturdy: Bundle, method: str, tmp_path: Path, worker: Worker) -> None:
        data = dataset(tiny_onnx.samples(16))
        made = [quantize_bundle(sturdy, tmp_path / name, method, data, worker) for name in ("a", "b")]
        assert made[0].model.read_bytes() == made[1].model.read_bytes()

    def test_static_needs_calibration(self, sturdy: Bundle, tmp_path: Path, worker: Worker) -> None:
        with pytest.raises(QuantizationError, match="needs calibration data"):
            quantize_bundle(sturdy, tmp_path / "int8", "static-int8", None, worker)

    @pytest.mark.parametrize("method", ["static-int8", "dynamic-int8"])
    def test_a_model_with_nothing_to_quantize_is_refused(self, method: str, tmp_path: Path, worker: Worker) -> None:
        bundle = tiny_onnx.bundle(tiny_onnx.write(tiny_onnx.RELU, tmp_path / "r.onnx"), tmp_path / "bundle")
        data = Dataset("data", {"x": np.ones((8, 6), np.float32)}, None, 8)
        with pytest.raises(QuantizationError, match=f"holds nothing that {method} quantizes"):
            quantize_bundle(bundle, tmp_path / "int8", method, data, worker)
        assert not (tmp_path / "int8").exists()
