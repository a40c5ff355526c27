"""Everything that a TensorFlow model may come as ends in the same converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf
from agreement import Converted, converted, float_specs, random

L = keras.layers
INPUTS = {"x": "float32[batch,3]"}


def functional(inputs: Any, outputs: Any) -> Converted:
    return converted(lambda: None, model=keras.Model(inputs, outputs))


def test_inputs_in_a_dict_and_outputs_in_a_dict() -> None:
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = functional({"a": a, "b": b}, {"sum": L.Add()([a, b]), "twice": {"deep": L.Dense(3)(a)}})
    assert model.source.output_names == ["sum", "twice.deep"]
    model.assert_agrees(random(2, 4), random(2, 4, seed=1))


def test_outputs_that_are_inputs() -> None:
    a, b = keras.Input((4,)), keras.Input((4,))
    functional([a, b], [a, L.Dense(3)(b), b]).assert_agrees(random(2, 4), random(2, 4, seed=1))


def test_several_outputs_of_one_layer() -> None:
    place = keras.Input((None, 3))
    functional(place, L.LSTM(4, return_state=True, return_sequences=True)(place)).assert_agrees(
        random(2, 5, 3), ulps=64
    )


def test_models_in_models_and_shared_layers() -> None:
    place = keras.Input((4,))
    dense = L.Dense(4, activation="tanh")
    inner = keras.Sequential([keras.Input((4,)), dense, L.Dense(4)])
    model = functional(place, L.Add()([inner(place), inner(dense(place))]))
    assert sum(name.endswith("kernel") for name in model.model.graph.initializers) == 2
    model.assert_agrees(random(3, 4))


class Subclassed(keras.Model):  # type: ignore[misc]
    """A model whose layers are known only when it is called, with an argument that has a default."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop, self.last = L.Dense(5, activation="relu"), L.Dropout(0.5), L.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return {"hidden": self.first(x), "result": self.last(self.drop(self.first(x), training=training))}


def test_a_subclassed_model() -> None:
    model = Subclassed()
    model(random(2, 3))
    found = with_inputs(model, INPUTS)
    assert found.source.output_names == ["hidden", "result"]
    found.assert_agrees(random(5, 3))


def with_inputs(model: Any, inputs: dict[str, str]) -> Converted:
    from assay.converters.sources import open_source

    return converted(lambda: None, model=open_source(model, inputs))


def test_training_is_never_exported() -> None:
    place = keras.Input((8, 8, 3))
    layers = [L.RandomFlip(), L.RandomRotation(0.2), L.GaussianNoise(1.0), L.Dropout(0.5), L.SpatialDropout2D(0.5)]
    value = place
    for layer in layers:
        value = layer(value)
    model = functional(place, L.BatchNormalization()(value))
    assert dict(model.operators).keys() <= {"BatchNormalization", "Transpose", "Mul", "Add", "Sub"}
    model.assert_agrees(random(2, 8, 8, 3))


def test_a_legacy_file(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((6, 3)), L.GRU(4, return_sequences=True), L.Dense(2)])
    model.save(tmp_path / "model.h5")
    converted(lambda: None, model=tmp_path / "model.h5").assert_agrees(random(2, 6, 3), ulps=64)


class Two(tf.Module):  # type: ignore[misc]
    """Two functions, of which one is the one that is served."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(random(3, 2))

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def serve(self, x: Any) -> Any:
        return {"product": tf.nn.gelu(x @ self.weights), "rows": tf.map_fn(tf.reduce_sum, x)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])  # type: ignore[untyped-decorator]
    def other(self, x: Any) -> Any:
        return {"y": x}


def test_a_saved_model_of_several_signatures(tmp_path: Path) -> None:
    module = Two()
    tf.saved_model.save(module, str(tmp_path), {"serving_default": module.serve, "other": module.other})
    model = converted(lambda: None, model=tmp_path)
    assert (model.operators["Gelu"], model.operators["Loop"]) == (1, 1)
    assert sorted(model.source.output_names) == ["product", "rows"]
    model.assert_agrees(random(4, 3))


def test_an_exported_keras_model(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((None, 3)), L.LSTM(4), L.LayerNormalization()])
    model.export(str(tmp_path), verbose=False)
    converted(lambda: None, model=tmp_path).assert_agrees(random(2, 5, 3), ulps=128)


def test_a_graph_of_tensorflow_1(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        weights = tf.compat.v1.get_variable("weights", initializer=random(3, 2), use_resource=False)
        tf.nn.relu(x @ weights, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
    (tmp_path / "frozen.pb").write_bytes(frozen.SerializeToString())
    converted(lambda: None, model=tmp_path / "frozen.pb").assert_agrees(random(4, 3))


def test_a_saved_model_of_tensorflow_1(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        weights = tf.compat.v1.get_variable("weights", initializer=random(3, 2), use_resource=True)
        y = tf.nn.relu(x @ weights, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.saved_model.simple_save(session, str(tmp_path / "model"), {"x": x}, {"y": y})
    converted(lambda: None, model=tmp_path / "model").assert_agrees(random(4, 3))


def test_a_concrete_function_with_values_among_its_arguments() -> None:
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def function(x: Any, factor: float, shift: Any) -> Any:
        return x * factor + shift

    (specs,) = (float_specs([None], [None]),)
    concrete = function.get_concrete_function(specs[0], 2.0, specs[1])
    converted(lambda: None, model=concrete).assert_agrees(random(3), random(3, seed=1))


@pytest.mark.parametrize("depth", [1, 3])
def test_functions_in_functions(depth: int) -> None:
    def nested(x: Any, left: int) -> Any:
        return tf.function(lambda v: nested(v, left - 1) + 1.0, autograph=False)(x) if left else x * 2.0

    model = converted(lambda x: nested(x, depth), *float_specs([None]))
    assert model.operators["Add"] == depth
    model.assert_agrees(random(3))


def test_nodes_keep_the_path_of_their_layer() -> None:
    place = keras.Input((None, 3))
    block = keras.Sequential([L.LSTM(4, name="memory"), L.Dense(2, name="head")], name="block")
    model = functional(place, block(place))
    paths = {node.op_type: node.metadata_props["assay.module"] for node in model.model.graph}
    assert "block" in paths["LSTM"]
    assert "memory" in paths["LSTM"]
    assert "head" in paths["MatMul"]
    assert not any("PartitionedCall" in path for path in paths.values())
    assert not any("assay.source_line" in node.metadata_props for node in model.model.graph)  # Keras wrote them all


def test_nodes_keep_the_line_of_the_models_code() -> None:
    model = Subclassed()
    model(random(2, 3))
    lines = [node.metadata_props.get("assay.source_line", "") for node in with_inputs(model, INPUTS).model.graph]
    assert all(line.startswith("test_front_ends.py:") for line in lines)
    assert len(set(lines)) == 1  # both layers are called in one line


def test_bytes_do_not_depend_on_how_often_it_is_converted() -> None:
    model = keras.Sequential([keras.Input((None, 3)), L.Bidirectional(L.LSTM(4)), L.LayerNormalization()])
    first, second = (converted(lambda: None, model=model).model for _ in range(2))
    names = [[value.name for node in found.graph for value in node.outputs] for found in (first, second)]
    assert names[0] == names[1]
