"""Results as one self-contained HTML page, which needs no network, no script and no font."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from assay.conformance.reports import wording
from assay.conformance.reports.exhibits import Exhibit, exhibits
from assay.conformance.reports.readings import Conversion, reading_of
from assay.conformance.reports.sentences import finding_sentence, measured_sentence, verdict_sentence
from assay.conformance.reports.summary import GROUPS, Named, label, parities, summary_row, tally
from assay.conformance.reports.tables import Table
from assay.conformance.result import CheckResult, Finding, Result, overall
from assay.specs.errors import AssayError
from assay.specs.interface import Interface

_MOST_SHAPES = 8
_VERDICT_MARKS = {"pass": "✓", "fail": "✗", "inconclusive": "?"}


@dataclass(frozen=True)
class FindingView:
    """A finding as the page shows it."""

    severity: str
    sentence: str
    evidence: str | None


@dataclass(frozen=True)
class CheckView:
    """A check as the page shows it."""

    label: str
    verdict: str
    measured: str | None
    findings: tuple[FindingView, ...]


@dataclass(frozen=True)
class ModelView:
    """The part of the page about one model."""

    anchor: str
    name: str
    verdict: str
    sentence: str
    facts: Sequence[tuple[str, str]]
    interface: Table | None
    checks: Sequence[CheckView]
    exhibits: Sequence[Exhibit]
    files: Table


def render_html(results: Named) -> str:
    """The page: a summary, each model with its interface, checks, plots and files, and the environments."""
    views = [_model_view(f"model-{number}", name, result) for number, (name, result) in enumerate(results, 1)]
    return template("report.html", "report.css")(
        verdict_word=overall(result.verdict for _, result in results).value,
        tally=tally(results),
        groups=GROUPS,
        rows=[summary_row(name, result) for name, result in results],
        models=views,
        environments=_environments(results),
    )


def template(page: str, *styles: str) -> Callable[..., str]:
    """The renderer of a page of this folder, with these style sheets in it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("assay.conformance.reports", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["css"] = Markup("".join(loader.get_source(environment, style)[0] for style in styles))
    environment.globals["marks"] = _VERDICT_MARKS
    return environment.get_template(page).render


def _model_view(anchor: str, name: str, result: Result) -> ModelView:
    return ModelView(
        anchor=anchor,
        name=wording.plain(name),
        verdict=result.verdict.value,
        sentence=verdict_sentence(result),
        facts=list(_facts(result)),
        interface=_interface(result),
        checks=[_check_view(check) for check in result.checks],
        exhibits=list(exhibits(result, anchor)),
        files=_files(result),
    )


def _check_view(check: CheckResult) -> CheckView:
    findings = tuple(_finding_view(finding) for finding in check.findings)
    return CheckView(label(check), check.verdict.value, measured_sentence(check), findings)


def _finding_view(finding: Finding) -> FindingView:
    return FindingView(finding.severity, finding_sentence(finding), wording.pairs(finding.evidence))


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    """What the reference and the conversion say of the model."""
    for key, value in result.reference.items():
        if value is not None:
            yield {"sha256": "source SHA-256"}.get(key, wording.plain(key)), wording.plain(value)
    conversion = next(
        (reading for check in result.checks if isinstance(reading := reading_of(check), Conversion)), None
    )
    if conversion:
        facts = {
            "exporter": conversion.exporter,
            "opset": conversion.opset,
            "nodes": wording.integer(conversion.nodes),
            "parameters": wording.integer(conversion.parameters),
            "graph size": wording.size(conversion.bytes),
        }
        yield from ((term, wording.plain(fact)) for term, fact in facts.items() if fact is not None)


def _interface(result: Result) -> Table | None:
    """The interface that a check tells under ``interface``, else the names and shapes that the probes used."""
    for check in result.checks:
        if "interface" in check.measurements:
            try:
                return _declared(Interface.from_json(check.measurements["interface"]))
            except (AssayError, AttributeError, KeyError, TypeError, ValueError):
                continue
    return _observed(result)


def _declared(interface: Interface) -> Table:
    specs = [*(("input", spec) for spec in interface.inputs), *(("output", spec) for spec in interface.outputs)]
    rows = (
        (wording.plain(spec.name), kind, wording.plain(spec), spec.role and wording.plain(spec.role))
        for kind, spec in specs
    )
    return Table(("name", "kind", "specification", "role"), tuple(rows), names=4)


def _observed(result: Result) -> Table | None:
    shapes: dict[str, list[str]] = {}
    outputs: dict[str, None] = {}
    for probe in (probe for _, parity in parities(result) for probe in parity.probes):
        outputs |= dict.fromkeys(wording.plain(output.output) for output in probe.outputs if output.output)
        for name, dims in probe.shapes.items():
            shapes.setdefault(wording.plain(name), []).append(wording.shape(dims))
    inputs = ((name, "input", _some(list(dict.fromkeys(seen)))) for name, seen in shapes.items())
    rows = (*inputs, *((name, "output", None) for name in outputs))
    return Table(("name", "kind", "shapes probed"), rows, names=3) if rows else None


def _some(shapes: list[str]) -> str:
    rest = len(shapes) - _MOST_SHAPES
    return wording.plain(", ".join(shapes[:_MOST_SHAPES])) + (f" and {rest} more" if rest > 0 else "")


def _files(result: Result) -> Table:
    rows = ((wording.plain(file.name), file.sha256, f"{file.size:,}") for file in result.model.files)
    return Table(("file", "SHA-256", "bytes"), tuple(rows), names=2)


def _environments(results: Named) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each environment once, with the models judged in it."""
    found: list[tuple[dict[str, Any], list[str]]] = []
    for name, result in results:
        names = next((names for environment, names in found if environment == result.environment), None)
        if names is None:
            found.append((result.environment, names := []))
        names.append(wording.plain(name))
    return [(", ".join(names), environment_lines(environment)) for environment, names in found]


def _fact(value: Any) -> str:
    return wording.plain(", ".join(map(str, value)) if isinstance(value, list | tuple) else value)


def environment_lines(environment: dict[str, Any]) -> list[tuple[str, str]]:
    """An environment as terms and what they are, the packages last."""
    packages = environment.get("packages")
    lines = [(wording.plain(key), _fact(value)) for key, value in environment.items() if key != "packages"]
    if isinstance(packages, dict):
        lines.append(
            ("packages", wording.plain(wording.listed(f"{name} {version}" for name, version in packages.items())))
        )
    return lines
