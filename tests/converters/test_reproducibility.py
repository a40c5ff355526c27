"""The same source gives the same bytes: in one process, and in processes that hash and count differently."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from judging import MODELS

from assay import convert

SOURCES: dict[str, dict[str, str] | None] = {
    "torch_models:encoder": {"x": "float32[batch,6]"},
    "keras_models:function": None,
}
SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import test_reproducibility as t
print(json.dumps(t.all_digests(Path(sys.argv[2]))))
"""


def all_digests(folder: Path) -> dict[str, dict[str, str]]:
    """The SHA-256 of every file of every source's bundle."""
    return {name: digests(name, folder / str(index)) for index, name in enumerate(SOURCES)}


def digests(name: str, output: Path) -> dict[str, str]:
    files = convert(name, output, inputs=SOURCES[name], folders=[MODELS]).files
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("name", SOURCES)
def test_twice_in_one_process(name: str, tmp_path: Path) -> None:
    assert digests(name, tmp_path / "first") == digests(name, tmp_path / "second")


@pytest.mark.slow
def test_in_two_processes_in_two_places(tmp_path: Path) -> None:
    found = []
    for seed, other in (("1", "short"), ("271828", "a/longer/place")):
        place = tmp_path / other
        place.mkdir(parents=True)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(MODELS)}
        arguments = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(Path(__file__).parent), str(place)]
        ran = subprocess.run(arguments, cwd=place, env=environment, capture_output=True, text=True, check=True)
        found.append(json.loads(ran.stdout))
    assert found[0] == found[1]
    assert all(sorted(files) == ["interface.json", "model.onnx"] for files in found[0].values())
