"""The comparison step by step: convert what is no model yet, judge each by the reference, then pairs, then latency."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from assay.conformance.candidate import Candidate, open_candidate
from assay.conformance.comparison.comparison import ComparedModel, Comparison, Conversion, Pair, verdict_of
from assay.conformance.comparison.conversion import Order, convert_apart, framework_of
from assay.conformance.comparison.graphs import compared_with, graph_facts, lint_counts
from assay.conformance.comparison.parity import judge_of, parity_of, unjudged
from assay.conformance.comparison.subjects import Entry, Subject, entries_of, numbered
from assay.conformance.comparison.timing import timed
from assay.conformance.environment import describe_environment
from assay.conformance.isolation import Worker
from assay.conformance.latency.check import Timing
from assay.conformance.parity.judge import Judge
from assay.conformance.parity.localisation import Conversions
from assay.conformance.result import CheckResult, Verdict
from assay.converters.sources import Source, open_source
from assay.specs.errors import AssayError, brief

Tell = Callable[[str], None]
MOST_MODELS_IN_PAIRS = 4


@dataclass(frozen=True)
class Plan:
    """What is compared, and how; ``pairs`` None means: where the models are few."""

    subjects: tuple[Subject, ...]
    reference: Subject
    order: Order
    exporters: tuple[str, ...] = ()
    provider: str = "cpu"
    pairs: bool | None = None
    timing: Timing | None = None
    tell: Tell = lambda _step: None


@dataclass(frozen=True)
class Row:
    """A row on its way: the entry, and the model that came of it or the reason why none did."""

    entry: Entry
    candidate: Candidate | None = None
    conversion: Conversion | None = None
    reason: str | None = None


def run(plan: Plan, folder: Path) -> Comparison:
    """Compare; converted models are written below ``folder``.

    Raises `AssayError` where the reference can't be opened or can't judge.
    """
    rows = [_row(plan, entry, folder / str(index)) for index, entry in enumerate(_entries(plan))]
    models = [_described(row, plan.reference) for row in rows]
    ready = {row.entry.name: row.candidate for row in rows if row.candidate is not None}
    if not ready:
        return _result(plan, {"source": plan.reference.text}, models)
    source = _reference(plan, next(iter(ready.values())))
    judge = judge_of(source, next(iter(ready.values())), plan.tell)
    conversions = Conversions(source, plan.order.task, folder / "healthy")
    with Worker(plan.order.time_limit) as worker:
        models = [_judged(plan, judge, model, ready, worker, conversions) for model in models]
        pairs = list(_pairs(plan, models, ready, worker))
    models = _with_differences(models)
    return _result(plan, source.describe(), models, pairs, _latency(plan, judge, models, ready))


def _entries(plan: Plan) -> list[Entry]:
    """The rows: the reference first where it is a model, then the subjects in their order."""
    subjects = [plan.reference] if plan.reference.is_model else []
    subjects += [subject for subject in plan.subjects if subject not in subjects]
    sources = [subject for subject in subjects if not (subject.is_model or subject.fault)]
    entries: list[Entry] = []
    for subject in subjects:
        plan.tell(f"opening {subject.name}")
        try:
            opened = _opened(plan, subject)
        except AssayError as error:
            entries.append(Entry(subject.name, subject, fault=str(error)))
        else:
            entries += entries_of(subject, plan.exporters, opened, alone=len(sources) == 1)
    names = numbered([entry.name for entry in entries])
    return [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]


def _opened(plan: Plan, subject: Subject) -> tuple[str, str] | None:
    """Framework and kind, where exporters are to be chosen by them."""
    needed = plan.exporters and not subject.is_model and not subject.fault
    return framework_of(plan.order.of(subject.given)) if needed else None


def _row(plan: Plan, entry: Entry, output: Path) -> Row:
    if entry.fault is not None:
        return Row(entry, reason=entry.fault)
    try:
        if entry.subject.is_model:
            return Row(entry, open_candidate(entry.subject.given))
        plan.tell(f"converting {entry.name}")
        conversion = convert_apart(plan.order.of(entry.subject.given, entry.exporter), output)
        return Row(entry, open_candidate(output), conversion)
    except AssayError as error:
        return Row(entry, reason=str(error))
    except Exception as error:  # noqa: BLE001 - the isolation boundary: a file may be broken in ways that nobody foresaw
        return Row(entry, reason=f"can't be opened: {type(error).__name__}: {brief(error)}")


def _described(row: Row, reference: Subject) -> ComparedModel:
    """What can be said of a model before it is judged."""
    subject, exporter = row.entry.subject, row.conversion.exporter if row.conversion else row.entry.exporter
    model = ComparedModel(
        name=row.entry.name,
        source=subject.text,
        role="reference" if subject == reference and subject.is_model else "candidate",
        exporter=exporter,
        reason=row.reason,
        conversion=row.conversion,
    )
    if row.candidate is None:
        return model
    try:
        files = row.candidate.files().files
        described = {"files": files, "graph": graph_facts(row.candidate, files), "lint": lint_counts(row.candidate)}
    except Exception as error:  # noqa: BLE001 - the isolation boundary, as above
        return model.model_copy(update={"reason": f"can't be described: {type(error).__name__}: {brief(error)}"})
    return model.model_copy(update=described)


def _reference(plan: Plan, candidate: Candidate) -> Source:
    plan.tell(f"opening {plan.reference.name}")
    return open_source(
        plan.reference.given,
        plan.order.inputs,
        trust=plan.order.trust,
        hints=candidate.interface.inputs,
        output_hints=[spec.name for spec in candidate.interface.outputs],
    )


def _judged(
    plan: Plan,
    judge: Judge,
    model: ComparedModel,
    ready: Mapping[str, Candidate],
    worker: Worker,
    conversions: Conversions,
) -> ComparedModel:
    if model.role == "reference" or model.name not in ready:
        return model
    plan.tell(f"judging {model.name}")
    parity = parity_of(judge, plan.reference.name, ready[model.name], plan.provider, worker, conversions)
    return model.model_copy(update={"parity": parity})


def _pairs(
    plan: Plan, models: Sequence[ComparedModel], ready: Mapping[str, Candidate], worker: Worker
) -> Iterator[Pair]:
    """Every two models that run and that no row judges against each other, the first as the reference of the second."""
    names = [model.name for model in models if model.parity is not None and model.parity.outputs]
    wanted = len(names) <= MOST_MODELS_IN_PAIRS if plan.pairs is None else plan.pairs
    judges: dict[str, Judge | AssayError] = {}
    for first, second in combinations(names, 2) if wanted else ():
        plan.tell(f"judging {second} by {first}")
        if first not in judges:
            judges[first] = _judge_by_model(ready[first])
        judge = judges[first]
        if isinstance(judge, AssayError):
            yield Pair(model=second, parity=unjudged(first, str(judge)))
        else:
            yield Pair(model=second, parity=parity_of(judge, first, ready[second], plan.provider, worker))


def _judge_by_model(candidate: Candidate) -> Judge | AssayError:
    """A judge by this model, or the reason why it can't judge."""
    try:
        return judge_of(open_source(os.fspath(candidate.path)), candidate)
    except AssayError as error:
        return error


