"""Weights that the audit alone finds wrong are named at once, and put back from the source, in any layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from onnx import helper, numpy_helper

from assay import Verdict, check, convert
from assay.conformance.parity import explanation
from assay.conformance.parity.diagnoses.diagnosis import CannotMend
from assay.conformance.parity.diagnoses.source_weights import TakeSourceWeights
from assay.conformance.weight_audit.restored import restored_arrays
from assay.converters.bundle import Bundle
from assay.converters.files import read_model
from assay.converters.sources import open_source

ROWS, WIDTH = 400, 12
INPUTS = {"ids": f"int64[batch,3] in 0..{ROWS - 1}"}
RNG = np.random.default_rng(0)
Change = Callable[[np.ndarray], np.ndarray]


class Network(torch.nn.Module):
    """An embedding of more rows than probes have room for, with two layers behind it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = torch.nn.Embedding(ROWS, WIDTH)
        self.wide, self.narrow = torch.nn.Linear(WIDTH, 24), torch.nn.Linear(24, 5)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.narrow(torch.tanh(self.wide(self.table(ids).mean(dim=1))))  # type: ignore[no-any-return]


def noise(size: float) -> Change:
    return lambda array: (array * (1 + size * RNG.standard_normal(array.shape))).astype(array.dtype)


def rounded(array: np.ndarray) -> np.ndarray:
    low: np.ndarray = array.astype(np.float16).astype(array.dtype)
    return low


def another_row(array: np.ndarray) -> np.ndarray:
    return with_row(array, RNG.standard_normal(WIDTH))


def zero_element(array: np.ndarray) -> np.ndarray:
    return with_row(array, 0.0, slice(1))


def zero_weight(array: np.ndarray) -> np.ndarray:
    kept: np.ndarray = array * np.float32(array.shape not in {(24, WIDTH), (WIDTH, 24)})
    return kept


