"""The cases of one model: its mutants and its rewrites, written one at a time where Assay and the runtime read them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from verdicts.mutations import MUTATIONS, Mutant, mutants
from verdicts.rewrites import REWRITES, Inapplicable, Origin, rewritten
from verdicts.subject import Subject


@dataclass(frozen=True)
class Case:
    """One model on trial; ``letter`` is the class of its defect, or empty for a benign rewrite."""

    id: str
    name: str
    letter: str
    severity: str
    says: str
    nodes: tuple[str, ...]
    model: onnx.ModelProto | None
    contract: bool = True
    external: bool = False
    reason: str | None = None
    locate: bool = False
    mend: bool = False

    @property
    def benign(self) -> bool:
        """Whether it is a rewrite, after which the model is the same."""
        return not self.letter


def mutant_cases(
    subject: Subject, classes: Collection[str], limit: int | None, locate: int | None, mend: int | None = 0
) -> list[Case]:
    """The mutants of these classes (none: all); ``limit`` leaves so many, evenly drawn.

    The guilty node is asked for in ``locate`` of those that sit in one (None: in all), evenly drawn too; the repair is
    tried on ``mend`` of those that are the first of their kind (None: on all of these).
    """
    kinds = [kind for kind in MUTATIONS.values() if not classes or kind.letter in classes]
    cases = _drawn([_of_mutant(mutant) for kind in kinds for mutant in mutants(subject, kind)], limit)
    asked = {case.id for case in _drawn([case for case in cases if case.nodes], locate)}
    mended = {case.id for case in _drawn(list({case.name: case for case in reversed(cases)}.values()), mend)}
    return [replace(case, locate=case.id in asked, mend=case.id in mended) for case in cases]


def _drawn(found: list[Case], limit: int | None) -> list[Case]:
    if limit is None or len(found) <= limit:
        return found
    return [found[place * len(found) // limit] for place in range(limit)]


def _of_mutant(mutant: Mutant) -> Case:
    return Case(mutant.id, mutant.mutation, mutant.letter, mutant.severity, mutant.says, mutant.nodes, mutant.model)


def benign_cases(origin: Origin, limit: int | None) -> Iterator[Case]:
    """The rewrites that change the file; one that a tool refuses is a case without a model, with the reason."""
    kinds = list(REWRITES.values())
    chosen = kinds if limit is None else [kinds[place * len(kinds) // limit] for place in range(min(limit, len(kinds)))]
    for kind in chosen:
        stem = f"{origin.subject.name}/{kind.id}"
        try:
            for made in rewritten(origin, kind):
                name = "/".join(part for part in (stem, made.label) if part)
                yield Case(name, kind.id, "", made.label, kind.says, (), made.model, kind.contract, made.external)
        except Inapplicable as refusal:
            yield Case(f"{stem}/refused", kind.id, "", "", kind.says, (), None, reason=str(refusal))
        except Exception as error:  # noqa: BLE001 - foreign tools raise what they like; the report lists it
            reason = f"{type(error).__name__}: {error}"[:300]
            yield Case(f"{stem}/raised", kind.id, "", "", kind.says, (), None, reason=reason)


def write_case(case: Case, healthy: Path, folder: Path) -> Path:
    """Write the model as a bundle with the healthy contract (or alone, where that changes too); returns the file."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "model.onnx"
    assert case.model is not None
    if case.external:
        onnx.save(case.model, path, save_as_external_data=True, location="model.onnx.data", size_threshold=100)
    else:
        path.write_bytes(case.model.SerializeToString())
    if case.contract:
        shutil.copy(healthy / "interface.json", folder)
    return path
