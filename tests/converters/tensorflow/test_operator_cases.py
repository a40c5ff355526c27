"""Every case of the operator benchmark is right or refused for a known reason, whatever layout its inputs have."""

from __future__ import annotations

from typing import Any

import pytest
from tensorflow_cases.case import Case, behind_pools
from tensorflow_cases.judging import judge
from tensorflow_cases.operators import cases

from assay.converters.tensorflow import registry

CASES = list(cases())
POOLED = [pooled for pooled in map(behind_pools, CASES) if pooled is not None]
REFUSED = frozenset(
    {
        "tf.math.nextafter",
        "tf.math.bessel_i0e",
        "tf.math.igamma",
        "tf.math.zeta",
        "tf.math.cumulative_logsumexp dynamic",
        "tf.bitcast f4 to i4",
        "tf.math.approx_max_k",
        "tf.image.resize bicubic dynamic",
        "tf.image.non_max_suppression soft",
        "tf.image.combined_non_max_suppression",
        "tf.linalg.inv 8",
        "tf.linalg.svd",
        "tf.linalg.qr",
        "tf.linalg.eigh",
        "tf.linalg.lu",
        "tf.linalg.tridiagonal_solve",
        "tf.strings.as_string float",
        "tf.strings.lower",
        "tf.strings.length",
        "tf.strings.upper",
        "tf.strings.substr",
        "tf.strings.strip",
        "tf.strings.regex_replace",
        "tf.random.uniform",
        "tf.random.stateless_normal",
        "tf.nn.dropout",
        "complex sqrt",
        "complex output",
    }
)


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))
    assert set(names) >= REFUSED
    assert len(names) >= 400


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_right_or_refused(case: Case) -> None:
    outcome = judge(case, "assay.tensorflow")
    assert outcome.verdict == ("refused" if case.name in REFUSED else "right"), outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize("case", POOLED, ids=lambda case: case.name)
def test_a_case_is_right_or_refused_with_channels_first(case: Case) -> None:
    outcome = judge(case, "assay.tensorflow")
    assert outcome.verdict in ("right", "refused"), outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize("opset", [17, 18, 24])
@pytest.mark.parametrize("case", CASES[::7], ids=lambda case: case.name)
def test_a_case_is_right_or_refused_at_any_opset(case: Case, opset: int) -> None:
    outcome = judge(case, "assay.tensorflow", opset)
    assert outcome.verdict in ("right", "refused"), outcome.reason


@pytest.mark.slow
def test_every_handler_of_operators_is_reached_by_a_case() -> None:
    reached: set[str] = set()
    for case in CASES:
        definition = case.build().get_concrete_function().graph.as_graph_def()
        reached |= {node.op for node in definition.node}
        reached |= {node.op for function in definition.library.function for node in function.node_def}
    missing = {
        name for name, handler in registry.load_handlers().items() if _is_measured(handler) and name not in reached
    }
    assert missing <= {"Rank"}, "which TensorFlow computes while tracing, but where the rank is unknown"


def _is_measured(handler: Any) -> bool:
    family = handler.__module__.rpartition(".")[2]
    return family in {
        "arithmetic",
        "bitwise",
        "special",
        "elementwise",
        "reduction",
        "shape",
        "slicing",
        "creation",
        "gathering",
        "sorting",
        "diagonals",
        "scans",
        "segments",
        "blocks",
        "transposed_convolution",
        "resizing",
        "image",
        "quantization",
        "linalg",
        "losses",
        "convolution",
        "normalization",
        "matrices",
    }
