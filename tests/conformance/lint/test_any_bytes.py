"""A law of the linter: whatever the file holds, there are findings or an `AssayError`, and soon."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lint_models import parse
from proto_mutations import SEEDS, mutate

from assay.conformance.lint import lint
from assay.specs.errors import AssayError

SECONDS = 8.0  # shape inference gets five of them
GRAPHS = [
    *SEEDS,
    "g (float[3,1,2] x) => (float y) <float[1,8,2] w, float[1,8,2] r> { y, h, c = LSTM<hidden_size=2>(x, w, r) }",
    "g (float[1,2,4,4] x) => (float y) <float[2] s = {1,1}, float[2] b = {0,0}> {"
    " y = BatchNormalization<epsilon=0.0>(x, s, b, b, s) }",
]
MODELS = [parse(text).SerializeToString() for text in GRAPHS]

quickly = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


def assert_judged(data: bytes, folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(data)
    start = time.perf_counter()
    try:
        found = lint(path)
    except AssayError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either ending is right
    else:
        assert all(finding.message for finding in found)
    assert time.perf_counter() - start < SECONDS


@quickly
@given(data=st.binary(max_size=200))
def test_any_bytes_are_judged_or_refused(data: bytes, tmp_path: Path) -> None:
    assert_judged(data, tmp_path)


@quickly
@given(model=st.sampled_from(MODELS), seed=st.integers(0, 1 << 32), count=st.integers(1, 8))
def test_a_model_with_changed_bytes_is_judged_or_refused(model: bytes, seed: int, count: int, tmp_path: Path) -> None:
    data, random = bytearray(model), Random(seed)
    for _ in range(count):
        start = random.randrange(len(data) + 1)
        end = start + random.choice((0, 0, 1, 4, 20))
        data[start:end] = random.choice((b"", random.randbytes(2), data[start : start + 20], b"\xff" * 9))
    assert_judged(bytes(data), tmp_path)


@pytest.mark.parametrize("model", MODELS, ids=[text.split("{")[-1][:24] for text in GRAPHS])
@settings(quickly, max_examples=60)
@given(seed=st.integers(0, 1 << 32), count=st.integers(1, 12))
def test_a_model_with_changed_fields_is_judged_or_refused(model: bytes, seed: int, count: int, tmp_path: Path) -> None:
    proto, random = onnx.ModelProto.FromString(model), Random(seed)
    for _ in range(count):
        mutate(proto, random)
    assert_judged(proto.SerializeToString(), tmp_path)


NAMES = st.sampled_from(["", "x", "y", "a", "b"])
SIZES = st.sampled_from([-1, 0, 1, 3, 1 << 31, 1 << 62])
TENSOR = st.builds(
    onnx.TensorProto,
    name=NAMES,
    dims=st.lists(SIZES, max_size=4),
    data_type=st.integers(-1, 30),
    raw_data=st.binary(max_size=24),
    data_location=st.sampled_from([0, 1]),
)
ATTRIBUTE = st.builds(
    onnx.AttributeProto,
    name=st.sampled_from(["axis", "axes", "to", "group", "value", "perm", "body", "epsilon"]),
    type=st.integers(0, 14),
    i=SIZES,
    ints=st.lists(SIZES, max_size=3),
    f=st.floats(width=32),
    s=st.binary(max_size=4),
    t=TENSOR,
)
NODE = st.builds(
    onnx.NodeProto,
    op_type=st.sampled_from(sorted({schema.name for schema in onnx.defs.get_all_schemas()})),
    input=st.lists(NAMES, max_size=5),
    output=st.lists(NAMES, max_size=3),
    domain=st.sampled_from(["", "ai.onnx", "ai.onnx.ml", "f"]),
    attribute=st.lists(ATTRIBUTE, max_size=3),
)
TYPES = st.builds(
    lambda name, kind, shape: onnx.helper.make_tensor_value_info(name, kind, shape),
    NAMES,
    st.sampled_from([0, 1, 7, 8, 9, 16, 99]),
    st.lists(st.one_of(SIZES, st.sampled_from(["n", ""])), max_size=4),
)
GRAPH = st.builds(
    onnx.GraphProto,
    node=st.lists(NODE, max_size=6),
    initializer=st.lists(TENSOR, max_size=3),
    input=st.lists(TYPES, max_size=3),
    output=st.lists(TYPES, max_size=3),
    value_info=st.lists(TYPES, max_size=3),
)
IMPORT = st.builds(onnx.OperatorSetIdProto, domain=st.sampled_from(["", "ai.onnx", "f"]), version=SIZES)


@quickly
@given(graph=GRAPH, imports=st.lists(IMPORT, max_size=2), opset=st.integers(1, 25))
def test_any_graph_of_operators_is_judged_or_refused(
    graph: onnx.GraphProto, imports: list[onnx.OperatorSetIdProto], opset: int, tmp_path: Path
) -> None:
    known = onnx.OperatorSetIdProto(version=opset)
    model = onnx.ModelProto(ir_version=9, graph=graph, opset_import=[known, *imports])
    assert_judged(model.SerializeToString(), tmp_path)
