"""Conditions and loops as TensorFlow 1 wrote them, in a frozen graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from agreement import Converted, converted

from assay.converters.sources import open_source
from assay.converters.tensorflow.native_exporter import UnconvertibleError, export

v1: Any = tf.compat.v1


@pytest.fixture(autouse=True)
def _first_control_flow() -> Iterator[None]:
    v1.disable_control_flow_v2()
    yield
    v1.enable_control_flow_v2()


def frozen(folder: Path, build: Callable[[Any], Any]) -> str:
    """The graph of a function of one tensor, saved."""
    with tf.Graph().as_default() as graph:
        tf.identity(build(v1.placeholder(tf.float32, [None, 3], name="x")), name="out")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return str(path)


def read_back(folder: Path, build: Callable[[Any], Any]) -> Converted:
    return converted(lambda: None, model=open_source(frozen(folder, build)))


def assert_agrees_everywhere(model: Converted) -> None:
    for number in (1.0, -1.0, 5.0, -5.0):
        model.assert_agrees(np.full((2, 3), number, np.float32))


def test_a_condition_is_an_if(tmp_path: Path) -> None:
    model = read_back(tmp_path, lambda x: v1.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: tf.sin(x) - 1))
    assert model.operators["If"] == 1
    assert_agrees_everywhere(model)


def test_branches_that_read_nothing_are_told_apart(tmp_path: Path) -> None:
    model = read_back(tmp_path, lambda x: v1.cond(tf.reduce_sum(x) > 0, lambda: [[1.0]], lambda: [[2.0]]) + x)
    assert_agrees_everywhere(model)


def test_conditions_in_conditions_are_ifs_in_ifs(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        total = tf.reduce_sum(x)
        inner = lambda: v1.cond(total > 10, lambda: x * 3, lambda: x + total)  # noqa: E731
        return v1.cond(total > 0, inner, lambda: v1.cond(total < -10, lambda: -x, lambda: x - 1))

    model = read_back(tmp_path, build)
    assert (model.operators["If"], len(model.source.output_names)) == (1, 1)
    assert_agrees_everywhere(model)


def test_three_conditions_in_one_another(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        total = tf.reduce_sum(x)
        first = lambda: v1.cond(total > 20, lambda: x * 3 + total, lambda: [[7.0]] * x)  # noqa: E731
        second = lambda: v1.cond(total > 10, first, lambda: x - total)  # noqa: E731
        return v1.cond(total > 0, second, lambda: tf.exp(x)) + v1.cond(total > 10, lambda: x, lambda: -x)

    assert_agrees_everywhere(read_back(tmp_path, build))


def test_of_a_known_condition_one_branch_is_left(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        training = v1.placeholder_with_default(False, [], name="training")
        return v1.cond(training, lambda: x * 2, lambda: tf.sin(x))

    model = read_back(tmp_path, build)
    assert ("Sin" in model.operators, "If" in model.operators, "Mul" in model.operators) == (True, False, False)
    assert_agrees_everywhere(model)


def test_a_loop_is_refused_with_what_to_do(tmp_path: Path) -> None:
    source = open_source(
        frozen(tmp_path, lambda x: v1.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, v * 1.5), [0, x])[1])
    )
    with pytest.raises(UnconvertibleError, match="a loop of TensorFlow 1's control flow; save it again after"):
        export(source, None)
