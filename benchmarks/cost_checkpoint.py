"""What it costs to convert large checkpoints: seconds, processor time and peak memory of a process of its own.

python benchmarks/cost_checkpoint.py                     # table and JSON under docs/benchmarks/
python benchmarks/cost_checkpoint.py --models 1B --check # parity, too
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from checkpoint_maker import Decoder, make_checkpoint
from machine import DOCS, table, write

_GIB = 1 << 30
_MODELS = {
    "1B": Decoder(16, 2048, 8192, 16, 32000, "float32", 2),
    "7B": Decoder(32, 4096, 11008, 32, 32000, "bfloat16", 3),
    "7B-sparse": Decoder(32, 4096, 11008, 32, 32000, "bfloat16", 3, sparse=True),
    "100GB-sparse": Decoder(4, 32768, 131072, 64, 128000, "bfloat16", 8, sparse=True),
}
_DEFAULT = ("1B", "7B-sparse", "100GB-sparse")
_LIMIT = 3.0  # GiB of private memory that a conversion gets


@dataclass(frozen=True)
class Cost:
    """One child: how it ended, seconds by the clock and of all processors, peak resident memory in MiB."""

    status: int
    clock: float
    processor: float
    memory: int
    output: str


def measured(arguments: list[str], limit: float | None) -> Cost:
    """Run a command in a process whose private memory is limited, in GiB."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (int(limit * _GIB),) * 2)

    begin = time.perf_counter()
    child = subprocess.Popen(
        arguments, preexec_fn=restrict, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    clock = time.perf_counter() - begin
    return Cost(child.returncode, clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss >> 10, output)


def _command(step: str, source: Path, bundle: Path) -> list[str]:
    code = {
        "read": "import sys, hashlib\nfor f in sys.argv[1].split():\n hashlib.file_digest(open(f, 'rb'), 'sha256')",
        "convert": "import sys, assay; assay.convert(sys.argv[1], sys.argv[2], 'causal-lm')",
    }
    assay = [sys.executable, "-m", "assay"]
    shards = " ".join(map(str, sorted(source.glob("*.safetensors"))))
    return {
        "read": [sys.executable, "-c", code["read"], shards],
        "convert": [sys.executable, "-c", code["convert"], str(source), str(bundle)],
        "lint": [*assay, "lint", str(bundle)],
        "check": [*assay, "check", "--quick", str(bundle), "--reference", str(source)],
    }[step]


def costs(decoder: Decoder, folder: Path, steps: list[str]) -> dict[str, Cost]:
    """Make a checkpoint and run the steps on it."""
    make_checkpoint(decoder, folder / "checkpoint")
    found = {}
    for step in steps:
        limit = _LIMIT if step == "convert" else None
        found[step] = measured(_command(step, folder / "checkpoint", folder / "bundle"), limit)
        print(step, asdict(found[step]), file=sys.stderr)  # noqa: T201
    return found


def _row(name: str, step: str, cost: Cost) -> list[object]:
    size = f"{_MODELS[name].size / 1e9:.1f}"
    return [name, size, step, cost.status, f"{cost.clock:.0f}", f"{cost.processor:.0f}", cost.memory]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=_MODELS, default=_DEFAULT)
    parser.add_argument("--lint", action="store_true", help="lint the bundles, which reads all weights")
    parser.add_argument("--check", action="store_true", help="quick parity, which runs the models")
    parser.add_argument("--folder", type=Path, help="where checkpoints lie while they are measured")
    parser.add_argument("--output", type=Path, default=DOCS)
    options = parser.parse_args()
    steps = ["read", "convert", *(["lint"] if options.lint else []), *(["check"] if options.check else [])]
    found: dict[str, dict[str, Cost]] = {}
    for name in options.models:
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="assay-") as folder:
            found[name] = costs(_MODELS[name], Path(folder), steps)
    rows = [_row(name, step, cost) for name, steps_ in found.items() for step, cost in steps_.items()]
    header = ["model", "GB", "step", "exit", "seconds", "processor seconds", "peak MiB"]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    text = f"Load (1, 5, 15 minutes): {load}. A conversion gets {_LIMIT:.0f} GiB of private memory."
    text = f"{text}\n\n{table(header, rows)}"
    data = {"load": os.getloadavg(), "costs": {n: {s: asdict(c) for s, c in f.items()} for n, f in found.items()}}
    write(
        "cost_checkpoint", f"python benchmarks/cost_checkpoint.py {' '.join(sys.argv[1:])}", text, data, options.output
    )


if __name__ == "__main__":
    main()
