"""What is measured in a process of its own: a conversion, and the latency of two files."""

from __future__ import annotations

import hashlib
import re
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

_RUNS = 15


def convert(name: str, exporter: str, folder: str) -> dict[str, Any]:
    """Seconds, bytes above what TensorFlow holds after tracing and a run, and what the file is like.

    ``trace_s`` and ``convert_s`` are by the clock, ``convert_cpu_s`` of all processors.
    """
    from assay.converters.convert import convert_source
    from assay.converters.examples import trace_sizes, typical_feeds
    from assay.converters.sources import open_source
    from assay.converters.sources.base import require_inputs
    from assay.specs.tasks import load_task
    from conversion_costs.models import build

    model = build(name)
    begin = time.perf_counter()
    source = open_source(model)
    traced = time.perf_counter() - begin
    source.outline(typical_feeds(source.inputs, trace_sizes(require_inputs(source)), seed=0))
    held = reset_peak()
    begin, cpu = time.perf_counter(), time.process_time()
    bundle = convert_source(source, Path(folder) / "bundle", load_task("generic"), exporter=exporter)
    seconds = {"convert_s": time.perf_counter() - begin, "convert_cpu_s": time.process_time() - cpu}
    weights = sum(weight.numpy().nbytes for weight in model.weights)
    peak = {"trace_s": traced, "memory": status("VmHWM") - held, "weights": weights}
    return {**peak, **seconds, **_facts(bundle)}


def reset_peak() -> int:
    """Linux forgets the peak of this process; what it holds now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return status("VmRSS")


def status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024


def _facts(bundle: Any) -> dict[str, Any]:
    import onnx

    proto = onnx.load(bundle.model, load_external_data=False)
    operators = Counter(node.op_type for node in proto.graph.node)
    digest = hashlib.sha256()
    for path in bundle.files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return {
        "nodes": operators.total(),
        "transposes": operators["Transpose"],
        "opset": next(entry.version for entry in proto.opset_import if not entry.domain),
        "sha256": digest.hexdigest(),
    }


def latency(name: str, one: str, other: str) -> dict[str, Any]:
    """Milliseconds of a run of both files, taken by turns, and the ratio of each pair of runs, sorted."""
    import onnxruntime

    del name
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    sessions = [onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"]) for path in (one, other)]
    feeds = [_feeds(session) for session in sessions]
    times: list[list[float]] = [[], []]
    for turn in range(_RUNS + 2):
        for index in (0, 1) if turn % 2 else (1, 0):
            begin = time.perf_counter()
            sessions[index].run(None, feeds[index])
            if turn >= 2:
                times[index].append(1000 * (time.perf_counter() - begin))
    ratios = sorted(a / b for a, b in zip(*times, strict=True))
    return {"ms": [statistics.median(found) for found in times], "ratios": ratios}


def _feeds(session: Any) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    feeds = {}
    for place in session.get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in place.shape]
        whole = place.type != "tensor(float)"
        feeds[place.name] = generator.integers(0, 9, shape, np.int32) if whole else generator.random(shape, np.float32)
    return feeds
