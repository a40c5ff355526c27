"""The environment of a verdict names the machine and the packages, and imports none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from assay.conformance import environment


def test_it_names_machine_and_packages() -> None:
    told = environment.describe_environment()
    assert told["python"] == sys.version.split()[0]
    assert told["packages"]["onnxruntime"] == environment.installed("onnxruntime")
    assert told["cpu_count"] >= 1
    assert told["cpu"]
    assert set(told["cpu_flags"]) <= {
        *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"),
    }


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert environment.installed("a-package-that-nobody-has") is None


def test_nothing_is_imported_for_it() -> None:
    program = (
        "import sys; from assay.conformance.environment import describe_environment; describe_environment();"
        " print([name for name in ('torch', 'tensorflow', 'onnxruntime', 'onnx', 'numpy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_machine_without_cpuinfo_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_cpuinfo", lambda _key: "")
    told = environment.describe_environment()
    assert (told["cpu_flags"], bool(told["cpu"])) == ([], True)
