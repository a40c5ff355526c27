"""Why an operator has no form in ONNX."""

from __future__ import annotations

from assay.specs.errors import AssayError


class RefusedError(AssayError):
    """An operator that ONNX can't say with the same meaning; the reason is a clause without a subject."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
