"""Mend a file or bundle: apply the fixes of the rules that found something, prove, and write whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir as ir

from assay.conformance.lint import lint
from assay.conformance.lint.fixes import axes, metadata, names, structure, versions, weights
from assay.conformance.lint.fixes.difference import difference, graph_text
from assay.conformance.lint.fixes.proof import Proof, prove_same
from assay.conformance.lint.fixes.registry import FIXES, Draft
from assay.conformance.result import Finding
from assay.converters.bundle import EXTERNAL_DATA, MODEL, save_model, write_bundle
from assay.converters.files import model_path, new_folder, read_model, sha256
from assay.converters.interface_json import read_interface
from assay.converters.sources.onnx_model import graph_inputs, spec_of
from assay.specs.interface import Interface
from assay.specs.targets import load_target

FAMILIES = (axes, metadata, names, structure, versions, weights)


@dataclass(frozen=True)
class Mended:
    """What was mended: rule codes, the diff, the proof, and the findings that are left."""

    fixed: tuple[str, ...]
    diff: str
    proof: Proof
    left: tuple[Finding, ...]
    written: bool


def mend_file(
    path: str | os.PathLike[str], target: str | None = None, *, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> Mended:
    """Mend a ``.onnx`` file or a bundle in place; nothing is written where the proof fails or nothing is to be mended.

    Raises `AssayError` where the model can't be read or written.
    """
    file = model_path(path)
    found = {finding.code for finding in lint(path, target, select=select, ignore=ignore)}
    draft = _draft(file, target)
    before = graph_text(draft.model)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        original = Path(folder) / "before" / MODEL
        _save(draft.model, original)
        interface = draft.interface or _interface_of(draft.model)
        for code in sorted(found & set(FIXES)):
            FIXES[code](draft)
        mended = Path(folder) / "after" / MODEL
        _save(draft.model, mended)
        if draft.interface is not None:
            draft.interface = replace(draft.interface)
        diff = difference(before, graph_text(draft.model), file.name)
        proof = prove_same(original, mended, interface, draft.renamed_inputs, draft.renamed_outputs)
        changed = original.read_bytes() != mended.read_bytes()
        left = tuple(_lint_again(draft, mended, target, select, ignore))
    written = changed and proof.holds
    if written:
        _write(draft, file)
    fixed = tuple(sorted((found & set(FIXES)) - {finding.code for finding in left}))
    return Mended(fixed, diff, proof, left, written)


def _draft(file: Path, target: str | None) -> Draft:
    limits = load_target(target) if target else None
    return Draft(read_model(file), read_interface(file), limits, sha256(file))


def _interface_of(model: ir.Model) -> Interface:
    return Interface(tuple(map(spec_of, graph_inputs(model))), tuple(map(spec_of, model.graph.outputs)))


def _save(model: ir.Model, path: Path) -> None:
    path.parent.mkdir(parents=True)
    save_model(model, path)


def _lint_again(
    draft: Draft, mended: Path, target: str | None, select: Iterable[str], ignore: Iterable[str]
) -> list[Finding]:
    if draft.interface is not None:
        write_bundle(draft.model, draft.interface, mended.parent)
        return lint(mended.parent, target, select=select, ignore=ignore)
    return lint(mended, target, select=select, ignore=ignore)


def _write(draft: Draft, file: Path) -> None:
    """A bundle is replaced as a folder; a bare file by a rename, its new external data (if any) first."""
    if draft.interface is not None and file.name == MODEL:
        write_bundle(draft.model, draft.interface, file.parent)
        return
    with new_folder(file.parent / f".{file.name}.mended") as folder:
        save_model(draft.model, folder / file.name)
        data = folder / EXTERNAL_DATA
        if data.exists():
            os.replace(data, file.parent / EXTERNAL_DATA)
        os.replace(folder / file.name, file)
    (file.parent / f".{file.name}.mended").rmdir()
