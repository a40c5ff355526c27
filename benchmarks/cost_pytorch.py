"""What a conversion from PyTorch costs beside ``torch.onnx.export``, saving included: time, memory and nodes.

python benchmarks/cost_pytorch.py                # all; table and JSON under docs/benchmarks/
python benchmarks/cost_pytorch.py --resume       # goes on where the last run ended
python benchmarks/cost_pytorch.py --model tiny --output out/cost
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conversion_costs.measurements import Measurements, work
from conversion_costs.measuring import reset_peak, status
from conversion_costs.pytorch_models import MODELS
from machine import DOCS, machine, table, write

OWN, PEER = "assay.pytorch", "torch.onnx.export"
_PARTIAL = "cost_pytorch.partial.json"
_MIB = 1 << 20
_LONGEST, _LEAST = 0.7, 1.0  # of the peer's time, and of its memory


def convert(name: str, exporter: str, folder: str) -> dict[str, Any]:
    """Seconds by the clock and of all processors, and the peak of memory above the model's own, of one conversion."""
    import onnx
    from conversion_costs.pytorch_models import build

    module, inputs = build(name)
    weights = sum(weight.nbytes for weight in module.parameters())
    place = Path(folder) / "model"
    write_model = {OWN: _by_assay, PEER: _by_torch}[exporter]
    held = reset_peak()
    begin, cpu = time.perf_counter(), time.process_time()
    path = write_model(module, inputs, place)
    seconds = {"convert_s": time.perf_counter() - begin, "convert_cpu_s": time.process_time() - cpu}
    memory = status("VmHWM") - held
    proto = onnx.load(path, load_external_data=False)
    return {**seconds, "memory": memory, "weights": weights, "nodes": len(proto.graph.node)}


def _by_assay(module: Any, inputs: Mapping[str, str], place: Path) -> Path:
    from assay import convert as assay_convert

    return assay_convert(module, place, inputs=dict(inputs), opset=20).model


def _by_torch(module: Any, inputs: Mapping[str, str], place: Path) -> Path:
    """As its documentation has it: named dimensions, external data."""
    import torch

    from assay.converters.examples import trace_sizes, typical_feeds
    from assay.specs.interface import Axis, Interface, parse_spec

    specs = [parse_spec(name, text) for name, text in inputs.items()]
    feeds = typical_feeds(specs, trace_sizes(Interface(tuple(specs))), seed=0)
    dims = {axis.name: torch.export.Dim(axis.name, max=axis.maximum) for spec in specs for axis in spec.axes}
    shapes = {s.name: {i: dims[d.name] for i, d in enumerate(s.dims or ()) if isinstance(d, Axis)} for s in specs}
    place.mkdir()
    with torch.no_grad():
        torch.onnx.export(
            module,
            kwargs={name: torch.from_numpy(array) for name, array in feeds.items()},
            f=place / "model.onnx",
            dynamo=True,
            dynamic_shapes=shapes,
            external_data=True,
            opset_version=20,
            verbose=False,
        )
    return place / "model.onnx"


def text(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """The table and the ratios."""
    header = ["model", "exporter", "convert s", "of all processors", "MiB above", "weights MiB", "nodes"]
    rows = [_row(name, exporter, cost) for name, both in found.items() for exporter, cost in both.items()]
    return "\n\n".join([table(header, rows), *_ratios(found)])


def _row(name: str, exporter: str, cost: Mapping[str, Any]) -> list[Any]:
    if "failed" in cost:
        return [name, exporter, f"failed: {cost['failed']}".replace("|", "\\|"), *[""] * 4]
    seconds = [f"{cost[key]:.2f}" for key in ("convert_s", "convert_cpu_s")]
    return [name, exporter, *seconds, *(f"{cost[key] / _MIB:.0f}" for key in ("memory", "weights")), cost["nodes"]]


def _ratios(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    both = [costs for costs in found.values() if not any("failed" in cost for cost in costs.values())]
    lines = []
    for title, key, most in (
        ("time", "convert_s", _LONGEST),
        ("time of all processors", "convert_cpu_s", _LONGEST),
        ("memory", "memory", _LEAST),
    ):
        ratios = [costs[OWN][key] / costs[PEER][key] for costs in both if costs[PEER][key]]
        if ratios:
            middle = statistics.median(ratios)
            lines.append(
                f"{title}, {OWN} over {PEER}: median {middle:.2f} (should be at most {most}), most {max(ratios):.2f}"
            )
    return lines


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help=f"may be repeated; else {', '.join(MODELS)}")
    parser.add_argument("--seconds", type=float, default=600, help="that one measurement may take")
    parser.add_argument("--gigabytes", type=float, default=20, help="that one process may use")
    parser.add_argument("--resume", action="store_true", help="keep what a run that was cut off has measured")
    parser.add_argument("--output", type=Path, default=DOCS, help="folder of the table and the JSON")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work({"convert": convert}, options.worker, options.gigabytes)
        return
    path = options.output / _PARTIAL
    kept = json.loads(path.read_text(encoding="utf-8")) if options.resume and path.exists() else {}
    measurements = Measurements(__file__, path, options.seconds, options.gigabytes, kept)
    sys.stdout.write(machine() + "\n\n")
    found: dict[str, dict[str, Any]] = {}
    for name in options.model or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            for exporter in (PEER, OWN):
                place = str(Path(folder) / exporter)
                Path(place).mkdir()
                key = f"convert {name} {exporter}"
                found.setdefault(name, {})[exporter] = measurements.measure("convert", key, (name, exporter, place))
    told = text(found)
    write("cost_pytorch", "python benchmarks/cost_pytorch.py", told, {"results": found}, options.output)
    path.unlink(missing_ok=True)
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()
