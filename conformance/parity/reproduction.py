"""The minimal case of a defect, in the layout of ONNX's backend tests, with a script and the text of an issue."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
from onnx import helper, numpy_helper

from assay.conformance.environment import describe_environment
from assay.conformance.exchange import read_arrays, write_arrays
from assay.conformance.isolation import Worker, WorkerDied, WorkerTimedOut
from assay.conformance.parity.explanation import Explanation
from assay.conformance.parity.localisation import Evidence
from assay.conformance.parity.localisation.graph import Graph, is_constant, made_by, taken_by
from assay.conformance.parity.localisation.noise import error_ratio
from assay.conformance.providers.runtime import RuntimeRefused, SessionKey, run_session
from assay.conformance.result import CheckResult
from assay.converters.files import read_model, write_text

_SHOWS = 8.0  # times the noise
_STEPS = (1, 2, 4, 8, 16)  # nodes before the one at fault
_PROJECTS = {
    "torch.onnx": "pytorch/pytorch",
    "torch.onnx.torchscript": "pytorch/pytorch",
    "tf2onnx": "onnx/tensorflow-onnx",
    "onnxruntime": "microsoft/onnxruntime",
}
_SCRIPT = '''"""Shows the difference: python run.py"""

from pathlib import Path

import onnx
import onnxruntime as ort
from onnx import numpy_helper

here = Path(__file__).parent
tensors = {path.stem: onnx.load_tensor(path) for path in sorted(here.glob("test_data_set_0/*.pb"))}
feeds = {t.name: numpy_helper.to_array(t) for stem, t in tensors.items() if stem.startswith("input")}
session = ort.InferenceSession(here / "model.onnx", providers=["CPUExecutionProvider"])
got = dict(zip([value.name for value in session.get_outputs()], session.run(None, feeds)))
for right in (tensor for stem, tensor in tensors.items() if stem.startswith("output")):
    print(right.name, "is", got.get(right.name), "but should be", numpy_helper.to_array(right), sep="\\n")
'''


@dataclass(frozen=True)
class Case:
    """A part of the model with what it takes and what it should give, and what the runtime makes of it."""

    model: onnx.ModelProto
    inputs: Mapping[str, np.ndarray]
    expected: Mapping[str, np.ndarray]
    nodes: int
    symptom: str


def write_reproduction(explanation: Explanation, check: CheckResult, worker: Worker, folder: Path) -> str | None:
    """Write the smallest case that shows the defect; the reason where there is none."""
    evidence = explanation.evidence
    if evidence is None:
        return explanation.reason or "the weights show the difference, whatever the inputs are"
    folder.mkdir(parents=True, exist_ok=True)
    case = next(_showing(evidence, worker), None)
    if case is None:
        return "no part of the model shows the difference on its own"
    onnx.save(case.model, folder / "model.onnx")
    _write_data(case, folder / "test_data_set_0")
    write_text(folder / "run.py", _SCRIPT)
    write_text(folder / "issue.md", _issue(explanation, evidence, check, case))
    return None


def _showing(evidence: Evidence, worker: Worker) -> Iterator[Case]:
    """The node at fault alone, then with more and more of what is before it, then the whole model."""
    for model, inputs, expected in (*_parts(evidence), _whole(evidence)):
        symptom = _symptom(worker, model, inputs, expected)
        if symptom:
            yield Case(model, inputs, expected, len(model.graph.node), symptom)


Part = tuple[onnx.ModelProto, Mapping[str, np.ndarray], Mapping[str, np.ndarray]]


def _parts(evidence: Evidence) -> Iterator[Part]:
    node, expected = evidence.node, _expected(evidence)
    if node is None or not expected:
        return
    seen = 0
    for size in _STEPS:
        nodes = _before(evidence.candidate, node, size)
        if len(nodes) == seen:
            return
        seen = len(nodes)
        inputs = _cut(evidence, nodes)
        if inputs is not None:
            yield _extracted(evidence.candidate, nodes, inputs, expected), inputs, expected


def _expected(evidence: Evidence) -> dict[str, np.ndarray]:
    """What the node at fault should make, under the candidate's names."""
    node, twin = evidence.node, evidence.twin
    if node is None:
        return {}
    own = evidence.guilty.value if evidence.guilty else next(iter(made_by(node)), "")
    name = evidence.alignment.namesake(own)
    if name is None and twin is not None and len(twin.outputs) == len(node.outputs):
        name = twin.outputs[0].name
    right = evidence.alignment.expected.arrays.get(name or "")
    if right is None and evidence.lost is not None:
        right = evidence.lost.value
    return {} if right is None else {own: right}


def _before(graph: Graph, node: ir.Node, size: int) -> list[ir.Node]:
    """The node, and of those before it the nearest, ``size`` in all, in the graph's order; constants come along."""
    chosen, waiting = [node], list(graph.fed(node))
    while waiting and len(chosen) < size:
        made = graph.producers.get(waiting.pop(0))
        if made is not None and made not in chosen:
            chosen.append(made)
            waiting += graph.fed(made)
    return [one for one in graph.nodes if one in chosen]


def _cut(evidence: Evidence, nodes: Sequence[ir.Node]) -> dict[str, np.ndarray] | None:
    """What the part takes from outside, with its values on the probe; None where one was not captured."""
    made = {name for node in nodes for name in made_by(node)}
    constant = evidence.candidate.constants
    names = [name for node in nodes for name in taken_by(node) if name not in made and name not in constant]
    back = {own: ours for ours, own in evidence.own_inputs.items()}
    known = {
        **evidence.alignment.got.arrays,
        **{n: evidence.feeds[back.get(n, n)] for n in names if back.get(n, n) in evidence.feeds},
    }
    return {name: known[name] for name in dict.fromkeys(names)} if set(names) <= set(known) else None


