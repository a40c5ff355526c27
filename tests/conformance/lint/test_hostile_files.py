"""Files from strangers: none makes the linter crash, hang, take 1 GB, write, or read outside the bundle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from hostile_builders import Build
from hostile_files import FILES, INTERFACES
from hostile_graphs import GRAPHS, HUGE
from hostile_weights import EXTERNAL, TENSORS

import assay

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, makes pipes and devices")

HOSTILE = {**EXTERNAL, **TENSORS, **GRAPHS, **FILES, **INTERFACES}
PROGRAM = Path(__file__).with_name("lint_program.py")
GIGABYTE = 1 << 30
OWN = (sys.prefix, sys.base_prefix, str(Path(assay.__file__).resolve().parents[2]), "/proc/self", "/dev/null", "/usr")

Lint = Callable[[Path, float], dict[str, Any]]


def _serve() -> Iterator[Lint]:
    command = [sys.executable, "-B", str(PROGRAM)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        source, sink = process.stdout, process.stdin
        assert source is not None

        def ask(path: Path, seconds: float) -> dict[str, Any]:
            overdue = Timer(seconds, process.kill)
            overdue.start()
            sink.write(json.dumps(str(path)) + "\n")
            sink.flush()
            line = source.readline()
            overdue.cancel()
            assert line, f"the linter died or took more than {seconds:g} s"
            report: dict[str, Any] = json.loads(line)
            return report

        yield ask
        sink.close()


@pytest.fixture(scope="module")
def lint() -> Iterator[Lint]:
    """A process that lints many models; it ends with the tests."""
    yield from _serve()


def _state(folder: Path) -> list[tuple[str, int, int]]:
    stats = ((str(path), path.lstat()) for path in sorted(folder.rglob("*")))
    return [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]


def _outside(opened: list[list[str]], folder: Path) -> list[str]:
    real = [(os.path.realpath(path), mode) for path, mode in opened]
    return [path for path, _ in real if not path.startswith((str(folder.resolve()), *OWN))]


def _assert_withstood(build: Build, lint: Lint, folder: Path, seconds: float) -> None:
    path = build(folder)
    before = _state(folder)
    report = lint(path, seconds)
    assert report["status"] in (0, 1, 2), report["errors"]
    assert "Traceback" not in report["errors"]
    assert report["peak"] < GIGABYTE
    assert _outside(report["opened"], folder) == []
    assert _state(folder) == before


@pytest.mark.parametrize("build", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_judged_or_refused(build: Build, lint: Lint, tmp_path: Path) -> None:
    _assert_withstood(build, lint, tmp_path, 10)


@pytest.mark.slow
@pytest.mark.parametrize("build", HUGE.values(), ids=HUGE)
def test_a_huge_graph_is_judged_or_refused(build: Build, tmp_path: Path) -> None:
    """Each in a process of its own, whose peak is that of this model."""
    for lint in _serve():
        _assert_withstood(build, lint, tmp_path, 60)
