"""What tests of all packages share: the command line as a process of its own, and a source judged by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from judging import MODELS, Command, Faithful, Ran

import assay as api
from assay import Bundle
from assay.converters.sources.base import Inputs


@pytest.fixture(scope="session")
def assay() -> Command:
    """Run ``assay ARGUMENTS`` in a process of its own, in a folder whose modules can be named as sources."""

    def run(*arguments: object, cwd: Path = MODELS) -> Ran:
        command = [sys.executable, "-m", "assay", *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def faithful(tmp_path: Path) -> Faithful:
    """Convert a source, and check the bundle against the same source, which it must pass."""

    def convert_and_check(source: Any, inputs: Inputs | None = None, trust: bool = False, **options: Any) -> Bundle:
        bundle = api.convert(source, tmp_path / "bundle", inputs=inputs, trust_source=trust, **options)
        result = api.check(bundle, source, trust_source=trust)
        findings = [finding for check in result.checks for finding in check.findings]
        assert (result.verdict, findings) == (api.Verdict.PASS, [])
        return bundle

    return convert_and_check
