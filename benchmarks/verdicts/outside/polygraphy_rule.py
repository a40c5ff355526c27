"""Run by the tools' interpreter: for each line PATH of an .npz, answers with Polygraphy's own verdict on it.

The file holds the reference's outputs as ``reference/NAME`` and the candidate's as ``candidate/NAME``.
"""

from __future__ import annotations

import sys

import numpy as np
from polygraphy.comparator import Comparator, CompareFunc, IterationResult, RunResults
from polygraphy.logger import G_LOGGER


def agrees(path: str) -> bool:
    """Whether CompareFunc.simple with its defaults (atol 1e-5, rtol 1e-5) is content."""
    with np.load(path) as arrays:
        sides = {
            side: {k.partition("/")[2]: arrays[k] for k in arrays.files if k.startswith(f"{side}/")}
            for side in ("reference", "candidate")
        }
    results = RunResults([(side, [IterationResult(outputs, runtime=0.0)]) for side, outputs in sides.items()])
    return bool(Comparator.compare_accuracy(results, compare_func=CompareFunc.simple()))


def main() -> None:
    """Answer until standard input ends."""
    G_LOGGER.module_severity = G_LOGGER.CRITICAL
    for line in sys.stdin:
        try:
            answer = "same" if agrees(line.strip()) else "different"
        except Exception as error:  # noqa: BLE001 - foreign code; a validator that raises has not passed the model
            answer = f"raised {type(error).__name__}"
        sys.stdout.write(f"verdict {answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