def _extracted(
    graph: Graph, nodes: Sequence[ir.Node], inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]
) -> onnx.ModelProto:
    """These nodes with their constants as a model; nothing else tells whose it is from."""
    full = _proto(graph.path)
    taken = {name for node in nodes for name in taken_by(node)}
    kept = [
        proto for proto, node in zip(full.graph.node, graph.nodes, strict=True) if node in nodes or taken & _held(node)
    ]
    for proto in kept:
        proto.ClearField("metadata_props")
        proto.ClearField("doc_string")
    weights = [tensor for tensor in full.graph.initializer if tensor.name in taken]
    return helper.make_model(
        helper.make_graph(kept, "case", _infos(inputs), _infos(outputs), weights),
        opset_imports=full.opset_import,
        ir_version=full.ir_version,
        functions=full.functions,
    )


def _held(node: ir.Node) -> set[str]:
    return set(made_by(node)) if is_constant(node) else set()


def _infos(arrays: Mapping[str, np.ndarray]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, _onnx_dtype(array).value, array.shape) for name, array in arrays.items()
    ]


def _onnx_dtype(array: np.ndarray) -> ir.DataType:
    return ir.DataType.STRING if array.dtype.kind in "OUS" else ir.DataType.from_numpy(array.dtype)


def _proto(path: Path) -> onnx.ModelProto:
    model = read_model(path)
    ir.external_data.load_to_model(model)
    return ir.to_proto(model)


def _whole(evidence: Evidence) -> Part:
    """The whole model on the probe, with what the source gives."""
    own = evidence.own_inputs
    inputs = {own.get(n, n): a for n, a in evidence.feeds.items() if own.get(n, n) in evidence.candidate.inputs}
    expected = {own: evidence.expected[n] for n, own in evidence.own_names.items()}
    return _proto(evidence.candidate.path), inputs, expected


def _symptom(
    worker: Worker, model: onnx.ModelProto, inputs: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> str | None:
    """What the runtime does wrong with this case; None where it does nothing wrong."""
    with tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True) as scratch:
        path = Path(scratch) / "case.onnx"
        onnx.save(model, path)
        try:
            fed = write_arrays(inputs, Path(scratch) / "in")
            values = read_arrays(worker.call(run_session, SessionKey(path.resolve()), fed, Path(scratch) / "out"))
        except (RuntimeRefused, WorkerDied, WorkerTimedOut) as error:
            return f"it does not run: {error}"
        return next(
            (said for name, right in expected.items() if (said := _difference(name, values.get(name), right))), None
        )


def _difference(name: str, got: np.ndarray | None, right: np.ndarray) -> str | None:
    if got is None:
        return f"output {name} is missing"
    if got.shape != right.shape:
        return f"output {name} has shape {list(got.shape)}, but should have {list(right.shape)}"
    if got.dtype != right.dtype:
        return f"output {name} is {got.dtype}, but should be {right.dtype}"
    if error_ratio(got, right, None) <= _SHOWS:
        return None
    if got.dtype.kind not in "fiu":
        return f"output {name} differs in {int(np.asarray(got != right).sum())} elements"
    largest = np.nanmax(np.abs(got.astype(np.float64) - right.astype(np.float64)), initial=0.0)
    return f"output {name} is off by up to {largest:.3g}"


def _write_data(case: Case, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for kind, arrays in (("input", case.inputs), ("output", case.expected)):
        for index, (name, array) in enumerate(arrays.items()):
            tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
            onnx.save_tensor(tensor, folder / f"{kind}_{index}.pb")


def _issue(explanation: Explanation, evidence: Evidence, check: CheckResult, case: Case) -> str:
    place = explanation.place
    named = [diagnosis.message for diagnosis in explanation.diagnoses]
    title = named[0] if named else check.findings[0].message
    project = _project(evidence, check)
    code = ", ".join(part for part in (place.module, place.line) if part) if place else ""
    lines = [f"# {title}", "", f"For {project}.", "", "## What happens", "", f"{case.symptom}.", ""]
    lines += [f"- {sentence}" for sentence in named]
    lines += (
        [f"- node `{place.node}` ({place.op})" + (f", made from `{code}`" if code else "")]
        if place and place.node
        else []
    )
    lines += [
        "",
        "## How to see it",
        "",
        f"The model beside this text has {case.nodes} node{'s' if case.nodes != 1 else ''}.",
    ]
    lines += ["`python run.py` runs it on `test_data_set_0/input_*.pb`; `output_*.pb` is what the source gives.", ""]
    return "\n".join([*lines, "## Versions", "", *_versions(), ""])


def _project(evidence: Evidence, check: CheckResult) -> str:
    blames = {finding.evidence.get("blame") for finding in check.findings}
    exporter = (
        evidence.candidate.model.metadata_props.get("assay.exporter") or evidence.candidate.model.producer_name or ""
    )
    at_fault = "onnxruntime" if blames & {"optimizer", "runtime"} and "export" not in blames else exporter
    return _PROJECTS.get(at_fault, at_fault or "the exporter")


def _versions() -> list[str]:
    environment = describe_environment()
    packages = environment.get("packages", {})
    told = {"python": environment.get("python"), **(packages if isinstance(packages, dict) else {})}
    return [f"- {name} {version}" for name, version in told.items() if version]
