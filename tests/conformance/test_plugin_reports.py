"""The reports of a pytest run: folder, JUnit, and what pytest-xdist carries over."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from plugin_project import STEPS, after, run, run_distributed, write_manifest, write_model

from assay.conformance.result import Result


@pytest.fixture(autouse=True)
def project(pytester: pytest.Pytester) -> Path:
    """A model that is right, one that is wrong, and one that is not there."""
    write_model(pytester.path / "source.onnx")
    write_model(pytester.path / "other.onnx", "Tanh")
    write_manifest(pytester.path / "right.assay.yaml")
    write_manifest(pytester.path / "wrong.assay.yaml", "model: other.onnx")
    write_manifest(pytester.path / "absent.assay.yaml", source="gone.onnx")
    return pytester.path


def read(folder: Path, name: str) -> Result:
    return Result.from_json((folder / f"{name}.result.json").read_bytes())


def verdicts(folder: Path) -> dict[str, tuple[str, str | None, list[str]]]:
    results = {name: read(folder, name) for name in ("right", "wrong", "absent")}
    return {
        name: (result.verdict.value, result.stage, [check.check for check in result.checks])
        for name, result in results.items()
    }


ALL = ["convert", "lint", "parity", "latency"]
VERDICTS = {
    "right": ("pass", None, ALL),
    "wrong": ("fail", "parity", ["open", *ALL[1:]]),
    "absent": ("inconclusive", "convert", ALL),
}


def test_a_folder_for_all_manifests(pytester: pytest.Pytester, project: Path) -> None:
    result = run(pytester, "--assay-report", "out/reports")
    result.assert_outcomes(passed=7, failed=2, errors=3)
    result.stdout.fnmatch_lines(["assay report: out/reports/report.html"])
    assert verdicts(project / "out" / "reports") == VERDICTS
    right, absent = read(project / "out" / "reports", "right"), read(project / "out" / "reports", "absent")
    assert [file.name for file in right.model.files] == ["interface.json", "model.onnx"]
    assert right.reference["sha256"]
    assert "packages" in right.environment
    assert absent.model.files == ()
    assert "gone.onnx does not exist" in absent.checks[0].findings[0].message


def test_the_same_folder_from_two_processes(pytester: pytest.Pytester, project: Path) -> None:
    result = run_distributed(pytester, "--assay-report", "out")
    result.assert_outcomes(passed=7, failed=2, errors=3)
    result.stdout.fnmatch_lines(["assay report: out/report.html"])
    assert verdicts(project / "out") == VERDICTS
    text = result.stdout.str()
    assert "\nerror PA001: output y is " in text
    assert "\nFAILED wrong.assay.yaml::parity[[]cpu] - PA001: output" in text.replace("[cpu]", "[[]cpu]")


def test_a_manifest_stays_with_one_process_where_files_do(pytester: pytest.Pytester) -> None:
    result = run_distributed(pytester, "--dist", "loadfile", "-v", "right.assay.yaml", "wrong.assay.yaml")
    done = [line.split("::")[0].split() for line in result.outlines if line.startswith("[gw") and "::" in line]
    assert len(done) == 2 * len(STEPS)
    assert len({(words[0], words[-1]) for words in done}) == 2


def test_steps_are_marked_as_a_group(pytester: pytest.Pytester) -> None:
    items, _ = pytester.inline_genitems("right.assay.yaml")
    assert {item.get_closest_marker("xdist_group").args for item in items} == {("right",)}  # type: ignore[union-attr]


def test_the_folder_holds_what_ran(pytester: pytest.Pytester, project: Path) -> None:
    run(pytester, "-m", "lint", "right.assay.yaml", "--assay-report", "out")
    assert [check.check for check in read(project / "out", "right").checks] == ["lint"]
    assert read(project / "out", "right").model.files


def test_the_folder_is_written_after_the_first_failure_too(pytester: pytest.Pytester, project: Path) -> None:
    result = run(pytester, "-x", "right.assay.yaml", "wrong.assay.yaml", "--assay-report", "out")
    result.assert_outcomes(passed=4 + 2, failed=1)
    assert read(project / "out", "wrong").checks[-1].verdict == "fail"


def test_a_manifest_that_cannot_be_read_is_in_it(pytester: pytest.Pytester, project: Path) -> None:
    (project / "broken.assay.yaml").write_text("name: [", encoding="utf-8")
    for runner in (run, run_distributed):
        result = runner(pytester, "--assay-report", "out")
        result.stdout.fnmatch_lines(["error: broken.assay.yaml is no YAML: *"])
        assert "Traceback" not in result.stdout.str()
        broken = read(project / "out", "broken.assay.yaml")
        assert (broken.verdict, broken.stage) == ("inconclusive", "open")
        (project / "out" / "broken.assay.yaml.result.json").unlink()


def test_a_process_that_dies_leaves_its_step_inconclusive(pytester: pytest.Pytester, project: Path) -> None:
    deadly = "import os\ndef pytest_runtest_call(item):\n    if 'deadly' in item.nodeid: os._exit(3)\n"
    (project / "conftest.py").write_text(deadly, encoding="utf-8")
    write_manifest(project / "deadly.assay.yaml")
    result = run_distributed(pytester, "--assay-report", "out", "deadly.assay.yaml::convert", "right.assay.yaml")
    result.assert_outcomes(passed=4, failed=1)
    (check,) = read(project / "out", "deadly.assay.yaml").checks
    assert (check.check, check.verdict) == ("convert", "inconclusive")
    assert "crashed while running" in check.findings[0].message


def test_a_source_that_ends_its_process_fails_its_own_step_alone(pytester: pytest.Pytester, project: Path) -> None:
    (project / "network.py").write_text("import os\ndef build(): os._exit(3)\n", encoding="utf-8")
    write_manifest(project / "deadly.assay.yaml", source="network:build")
    result = run(pytester, "--assay-report", "out", "deadly.assay.yaml::convert", "right.assay.yaml")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["error: network:build can't be opened: the process exited with status 3"])
    (check,) = read(project / "out", "deadly").checks
    assert (check.check, check.verdict) == ("convert", "inconclusive")


def test_no_folder_where_no_step_ran(pytester: pytest.Pytester, project: Path) -> None:
    result = run(pytester, "-k", "nothing", "--assay-report", "out")
    result.stdout.fnmatch_lines(["assay report: not written, because no step of a manifest ran"])
    assert not (project / "out").exists()


def test_a_folder_that_cannot_be_written_fails(pytester: pytest.Pytester, project: Path) -> None:
    (project / "out").write_text("a file", encoding="utf-8")
    result = run(pytester, "right.assay.yaml::lint", "--assay-report", "out")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["assay report: *out can't be written: *"])


def cases(path: Path) -> dict[tuple[str, str], Any]:
    return {(case.get("classname", ""), case.get("name", "")): case for case in ET.parse(path).iter("testcase")}


@pytest.mark.parametrize("runner", [run, run_distributed])
def test_junit_has_the_sentences(runner: Any, pytester: pytest.Pytester, project: Path) -> None:
    runner(pytester, "--junitxml", "junit.xml", "wrong.assay.yaml", "absent.assay.yaml", "right.assay.yaml")
    found = cases(project / "junit.xml")
    assert {name for file, name in found if file == "right.assay.yaml"} == set(STEPS)
    failure = found["wrong.assay.yaml", "parity[cpu]"].find("failure")
    assert failure.get("message").startswith("PA001: output y is ")
    assert failure.text.startswith("error PA001: output y is ")
    error = found["absent.assay.yaml", "lint"].find("error")
    assert error.get("message") == (
        'failed on setup with "not run, because there is no model: gone.onnx does not exist"'
    )


def test_long_sentences_are_broken_between_words_on_a_terminal(pytester: pytest.Pytester) -> None:
    result = run(pytester, "wrong.assay.yaml::parity[cpu]", "--color", "yes")
    assert after(result, "wrong: parity[cpu]").startswith("\x1b[31m\x1b[1merror\x1b[0m PA001: output y is ")
    assert max(len(line) for line in result.outlines if "PA001" in line and "FAILED" not in line) < 100
