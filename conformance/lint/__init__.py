"""Static rules on a model: ``lint(model)`` gives the findings, without running the model."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assay.conformance.result import Finding


class HasPath(Protocol):
    """Anything that lies at a path, such as a `Bundle`."""

    @property
    def path(self) -> str | os.PathLike[str]:
        """The folder or file."""


def lint(
    model: str | os.PathLike[str] | HasPath,
    target: str | None = None,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    level: str | None = None,
) -> list[Finding]:
    """Check an ``.onnx`` file or a bundle against the static rules of the profile.

    ``target`` names the kind of runtime whose limits count; ``select`` and ``ignore`` are prefixes of rule codes;
    ``level`` is the level of conformance whose rules count (None: what any model, quantized or not, should keep).
    Raises `AssayError` where the model can't be read, or the target or level is unknown.
    """
    from assay.conformance.lint import inference_process

    inference_process.prepare()
    from assay.conformance.lint.candidate import open_candidate
    from assay.conformance.lint.driver import chosen, run
    from assay.specs.levels import level as find_level

    levels = None if level is None else find_level(level).includes
    path = model if isinstance(model, (str, os.PathLike)) else model.path
    return run(open_candidate(os.fspath(path), target), chosen(select, ignore, levels))
