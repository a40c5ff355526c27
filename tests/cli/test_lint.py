"""``assay lint`` and ``assay rule`` from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import onnx
import onnx.parser
import pytest
from click.testing import CliRunner, Result

from assay.cli import cli
from assay.specs.errors import AssayError

HEALTHY = "g (float[batch,3] x) => (float[batch,3] y) { y = Relu(x) }"
WRONG = "g (float[batch,3] x) => (float[batch,3] y) { y = Erfc(x) }"
PROPS = {
    "assay.profile": "1.0",
    "assay.task": "generic",
    "assay.source.sha256": "0" * 64,
    "assay.exporter": "torch.onnx",
    "assay.source.framework": "pytorch",
}


def write(path: Path, graph: str, metadata: bool = True, imports: str = "") -> Path:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17{imports}]> {graph}')
    onnx.helper.set_model_props(model, PROPS if metadata else {})
    if not metadata:
        model.graph.node[0].metadata_props.add(key="assay.source_line", value="net.py:12")
    path.write_bytes(model.SerializeToString())
    return path


def assay(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_healthy_model_gives_no_finding_and_status_0(tmp_path: Path) -> None:
    run = assay("lint", write(tmp_path / "m.onnx", HEALTHY))
    assert (run.exit_code, run.output) == (0, f"{tmp_path / 'm.onnx'}: no findings\n")


def test_a_warning_keeps_status_0_and_an_error_gives_1(tmp_path: Path) -> None:
    assert assay("lint", write(tmp_path / "a.onnx", HEALTHY, metadata=False)).exit_code == 0
    run = assay("lint", write(tmp_path / "b.onnx", WRONG, metadata=False))
    assert run.exit_code == 1
    assert run.output.splitlines() == [
        "MD001 warning b.onnx: metadata lacks assay.profile, assay.task, assay.source.sha256, but should have them",
        "OP002 error node 'y' (Erfc) at net.py:12: Erfc is no operator of ai.onnx 17, but should be an operator of it",
        f"{tmp_path / 'b.onnx'}: 2 findings (1 error, 1 warning)",
    ]


def test_json_is_a_list_of_findings_on_standard_output_or_in_a_file(tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", WRONG)
    (finding,) = json.loads(assay("lint", model, "--format", "json").output)
    assert set(finding) == {"code", "severity", "message", "location", "evidence"}
    assert assay("lint", model, "--json", tmp_path / "out.json").exit_code == 1
    assert json.loads((tmp_path / "out.json").read_text()) == [finding]
    assert json.loads(assay("lint", model, "--json", "-").output) == [finding]


def test_sarif_points_at_the_source_and_describes_its_rules(tmp_path: Path) -> None:
    run = json.loads(assay("lint", write(tmp_path / "m.onnx", WRONG, metadata=False), "--format", "sarif").output)[
        "runs"
    ][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["MD001", "OP002"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    place = run["results"][1]["locations"][0]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "net.py"}, "region": {"startLine": 12}}
    assert place["logicalLocations"] == [{"fullyQualifiedName": "y", "kind": "function"}]


def test_github_annotates_the_line_of_the_source(tmp_path: Path) -> None:
    model = write(tmp_path / "a,b.onnx", WRONG, metadata=False)
    metadata, operator = assay("lint", model, "--format", "github").output.splitlines()
    assert metadata.startswith(f"::warning file={tmp_path}/a%2Cb.onnx,title=MD001::a,b.onnx: metadata lacks")
    assert operator.startswith(
        "::error file=net.py,line=12,title=OP002::node 'y' (Erfc) at net.py:12: Erfc is no operator"
    )


def test_junit_fails_rules_with_errors_and_passes_the_others(tmp_path: Path) -> None:
    suite = ET.fromstring(assay("lint", write(tmp_path / "m.onnx", WRONG, metadata=False), "--format", "junit").output)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    warned, failed = suite
    assert warned.get("name") == "MD001 provenance"
    assert warned.find("failure") is None
    assert "Erfc is no operator" in failed[0].get("message", "")
    healthy = ET.fromstring(assay("lint", write(tmp_path / "n.onnx", HEALTHY), "--format", "junit").output)
    assert [case.get("name") for case in healthy] == ["lint"]


def test_statistics_count_each_rule(tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", WRONG.replace("batch", "?"), metadata=False)
    run = assay("lint", model, "--statistics")
    assert run.exit_code == 1
    assert run.output.splitlines() == [
        "    2 SH001 warning named-axis",
        "    1 MD001 warning provenance",
        "    1 OP002 error   known-operator",
        f"{model}: 4 findings (1 error, 3 warning)",
    ]


def test_the_level_adds_rules(tmp_path: Path) -> None:
    graph = "g (float[batch,3] x) => (float[batch,3] y) { y = com.microsoft.Gelu(x) }"
    model = write(tmp_path / "m.onnx", graph, imports=', "com.microsoft": 1')
    assert "OP016" not in assay("lint", model).output
    assert "OP016 warning" in assay("lint", model, "--level", "portable").output
    assert isinstance(assay("lint", model, "--level", "golden").exception, AssayError)


def test_a_name_can_not_steer_the_terminal(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {WRONG}')
    model.graph.node[0].op_type = "Erf\x1b[2J\nc"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    run = assay("lint", tmp_path / "m.onnx", "--select", "OP002")
    assert len(run.output.splitlines()) == 2
    assert "Erf\\x1b[2J\\nc is no operator" in run.output


def test_select_and_ignore_choose_rules(tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", WRONG, metadata=False)
    assert assay("lint", model, "--select", "io,SH", "--select", "MD").exit_code == 0
    assert assay("lint", model, "--ignore", "OP").exit_code == 0
    assert assay("lint", model, "--select", "OP002").exit_code == 1


def test_a_prefix_of_no_rule_is_a_usage_error(tmp_path: Path) -> None:
    for prefix in ("ZZ", "PA001", "MD003"):
        run = assay("lint", write(tmp_path / "m.onnx", WRONG), "--ignore", prefix)
        assert run.exit_code == 2
        assert f"'{prefix}' begins no static rule's code" in run.output


def test_the_target_counts(tmp_path: Path) -> None:
    model = write(tmp_path / "m.onnx", "g (float[batch,3] x) => (float[batch,3] y) { y = com.microsoft.Gelu(x) }")
    assert assay("lint", model, "--target", "edge").exit_code == 1


@pytest.mark.parametrize("content", [None, b"", b"not a model", b"\x08\x08\x12\x07pyto"])
def test_what_is_no_model_gives_status_2_and_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    run = subprocess.run([sys.executable, "-m", "assay", "lint", path], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(f"assay: {path} ")
    assert len(run.stderr.splitlines()) == 1


def test_lint_loads_no_framework_or_runtime(tmp_path: Path) -> None:
    heavy = ("torch", "tensorflow", "onnxruntime", "scipy", "matplotlib", "jsonschema")
    program = (
        "import sys; from assay.conformance.lint import lint; lint(sys.argv[1]);"
        f" print([name for name in {heavy} if name in sys.modules])"
    )
    model = write(tmp_path / "m.onnx", HEALTHY)
    run = subprocess.run([sys.executable, "-c", program, model], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_rule_explains_a_code_and_lists_all() -> None:
    run = assay("rule", "sh002")
    assert run.exit_code == 0
    assert run.output.startswith("SH002 reshape-not-frozen (error, level core, since profile 1.0)\n")
    assert all(f"\n{part}\n" in run.output for part in ("Why", "Example", "Mend", "References"))
    lines = assay("rule").output.splitlines()
    assert len(lines) == len(json.loads(assay("rule", "--json", "-").output))
    assert lines[0].startswith("AC001 error   score-kept")


def test_an_unknown_code_is_an_assay_error() -> None:
    run = assay("rule", "XX999")
    assert isinstance(run.exception, AssayError)
    assert "'XX999' is no rule, but should be one of AC001" in str(run.exception)


def test_several_models_are_linted_and_the_worst_counts(tmp_path: Path) -> None:
    sound, broken = write(tmp_path / "sound.onnx", HEALTHY), write(tmp_path / "broken.onnx", WRONG)
    result = assay("lint", sound, broken)
    assert result.exit_code == 1
    assert f"{sound}: no findings" in result.output
    assert "OP002" in result.output


def test_several_models_as_json_are_a_usage_error(tmp_path: Path) -> None:
    sound = write(tmp_path / "sound.onnx", HEALTHY)
    assert assay("lint", sound, sound, "--format", "json").exit_code == 2


def test_fix_mends_shows_the_diff_and_writes(tmp_path: Path) -> None:
    idle = write(
        tmp_path / "m.onnx", "g (float[batch,3] x) => (float[batch,3] y) { a = Relu(x) b = Identity(a) y = Neg(b) }"
    )
    result = assay("lint", "--fix", idle)
    assert result.exit_code == 0
    assert "-b = Identity(a)" in result.output
    assert "mended OP038; the same outputs on" in result.output
    assert assay("lint", "--fix", idle).output.endswith("nothing to mend\n")
