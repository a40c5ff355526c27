"""``assay lint --fix``: shows the diff and the proof, writes only what was proved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.conformance.result import Finding, Verdict, verdict_of
from assay.specs.interface import TensorSpec

if TYPE_CHECKING:
    from assay.conformance.lint.fixes import Mended

_LONGEST_LINE = 200


def fix(
    model: Path, target: str | None, select: Sequence[str], ignore: Sequence[str], inputs: Sequence[TensorSpec]
) -> Mended:
    """Mend the model in place."""
    from assay.conformance.lint.fixes import mend_file

    return mend_file(model, target, select=select, ignore=ignore, inputs=inputs)


def fix_text(mended: Mended, model: Path) -> str:
    """The diff, then what was mended, what could not be, and the proof."""
    lines = [_coloured(_cut(line)) for line in mended.diff.splitlines()] if mended.fixed else []
    lines += [f"{code} can't be mended: {reason}" for code, reason in mended.refused.items()]
    if not mended.fixed:
        return "\n".join([*lines, f"{model}: nothing to mend"])
    return "\n".join([*lines, f"{model}: {_outcome(mended)}"])


def fix_json(mended: Mended) -> str:
    """All of it as JSON."""
    left = [finding.model_dump(mode="json") for finding in mended.left]
    return json.dumps({**asdict(mended), "left": left}, indent=2, ensure_ascii=False)


def fix_verdict(mended: Mended) -> Verdict:
    """Fail where an error is left or the proof found a difference; inconclusive where there is no proof."""
    if mended.fixed and mended.proof.difference is not None:
        return Verdict.FAIL
    left: Sequence[Finding] = mended.left
    if verdict_of(left) is Verdict.FAIL:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if mended.fixed and not mended.proof.holds else Verdict.PASS


def _outcome(mended: Mended) -> str:
    codes, proof = ", ".join(mended.fixed), mended.proof
    if mended.written:
        same = "bit for bit" if proof.identical else "within rounding"
        return f"mended {codes}; the same outputs on {proof.probes} probes, {same}"
    if proof.difference is not None:
        return f"not written: mending {codes} changes the model: {proof.difference}"
    return f"not written: mending {codes} can't be proved: {proof.doubt}; say what it takes with --input"


def _cut(line: str) -> str:
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _coloured(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return click.style(line, fg=colour) if colour else line
