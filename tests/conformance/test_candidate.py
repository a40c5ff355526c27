"""The candidate: a bare file says its own interface, a bundle brings one along, and every byte is in the digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

from assay import AssayError, convert
from assay.conformance.candidate import open_candidate

TEXT = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[batch,2] x, float scale) => (float[batch,2] y) <float[2,2] w = {1,2,3,4}> {
    z = MatMul(x, w)
    y = Mul(z, scale)
}"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    onnx.save(parser.parse_model(TEXT), tmp_path / "linear.onnx")
    return tmp_path / "linear.onnx"


def test_a_bare_file_says_its_own_interface(path: Path) -> None:
    interface = open_candidate(path).interface
    assert {spec.name: str(spec) for spec in interface.inputs} == {"x": "float32[batch,2]", "scale": "float32[]"}
    assert {spec.name: str(spec) for spec in interface.outputs} == {"y": "float32[batch,2]"}


def test_a_bundle_brings_its_interface(path: Path, tmp_path: Path) -> None:
    bundle = convert(path, tmp_path / "bundle", inputs={"x": "float32[batch,2] in 0..1"})
    for form in (bundle, bundle.path, str(bundle.model)):
        assert open_candidate(form).interface == bundle.interface


def test_the_digests_are_of_every_file_of_a_bundle(path: Path, tmp_path: Path) -> None:
    bundle = convert(path, tmp_path / "bundle")
    files = open_candidate(bundle).files().files
    assert [file.name for file in files] == ["interface.json", "model.onnx"]
    for file in files:
        content = (bundle.path / file.name).read_bytes()
        assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_the_digests_of_a_bare_file_are_of_its_external_data_too(path: Path) -> None:
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.ones((2, 2), np.float32), "w"))
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert {file.name for file in open_candidate(path).files().files} == {"linear.onnx", "weights.bin"}


@pytest.mark.parametrize("name", ["missing.onnx", "."])
def test_what_is_neither_file_nor_bundle_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError):
        open_candidate(tmp_path / name)
