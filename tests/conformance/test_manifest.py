"""A manifest is read strictly: what the JSON Schema refuses the reader refuses, and the sentence names the field."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.conformance.manifest import ManifestError, load_manifest
from assay.specs.schemas import SchemaError, validate

LEAST: dict[str, Any] = {"assay": "manifest/v1", "name": "m", "source": "m.onnx"}
JUDGED = {
    "data": {"evaluation": "d:evaluation", "calibration": "d:calibration"},
    "accuracy": {"metric": "top1", "output": "logits"},
}
FULL = {
    **LEAST,
    **JUDGED,
    "name": "m_1.0-rc",
    "description": "",
    "model": "vendor.onnx",
    "task": "generic",
    "inputs": {"x": "float32[batch,6]"},
    "outputs": ["y"],
    "providers": ["cpu", "cuda"],
    "pythonpath": ["..", "."],
    "exporter": "onnx",
    "opset": 17,
    "lint": {"target": "edge", "ignore": {"WT002": "tied on purpose"}},
    "parity": {"level": "default"},
    "accuracy": {
        "metric": "threshold",
        "output": "logits",
        "axis": -1,
        "threshold": 0,
        "variants": {"static-int8": {"max_drop": 0, "required": False}, "dynamic-int8": {}},
    },
    "latency": {"samples": 20, "threads": 2, "max_median_ms": 1, "max_p95_ms": 2.5},
    "others": {
        "vendor": {"model": "v:path", "inputs": {"x": "X"}, "outputs": {}, "constants": {"sr": 1}, "parity": True}
    },
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "the least": {},
    "everything": FULL,
    "empty values where there is nothing": {
        "model": None,
        "exporter": None,
        "opset": None,
        "accuracy": None,
        "data": {"calibration": None, "evaluation": None},
        "lint": {"target": None},
        "latency": {"max_median_ms": None, "max_p95_ms": None},
    },
    "data in files": {**JUDGED, "data": {"evaluation": "a folder/é.npz", "calibration": "c.npz"}},
    "a number without a fraction": {"latency": {"max_p95_ms": 3}},
    "labels alone": {**JUDGED, "data": {"evaluation": "d:e"}},
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another version": ({"assay": "manifest/v2"}, "assay"),
    "no name": ({"name": ""}, "name"),
    "a name with a space": ({"name": "a b"}, "name"),
    "a name of dots": ({"name": ".."}, "name"),
    "a name with a slash": ({"name": "a/b"}, "name"),
    "a name that is a number": ({"name": 7}, "name"),
    "a name that is not ASCII": ({"name": "é"}, "name"),
    "an empty source": ({"source": ""}, "source"),
    "an empty model": ({"model": ""}, "model"),
    "an unknown field": ({"sourze": "m"}, "sourze"),
    "an unknown field within": ({"latency": {"sample": 200}}, "latency.sample"),
    "a list for a mapping": ({"inputs": ["x"]}, "inputs"),
    "nothing for a mapping": ({"latency": None}, "latency"),
    "an empty specification": ({"inputs": {"x": ""}}, "inputs.x"),
    "an output that is no name": ({"outputs": [1]}, "outputs.0"),
    "no provider": ({"providers": []}, "providers"),
    "a provider twice": ({"providers": ["cpu", "cpu"]}, "providers"),
    "a provider alone": ({"providers": "cpu"}, "providers"),
    "an opset before any": ({"opset": 6}, "opset"),
    "an opset in words": ({"opset": "17"}, "opset"),
    "an opset that is yes": ({"opset": True}, "opset"),
    "few samples": ({"latency": {"samples": 19}}, "latency.samples"),
    "no threads": ({"latency": {"threads": 0}}, "latency.threads"),
    "a limit of nothing": ({"latency": {"max_p95_ms": 0}}, "latency.max_p95_ms"),
    "a level that is none": ({"parity": {"level": "deep"}}, "parity.level"),
    "an ignored rule that is none": ({"lint": {"ignore": {"IO": "all"}}}, "lint.ignore.IO"),
    "an ignored rule without a reason": ({"lint": {"ignore": {"IO001": ""}}}, "lint.ignore.IO001"),
    "data that are neither": ({"data": {"calibration": "data.csv"}}, "data.calibration"),
    "a metric that is none": ({**JUDGED, "accuracy": {"metric": "f1", "output": "y"}}, "accuracy.metric"),
    "no metric": ({**JUDGED, "accuracy": {"output": "y"}}, "accuracy.metric"),
    "no output": ({**JUDGED, "accuracy": {"metric": "top1"}}, "accuracy.output"),
    "a form that is none": (
        {**JUDGED, "accuracy": {"metric": "top1", "output": "y", "variants": {"int4": {}}}},
        "accuracy.variants",
    ),
    "a negative drop": (
        {**JUDGED, "accuracy": {"metric": "top1", "output": "y", "variants": {"static-int8": {"max_drop": -0.1}}}},
        "max_drop",
    ),
    "accuracy without data": ({"accuracy": {"metric": "top1", "output": "y"}}, "no data.evaluation"),
    "accuracy on no data": (
        {"accuracy": {"metric": "top1", "output": "y"}, "data": {"evaluation": None}},
        "no data.evaluation",
    ),
    "static int8 without calibration": (
        {
            "data": {"evaluation": "d:e"},
            "accuracy": {"metric": "top1", "output": "y", "variants": {"static-int8": {}}},
        },
        "no data.calibration",
    ),
    "a threshold that is not there": ({**JUDGED, "accuracy": {"metric": "threshold", "output": "y"}}, "threshold"),
    "another model with our name": ({"others": {"ours": {"model": "v.onnx"}}}, "others.ours"),
    "another model with a form's name": ({"others": {"static-int8": {"model": "v.onnx"}}}, "others.static-int8"),
    "another model that is nowhere": ({"others": {"vendor": {}}}, "others.vendor.model"),
    "the reader's own field": ({"path": "m"}, ""),
}


def written(content: object, folder: Path) -> Path:
    path = folder / "a name, é.assay.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("fields", ACCEPTED.values(), ids=ACCEPTED)
def test_reader_and_schema_accept(fields: dict[str, Any], tmp_path: Path) -> None:
    content = copy.deepcopy({**LEAST, **fields})
    validate("manifest", content)
    assert load_manifest(written(content, tmp_path)).source == "m.onnx"


@pytest.mark.parametrize(("fields", "says"), REFUSED.values(), ids=REFUSED)
def test_reader_and_schema_refuse(fields: dict[str, Any], says: str, tmp_path: Path) -> None:
    content = copy.deepcopy({**LEAST, **fields})
    with pytest.raises(SchemaError):
        validate("manifest", content)
    with pytest.raises(ManifestError) as refused:
        load_manifest(written(content, tmp_path))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("field", LEAST)
def test_reader_and_schema_miss_the_same_fields(field: str, tmp_path: Path) -> None:
    content = {key: value for key, value in LEAST.items() if key != field}
    with pytest.raises(SchemaError, match="required property"):
        validate("manifest", content)
    with pytest.raises(ManifestError, match=f"wrong field: {field}: field required"):
        load_manifest(written(content, tmp_path))


def test_the_same_data_for_both_purposes_are_refused(tmp_path: Path) -> None:
    content = {**LEAST, **JUDGED, "data": {"evaluation": "d:e", "calibration": "d:e"}}
    with pytest.raises(ManifestError, match="should be apart"):
        load_manifest(written(content, tmp_path))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "assay", "a: [", "\t", "a: 2024-13-45", "1: 2", "? [a, b]\n: c", "a: !!python/object:os.system x"],
)
def test_what_is_no_mapping_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.assay.yaml").write_text(text)
    with pytest.raises(ManifestError) as refused:
        load_manifest(tmp_path / "m.assay.yaml")
    assert str(refused.value).startswith(str(tmp_path))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"[" * 5000])
def test_what_can_not_be_read_is_one_sentence(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "m.assay.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ManifestError, match=r"can't be read|is no YAML"):
        load_manifest(path)


def test_a_misspelt_field_is_told_before_the_one_that_lacks(tmp_path: Path) -> None:
    content = {key: value for key, value in LEAST.items() if key != "source"} | {"sorce": "m"}
    with pytest.raises(ManifestError, match="wrong field: sorce: "):
        load_manifest(written(content, tmp_path))


def test_import_strings_are_looked_up_from_the_manifests_folder(tmp_path: Path) -> None:
    manifest = load_manifest(written({**LEAST, "pythonpath": ["../lib"]}, tmp_path))
    assert manifest.folders == (tmp_path.resolve(), tmp_path.resolve() / "../lib")
