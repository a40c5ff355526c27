"""Certify by manifest: every step, the verdict, and all that is written."""

from __future__ import annotations

import os
from pathlib import Path

from assay.conformance.certificate import load_signing_key
from assay.conformance.certification import Certification, Tell, plan, require_replaceable
from assay.conformance.manifest import load_manifest
from assay.conformance.result import Result


def certify(
    manifest: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    key: Path | None = None,
    trust_source: bool = False,
    tell: Tell | None = None,
) -> Result:
    """Convert, lint, compare, quantize and time by a manifest; write bundle, result, certificate and reports.

    Raises `AssayError` where the manifest, its source or its data can't be read, or the source can't be converted;
    nothing is written then. What lies at ``output`` is replaced whole where it is an earlier certification.
    """
    require_replaceable(Path(output))
    if key is not None:
        load_signing_key(key)
    certification = Certification(load_manifest(manifest), trust_source=trust_source, tell=tell)
    try:
        result = certification.result([certification.run(step) for step in plan(certification.manifest)])
        certification.write(result, Path(output), key)
    finally:
        certification.close()
    return result
