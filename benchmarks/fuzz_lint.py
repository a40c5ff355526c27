"""Fuzzes the reader and the linter, guided by coverage (atheris, libFuzzer), from small valid models.

pip install atheris                              # on Linux, Python 3.11 to 3.13; no dependency of Assay itself
python benchmarks/fuzz_lint.py --seconds 400     # table and JSON under docs/benchmarks/
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from machine import DOCS, machine, table, write

sys.path.append(
    str(Path(__file__).resolve().parents[1] / "tests" / "conformance" / "lint")
)  # whose mutations it shares
_WATCHED = ["assay.conformance.lint", "assay.converters", "onnx_ir"]
_EVERY = 200  # inputs between two notes of the tally
_LONGEST_INPUT = 1 << 16
_COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_PRODUCT = "g (float[b,3] x) => (float[b,2] y) <float[3,2] w = {1,2,3,4,5,6}> { y = MatMul(x, w) }"


@dataclass
class Tally:
    """What the inputs did so far."""

    inputs: int = 0
    judged: int = 0
    slowest_seconds: float = 0.0
    slowest_bytes: int = 0
    peak_bytes: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    unrun_rules: Counter[str] = field(default_factory=Counter)


def write_seeds(folder: Path) -> None:
    """The valid models that the fuzzer starts from; one has external data."""
    import onnx.parser
    from proto_mutations import SEEDS

    for index, text in enumerate((_PRODUCT, *SEEDS)):
        model = onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["" : 18]> {text}')
        (folder / f"{index}.onnx").write_bytes(model.SerializeToString())
    weight = model.graph.initializer.add(name="w", data_type=1, dims=[4], data_location=1)
    for key, value in (("location", "data.bin"), ("offset", "0"), ("length", "16")):
        weight.external_data.add(key=key, value=value)
    (folder / "external.onnx").write_bytes(model.SerializeToString())


def try_input(path: Path, tally: Tally) -> None:
    """Lint one file; what is neither findings nor an `AssayError` is a crash."""
    from assay.conformance.lint import lint
    from assay.specs.errors import AssayError

    start = time.perf_counter()
    try:
        found = lint(path)
        tally.judged += 1
        tally.unrun_rules.update(_reason(finding.message) for finding in found if finding.code == "SE000")
    except AssayError:
        pass
    except Exception as error:  # noqa: BLE001 - what the fuzzer looks for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        tally.crashes[f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {error}"[:200]] += 1
    seconds = time.perf_counter() - start
    if seconds > tally.slowest_seconds:
        tally.slowest_seconds, tally.slowest_bytes = seconds, path.stat().st_size
    tally.inputs += 1


def _reason(message: str) -> str:
    """Why rules could not run, without the names and numbers of the input."""
    inner = message.partition(" could not run (")[2].rpartition("), but should")[0]
    return re.sub(r"\d+|'[^']*'|\"[^\"]*\"", "_", inner)[:80]


def mutated(data: bytes, size: int, seed: int) -> bytes:
    """Half of the time a change of a field of the protobuf; else, or where there is none, one of bytes."""
    import atheris
    import onnx
    from google.protobuf.message import DecodeError
    from proto_mutations import mutate

    random = Random(seed)
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError:
        return bytes(atheris.Mutate(data, len(data)))
    if random.random() < 0.5:
        return bytes(atheris.Mutate(data, len(data)))
    try:
        mutate(model, random)
    except UnicodeDecodeError:  # text that another mutation spoilt
        return bytes(atheris.Mutate(data, len(data)))
    return model.SerializeToString()[:size]


def fuzz(folder: Path, seconds: int) -> None:
    """The fuzzer's own process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=_WATCHED):
        import assay.conformance.lint.driver  # noqa: F401
    tally, path = Tally(), folder / "model.onnx"
    (folder / "data.bin").write_bytes(bytes(16))

    end = time.monotonic() + seconds

    def one_input(data: bytes) -> None:
        path.write_bytes(data)
        try_input(path, tally)
        over = time.monotonic() > end
        if over or tally.inputs % _EVERY == 0:
            tally.peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            (folder / "tally.json").write_text(json.dumps(vars(tally)))
        if over:
            os._exit(0)  # libFuzzer's own way out waits for ever

    limits = [f"-max_len={_LONGEST_INPUT}", "-rss_limit_mb=1024"]
    limits.append(f"-timeout={4 * seconds}")  # at half of it atheris ends the process; the slowest input is told
    limits.append(f"-artifact_prefix={folder}/")
    atheris.Setup([sys.argv[0], *limits, str(folder / "corpus")], one_input, custom_mutator=mutated)
    atheris.Fuzz()


def run(seconds: int) -> dict[str, Any]:
    """Fuzz in a child for so long; its tally, libFuzzer's coverage, and how it ended."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        write_seeds(folder / "corpus")
        command = [sys.executable, __file__, "--seconds", str(seconds), "--child", name]
        start = time.perf_counter()
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        elapsed = time.perf_counter() - start
        lines = _COVERAGE.findall(ended.stderr)
        if not (folder / "tally.json").exists():
            sys.exit(f"the fuzzer tried nothing: {ended.stderr[-2000:]}")
        tally = json.loads((folder / "tally.json").read_text())
    coverage = dict(zip(("edges", "features", "corpus"), map(int, lines[-1]), strict=True)) if lines else {}
    return {**tally, **coverage, "status": ended.returncode, "seconds": round(elapsed), "end": _ending(ended.stderr)}


def _ending(said: str) -> str:
    """What libFuzzer complained of; nothing where it ended in time."""
    return said[said.index("ERROR: libFuzzer") :][:600] if "ERROR: libFuzzer" in said else ""


def report(data: dict[str, Any]) -> str:
    """The numbers, then each crash and each reason why a rule could not run."""
    rows = [
        ["inputs tried", data["inputs"]],
        ["seconds", data["seconds"]],
        ["read and judged; the others refused", data["judged"]],
        ["crashes", sum(data["crashes"].values())],
        ["exit status of the fuzzer", data["status"]],
        ["edges of Python covered", data.get("edges", "unknown")],
        ["inputs that found new ones", data.get("corpus", "unknown")],
        ["slowest input", f"{data['slowest_seconds']:.2f} s, {data['slowest_bytes']} bytes"],
        ["peak memory, instrumented", f"{data['peak_bytes'] >> 20} MiB"],
    ]
    unrun = [[reason, count] for reason, count in Counter(data["unrun_rules"]).most_common(12)]
    crashes = [[reason, count] for reason, count in data["crashes"].items()]
    tables = [table(["", "value"], rows), table(["why rules could not run (SE000)", "times"], unrun)]
    return "\n\n".join([*tables, *([table(["crash", "times"], crashes)] if crashes else [])])


def main() -> None:
    """Fuzz, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=400)
    parser.add_argument("--output", type=Path, default=DOCS)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        fuzz(options.child, options.seconds)
    sys.stdout.write(machine() + "\n\n")
    data = run(options.seconds)
    text = report(data)
    write("fuzz_lint", f"python benchmarks/fuzz_lint.py --seconds {options.seconds}", text, data, options.output)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
