"""What tests of all packages share: the command line as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MODELS = Path(__file__).parent


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.stdout)


Command = Callable[..., Ran]


@pytest.fixture(scope="session")
def assay() -> Command:
    """Run ``assay ARGUMENTS`` in a process of its own, in a folder whose modules can be named as sources."""

    def run(*arguments: object, cwd: Path = MODELS) -> Ran:
        command = [sys.executable, "-m", "assay", *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
