"""What a session with the plugin costs those who don't use it, and what it leaves behind: nothing, either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import onnx.parser
import pytest
from plugin_project import HEADER, write_manifest, write_model

HEAVY = {
    *("jinja2", "loky", "matplotlib", "numpy", "onnx", "onnx_ir", "onnxruntime", "pydantic", "rich", "scipy"),
    *("tensorflow", "torch", "yaml"),
}
ENDLESS = f"""
g (float[batch,6] x) => (float[batch,6] y) <int64 trips = {{{2**62}}}, bool go = {{1}}> {{
    y = Loop(trips, go, x) <body = step (int64 i, bool on, float[batch,6] b) => (bool on_out, float[batch,6] after) {{
        on_out = Identity(on)
        after = Relu(b)
    }}>
}}"""


def test_a_session_without_manifests_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=f"import sys\ndef test_own(): assert not {HEAVY!r} & sys.modules.keys()")
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)
    assert "plugins: assay-" in result.stdout.str()


def test_the_plugin_is_loaded_in_a_blink(pytester: pytest.Pytester) -> None:
    loaded = pytester.run(sys.executable, "-X", "importtime", "-c", "import pytest, assay.conformance.plugin")
    line = next(line for line in loaded.errlines if line.endswith("| assay.conformance.plugin"))
    assert int(line.split("|")[1]) < 150_000, "microseconds"


def test_its_own_markers_are_all_it_adds(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own(): pass")
    plain = pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--collect-only", "-q", "-p", "no:assay")
    assert (
        pytester.runpytest_inprocess("-p", "no:hypothesispytest", "--collect-only", "-q").outlines[:-1]
        == plain.outlines[:-1]
    )


def test_nothing_is_left_after_a_session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    place = pytester.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(place))
    write_model(pytester.path / "source.onnx")
    write_manifest(pytester.path / "m.assay.yaml")
    pytester.runpytest_subprocess().assert_outcomes(passed=4)
    assert list(place.glob("assay-*")) == []


def processes_of(session: int) -> list[int]:
    """The processes of a session, by /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_until_empty(session: int, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := processes_of(session)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed by /proc")
@pytest.mark.parametrize("whom", ["pytest alone", "all, as Ctrl-C does"])
@pytest.mark.parametrize("options", [[], pytest.param(["-n", "1"], marks=pytest.mark.slow)], ids=["plain", "xdist"])
def test_an_interrupted_session_leaves_no_process_and_no_folder(
    whom: str, options: list[str], pytester: pytest.Pytester
) -> None:
    place = pytester.mkdir("tmp")
    write_model(pytester.path / "source.onnx")
    endless = onnx.parser.parse_model(f"{HEADER} {ENDLESS}")
    (pytester.path / "endless.onnx").write_bytes(endless.SerializeToString())
    write_manifest(pytester.path / "m.assay.yaml", "model: endless.onnx")
    command = [sys.executable, "-m", "pytest", *options, "m.assay.yaml::parity[cpu]"]
    environment = os.environ | {"TMPDIR": str(place)}
    with subprocess.Popen(
        command, cwd=pytester.path, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as session:
        deadline = time.monotonic() + 60
        while not list(place.glob("assay-*/**/in")):
            assert time.monotonic() < deadline, "the model should be at work by now"
            time.sleep(0.1)
        time.sleep(1)
        (os.kill if whom == "pytest alone" else os.killpg)(session.pid, signal.SIGINT)
        output, _ = session.communicate(timeout=60)
    assert session.returncode == pytest.ExitCode.INTERRUPTED, output
    assert wait_until_empty(session.pid, 20) == []
    assert list(place.glob("assay-*")) == []
