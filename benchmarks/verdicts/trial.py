"""One model's part of the benchmark: every case judged by the stated test, by the peers and by Assay."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx

from assay import convert
from assay.conformance.isolation import Worker
from assay.converters.bundle import Bundle, open_bundle
from assay.converters.examples import trace_sizes, typical_feeds
from assay.converters.sources import Source, open_source
from verdicts.assay_rule import Assayer, Ruling
from verdicts.cases import Case, benign_cases, mutant_cases, write_case
from verdicts.equivalence import BENIGN, EQUAL, Comparison, Yardstick, contract, make_yardstick
from verdicts.inputs import make_inputs
from verdicts.models import MODELS, Architecture
from verdicts.peers import Example, Opinion, Polygraphy, make_example, opinions
from verdicts.rewrites import Origin
from verdicts.runtime import Ran, run_all
from verdicts.subject import make_subject

_TIME_LIMIT = 60.0
_EXAMPLE_SEED = 0


@dataclass(frozen=True)
class Plan:
    """What to run: in which folder, which classes, how many mutants and rewrites a model.

    ``locate`` is in how many mutants of a model the guilty node is asked for, and ``repair`` on how many kinds of
    mutants of a model the repair is tried, which costs some checks each.
    """

    folder: Path
    classes: tuple[str, ...] = ()
    mutants: int | None = None
    rewrites: int | None = None
    tools_python: str | None = None
    locate: int | None = None
    repair: int | None = 0


@dataclass(frozen=True)
class Bench:
    """A model made ready: its bundle, source, judge, yardstick and example."""

    architecture: Architecture
    bundle: Bundle
    origin: Origin
    assayer: Assayer
    yardstick: Yardstick
    example: Example
    polygraphy: Polygraphy
    worker: Worker


def healthy_bundle(architecture: Architecture, source: Any, folder: Path) -> Bundle:
    """The bundle that Assay makes of the source, kept on disk."""
    target = folder / "healthy" / architecture.name
    if not (target / "model.onnx").is_file():
        own = architecture
        convert(source, target, own.task, dict(own.inputs), exporter=own.exporter, outputs=own.outputs)
    return open_bundle(target)


def opened(architecture: Architecture, live: Any, bundle: Bundle) -> Source:
    """The source as `assay.check` opens it beside its own bundle."""
    interface = bundle.interface
    names = [spec.name for spec in interface.outputs]
    return open_source(live, dict(architecture.inputs), hints=interface.inputs, output_hints=names)


def make_bench(name: str, plan: Plan, worker: Worker) -> Bench:
    """Convert, run and measure the healthy model."""
    architecture = MODELS[name]
    live = architecture.factory()
    bundle = healthy_bundle(architecture, live, plan.folder)
    source = opened(architecture, live, bundle)
    interface, model = bundle.interface, onnx.load(bundle.model)
    sizes = trace_sizes(interface)
    feeds = typical_feeds(interface.inputs, sizes, _EXAMPLE_SEED)
    folder = plan.folder / "work" / name
    folder.mkdir(parents=True, exist_ok=True)
    inputs = make_inputs(interface, sizes)
    return Bench(
        architecture,
        bundle,
        Origin(make_subject(name, model, feeds), live, architecture, folder, plan.tools_python),
        Assayer(source, bundle.path, worker, folder),
        make_yardstick(worker, str(bundle.model), model, inputs, str(folder)),
        make_example(source, interface, feeds),
        Polygraphy(plan.tools_python),
        worker,
    )


def run_model(name: str, plan: Plan, done: Collection[str]) -> Iterator[dict[str, Any]]:
    """A row for every case that is not done; the healthy model itself is the first benign case."""
    with Worker(_TIME_LIMIT) as worker:
        bench = make_bench(name, plan, worker)
        try:
            for case in _cases(bench, plan):
                if case.id not in done:
                    yield row(bench, case)
        finally:
            bench.polygraphy.close()


def _cases(bench: Bench, plan: Plan) -> Iterator[Case]:
    subject = bench.origin.subject
    if not plan.classes:
        yield Case(f"{subject.name}/healthy", "healthy", "", "", "the bundle as converted", (), subject.model)
        yield from benign_cases(bench.origin, plan.rewrites)
    yield from mutant_cases(subject, plan.classes, plan.mutants, plan.locate, plan.repair)


def row(bench: Bench, case: Case) -> dict[str, Any]:
    """One line of results."""
    head = {
        "id": case.id,
        "model": bench.architecture.name,
        "framework": bench.architecture.framework,
        "name": case.name,
        "letter": case.letter,
        "severity": case.severity,
        "says": case.says,
        "nodes": list(case.nodes),
    }
    if case.model is None:
        return {**head, "refused": case.reason}
    path = write_case(case, bench.bundle.path, bench.origin.folder / "case")
    example, yardstick = bench.example.jobs(), bench.yardstick.jobs()
    start = time.perf_counter()
    seen = run_all(bench.worker, str(path), example)
    seconds = (time.perf_counter() - start) / len(example)
    comparison = _compared(bench.yardstick, case, run_all(bench.worker, str(path), yardstick))
    asked = opinions(bench.example, seen, bench.polygraphy)
    ruling = _ruled(bench, case, path)
    return {
        **head,
        "counts": comparison.within(BENIGN) if case.benign else not comparison.within(EQUAL),
        "excess": None if comparison.reason else comparison.excess,
        "reason": comparison.reason,
        "located": case.locate,
        "near": sorted(_near(case)),
        "peers": {peer: _opinion(opinion) for peer, opinion in asked.items()},
        "run_seconds": seconds,
        "assay": ruling.to_json(),
    }


def _ruled(bench: Bench, case: Case, path: Path) -> Ruling:
    """Assay's ruling; a repaired model is held to the stated test too, which knows nothing of Assay's probes."""
    repaired = bench.origin.folder / "repaired"
    ruling = bench.assayer.rule(path.parent if case.contract else path, case.locate, repaired if case.mend else None)
    if ruling.repair is None or not ruling.repair.proved:
        return ruling
    file = repaired / "model.onnx"
    mended = replace(case, model=onnx.load(file))
    compared = _compared(bench.yardstick, mended, run_all(bench.worker, str(file), bench.yardstick.jobs()))
    return replace(ruling, repair=replace(ruling.repair, same=compared.within(EQUAL)))


def _compared(yardstick: Yardstick, case: Case, ran: list[Ran]) -> Comparison:
    """A mutant is held to the whole contract, a rewrite to what a caller of the model sees."""
    if not case.benign and case.model is not None:
        own = contract(case.model)
        different = [key for key, value in yardstick.contract.items() if own[key] != value]
        if different:
            return Comparison(float("inf"), f"other {', '.join(different)}")
    return yardstick.compare(ran)


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {"alarm": opinion.alarm, "seconds": opinion.seconds}


def _near(case: Case) -> set[str]:
    """The nodes within one of those where the defect sits."""
    if not case.nodes or case.model is None:
        return set()
    nodes = list(case.model.graph.node)
    own = [node for node in nodes if node.name in case.nodes]
    made = {value for node in own for value in node.output}
    taken = {value for node in own for value in node.input}
    return {node.name for node in nodes if node in own or made & set(node.input) or taken & set(node.output)}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file; a line that a kill cut off is none."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def append_rows(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    """Write rows as they come, so that a run that is ended can go on."""
    with path.open("a", encoding="utf-8") as file:
        for entry in rows:
            file.write(json.dumps(entry) + "\n")
            file.flush()
