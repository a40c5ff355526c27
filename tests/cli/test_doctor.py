"""``assay doctor`` from outside, on this machine and on worse ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from command_line import assay

from assay.conformance import diagnosis
from assay.conformance.diagnosis import diagnose
from assay.conformance.environment import installed as really_installed
from assay.conformance.providers.catalogue import PROVIDERS


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that packages have other versions, or are missing (None); no provider is tried."""

    def change(**versions: str | None) -> None:
        named = {name.replace("_", "-"): version for name, version in versions.items()}
        monkeypatch.setattr(
            diagnosis, "installed", lambda name: named[name] if name in named else really_installed(name)
        )

    monkeypatch.setattr(diagnosis, "_providers", lambda: iter(()))
    return change


def sentences(severity: str) -> list[str]:
    return [problem.sentence for problem in diagnose().problems if problem.severity == severity]


def test_a_sound_machine_is_status_0() -> None:
    ran = assay("doctor")
    assert (ran.status, ran.stderr) == (0, "")
    assert all(word in ran.stdout for word in ("onnxruntime", "extra pytorch", "cpu", "usable", "int8"))
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_json_names_packages_and_every_provider() -> None:
    ran = assay("doctor", "--json", "-")
    assert ran.json["sound"] is True
    assert [provider["name"] for provider in ran.json["providers"]] == list(PROVIDERS)
    assert ran.json["providers"][0] == {"name": "cpu", "usable": True, "available": True, "reason": None}
    assert {package["extra"] for package in ran.json["packages"]} == {None, "pytorch", "tensorflow"}
    assert any(device.startswith("CPU") for device in ran.json["devices"])


def test_it_imports_no_framework() -> None:
    program = (
        "import sys; from assay.conformance.diagnosis import diagnose; diagnose();"
        " print([name for name in ('torch', 'tensorflow', 'keras', 'tf2onnx') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_it_needs_no_package_that_it_looks_for() -> None:
    program = (
        "import sys; import assay.conformance.diagnosis;"
        " print([n for n in ('numpy', 'onnx', 'onnxruntime', 'scipy', 'loky', 'pydantic', 'yaml') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_needed_package_that_is_missing_is_status_1(pretend: Callable[..., None]) -> None:
    pretend(jinja2=None)
    ran = assay("doctor")
    assert ran.status == 1
    assert "jinja2 is missing, but should be there: pip install 'jinja2>=3.1'" in " ".join(ran.stdout.split())


def test_a_needed_package_that_is_too_old_is_an_error(pretend: Callable[..., None]) -> None:
    pretend(onnx="1.10.0")
    assert sentences("error") == ["onnx is 1.10.0, but should be >=1.20, which was tested"]
    assert not diagnose().is_sound


def test_an_extra_that_was_not_tested_is_a_warning(pretend: Callable[..., None]) -> None:
    pretend(torch="1.13.0")
    assert sentences("warning") == ["torch is 1.13.0, but should be <2.15,>=2.13, which was tested"]
    assert diagnose().is_sound


def test_an_extra_that_is_missing_is_no_problem_and_says_how_to_have_it(pretend: Callable[..., None]) -> None:
    pretend(tensorflow=None)
    ran = assay("doctor")
    assert ran.status == 0
    assert "extra tensorflow: pip install 'assay[tensorflow]'" in ran.stdout


def test_another_distribution_of_onnx_runtime_will_do(pretend: Callable[..., None]) -> None:
    pretend(onnxruntime=None, onnxruntime_gpu="1.24.0")
    assert diagnose().problems == ()


def test_two_distributions_of_onnx_runtime_are_told(pretend: Callable[..., None]) -> None:
    pretend(onnxruntime="1.24.0", onnxruntime_gpu="1.24.0")
    assert "onnxruntime 1.24.0 and onnxruntime-gpu 1.24.0 overwrite each other's files" in sentences("warning")[0]


def test_a_package_that_can_not_be_imported_is_broken(
    pretend: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> None:
        raise OSError(f"lib{name}.so: cannot open shared object file")

    pretend()
    monkeypatch.setattr(diagnosis, "import_module", refuse)
    assert any("can't be imported: OSError: libonnx.so" in sentence for sentence in sentences("error"))
    assert assay("doctor").status == 1


def test_a_provider_that_falls_back_in_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "cuda", PROVIDERS["cpu"])
    monkeypatch.setattr(diagnosis, "_why_not_opened", _falls_back)
    assert sentences("warning") == ["provider cuda can't be used: takes the CPU instead"]


def _falls_back(_worker: object, _model: object, provider: str) -> str | None:
    return "takes the CPU instead" if provider == "cuda" else None


@pytest.mark.parametrize(("flags", "says"), [(["avx2"], "no dot products"), (["avx2", "avx_vnni"], "(avx_vnni)")])
def test_int8_hardware_is_named(flags: list[str], says: str) -> None:
    assert says in diagnosis._int8(flags)


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay doctor" in assay("doctor", "--help").stdout
