"""How the house stands: three folders at the top, linked into the package, and collected nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import assay

TOP = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["specs", "converters", "conformance"])
def test_a_package_is_a_link_to_a_folder_at_the_top(name: str) -> None:
    link = TOP / "src" / "assay" / name
    assert link.is_symlink()
    assert link.is_dir()
    assert link.resolve() == TOP / name
    assert not link.readlink().is_absolute()


def test_every_public_name_has_a_home() -> None:
    from importlib import import_module

    for name in assay.__all__:
        assert name == "AssayError" or hasattr(import_module(assay._HOMES[name]), name)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = assay.nonsense


@pytest.mark.parametrize("code", ["import assay", "from assay.cli import cli", "import assay.conformance.lint"])
def test_no_framework_is_loaded_before_it_is_needed(code: str) -> None:
    script = f"{code}\nimport sys\nprint([n for n in ('torch', 'tensorflow', 'keras', 'tf2onnx') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
