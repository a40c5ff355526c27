"""Mend a file or bundle: apply the fixes of the rules that found something, prove, and write whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx_ir as ir

from assay.conformance.lint import lint
from assay.conformance.lint.fixes import axes, metadata, names, structure, versions, weights
from assay.conformance.lint.fixes.difference import difference, graph_text
from assay.conformance.lint.fixes.proof import Proof, prove_same
from assay.conformance.lint.fixes.registry import FIXES, Draft
from assay.conformance.result import Finding
from assay.converters.bundle import CERTIFICATE, EXTERNAL_DATA, MODEL, save_model
from assay.converters.files import UnreadableError, model_path, read_model, sha256, write_text
from assay.converters.interface_json import FILE_NAME, interface_text, read_interface
from assay.converters.sources.onnx_model import graph_inputs, spec_of
from assay.specs.errors import brief
from assay.specs.interface import Interface, TensorSpec
from assay.specs.targets import load_target

FAMILIES = (axes, metadata, names, structure, versions, weights)


@dataclass(frozen=True)
class Mended:
    """What was mended: rule codes, the diff, the proof, and the findings that are left."""

    fixed: tuple[str, ...]
    diff: str
    proof: Proof
    left: tuple[Finding, ...]
    refused: Mapping[str, str]
    written: bool


def mend_file(
    path: str | os.PathLike[str],
    target: str | None = None,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    inputs: Sequence[TensorSpec] = (),
) -> Mended:
    """Mend a ``.onnx`` file or a bundle in place; nothing is written where the proof fails or nothing is to be mended.

    ``inputs`` says what the model takes, where the proof can't run on what it declares. Raises `AssayError` where the
    model can't be read or written.
    """
    file = model_path(path)
    found = {finding.code for finding in lint(path, target, select=select, ignore=ignore)} & set(FIXES)
    draft, refused = _mended_draft(file, target, found)
    original = _draft(file, target)
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        before, after = Path(folder) / "before" / MODEL, Path(folder) / "after" / MODEL
        _save(original, before)
        _save(draft, after)
        interface = _stated(original.interface or _interface_of(original.model), inputs)
        proof = prove_same(before, after, interface, draft.renamed_inputs, draft.renamed_outputs)
        left = tuple(lint(after, target, select=select, ignore=ignore))
    diff = difference(graph_text(original.model), graph_text(draft.model), file.name)
    fixed = tuple(sorted(found - set(refused) - {finding.code for finding in left}))
    written = bool(fixed) and proof.holds
    if written:
        _write(draft, file)
    return Mended(fixed, diff, proof, left, refused, written)


def _mended_draft(file: Path, target: str | None, codes: set[str]) -> tuple[Draft, dict[str, str]]:
    """The model with each fix applied; one that can't mend it is left out, and the others start again without it."""
    refused: dict[str, str] = {}
    while True:
        draft = _draft(file, target)
        reason = _apply(draft, sorted(codes - set(refused)))
        if not reason:
            return draft, refused
        refused.update(reason)


def _apply(draft: Draft, codes: Sequence[str]) -> dict[str, str]:
    """Apply each fix once, however many of the codes it mends; where one raises, the codes that it can't mend."""
    for fix in dict.fromkeys(FIXES[code] for code in codes):
        try:
            fix(draft)
        except Exception as error:  # noqa: BLE001 - a graph that a pass can't take stays as it is, and is told of
            return {code: brief(error) for code in codes if FIXES[code] is fix}
    return {}


def _draft(file: Path, target: str | None) -> Draft:
    limits = load_target(target) if target else None
    model = read_model(file)
    external = any(isinstance(v.const_value, ir.ExternalTensor) for v in model.graph.initializers.values())
    return Draft(model, _interface_or_none(file), limits, sha256(file), external)


def _interface_or_none(file: Path) -> Interface | None:
    try:
        return read_interface(file)
    except UnreadableError:
        return None  # IO019 finds it, and its fix makes one


def _interface_of(model: ir.Model) -> Interface:
    return Interface(tuple(map(spec_of, graph_inputs(model))), tuple(map(spec_of, model.graph.outputs)))


def _stated(interface: Interface, inputs: Sequence[TensorSpec]) -> Interface:
    given = {spec.name: spec for spec in inputs}
    return replace(interface, inputs=tuple(given.get(spec.name, spec) for spec in interface.inputs))


def _save(draft: Draft, path: Path) -> None:
    path.parent.mkdir(parents=True)
    save_model(draft.model, path, external=EXTERNAL_DATA if draft.external else None)
    if draft.interface is not None:
        write_text(path.parent / FILE_NAME, interface_text(draft.interface))


def _write(draft: Draft, file: Path) -> None:
    """Each file is written under a temporary name and renamed, the model last; a certificate no longer holds then."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        saved = Path(folder) / file.name
        save_model(draft.model, saved, external=_data_file(draft, file))
        for extra in sorted(path for path in Path(folder).iterdir() if path != saved):
            os.replace(extra, file.parent / extra.name)
        if draft.interface is not None:
            write_text(file.parent / FILE_NAME, interface_text(draft.interface))
        os.replace(saved, file)
    if file.name == MODEL:
        (file.parent / CERTIFICATE).unlink(missing_ok=True)


def _data_file(draft: Draft, file: Path) -> str | None:
    """A name that no file has, for weights that lay outside; what lay there before is left to its owner."""
    if not draft.external:
        return None
    names = (f"{file.name}.data" if index == 0 else f"{file.name}.{index}.data" for index in range(1000))
    return next(name for name in names if not (file.parent / name).exists())
