"""Rules whose models text can't say: weights, external data, metadata, bundles, targets."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tiny_onnx
from lint_models import METADATA, Save, write_model
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from assay.conformance.lint import lint
from assay.conformance.result import Finding
from assay.specs.errors import AssayError
from assay.specs.interface import Interface, parse_spec

WEIGHT = np.arange(400, dtype=np.float32).reshape(20, 20)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a model to a folder of the test's own."""
    return partial(write_model, tmp_path)


def chain(*weights: NDArray[Any] | TensorProto, operator: str = "MatMul", opset: int = 17) -> onnx.ModelProto:
    """``y = x @ w0 @ w1 …``, each weight an initializer."""
    tensors = [w if isinstance(w, TensorProto) else numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(weights)]
    names = ["x", *(f"m{i}" for i in range(len(tensors) - 1)), "y"]
    nodes = [helper.make_node(operator, [names[i], t.name], [names[i + 1]]) for i, t in enumerate(tensors)]
    dtype = tensors[0].data_type
    ends = [helper.make_tensor_value_info(name, dtype, ["batch", 20]) for name in ("x", "y")]
    made = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def external(location: str, offset: int = 0, length: int = WEIGHT.nbytes) -> TensorProto:
    """A weight that lies in a file."""
    tensor = TensorProto(name="w0", data_type=TensorProto.FLOAT, dims=WEIGHT.shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def with_value(value: float, dtype: Any = np.float32) -> NDArray[Any]:
    changed = WEIGHT.astype(dtype)
    changed[3, 4] = value
    return changed


def test_finite_weights_pass(save: Save) -> None:
    assert lint(save(chain(WEIGHT))) == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_nan_fails_in_every_float_dtype(save: Save, dtype: Any) -> None:
    (finding,) = lint(save(chain(with_value(np.nan, dtype))))
    assert (finding.code, finding.severity, finding.evidence) == ("WT001", "error", {"nan": 1})
    assert finding.message == "1 of 400 values are NaN, but should be finite"


def test_a_nan_in_bfloat16_fails(save: Save) -> None:
    tensor = helper.make_tensor("w0", TensorProto.BFLOAT16, [20, 20], with_value(np.nan).reshape(-1))
    assert codes(lint(save(chain(tensor)))) == ["WT001"]


def test_a_nan_in_external_data_fails(save: Save, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"\0" * 64 + with_value(np.nan).tobytes())
    assert codes(lint(save(chain(external("data.bin", 64))))) == ["WT001"]


def test_an_infinity_fails_in_a_weight_and_passes_in_a_mask(save: Save) -> None:
    assert codes(lint(save(chain(with_value(np.inf))))) == ["WT001"]
    mask = np.full(20, -np.inf, np.float32)
    assert lint(save(chain(mask, operator="Add"))) == []


def test_a_weight_stored_twice_is_reported_once(save: Save) -> None:
    (finding,) = lint(save(chain(WEIGHT, WEIGHT, with_value(7))))
    assert (finding.code, finding.location) == ("WT002", {"value": "w1"})
    assert finding.message == "holds the same 1600 bytes as 'w0', but should share them"


def test_weights_that_differ_in_one_value_or_repeat_one_value_are_not_duplicates(save: Save) -> None:
    ones = np.ones((20, 20), np.float32)
    assert lint(save(chain(WEIGHT, with_value(7), ones, ones))) == []


def test_data_beside_the_model_passes(save: Save, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(WEIGHT.tobytes())
    assert lint(save(chain(external("data.bin")))) == []


def test_data_in_a_hard_linked_file_passes(save: Save, tmp_path: Path) -> None:
    (tmp_path / "origin.bin").write_bytes(WEIGHT.tobytes())
    (tmp_path / "data.bin").hardlink_to(tmp_path / "origin.bin")
    assert lint(save(chain(external("data.bin")))) == []


@pytest.mark.parametrize(
    ("tensor", "got"),
    [
        (external("/etc/hostname"), "is an absolute path"),
        (external("C:\\data.bin"), "is an absolute path"),
        (external("../data.bin"), "leaves the model's folder"),
        (external("sub/../data.bin"), "leaves the model's folder"),
        (external("link.bin"), "leaves the model's folder"),
        (external("missing.bin"), "is missing"),
        (external("data.bin", 4), "external data ends at byte 1604"),
        (external("data.bin", 0, 1500), "external data has 1500 bytes"),
    ],
)
def test_data_outside_or_short_fails(save: Save, tmp_path: Path, tensor: TensorProto, got: str) -> None:
    (tmp_path / "data.bin").write_bytes(WEIGHT.tobytes())
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    (finding,) = lint(save(chain(tensor)))
    assert (finding.code, finding.severity) == ("SE001", "error")
    assert got in finding.message
    assert ", but should" in finding.message


def test_a_cache_of_links_to_blobs_passes(save: Save, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    save(chain(external("data.bin"))).rename(blobs / "1")
    (blobs / "2").write_bytes(WEIGHT.tobytes())
    (snapshot / "model.onnx").symlink_to(blobs / "1")
    (snapshot / "data.bin").symlink_to(blobs / "2")
    assert lint(snapshot) == []


def test_missing_metadata_is_a_warning(save: Save) -> None:
    (finding,) = lint(save(chain(WEIGHT), metadata={"assay.profile": "1.0"}), select=["MD001"])
    assert (finding.code, finding.severity) == ("MD001", "warning")
    assert finding.message == "metadata lacks assay.task, assay.source.sha256, but should have them"


def test_a_bundle_without_metadata_is_an_error(tmp_path: Path) -> None:
    bundle = tiny_onnx.bundle(tiny_onnx.write(tiny_onnx.RELU, tmp_path / "m.onnx"), tmp_path / "bundle")
    assert lint(bundle.path) == []
    model = onnx.load(bundle.model)
    del model.metadata_props[:]
    onnx.save(model, bundle.model)
    (finding,) = lint(bundle.path, select=["MD002"])
    assert finding.message == "metadata lacks assay.task, but should have generic as interface.json does"


@pytest.mark.parametrize("change", [{"assay.profile": "7.0"}, {"assay.task": "telepathy"}])
def test_an_unknown_profile_or_task_fails(save: Save, change: dict[str, str]) -> None:
    assert codes(lint(save(chain(WEIGHT), metadata=METADATA | change))) == ["MD002"]


def test_a_model_within_its_target_passes_and_a_newer_one_fails(save: Save) -> None:
    assert lint(save(chain(WEIGHT)), target="edge") == []
    (finding,) = lint(save(chain(WEIGHT, opset=21)), target="edge")
    assert finding.code == "OP001"
    assert finding.message == "opset of ai.onnx is 21, but should be at most 18 for the target edge"


def test_a_newer_ir_version_fails(save: Save) -> None:
    model = chain(WEIGHT)
    model.ir_version = 10
    assert codes(lint(save(model), target="edge")) == ["OP001"]


def test_an_unknown_target_is_an_error_that_names_the_known_ones(save: Save) -> None:
    with pytest.raises(AssayError, match="'fridge' is no target, but should be one of edge, safety, server-cpu"):
        lint(save(chain(WEIGHT)), target="fridge")


def test_batch_normalization_in_training_mode_fails(save: Save) -> None:
    statistics = [numpy_helper.from_array(np.arange(1, 4, dtype=np.float32), name) for name in "sbmv"]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
    for mode, expected in ((0, []), (1, ["OP003"])):
        outputs = ["y"] if mode == 0 else ["y", "mean", "variance"]
        node = helper.make_node("BatchNormalization", ["x", *"sbmv"], outputs, training_mode=mode)
        made = helper.make_graph([node], "g", ends[:1], ends[1:], statistics)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        assert codes(lint(save(model))) == expected


def write_interface(folder: Path, interface: Interface) -> None:
    (folder / "interface.json").write_text(json.dumps(interface.to_json()))


def test_an_interface_that_agrees_passes(save: Save, tmp_path: Path) -> None:
    save(chain(WEIGHT))
    write_interface(
        tmp_path, Interface((parse_spec("x", "float32[batch,20]"),), (parse_spec("y", "float32[batch,20]"),))
    )
    assert lint(tmp_path) == []


@pytest.mark.parametrize("spec", ["float32[batch,21]", "float64[batch,20]", "float32[n,20]", "float32[batch]"])
def test_an_interface_that_disagrees_fails(save: Save, tmp_path: Path, spec: str) -> None:
    save(chain(WEIGHT))
    write_interface(tmp_path, Interface((parse_spec("x", "float32[batch,20]"),), (parse_spec("y", spec),)))
    (finding,) = lint(tmp_path)
    assert (finding.code, finding.location) == ("IO005", {"output": "y"})


def test_an_interface_with_other_names_or_another_task_fails(save: Save, tmp_path: Path) -> None:
    save(chain(WEIGHT))
    spec = "float32[batch,20]"
    write_interface(tmp_path, Interface((parse_spec("x", spec),), (parse_spec("z", spec),)))
    assert codes(lint(tmp_path)) == ["IO005"]
    write_interface(tmp_path, Interface((parse_spec("x", spec),), (parse_spec("y", spec),), "voice-activity"))
    assert codes(lint(tmp_path)) == ["MD002"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"inputs": 3}', '{"schema": "assay.interface/v1", "inputs": [{}]}'])
def test_a_broken_interface_fails(save: Save, tmp_path: Path, text: str) -> None:
    save(chain(WEIGHT))
    (tmp_path / "interface.json").write_text(text)
    (finding,) = lint(tmp_path)
    assert (finding.code, finding.location) == ("IO005", {"file": "interface.json"})


def test_a_bundle_object_is_linted_by_its_path(save: Save, tmp_path: Path) -> None:
    class Bundle:
        path = tmp_path

    save(chain(WEIGHT))
    assert lint(Bundle()) == []


def test_the_location_names_the_line_of_the_source(save: Save) -> None:
    model = chain(WEIGHT)
    node = model.graph.node[0]
    node.op_type = "MatMull"
    for key, value in (("assay.source_line", "net.py:12"), ("assay.module", "encoder.0")):
        node.metadata_props.add(key=key, value=value)
    finding = next(finding for finding in lint(save(model)) if finding.code == "OP002")
    assert finding.location == {"node": "y", "operator": "MatMull", "source_line": "net.py:12", "module": "encoder.0"}