def _with_differences(models: Sequence[ComparedModel]) -> list[ComparedModel]:
    """Inputs and outputs against those of the reference, else of the first model that passes, else of the first."""
    known = [model for model in models if model.graph is not None]
    base = min(known, key=_rank, default=None)
    if base is None or base.graph is None:
        return list(models)
    return [
        model.model_copy(update={"graph": compared_with(model.graph, base.graph, base.name)})
        if model.graph is not None and model is not base
        else model
        for model in models
    ]


def _rank(model: ComparedModel) -> int:
    return 0 if model.role == "reference" else 1 if model.verdict is Verdict.PASS else 2


def _latency(
    plan: Plan, judge: Judge, models: Sequence[ComparedModel], ready: Mapping[str, Candidate]
) -> CheckResult | None:
    if plan.timing is None:
        return None
    plan.tell("timing all models in turns")
    return timed(
        {m.name: ready[m.name] for m in models if m.name in ready}, judge.interface, plan.provider, plan.timing
    )


def _result(
    plan: Plan,
    reference: Mapping[str, Any],
    models: Sequence[ComparedModel],
    pairs: Sequence[Pair] = (),
    latency: CheckResult | None = None,
) -> Comparison:
    return Comparison(
        verdict=verdict_of(tuple(models)),
        reference={"name": plan.reference.name, **reference},
        provider=plan.provider,
        models=tuple(models),
        pairs=tuple(pairs),
        latency=latency,
        environment=describe_environment(),
    )
