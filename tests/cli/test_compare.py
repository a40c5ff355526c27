"""``assay compare`` from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import tiny_onnx
from command_line import assay, refusal
from judging import Command

from assay.specs.schemas import validate

RIGHT = "g (float[batch,6] x) => (float[batch,6] y) <float[1] one = {1}> { h = Relu(x) y = Add(h, one) }"
FAST = ("--no-latency", "--no-pairs")
SOURCE = ("torch_models:encoder", "--input", "x=float32[batch,6]")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder, é")
    tiny_onnx.write(RIGHT, folder / "right.onnx")
    tiny_onnx.write(RIGHT, folder / "same.onnx")
    tiny_onnx.write(RIGHT.replace("{1}", "{1.001}"), folder / "wrong.onnx")
    tiny_onnx.write(tiny_onnx.LOOP, folder / "slow.onnx")
    (folder / "broken.onnx").write_bytes(b"\x08\x07broken")
    return folder


@pytest.fixture(autouse=True)
def here(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (("right.onnx", "same.onnx"), 0),
        (("right.onnx", "same.onnx", "wrong.onnx", "broken.onnx"), 1),
        (("right.onnx", "same.onnx", "broken.onnx"), 3),
        (("right.onnx", "broken.onnx"), 2),
    ],
)
def test_the_status_is_the_verdict(names: tuple[str, ...], status: int) -> None:
    assert assay("compare", *names, *FAST).status == status


def test_the_tables_fit_and_say_what_is_wrong() -> None:
    ran = assay("compare", "right.onnx", "same.onnx", "wrong.onnx", "broken.onnx", "--samples", "20")
    lines = ran.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.startswith("wrong.onnx"))
    assert row.split()[1] == "fail"
    assert "can't be decoded" in " ".join(ran.stdout.split())
    assert "judged by each other" in ran.stdout
    assert lines[-1] == "3 models against right.onnx: 1 passes, 1 fails, 1 is inconclusive"


def test_on_a_wide_terminal_there_is_one_table(monkeypatch: pytest.MonkeyPatch, assay: Command) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    ran = assay("compare", Path("right.onnx").resolve(), Path("same.onnx").resolve(), "--samples", 20)
    (heading,) = (line for line in ran.stdout.splitlines() if line.startswith("model "))
    assert all(word in heading for word in ("verdict", "transposes", "size", "median", "time, right.onnx = 1"))


def test_json_and_html_are_written(tmp_path: Path) -> None:
    names = ("right.onnx", "wrong.onnx", "broken.onnx")
    ran = assay("compare", *names, *FAST, "--json", tmp_path / "c.json", "--html", tmp_path / "c.html")
    document = json.loads((tmp_path / "c.json").read_text())
    validate("comparison", document)
    assert (ran.status, document["verdict"]) == (1, "fail")
    assert "wrong.onnx" in (tmp_path / "c.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.html", "c.json"]


def test_json_on_standard_output_stands_there_alone() -> None:
    ran = assay("compare", "right.onnx", "same.onnx", *FAST, "--json", "-")
    validate("comparison", ran.json)
    assert ran.stderr == ""


SENTENCES = {
    "one model": (("right.onnx",), "right.onnx is all there is"),
    "no reference": (("right.onnx", "--reference", "no.onnx"), "no.onnx does not exist"),
    "an unknown exporter": (("right.onnx", "same.onnx", "--exporter", "magic"), "there is no exporter 'magic'"),
    "an unknown provider": (("right.onnx", "same.onnx", "--provider", "abacus"), "abacus"),
    "HTML under no folder": (("right.onnx", "same.onnx", "--html", "no/where.html"), "can't be written"),
}


@pytest.mark.parametrize(("arguments", "says"), SENTENCES.values(), ids=SENTENCES)
def test_what_can_not_be_compared_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    assert says in refusal("compare", *arguments)


def test_help_shows_examples() -> None:
    assert "Examples:\n    assay compare" in assay("compare", "--help").stdout


@pytest.mark.slow
def test_exporters_of_one_source_are_compared_and_measured(assay: Command) -> None:
    ran = assay("compare", *SOURCE, "--exporters", "all", "--samples", 20, "--json", "-")
    rows = {row["name"]: row for row in ran.json["models"]}
    assert (ran.status, list(rows)) == (0, ["assay.pytorch", "torch.onnx", "torch.onnx.torchscript"])
    for name, row in rows.items():
        conversion = row["conversion"]
        assert conversion["exporter"] == name
        assert conversion["seconds"] > 0
        assert conversion["peak_bytes"] > conversion["loaded_bytes"] > 50e6
    assert [pair["parity"]["verdict"] for pair in ran.json["pairs"]] == ["pass"] * 3


@pytest.mark.slow
def test_sources_of_two_frameworks_stand_beside_a_model(assay: Command, models: Path) -> None:
    sources = ("torch_models:encoder", "keras_models:sequential", "torch_models:no_such")
    chosen = ("--exporter", "torch.onnx,tf2onnx", "--input", "x=float32[batch,6]")
    ran = assay("compare", *sources, models / "right.onnx", *chosen, *FAST, "--json", "-")
    rows = {row["name"]: row for row in ran.json["models"]}
    assert ran.status == 1
    assert rows["torch_models:encoder, torch.onnx"]["parity"]["verdict"] == "pass"
    assert "has no input named x" in rows["keras_models:sequential"]["reason"]
    assert "can't be found" in rows["torch_models:no_such"]["reason"]
    assert rows["right.onnx"]["parity"]["verdict"] == "fail"


@pytest.mark.slow
def test_a_converter_that_crashes_or_hangs_is_a_row(assay: Command, tmp_path: Path) -> None:
    code = "import os, time\ndef crash():\n    os._exit(3)\ndef hang():\n    time.sleep(60)\n"
    (tmp_path / "bad_sources.py").write_text(code)
    right, same = Path("right.onnx").resolve(), Path("same.onnx").resolve()
    sources = ("bad_sources:crash", "bad_sources:hang", right, same)
    options = ("--reference", right, *FAST, "--time-limit", 5, "--json", "-")
    ran = assay("compare", *sources, *options, cwd=tmp_path)
    reasons = {row["name"]: row["reason"] for row in ran.json["models"]}
    assert ran.status == 3
    assert "exited with status 3" in reasons["bad_sources:crash"]
    assert "still at work after 5 s" in reasons["bad_sources:hang"]
    assert reasons["same.onnx"] is None


def _start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "assay", "compare", *map(str, arguments)]
    heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a test in the background ignores Ctrl-C
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=heeding)


@pytest.mark.slow
def test_two_at_once_leave_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "c.json"
    running = [_start("right.onnx", "same.onnx", *FAST, "--json", target) for _ in range(2)]
    assert [process.wait(timeout=100) for process in running] == [0, 0]
    validate("comparison", json.loads(target.read_text()))
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_nothing_is_half_written_when_it_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "c.json").write_text("old")
    options = ("--samples", 5000, "--json", tmp_path / "c.json", "--html", tmp_path / "c.html")
    running = _start("slow.onnx", "slow.onnx", *options)
    time.sleep(4)
    assert running.poll() is None
    os.kill(running.pid, how)
    assert running.wait(timeout=60) != 0
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
    assert (tmp_path / "c.json").read_text() == "old"
