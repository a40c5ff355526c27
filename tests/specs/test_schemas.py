"""The schemas are valid 2020-12, take what Assay writes, and refuse what it does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from assay.conformance.comparison.comparison import (
    ComparedModel,
    Comparison,
    Conversion,
    GraphFacts,
    LintCounts,
    OutputParity,
    Pair,
    Parity,
    TensorFacts,
)
from assay.conformance.result import CheckResult, FileDigest, Finding, ModelFiles, Result, Verdict
from assay.specs.errors import AssayError
from assay.specs.interface import Interface, parse_spec
from assay.specs.schemas import SchemaError, load_schema, schema_names, validate

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
MANIFEST = {
    "assay": "manifest/v1",
    "name": "digits",
    "description": "Digits.",
    "source": "digits_pytorch:build",
    "model": "digits.onnx",
    "task": "image-classification",
    "inputs": {"pixel_values": "float32[batch,1,8,8] in 0..1"},
    "outputs": ["logits"],
    "data": {"calibration": "digits_data:calibration", "evaluation": "evaluation.npz"},
    "providers": ["cpu"],
    "pythonpath": ["."],
    "exporter": "dynamo",
    "opset": 20,
    "lint": {"target": "edge", "ignore": {"WT002": "the vendor's file"}},
    "parity": {"level": "default"},
    "accuracy": {
        "metric": "top1",
        "output": "logits",
        "axis": 1,
        "threshold": 0.5,
        "variants": {"static-int8": {"max_drop": 0.01, "required": True}, "dynamic-int8": {"max_drop": 0.01}},
    },
    "latency": {"samples": 200, "threads": 1, "max_median_ms": 2.5, "max_p95_ms": 3},
    "others": {
        "vendor": {"model": "v.onnx", "inputs": {"a": "b"}, "outputs": {}, "constants": {"sr": 16000}, "parity": False}
    },
}


def result() -> dict[str, Any]:
    finding = Finding(
        code="PA001", severity="error", message="wrong", location={"output": "y"}, evidence={"ratio": 9.5}
    )
    check = CheckResult(
        check="parity", provider="cpu", verdict=Verdict.FAIL, findings=(finding,), measurements={"n": 3}
    )
    files = ModelFiles(files=(FileDigest(name="model.onnx", sha256="0" * 64, size=12),), name="m")
    checks = (CheckResult(check="lint", verdict=Verdict.PASS), check)
    made = Result.of(checks, files, {"source": "m:build"}, {"python": "3.11"})
    document: dict[str, Any] = json.loads(made.to_json())
    return document


def comparison() -> dict[str, Any]:
    """One model that fails and one that there is none of, with all that may be told of them."""
    tensor = TensorFacts(name="x", specification="float32[batch,6]")
    counts: dict[str, Any] = {"nodes": 3, "transposes": 0, "parameters": 1, "bytes": 120}
    output = OutputParity(name="y", verdict=Verdict.FAIL, ratio=25.0, probe="ramp", max_error=1e-3, code="PA001")
    finding = Finding(code="PA001", severity="error", message="wrong", location={"output": "y"})
    parity = Parity(
        reference="m:build",
        verdict=Verdict.FAIL,
        gate={"pass": 8.0, "fail": 20.0},
        probes={"judged": 9},
        outputs=(output,),
        findings=(finding,),
    )
    model = ComparedModel(
        name="torch.onnx",
        source="m:build",
        role="candidate",
        conversion=Conversion(exporter="torch.onnx", seconds=1.5, peak_bytes=2, loaded_bytes=1),
        files=(FileDigest(name="model.onnx", sha256="0" * 64, size=120),),
        graph=GraphFacts(
            opsets={"ai.onnx": 20},
            operators={"Relu": 3},
            **counts,
            inputs=(tensor,),
            outputs=(),
            dynamic_axes=("batch",),
        ),
        lint=LintCounts(severities={"error": 1}, codes={"OP001": 1}),
        parity=parity,
    )
    none = ComparedModel(name="none.onnx", source="none.onnx", role="candidate", reason="does not exist")
    made = Comparison(
        verdict=Verdict.FAIL,
        reference={"name": "m:build"},
        provider="cpu",
        models=(model, none),
        pairs=(Pair(model="none.onnx", parity=parity),),
        latency=CheckResult(check="latency", verdict=Verdict.PASS),
        environment={"python": "3.11"},
    )
    document: dict[str, Any] = json.loads(made.to_json())
    return document


def interface() -> dict[str, Any]:
    inputs = (parse_spec("x", "float32[batch,height>=12<=96=48,3] in 0..255"), parse_spec("s", "int64[]"))
    return Interface(inputs, (parse_spec("y", "float16"),), metadata={"author": "me"}).to_json()


DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "result": result,
    "comparison": comparison,
    "interface": interface,
    "manifest": lambda: copy.deepcopy(MANIFEST),
}


PROFILE_FILES = ("domains", "fields", "levels", "operators", "roles", "rules", "target", "task")


def objects(document: Any, free: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every object in the document, but those in which any key is allowed."""
    if isinstance(document, dict):
        yield document
        for key, value in document.items():
            if key not in free:
                yield from objects(value, free)
    elif isinstance(document, list):
        for value in document:
            yield from objects(value, free)


def test_every_schema_is_valid_2020_12_and_has_a_document() -> None:
    assert set(schema_names()) == set(DOCUMENTS) | set(PROFILE_FILES)
    for name in schema_names():
        assert load_schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        Draft202012Validator.check_schema(load_schema(name))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_assay_writes_is_valid(name: str) -> None:
    validate(name, DOCUMENTS[name]())


FREE = (
    "inputs",
    "outputs",
    "location",
    "evidence",
    "measurements",
    "reference",
    "environment",
    "metadata",
    "ignore",
    "constants",
    *("opsets", "operators", "codes", "severities", "probes", "gate"),
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_unknown_property_is_refused_everywhere(name: str) -> None:
    count = len(list(objects(DOCUMENTS[name](), FREE)))
    for index in range(count):
        document = DOCUMENTS[name]()
        part = list(objects(document, FREE))[index]
        if part is document.get("others"):
            continue
        part["surprise"] = 1
        with pytest.raises(SchemaError):
            validate(name, document)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_missing_property_that_is_required_is_refused(name: str) -> None:
    for key in load_schema(name)["required"]:
        document = DOCUMENTS[name]()
        del document[key]
        with pytest.raises(SchemaError, match="is a required property"):
            validate(name, document)


def test_an_interface_of_another_form_is_refused() -> None:
    document = interface()
    document["inputs"][0]["dims"][1]["axes"] = "height"
    with pytest.raises(SchemaError, match=r"^/inputs/0/dims/1 breaks the schema of interface"):
        validate("interface", document)


def test_an_unknown_schema_is_an_error() -> None:
    with pytest.raises(AssayError, match="is no schema, but should be one of comparison, domains, fields, interface"):
        load_schema("nothing")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*.assay.yaml")), ids=lambda path: path.stem)
def test_the_fixtures_manifests_are_valid(path: Path) -> None:
    validate("manifest", yaml.safe_load(path.read_bytes()))
