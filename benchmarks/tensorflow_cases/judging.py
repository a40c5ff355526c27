"""One case, one exporter, one verdict: right, refused, wrong, unloadable, or failed (an error that is no refusal)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import onnx_ir as ir
import onnxruntime
from numpy.typing import NDArray
from outcomes import Outcome, Unjudgeable, told

from assay.converters.exporter import ConvertError
from assay.converters.passes.context import PassContext
from assay.converters.passes.remove_unused_nodes import remove_unused_nodes
from assay.converters.sources import open_source
from assay.specs.errors import AssayError
from assay.specs.interface import Interface
from tensorflow_cases.case import Case
from tensorflow_cases.outside import OUTSIDE
from tensorflow_cases.outside import exporter as outside

_ULPS = 16.0  # of the value and of the output's root mean square
_FLOOR = 4.0  # times the distance between TensorFlow in float32 and in float64, or that of an input moved by one ulp


def judge(case: Case, exporter: str, opset: int | None = None) -> Outcome:
    """Convert the case and compare it with TensorFlow at each of its shapes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = open_source(case.build())
        except AssayError as error:
            raise Unjudgeable(f"{case.name}: {error}") from error
        try:
            exported = _exporter(exporter)(source, opset)
        except ConvertError as error:
            return Outcome(case.name, exporter, "refused", told(error.reason))
        except Exception as error:  # noqa: BLE001 - what an exporter raises is counted
            return Outcome(case.name, exporter, "failed", f"{type(error).__name__}: {told(str(error))}")
        return _compared(case, exporter, source, exported)


def _exporter(name: str) -> Callable[..., Any]:
    if name == "assay.tensorflow":
        from assay.converters.tensorflow.native_exporter import export
    elif name in OUTSIDE:
        return outside(name)
    else:
        from assay.converters.tensorflow.tf2onnx_exporter import export
    return export


def _compared(case: Case, exporter: str, source: Any, exported: Any) -> Outcome:
    remove_unused_nodes(exported.model, PassContext("case", Interface(()), exported.inputs, {}, {}))
    nodes = sum(1 for _ in exported.model.graph)
    try:
        session = _session(exported.model)
    except Exception as error:  # noqa: BLE001 - a runtime's own errors have no common class
        return Outcome(case.name, exporter, "unloadable", told(str(error)), nodes=nodes)
    worst, twin = 0.0, _twin(case, source)
    for trial, shapes in enumerate(case.shapes):
        reason, share = _trial(case, source, twin, session, exported.inputs, trial, shapes)
        worst = max(worst, share)
        if reason:
            return Outcome(case.name, exporter, "wrong", f"{shapes}: {reason}", worst, nodes)
    return Outcome(case.name, exporter, "right", "", worst, nodes)


def _session(model: ir.Model) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    data = ir.to_proto(model).SerializeToString()
    return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])


def _trial(
    case: Case, source: Any, twin: Any, session: Any, inputs: Sequence[str], trial: int, shapes: Any
) -> tuple[str, float]:
    """Why the outputs are wrong at these shapes (empty where they are not), and the error."""
    assert case.values is not None
    arrays = case.values(np.random.default_rng(trial + 1), shapes)
    names = [spec.name for spec in source.inputs]
    try:
        due = list(source.run(dict(zip(names, arrays, strict=True))).values())
    except Exception as error:
        if any(0 in shape for shape in shapes):
            return "", 0.0  # TensorFlow has no answer for no elements
        raise Unjudgeable(f"{case.name}: {told(str(error))}") from error
    fed = dict(zip(inputs, arrays, strict=True))
    wanted = {value.name for value in session.get_inputs()}
    try:
        got = session.run(None, {name: array for name, array in fed.items() if name in wanted})
    except Exception as error:  # noqa: BLE001 - a runtime's own errors have no common class
        return f"does not run: {told(str(error))}", 0.0
    floors = _moved(source, arrays, due) if twin is None else _floors(twin, arrays, due)
    if "deep" in case.traits:  # after many layers, where an error lands is chance
        floors = [np.full(floor.shape, floor.max(initial=0.0)) for floor in floors]
    worst = 0.0
    for index, (found, expected) in enumerate(zip(got, due, strict=True)):
        reason, share = _difference(np.asarray(found), expected, floors[index])
        worst = max(worst, share)
        if reason:
            return f"output {index}: {reason}", worst
    return "", worst


