"""A manifest is a test file: what is collected and selected, and what its failures say."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_project import STEPS, after, run, write_manifest, write_model

from assay.conformance import manifest
from assay.conformance.plugin import SUFFIX
from assay.specs.errors import AssayError

CUDA = "this machine's ONNX Runtime"


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    write_model(pytester.path / "source.onnx")
    return pytester.path


@pytest.fixture
def relu(project: Path) -> Path:
    return write_manifest(project / "relu.assay.yaml")


@pytest.mark.usefixtures("relu")
def test_every_step_is_a_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-v")
    assert result.ret == pytest.ExitCode.OK
    for step in STEPS:
        assert any(line.startswith(f"relu.assay.yaml::{step} PASSED") for line in result.outlines)


def test_only_files_with_the_suffix_are_collected(pytester: pytest.Pytester, relu: Path) -> None:
    for name in ("assay.yaml", "relu.yaml", "relu.assay.yml", "relu.assay.yaml.bak"):
        (relu.parent / name).write_bytes(relu.read_bytes())
    (relu.parent / "folder.assay.yaml").mkdir()
    assert len(collected(pytester)) == len(STEPS)


def test_the_suffix_is_the_one_of_manifests() -> None:
    assert f"*{SUFFIX}" == manifest.NAME_PATTERN


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    return [line for line in run(pytester, "--collect-only", "-q", *arguments).outlines if "::" in line]


def test_collecting_opens_no_source(pytester: pytest.Pytester) -> None:
    write_manifest(pytester.path / "m.assay.yaml", source="gone.onnx")
    assert collected(pytester) == [f"m.assay.yaml::{step}" for step in STEPS]


def test_steps_follow_the_manifest(pytester: pytest.Pytester) -> None:
    write_manifest(
        pytester.path / "m.assay.yaml",
        "model: ours.onnx",
        "providers: [cpu, cuda]",
        "others: {vendor: {model: v.onnx}}",
    )
    names = [line.partition("::")[2] for line in collected(pytester)]
    assert names == [
        *("open", "lint", "parity[cpu]", "parity[cuda]", "parity:vendor[cpu]", "parity:vendor[cuda]"),
        *("latency[cpu]", "latency[cuda]"),
    ]


@pytest.mark.usefixtures("relu")
@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        (["relu.assay.yaml::lint"], ["lint"]),
        (["relu.assay.yaml::parity[cpu]"], ["parity[cpu]"]),
        (["-k", "parity or lint"], ["lint", "parity[cpu]"]),
        (["-k", "relu and not latency"], ["convert", "lint", "parity[cpu]"]),
        (["-m", "assay and not latency"], ["convert", "lint", "parity[cpu]"]),
        (["-m", "parity"], ["parity[cpu]"]),
        (["--assay-provider", "cuda"], ["convert", "lint", "parity[cuda]", "latency[cuda]"]),
        (["-p", "no:assay"], []),
    ],
)
def test_steps_are_selected_as_tests_are(arguments: list[str], steps: list[str], pytester: pytest.Pytester) -> None:
    assert collected(pytester, "--strict-markers", *arguments) == [f"relu.assay.yaml::{step}" for step in steps]


@pytest.mark.usefixtures("project")
def test_steps_of_a_manifest_stay_together(pytester: pytest.Pytester) -> None:
    for name in ("a", "b"):
        write_manifest(pytester.path / f"{name}.assay.yaml")
    pytester.makeconftest("def pytest_collection_modifyitems(items): items.sort(key=lambda item: item.name)")
    assert [line[0] for line in collected(pytester)] == ["a"] * len(STEPS) + ["b"] * len(STEPS)


@pytest.mark.usefixtures("relu")
def test_a_step_alone_has_the_model_made(pytester: pytest.Pytester) -> None:
    run(pytester, "relu.assay.yaml::parity[cpu]").assert_outcomes(passed=1)


@pytest.mark.usefixtures("project")
def test_another_model_is_compared_too(pytester: pytest.Pytester) -> None:
    write_model(pytester.path / "wrong.onnx", "Tanh")
    write_manifest(pytester.path / "m.assay.yaml", "others: {vendor: {model: wrong.onnx}}")
    result = run(pytester, "-m", "parity")
    result.assert_outcomes(passed=1, failed=1, deselected=3)
    assert after(result, "m: parity:vendor[cpu]").startswith("error PA001: output y is ")


@pytest.mark.usefixtures("project")
class TestInconclusive:
    """A verdict that is none."""

    def test_a_missing_provider_fails(self, pytester: pytest.Pytester) -> None:
        write_manifest(pytester.path / "m.assay.yaml", "providers: [cuda]")
        result = run(pytester, "-m", "parity")
        result.assert_outcomes(failed=1, deselected=3)
        assert after(result, "m: parity[cuda]").startswith(f"inconclusive: PA014: {CUDA}")

    @pytest.mark.parametrize("by", ["option", "ini"])
    def test_it_is_skipped_where_that_is_allowed(self, by: str, pytester: pytest.Pytester) -> None:
        if by == "ini":
            pytester.makeini("[pytest]\nassay_allow_inconclusive = true")
        write_manifest(pytester.path / "m.assay.yaml", "providers: [cuda]")
        result = run(pytester, "-m", "parity", "-rs", *(["--assay-allow-inconclusive"] if by == "option" else []))
        result.assert_outcomes(skipped=1, deselected=3)
        result.stdout.fnmatch_lines([f"SKIPPED ?1? m.assay.yaml:1: inconclusive: PA014: {CUDA}*"])

    def test_a_failure_is_no_matter_of_allowance(self, pytester: pytest.Pytester) -> None:
        write_model(pytester.path / "wrong.onnx", "Tanh")
        write_manifest(pytester.path / "m.assay.yaml", "model: wrong.onnx")
        run(pytester, "-m", "parity", "--assay-allow-inconclusive").assert_outcomes(failed=1, deselected=3)

    def test_a_crash_of_the_harness_is_one_step(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("no such luck")

        monkeypatch.setattr("assay.conformance.certification.check_parity", broken)
        write_manifest(pytester.path / "m.assay.yaml")
        result = run(pytester)
        result.assert_outcomes(passed=3, failed=1)
        said = after(result, "m: parity[cpu]")
        assert said == "inconclusive: PA016: the check could not be run: RuntimeError: no such luck"


class TestUnreadable:
    """What can't be judged is told in one sentence."""

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("name: [x", "error: m.assay.yaml is no YAML: "),
            ("- a list", "error: m.assay.yaml is no manifest, but should be a mapping "),
            ("assay: manifest/v1\nname: m\nsource: s.onnx\nsauce: 1", "error: m.assay.yaml has a wrong field: sauce: "),
            ("assay: manifest/v1\nname: m\nsource: s.onnx\nproviders: [gpu]", "error: there is no provider 'gpu', "),
        ],
    )
    def test_a_manifest(self, text: str, sentence: str, pytester: pytest.Pytester) -> None:
        (pytester.path / "m.assay.yaml").write_text(text, encoding="utf-8")
        result = run(pytester)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.assert_outcomes(errors=1)
        assert after(result, "ERROR collecting m.assay.yaml").startswith(sentence)
        assert "Traceback" not in result.stdout.str()

    def test_a_source(self, pytester: pytest.Pytester) -> None:
        write_manifest(pytester.path / "m.assay.yaml", source="gone.onnx")
        result = run(pytester)
        result.assert_outcomes(failed=1, errors=3)
        assert after(result, "m: convert") == "error: gone.onnx does not exist"
        for step in STEPS[1:]:
            said = after(result, f"ERROR at setup of m: {step}")
            assert said == "error: not run, because there is no model: gone.onnx does not exist"
        assert "Traceback" not in result.stdout.str()

    def test_a_source_that_is_not_trusted_unless_told_so(
        self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, trust: bool, **__: object) -> None:
            raise AssayError(f"trusted: {trust}")

        monkeypatch.setattr("assay.conformance.certification.opened_reference", refuse)
        write_manifest(pytester.path / "m.assay.yaml")
        for options, trusted in (([], False), (["--assay-trust-source"], True)):
            assert after(run(pytester, "-k", "convert", *options), "m: convert") == f"error: trusted: {trusted}"

    def test_a_provider_of_the_command_line(self, pytester: pytest.Pytester) -> None:
        result = run(pytester, "--assay-provider", "gpu")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: --assay-provider: there is no provider 'gpu', but there are cpu, *"])


