"""Defects of weights: which differ, and how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np

from assay.conformance.parity.diagnoses.diagnosis import Diagnosis
from assay.conformance.parity.diagnoses.mends import SetConstants
from assay.conformance.parity.localisation.evidence import Evidence
from assay.conformance.parity.localisation.graph import Graph, name_of, taken_by
from assay.conformance.parity.oracle import epsilon

_FEW_LEVELS, _MANY = 256, 300  # so many different values at most, among so many elements at least, is a grid
_LISTED = 4


def weights(evidence: Evidence) -> Iterator[Diagnosis]:
    """The floating constants of the node at fault that differ from the healthy graph's, with all that differ alike."""
    node = evidence.node
    if node is None or evidence.healthy is None:
        return
    healthy = evidence.healthy.graph
    for name in _constants_of(evidence.candidate, taken_by(node)):
        other = _counterpart(evidence, name)
        change = change_of(evidence.candidate.array(name), healthy.array(other) if other else None)
        if other is None or change is None:
            continue
        alike = {name: other} | _changed_alike(evidence, change)
        told = {"weights": sorted(alike), **change.evidence}
        sentence = f"{_named(list(alike), name)} {change.sentence(len(alike))}"
        yield Diagnosis("weights", sentence, name_of(node), told, SetConstants(alike))


class Change:
    """How an array differs: a kind, words, and numbers that show it."""

    def __init__(self, kind: str, words: str, **numbers: Any) -> None:
        self.kind, self.words, self.evidence = kind, words, {"how": kind, **numbers}

    def sentence(self, count: int) -> str:
        """The words after the name of one array or of several."""
        return f"{'are' if count > 1 else 'is'} {self.words}"


def _constants_of(graph: Graph, names: list[str], depth: int = 3) -> Iterator[str]:
    """The floating constants that a node takes, also by way of nodes that nothing but constants feed."""
    for name in names:
        if name in graph.constants:
            if graph.constants[name].dtype.is_floating_point():
                yield name
        elif depth and (node := graph.producers.get(name)) is not None and _is_folded(graph, name):
            yield from _constants_of(graph, taken_by(node), depth - 1)


def _is_folded(graph: Graph, name: str) -> bool:
    return not graph.ancestors([name]) & graph.inputs


def _counterpart(evidence: Evidence, name: str) -> str | None:
    """The healthy graph's constant of the same name; where names say nothing, the nearest of the same size."""
    assert evidence.healthy is not None
    constants = evidence.healthy.graph.constants
    own = evidence.candidate.array(name)
    assert own is not None
    if name in constants and constants[name].size == own.size:
        return name
    alike = [n for n, tensor in constants.items() if tensor.shape == own.shape and tensor.dtype.is_floating_point()]
    ranked = sorted((_distance(own, constants[n].numpy()), n) for n in alike)
    return ranked[0][1] if ranked and ranked[0][0] < 0.5 else None


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(np.linalg.norm(x - y) / (np.linalg.norm(y) or 1.0))


def _changed_alike(evidence: Evidence, change: Change) -> dict[str, str]:
    """Other constants of the same name in both graphs that differ in the same way."""
    assert evidence.healthy is not None
    healthy, found = evidence.healthy.graph, {}
    for name, tensor in evidence.candidate.constants.items():
        if name in healthy.constants and tensor.dtype.is_floating_point():
            other = change_of(tensor.numpy(), healthy.constants[name].numpy())
            if other is not None and other.kind == change.kind:
                found[name] = name
    return found


def change_of(got: np.ndarray | None, expected: np.ndarray | None) -> Change | None:
    """How the array differs from what it should be; None where it does not, or where nothing can be said."""
    if got is None or expected is None or got.size != expected.size or got.size == 0:
        return None
    if got.shape == expected.shape and got.tobytes() == expected.tobytes():
        return None
    if got.shape != expected.shape:
        return Change("reshaped", f"of shape {list(got.shape)}, but should be of shape {list(expected.shape)}")
    if not got.any():
        return Change("zero", "zero")
    return _rounded(got, expected) or _moved(got, expected) or _scaled(got, expected) or _noisy(got, expected)


def _rounded(got: np.ndarray, expected: np.ndarray) -> Change | None:
    for name, dtype in (("float16", np.dtype(np.float16)), ("bfloat16", np.dtype(ml_dtypes.bfloat16))):
        with np.errstate(over="ignore"):
            if np.array_equal(got, expected.astype(dtype).astype(got.dtype)):
                return Change(name, f"rounded to {name}")
    levels = np.unique(got).size
    if got.size >= _MANY and levels <= _FEW_LEVELS and np.unique(expected).size > levels:
        bits = 8 if levels > 16 else 4
        return Change(f"int{bits}", f"rounded to {levels} levels, as by int{bits}", levels=levels)
    return None


def _moved(got: np.ndarray, expected: np.ndarray) -> Change | None:
    if got.ndim == 2 and got.shape[0] == got.shape[1] and np.array_equal(got, expected.T):
        return Change("transposed", "transposed")
    different = (got != expected).reshape(len(got), -1).any(axis=1) if got.ndim else np.array([True])
    rows = np.flatnonzero(different)
    if got.ndim and 0 < len(rows) < len(got) and not got[rows].any():
        listed = ", ".join(map(str, rows[:_LISTED]))
        return Change("zero-rows", f"zero in row{'s' if len(rows) > 1 else ''} {listed}", rows=rows[:64].tolist())
    if np.array_equal(np.sort(got, axis=None), np.sort(expected, axis=None)):
        return Change("reordered", "in another order")
    return None


def _scaled(got: np.ndarray, expected: np.ndarray) -> Change | None:
    x, y = got.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    factor = float(x @ y / (y @ y or 1.0))
    eps = 4 * epsilon(got.dtype)
    if got.size > 1 and np.allclose(x, factor * y, rtol=eps, atol=0) and abs(factor - 1) > eps:
        return Change("scaled", f"scaled by {factor:.6g}", factor=factor)
    return None


def _noisy(got: np.ndarray, expected: np.ndarray) -> Change:
    different = got != expected
    share, distance = float(different.mean()), _distance(got, expected)
    where = "" if share > 0.9 else f" in {share:.1%} of its elements"
    return Change("changed", f"off by {distance:.2g} of its size{where}", relative=distance, share=share)


def _named(names: list[str], first: str) -> str:
    if len(names) == 1:
        return f"weight {first}"
    listed = ", ".join(sorted(names)[:_LISTED])
    return f"{len(names)} weights ({listed}{', ...' if len(names) > _LISTED else ''})"
