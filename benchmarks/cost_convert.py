"""What a conversion from TensorFlow costs beside tf2onnx: time, memory, growth with the graph, and the file's latency.

python benchmarks/cost_convert.py                     # all; table, JSON and plot under docs/benchmarks/
python benchmarks/cost_convert.py --resume            # goes on where the last run ended
python benchmarks/cost_convert.py --model tiny --nodes 100 --nodes 300 --output out/cost
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from conversion_costs import measuring
from conversion_costs.measurements import Measurements, work
from conversion_costs.models import CHAIN, COMPARED, LARGE
from conversion_costs.report import OWN, PEER, plot, text
from machine import DOCS, machine, write

NODES = (100, 300, 1000, 3000, 10000, 30000, 50000)
_PARTIAL = "cost_convert.partial.json"
_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"convert": measuring.convert, "latency": measuring.latency}


def compare(measurements: Measurements, name: str, exporters: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What each exporter costs for a model, and the latency of their files where there are two."""
    costs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        places = {exporter: str(Path(folder) / exporter) for exporter in exporters}
        timing = f"latency {name}"
        for exporter, place in places.items():
            key = f"convert {name} {exporter}"
            if len(exporters) == 2 and timing not in measurements.found:
                measurements.found.pop(key, None)  # its file is gone with the run that wrote it
            costs[exporter] = measurements.measure("convert", key, (name, exporter, place))
        if OWN in costs and "failed" not in costs[OWN]:
            again = (name, OWN, str(Path(folder) / "again"))
            second = measurements.measure("convert", f"convert {name} {OWN} again", again)
            costs[OWN] = {**costs[OWN], "same_bytes": second.get("sha256") == costs[OWN]["sha256"]}
        files = [str(Path(place) / "bundle" / "model.onnx") for place in places.values()]
        if len(files) == 2 and not any("failed" in cost for cost in costs.values()):
            return costs, measurements.measure("latency", timing, (name, *files))
    return costs, {}


def grow(measurements: Measurements, nodes: Sequence[int]) -> dict[int, Any]:
    """What chains of so many operations cost."""
    found = {}
    for count in nodes:
        with tempfile.TemporaryDirectory() as folder:
            name = f"{CHAIN}{count}"
            found[count] = measurements.measure("convert", f"convert {name} {OWN}", (name, OWN, folder))
    return found


def main() -> None:
    """Measure, print, write."""
    options = _options()
    if options.worker:
        work(_TASKS, options.worker, options.gigabytes)
        return
    path = options.output / _PARTIAL
    kept = json.loads(path.read_text(encoding="utf-8")) if options.resume and path.exists() else {}
    measurements = Measurements(__file__, path, options.seconds, options.gigabytes, kept)
    sys.stdout.write(machine() + "\n\n")
    chosen = bool(options.model or options.nodes)
    models = options.model or ([] if chosen else [*COMPARED, *LARGE])
    exporters = options.exporter or [OWN, PEER]
    costs: dict[str, Any] = {}
    latencies: dict[str, Any] = {}
    for name in models:
        costs[name], timed = compare(measurements, name, [OWN] if name == LARGE[-1] else exporters)
        latencies |= {name: timed} if timed else {}
    growth = grow(measurements, options.nodes or ([] if chosen else NODES))
    told = text(costs, latencies, growth)
    data = {"results": costs, "latency": latencies, "growth": growth}
    write("cost_convert", "python benchmarks/cost_convert.py", told, data, options.output)
    plot(growth, options.output)
    path.unlink(missing_ok=True)
    sys.stdout.write(told + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help=f"may be repeated; else {', '.join([*COMPARED, *LARGE])}")
    parser.add_argument(
        "--nodes", type=int, action="append", help=f"may be repeated; else {', '.join(map(str, NODES))}"
    )
    parser.add_argument("--exporter", choices=[OWN, PEER], action="append", help="may be repeated; else both")
    parser.add_argument("--seconds", type=float, default=600, help="that one measurement may take")
    parser.add_argument("--gigabytes", type=float, default=15, help="that one process may use")
    parser.add_argument("--resume", action="store_true", help="keep what a run that was cut off has measured")
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the table, the JSON and the plot")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
