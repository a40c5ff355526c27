"""The first wrong node of graphs that are written out, by name and by value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_onnx import write

from assay.conformance.isolation import Worker
from assay.conformance.parity.localisation.alignment import Alignment, Values
from assay.conformance.parity.localisation.blame import first_wrong
from assay.conformance.parity.localisation.capture import Camera
from assay.conformance.parity.localisation.correspondence import correspond
from assay.conformance.parity.localisation.deadline import Deadline, OutOfTime
from assay.conformance.parity.localisation.graph import Graph
from assay.conformance.parity.localisation.noise import error_ratio, moved, spreads
from assay.conformance.parity.oracle import Noise

HEAD = "g (float[batch,6] x) => (float[batch,6] y) <float[6] w = {1, -2, 3, 0.5, 0.25, -1}>"
HEALTHY = HEAD + " { va = Mul(x, w) vb = Tanh(va) vc = Abs(vb) vd = Add(vc, x) y = Relu(vd) }"
RENAMED = HEALTHY.replace("v", "t")
FEEDS = {"x": np.random.default_rng(0).standard_normal((2, 6)).astype(np.float32)}
IO = {"x": "x", "y": "y"}
WRONG = {
    "another operator": (HEALTHY.replace("Tanh(va)", "Sigmoid(va)"), "vb"),
    "an added node": (HEALTHY.replace("Add(vc, x)", "Add(n, x)").replace("vd =", "n = Neg(vc) vd ="), "n"),
    "a node in the place of another": (
        HEALTHY.replace("vb = Tanh(va)", "n = Neg(va)").replace("Abs(vb)", "Abs(n)"),
        "n",
    ),
    "a dropped node": (HEALTHY.replace("vc = Abs(vb)", "").replace("Add(vc", "Add(vb"), "vd"),
    "an added node at the output": (HEALTHY.replace("y = Relu(vd)", "r = Relu(vd) y = Neg(r)"), "y"),
    "other weights": (HEALTHY.replace("0.25", "0.2500012"), "va"),
    "names of its own": (RENAMED.replace("Tanh(ta)", "Sigmoid(ta)"), "tb"),
}


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    with Worker(30) as worker:
        yield Camera(worker, tmp_path_factory.mktemp("runs"), Deadline(600))


def aligned(camera: Camera, candidate: Graph, healthy: Graph) -> Alignment:
    """Both graphs on the same feeds."""
    expected = camera.capture(healthy, FEEDS).values
    got, alike = Values(camera.capture(candidate, FEEDS).values), correspond(candidate, healthy, IO)
    noise = spreads(camera, healthy, FEEDS, expected)
    operators = {name: node.op_type for name, node in healthy.producers.items()}
    return Alignment(got, Values({**FEEDS, **expected}, noise), alike.is_close, alike.values, operators)


@pytest.mark.parametrize("name", WRONG)
def test_the_first_wrong_node_is_found(name: str, camera: Camera, tmp_path: Path) -> None:
    text, value = WRONG[name]
    healthy, wrong = (Graph.read(write(t, tmp_path / f"{i}.onnx")) for i, t in enumerate((HEALTHY, text)))
    guilty = first_wrong(wrong, aligned(camera, wrong, healthy))
    assert (guilty.value if guilty else None) == value


def test_no_node_of_an_equal_graph_is_wrong(camera: Camera, tmp_path: Path) -> None:
    healthy, other = (Graph.read(write(t, tmp_path / f"{i}.onnx")) for i, t in enumerate((HEALTHY, RENAMED)))
    assert first_wrong(other, aligned(camera, other, healthy)) is None


def test_a_graph_that_fails_gives_what_it_had_and_the_node(camera: Camera, tmp_path: Path) -> None:
    text = HEAD.replace("float[6] w", "int64[2] s = {5, 6}, float[6] w")
    failing = Graph.read(write(text + " { a = Mul(x, w) b = Reshape(a, s) y = Relu(b) }", tmp_path / "f.onnx"))
    captured = camera.capture(failing, FEEDS)
    assert set(captured.values) == {"a"}
    assert captured.failed is failing.nodes[1]


def test_a_graph_that_the_runtime_does_not_load_gives_the_node(camera: Camera, tmp_path: Path) -> None:
    unknown = Graph.read(write(HEAD + " { a = Mul(x, w) b = Nonsense(a) y = Relu(b) }", tmp_path / "u.onnx"))
    captured = camera.capture(unknown, FEEDS)
    assert (captured.failed, set(captured.values)) == (unknown.nodes[1], {"a"})


def test_time_that_is_up_ends_the_search(camera: Camera, tmp_path: Path) -> None:
    late = Camera(camera.worker, camera.folder, Deadline(0.0))
    with pytest.raises(OutOfTime, match="more than the 0 s"):
        late.capture(Graph.read(write(HEALTHY, tmp_path / "h.onnx")), FEEDS)


@pytest.mark.parametrize(
    ("got", "low", "high"),
    [
        (np.array([1.0, 2.0], np.float32), 0, 0),
        (np.array([1.0, 2.0 + 2**-22], np.float32), 0.5, 8),
        (np.array([1.0, 2.1], np.float32), 1e3, 1e9),
        (np.array([1.0, np.nan], np.float32), np.inf, np.inf),
        (np.array([1.0], np.float32), np.inf, np.inf),
        (np.array([1.0, 2.0]), np.inf, np.inf),
    ],
    ids=["equal", "rounding", "error", "not a number", "shape", "dtype"],
)
def test_an_error_is_measured_by_the_noise(got: np.ndarray, low: float, high: float) -> None:
    assert low <= error_ratio(got, np.array([1.0, 2.0], np.float32), Noise(1e-7, 1e-7)) <= high


def test_rounding_noise_moves_all_but_zeros() -> None:
    array = np.array([0.0, 1.0, -3.0], np.float32)
    changed = moved(array, np.random.default_rng(0))
    assert changed[0] == 0
    assert np.all(changed[1:] != array[1:])
    assert np.allclose(changed, array, rtol=2e-7)
