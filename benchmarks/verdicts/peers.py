"""The peers: what other validators say of the same cases, each on the traced example alone, as in real life."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.converters.sources import Source
from assay.specs.interface import Interface
from verdicts.inputs import is_mask
from verdicts.runtime import Job, Ran

Arrays = Mapping[str, np.ndarray]
SCRIPT = Path(__file__).resolve().parent / "outside" / "polygraphy_rule.py"
ATOLS = (1e-5, 1e-4, 1e-3)


@dataclass(frozen=True)
class Example:
    """The traced inputs with the source's outputs, and the same with the masks that optimum draws."""

    feeds: Arrays
    reference: Arrays
    masked: Arrays
    masked_reference: Arrays

    def jobs(self) -> list[Job]:
        """By order at the default level, by names at the default level, and by names at the basic level."""
        return [Job("all", self.feeds, positional=True), Job("all", self.feeds), Job("basic", self.masked)]


@dataclass(frozen=True)
class Opinion:
    """What a peer concluded (None: it was not asked), and how many seconds its comparison took."""

    alarm: bool | None
    seconds: float


def make_example(source: Source, interface: Interface, feeds: Arrays) -> Example:
    """Run the source on both inputs."""
    generator = np.random.default_rng(4)
    masked = {
        spec.name: _right_padded(feeds[spec.name], generator) if is_mask(spec) else feeds[spec.name]
        for spec in interface.inputs
    }
    return Example(feeds, source.run(feeds), masked, source.run(masked))


def _right_padded(mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """As optimum's ``random_mask_tensor``: the same number of zeros at the end of every row."""
    padded = np.ones_like(mask)
    padded[..., mask.shape[-1] - int(generator.integers(1, max(2, mask.shape[-1] - 1))) :] = 0
    return padded


class Polygraphy:
    """Polygraphy's own comparator, in an interpreter of its own that stays open."""

    def __init__(self, python: str | None) -> None:
        self._process = python and subprocess.Popen(
            [python, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def alarms(self, reference: Arrays, ran: Ran) -> bool | None:
        """Whether it finds a difference; None where there is no interpreter for it."""
        if not self._process:
            return None
        if ran.error:
            return True
        with tempfile.NamedTemporaryFile(suffix=".npz") as file:
            sides = {
                **{f"reference/{n}": v for n, v in reference.items()},
                **{f"candidate/{n}": v for n, v in ran.outputs},
            }
            np.savez(file, **sides)  # type: ignore[arg-type]
            file.flush()
            return self._ask(file.name) != "same"

    def _ask(self, path: str) -> str:
        assert self._process
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(path + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("verdict "):
                return line.removeprefix("verdict ").strip()
        raise RuntimeError("the interpreter of Polygraphy ended")

    def close(self) -> None:
        """End the interpreter."""
        if self._process:
            self._process.kill()
            self._process.wait()


def opinions(example: Example, ran: list[Ran], polygraphy: Polygraphy) -> dict[str, Opinion]:
    """Every peer's conclusion; ``ran`` is what the example's jobs gave."""
    by_order, by_name, basic = ran
    rules: dict[str, Callable[[], bool | None]] = {
        "torch.onnx verify": lambda: torch_verify_alarms(example.reference, by_order),
        "optimum": lambda: optimum_alarms(example.masked_reference, basic),
        "Polygraphy": lambda: polygraphy.alarms(example.reference, by_name),
        **{f"allclose {atol:g}": _allclose(example.reference, by_order, atol) for atol in ATOLS},
    }
    return {name: _timed(rule) for name, rule in rules.items()}


def _timed(rule: Callable[[], bool | None]) -> Opinion:
    start = time.perf_counter()
    alarm = rule()
    return Opinion(alarm, time.perf_counter() - start)


def torch_verify_alarms(reference: Arrays, ran: Ran) -> bool:
    """torch.onnx.verification's own comparison, zip and thresholds as in ``torch.onnx.export(verify=True)``.

    The export runs the candidate itself, which here is done before: max_abs_diff >= 5e-3 or max_rel_diff >= 0.1 alarms
    (torch 2.13, torch/onnx/_internal/exporter/_core.py), and so does a model that does not run.
    """
    import torch
    from torch.onnx.verification import VerificationInfo

    if ran.error:
        return True
    for (name, expected), (_, actual) in zip(reference.items(), ran.outputs, strict=False):
        try:
            info = VerificationInfo.from_tensors(
                name, torch.from_numpy(expected.copy()), torch.from_numpy(actual.copy())
            )
        except (RuntimeError, TypeError):
            return True
        if info.max_abs_diff >= 5e-3 or info.max_rel_diff >= 1e-1:
            return True
    return False


def optimum_alarms(reference: Arrays, ran: Ran, atol: float = 1e-4, rtol: float = 1e-5) -> bool:
    """The rule of optimum's ``validate_model_outputs``: names a subset, shapes exact, numpy.allclose, basic level.

    The package wants transformers' configuration of a known model, which none of these has; the rule is its published
    one (optimum-onnx, optimum/exporters/onnx/convert.py), with the tolerance that most of its configurations have.
    """
    if ran.error or not set(ran.named) <= set(reference):
        return True
    shapes = any(value.shape != reference[name].shape for name, value in ran.named.items())
    return shapes or any(not _close(reference[n], v, atol, rtol) for n, v in ran.named.items())


def _allclose(reference: Arrays, ran: Ran, atol: float) -> Callable[[], bool]:
    """The line that people write: outputs in order, as many as there should be, numpy.allclose with its own rtol."""

    def alarms() -> bool:
        if ran.error or len(ran.outputs) != len(reference):
            return True
        pairs = zip(reference.values(), ran.outputs, strict=True)
        return any(not _close(expected, actual, atol, 1e-5) for expected, (_, actual) in pairs)

    return alarms


def _close(expected: np.ndarray, actual: np.ndarray, atol: float, rtol: float) -> bool:
    try:
        return bool(np.allclose(expected, actual, rtol=rtol, atol=atol))
    except (ValueError, TypeError):
        return False