def _twin(case: Case, source: Any) -> Any:
    """The case in float64, a function of nothing where it has none; None where the floor is that of moved inputs."""
    if "deep" in case.traits:
        return _whole(source)
    if "cancels" in case.traits:
        return None
    if case.double is None:
        return lambda *_: ()
    try:
        return case.double().get_concrete_function()
    except Exception:  # noqa: BLE001 - many operators have no float64
        return lambda *_: ()


def _whole(source: Any) -> Any:
    """The whole source in float64, a function of tensors; None where it has no such twin."""
    exact, names = source.exact(), [spec.name for spec in source.inputs]
    if exact is None:
        return None
    return lambda *tensors: list(exact.run(dict(zip(names, map(np.asarray, tensors), strict=True))).values())


def _floors(twin: Any, arrays: Sequence[Any], due: Sequence[Any]) -> list[NDArray[np.float64]]:
    """How far TensorFlow is from itself in float64, element by element; zero where there is no such twin."""
    import tensorflow as tf

    wide = [array.astype(np.float64) if array.dtype == np.float32 else array for array in map(np.asarray, arrays)]
    try:
        found = source_outputs(twin, [tf.constant(array) for array in wide])
    except Exception:  # noqa: BLE001 - what can't run in float64 has no floor
        found = []
    if [array.shape for array in found] != [array.shape for array in due]:
        return [np.zeros(array.shape) for array in due]
    return [_distance(a, b) for a, b in zip(found, due, strict=True)]


def source_outputs(function: Any, tensors: Sequence[Any]) -> list[NDArray[Any]]:
    """What a function gives, flat."""
    import tensorflow as tf

    return [np.asarray(value) for value in tf.nest.flatten(function(*tensors))]


def _moved(source: Any, arrays: Sequence[Any], due: Sequence[Any]) -> list[NDArray[np.float64]]:
    """How far the outputs go when inputs are moved by one unit in the last place."""
    floors = [np.zeros(array.shape) for array in due]
    for seed in range(8):
        generator = np.random.default_rng(seed)
        near = [
            np.nextafter(a, np.where(generator.random(a.shape) < 0.5, np.inf, -np.inf).astype(a.dtype))
            if a.dtype.kind == "f"
            else a
            for a in arrays
        ]
        feeds: Mapping[str, Any] = dict(zip([spec.name for spec in source.inputs], near, strict=True))
        found = list(source.run(feeds).values())
        floors = [np.maximum(floor, _distance(a, b)) for floor, a, b in zip(floors, found, due, strict=True)]
    return floors


def _distance(a: Any, b: Any) -> NDArray[np.float64]:
    if np.asarray(b).dtype.kind != "f":
        return np.zeros(np.shape(b))
    distance = np.abs(np.nan_to_num(np.asarray(a, np.float64)) - np.nan_to_num(np.asarray(b, np.float64)))
    return np.asarray(distance, np.float64)


def _difference(found: NDArray[Any], due: NDArray[Any], floor: NDArray[np.float64]) -> tuple[str, float]:
    """Why an output is wrong, if it is: shape and dtype exactly, floats up to the floor."""
    texts = due.dtype.kind in "UO"
    if found.shape != due.shape or (found.dtype != due.dtype and not texts):
        return f"{found.dtype}{list(found.shape)}, but should be {due.dtype}{list(due.shape)}", 0.0
    if not _is_float(due):
        same = np.array_equal(found.astype(str), due.astype(str)) if texts else np.array_equal(found, due)
        return ("" if same else "differs", 0.0)
    a, b, epsilon = found.astype(np.float64), due.astype(np.float64), float(ml_dtypes.finfo(due.dtype).eps)  # type: ignore[no-untyped-call]
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return "NaN or infinity stands elsewhere", 0.0
    if not finite.any():
        return "", 0.0
    scale = np.abs(b[finite]) + np.sqrt(np.mean(b[finite] ** 2))
    allowed = _ULPS * epsilon * scale + _FLOOR * floor[finite] + np.finfo(np.float32).tiny
    share = float(np.max(np.nan_to_num(np.abs(a[finite] - b[finite]), nan=np.inf) / allowed))
    return (f"is off by {share:.3g} times what is allowed" if share > 1 else "", share)


def _is_float(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"