def test_modules_of_one_name_in_two_folders_are_two_sources(pytester: pytest.Pytester) -> None:
    for folder, operator in (("one", "Relu"), ("two", "Tanh")):
        place = pytester.mkdir(folder)
        write_model(place / "model.onnx", operator)
        (place / "network.py").write_text(f"def build(): return {str(place / 'model.onnx')!r}\n", encoding="utf-8")
        write_manifest(place / f"{folder}.assay.yaml", "model: model.onnx", source="network:build")
    run(pytester, "-m", "parity").assert_outcomes(passed=2, deselected=6)


@pytest.mark.usefixtures("relu")
def test_warnings_as_errors_of_a_project_change_no_verdict(pytester: pytest.Pytester) -> None:
    (pytester.path / "network.py").write_text(
        "import warnings\ndef build():\n    warnings.warn('old', UserWarning)\n    return 'source.onnx'\n",
        encoding="utf-8",
    )
    write_manifest(pytester.path / "m.assay.yaml", source="network:build")
    result = run(pytester, "-W", "error", "m.assay.yaml::convert")
    result.assert_outcomes(passed=1)


@pytest.mark.usefixtures("relu")
def test_what_a_passing_step_measured_is_shown_on_request(pytester: pytest.Pytester) -> None:
    assert "measured: " not in run(pytester).stdout.str()
    run(pytester, "-rP").stdout.fnmatch_lines(["measured: worst error * floor at probe *"])
