"""What runs inside a worker: ONNX Runtime sessions, opened once and kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from assay.conformance.exchange import Mapped, read_arrays, write_arrays
from assay.conformance.providers.catalogue import PROVIDERS

Loading = Literal["path", "bytes"]


class RuntimeRefused(Exception):
    """The runtime raised: its message, without its path and line numbers."""


@dataclass(frozen=True)
class SessionKey:
    """All that decides which session it is."""

    model: Path
    provider: str = "cpu"
    threads: int = 0
    optimization: str = "all"
    loading: Loading = "path"


@dataclass(frozen=True)
class SessionFacts:
    """Names, dtypes and shapes as the runtime has them, the provider that it took, and nodes a provider."""

    inputs: tuple[tuple[str, str, tuple[int | str | None, ...]], ...]
    outputs: tuple[tuple[str, str, tuple[int | str | None, ...]], ...]
    providers: tuple[str, ...]
    placement: Mapping[str, int]


def describe_session(key: SessionKey) -> SessionFacts:
    """Open the model and say what the runtime makes of it; raises `RuntimeRefused`."""
    session = _session(key)
    inputs, outputs = ((_facts(v) for v in values) for values in (session.get_inputs(), session.get_outputs()))
    return SessionFacts(tuple(inputs), tuple(outputs), tuple(session.get_providers()), _placement(session))


def run_session(key: SessionKey, feeds: Mapping[str, Mapped], outputs: Path) -> dict[str, Mapped]:
    """One run; every output goes to a file under ``outputs``. Raises `RuntimeRefused`."""
    return _written(_named(_session(key), feeds), outputs)


def run_side_by_side(
    keys: Sequence[SessionKey], feeds: Mapping[str, Mapped], outputs: Path
) -> tuple[dict[str, Mapped], ...]:
    """One run of each session, all at the same time. Raises `RuntimeRefused`."""
    sessions = [_session(key) for key in keys]
    with ThreadPoolExecutor(len(sessions)) as threads:
        values = list(threads.map(lambda session: _named(session, feeds), sessions))
    return tuple(_written(value, outputs / str(index)) for index, value in enumerate(values))


def time_sessions(
    runs: Mapping[str, tuple[SessionKey, Mapping[str, Mapped]]],
    warmup: int,
    samples: int,
    fewest: int,
    seconds: float,
) -> dict[str, list[float]]:
    """Milliseconds of each run of each session, interleaved so that a slow moment hits all alike.

    The same number of samples of each: ``samples``, or as many as the time allows, but ``fewest`` at least; a tenth of
    the time is for the runs before them.
    """
    opened = {name: (_session(key), _fed(_session(key), feeds)) for name, (key, feeds) in runs.items()}
    begin = time.perf_counter()
    for index in range(warmup):
        if index > 0 and time.perf_counter() - begin > seconds / 10:
            break
        for session, feeds in opened.values():
            _run(session, None, feeds)
    times: dict[str, list[float]] = {name: [] for name in opened}
    order = list(opened)
    for index in range(samples):
        if index >= fewest and time.perf_counter() - begin > seconds:
            break
        for name in order[index % len(order) :] + order[: index % len(order)]:
            times[name].append(_milliseconds(*opened[name]))
    return times


def _milliseconds(session: Any, feeds: dict[str, np.ndarray]) -> float:
    start = time.perf_counter_ns()
    _run(session, None, feeds)
    return (time.perf_counter_ns() - start) / 1e6


def import_runtime() -> None:
    """Import ONNX Runtime, which takes a while, before it is needed."""
    import onnxruntime  # noqa: F401


def close_sessions() -> None:
    """Close every session that the worker keeps."""
    _session.cache_clear()


@lru_cache(maxsize=16)
def _session(key: SessionKey) -> Any:
    import onnxruntime as ort

    levels = {
        "disable": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    }
    options = ort.SessionOptions()
    options.graph_optimization_level = levels[key.optimization]
    options.log_severity_level = 4
    options.intra_op_num_threads = key.threads
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    try:
        return ort.InferenceSession(_loaded(key, options), options, providers=_providers(key.provider))
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no public base
        raise RuntimeRefused(_sentence(error)) from None


def _loaded(key: SessionKey, options: Any) -> str | bytes:
    """The model as the session takes it; of bytes, the runtime has to be told where their external data is."""
    if key.loading == "path":
        return str(key.model)
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(key.model.parent))
    return key.model.read_bytes()


def _providers(name: str) -> list[Any]:
    """The provider asked for, at float32 precision where it would take less, and the CPU for what it can't do."""
    if name == "cpu":
        return [PROVIDERS["cpu"]]
    options = {"cuda": {"use_tf32": "0"}}.get(name, {})
    return [(PROVIDERS[name], options), PROVIDERS["cpu"]]


def _placement(session: Any) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for subgraph in session.get_provider_graph_assignment_info():
        counts[subgraph.ep_name] += len(subgraph.get_nodes())
    return dict(counts)


def _named(session: Any, feeds: Mapping[str, Mapped]) -> dict[str, np.ndarray]:
    names = [value.name for value in session.get_outputs()]
    values = dict(zip(names, _run(session, names, _fed(session, feeds)), strict=True))
    for name, value in values.items():
        if not isinstance(value, np.ndarray):
            raise RuntimeRefused(f"output {name} is a {type(value).__name__}, but should be a tensor")
    return values


def _written(values: Mapping[str, np.ndarray], folder: Path) -> dict[str, Mapped]:
    try:
        return write_arrays(values, folder)
    except (OSError, MemoryError) as error:
        raise RuntimeRefused(f"its outputs can't be kept: {type(error).__name__}: {error}") from None


def _run(session: Any, names: list[str] | None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    try:
        return list(session.run(names, feeds))
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's exceptions share no public base
        raise RuntimeRefused(_sentence(error)) from None


def _fed(session: Any, feeds: Mapping[str, Mapped]) -> dict[str, np.ndarray]:
    """What the session takes of the feeds; an input that it does not have is left out here and found elsewhere."""
    taken = {value.name for value in session.get_inputs()}
    arrays = read_arrays({name: mapped for name, mapped in feeds.items() if name in taken})
    return {name: array.astype(object) if array.dtype.kind == "U" else array for name, array in arrays.items()}


def _facts(value: Any) -> tuple[str, str, tuple[int | str | None, ...]]:
    dtype = value.type.removeprefix("tensor(").removesuffix(")")
    return value.name, {"float": "float32", "double": "float64"}.get(dtype, dtype), tuple(value.shape)


def _sentence(error: BaseException) -> str:
    text = str(error).strip().replace("\n", " ")
    return text.split(" : ", 2)[-1][:400] if text.startswith("[ONNXRuntimeError]") else text[:400]
