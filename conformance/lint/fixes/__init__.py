"""What ``assay lint --fix`` does: mend what can be mended without a change of meaning, and prove it."""

from assay.conformance.lint.fixes.mending import Mended, mend_file

__all__ = ["Mended", "mend_file"]