def with_row(array: np.ndarray, row: Any, columns: slice = slice(None)) -> np.ndarray:
    changed = array.copy()
    if array.shape == (ROWS, WIDTH):
        changed[ROWS // 2, columns] = row
    return changed


CHANGES = {
    "noise of 1e-5": noise(1e-5),
    "noise of 1e-6": noise(1e-6),
    "a row": another_row,
    "a zero": zero_element,
    "a weight of zeros": zero_weight,
    "float16": rounded,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(Network(), tmp_path_factory.mktemp("healthy") / "bundle", inputs=INPUTS)


def damaged(bundle: Bundle, path: Path, change: Change, turned: bool = False) -> Path:
    """All weights changed; where turned, each matrix lies the other way round under another name."""
    model = onnx.load(bundle.model)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            array = change(array)
            if turned and array.ndim == 2:
                name, tensor.name = tensor.name, f"stored_{tensor.name}"
                model.graph.node.insert(0, helper.make_node("Transpose", [tensor.name], [name], f"turn_{name}"))
                array = np.ascontiguousarray(array.T)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, path)
    return path


def weights_of(path: Path) -> list[bytes]:
    """The elements of each weight, whichever way round it lies: the check itself sees to their order."""
    arrays = [numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer]
    return sorted(np.sort(array, axis=None).tobytes() for array in arrays if array.dtype == np.float32)


@pytest.mark.parametrize("turned", [False, True], ids=["as converted", "turned"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_damaged_weights_are_repaired_to_the_bit(change: Change, turned: bool, bundle: Bundle, tmp_path: Path) -> None:
    wrong = damaged(bundle, tmp_path / "wrong.onnx", change, turned)
    mended = tmp_path / "mended.onnx"
    result = check(wrong, Network(), inputs=INPUTS, repair=mended)
    assert result.verdict is Verdict.FAIL
    assert result.checks[0].measurements["repair"].get("reason") is None
    assert check(mended, Network(), inputs=INPUTS).verdict is Verdict.PASS
    assert weights_of(mended) == weights_of(damaged(bundle, tmp_path / "right.onnx", np.asarray, turned))


def test_what_the_audit_alone_finds_is_named_without_a_search_for_a_node(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explanation, "localise", None)  # which would be a sentence in the measurements
    wrong = damaged(bundle, tmp_path / "wrong.onnx", another_row)
    told = check(wrong, Network(), inputs=INPUTS).checks[0]
    errors, (named,) = ([f for f in told.findings if f.code == code] for code in ("PA030", "PA027"))
    assert [finding.code for finding in told.findings] == ["PA030", "PA027"]
    assert named.evidence["weights"] == errors[0].evidence["weights"]
    assert list(named.evidence["weights"].values()) == ["table.weight"]
    assert named.message.endswith("but should be table.weight")
    assert "localisation" not in told.measurements


def test_the_minimal_case_of_a_weight_that_no_probe_shows_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    wrong = damaged(bundle, tmp_path / "wrong.onnx", another_row)
    told = check(wrong, Network(), inputs=INPUTS, repro=tmp_path / "case").checks[0].measurements
    assert told["reproduction"] == {"reason": "the weights show the difference, whatever the inputs are"}


def test_a_source_in_another_process_gives_its_weights(bundle: Bundle, tmp_path: Path) -> None:
    wrong = damaged(bundle, tmp_path / "wrong.onnx", zero_element)
    result = check(wrong, bundle.model, repair=tmp_path / "mended.onnx")
    assert result.verdict is Verdict.FAIL
    assert weights_of(tmp_path / "mended.onnx") == weights_of(bundle.model)


def test_a_weight_without_a_counterpart_is_not_mended(bundle: Bundle) -> None:
    model = read_model(bundle.model)
    mend = TakeSourceWeights(open_source(Network(), INPUTS), bundle.model, ("nowhere",))
    with pytest.raises(CannotMend, match="the source has no counterpart of nowhere"):
        mend(model, model)


def restored_one(source: dict[str, np.ndarray], array: np.ndarray) -> np.ndarray:
    return restored_arrays(source.items(), [("constant", array)], ["constant"])["constant"]


def test_factors_that_were_folded_in_stay() -> None:
    kernel = RNG.standard_normal((8, 4, 3, 3)).astype(np.float32)
    right = (kernel * RNG.uniform(0.5, 2, (8, 1, 1, 1))).astype(np.float32)
    made = restored_one({"kernel": kernel}, noise(1e-5)(right))
    assert np.abs(made / right - 1).max() < 1e-5  # the noise is that of a channel's mean


def test_rows_in_another_order_are_put_back_in_theirs() -> None:
    gates = RNG.standard_normal((64, 12)).astype(np.float32)
    right = np.concatenate([gates[32:], gates[:32]])
    wrong = right.copy()
    wrong[5] = 0
    for array, expected in ((wrong, right), (noise(1e-5)(right), right), (np.ascontiguousarray(wrong.T), right.T)):
        assert np.array_equal(restored_one({"gates": gates}, array), expected)


def test_constants_in_bodies_and_constant_nodes_are_replaced(tmp_path: Path) -> None:
    array = RNG.standard_normal((8, 8)).astype(np.float32)
    wrong = array.copy()
    wrong[2] = 0
    text = """<ir_version: 8, opset_import: ["" : 17]> g (float[batch,8] x, bool c) => (float[batch,8] y)
    { y = If (c) <then_branch = t () => (a) { a = MatMul(x, v) }, else_branch = e () => (b) { b = MatMul(x, w) }> }"""
    model = onnx.parser.parse_model(text)
    then, otherwise = (attribute.g for attribute in model.graph.node[0].attribute)
    then.initializer.append(numpy_helper.from_array(wrong, "v"))
    otherwise.node.insert(0, helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(wrong, "w")))
    source = onnx.ModelProto()
    source.CopyFrom(model)
    source.graph.node[0].attribute[0].g.initializer[0].CopyFrom(numpy_helper.from_array(array, "v"))
    paths = tmp_path / "source.onnx", tmp_path / "wrong.onnx"
    for proto, path in zip((source, model), paths, strict=True):
        onnx.save(proto, path)
    mended = ir.from_proto(model)
    TakeSourceWeights(open_source(str(paths[0])), paths[1], ("v",))(mended, mended)
    branch = ir.to_proto(mended).graph.node[0].attribute[0].g
    assert np.array_equal(numpy_helper.to_array(branch.initializer[0]), array)
