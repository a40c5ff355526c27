"""A ``tf.function`` or ConcreteFunction, and what its outputs may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras_models
import numpy as np
import pytest
import tensorflow as tf
from judging import Faithful, described

from assay import AssayError
from assay.converters.sources import open_source

X = {"x": "float32[batch,6]"}
ROW = "float32[batch,3]"


class Pair(NamedTuple):
    """Outputs by the name of a field."""

    logits: Any
    hidden: Any


Form = Callable[[Any, Any], Any]
FORMS: dict[str, tuple[Form, dict[str, str]]] = {
    "a tensor": (lambda y, _: y, {"output": ROW}),
    "a tuple": (lambda y, _: (y, -y), {"output_0": ROW, "output_1": ROW}),
    "a dictionary": (lambda y, _: {"b": y, "a": -y}, {"b": ROW, "a": ROW}),
    "nested": (
        lambda y, _: {"logits": y, "states": (y + 1, {"deep": -y})},
        dict.fromkeys(["logits", "states.0", "states.1.deep"], ROW),
    ),
    "a named tuple": (lambda y, _: Pair(y, -y), {"logits": ROW, "hidden": ROW}),
    "None among others": (lambda y, _: {"logits": y, "loss": None}, {"logits": ROW}),
    "its input passed through": (lambda y, x: (y, x), {"output_0": ROW, "output_1": "float32[batch,6]"}),
    "nothing but its input": (lambda _, x: x, {"output": "float32[batch,6]"}),
    "one tensor twice": (lambda y, _: {"logits": y, "again": y}, {"logits": ROW, "again": ROW}),
    "a constant": (lambda y, _: (y, tf.constant([1.0, 2.0])), {"output_0": ROW, "output_1": "float32[2]"}),
    "a scalar": (lambda y, _: tf.reduce_sum(y), {"output": "float32[]"}),
    "booleans": (lambda y, _: y > 0, {"output": "bool[batch,3]"}),
    "an output with its input's name": (lambda y, _: {"x": y}, {"x_output": ROW}),
}


def giving(form: Form) -> Any:
    """A function of one input; its results in the form that a function makes of them."""
    weight = tf.Variable(tf.reshape(tf.range(18, dtype=tf.float32) / 7, [6, 3]))
    return tf.function(lambda x: form(tf.matmul(x, weight), x))


@pytest.mark.parametrize(("form", "outputs"), FORMS.values(), ids=FORMS)
def test_outputs_keep_their_form(form: Form, outputs: dict[str, str], faithful: Faithful) -> None:
    bundle = faithful(giving(form), X)
    assert described(bundle)[0] == X
    assert {name: described(bundle)[1][name] for name in outputs} == outputs
    assert len(bundle.interface.outputs) == len(outputs)


@pytest.mark.parametrize("factory", [keras_models.function, keras_models.concrete])
def test_a_signature_names_the_inputs_and_a_captured_constant_stays_inside(
    factory: Callable[[], Any], faithful: Faithful
) -> None:
    assert described(faithful(factory())) == (X, {"score": ROW})


def test_an_input_that_nothing_uses_is_kept(faithful: Faithful) -> None:
    inputs = {"used": "float32[batch,6]", "unused": "float32[batch,2]"}
    assert described(faithful(tf.function(lambda used, unused: tf.tanh(used)), inputs))[0] == inputs  # noqa: ARG005


def test_inputs_in_a_dictionary_go_by_their_names(faithful: Faithful) -> None:
    signature = [{"a": tf.TensorSpec([None, 6], name="a"), "b": tf.TensorSpec([None, 6], name="b")}]
    function = tf.function(lambda both: both["a"] - 2 * both["b"], input_signature=signature)
    assert list(described(faithful(function))[0]) == ["a", "b"]


def test_strings_come_through(faithful: Faithful) -> None:
    bundle = faithful(tf.function(lambda words: tf.identity(words)), {"words": "string[batch]"})
    assert described(bundle) == ({"words": "string[batch]"}, {"output": "string[batch]"})


def test_a_function_without_signature_needs_shapes() -> None:
    with pytest.raises(AssayError, match="has no input signature"):
        open_source(giving(lambda y, _: y))


def test_a_function_whose_variables_are_gone_is_refused() -> None:
    with pytest.raises(AssayError, match="can't be traced: AttributeError"):
        open_source(keras_models.orphan())


def test_a_plain_value_in_a_signature_stays_what_it_is(faithful: Faithful) -> None:
    function = tf.function(lambda x, double: x * 2 if double else x)
    concrete = function.get_concrete_function(tf.TensorSpec([None, 6], name="x"), True)
    assert described(faithful(concrete)) == (X, {"output": "float32[batch,6]"})


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(AssayError, match="can't be traced"):
        open_source(giving(lambda y, _: y), {"x": "float32[batch,5]"})


def test_the_digest_follows_a_captured_constant() -> None:
    def digest(value: float) -> str:
        constant = tf.constant([value])
        return open_source(tf.function(lambda x: x * constant), {"x": "float32[batch,1]"}).sha256()

    assert digest(1.0) == digest(1.0) != digest(1.0 + 1e-6)


def test_a_captured_constant_is_what_a_twin_moves_or_else_the_inputs() -> None:
    source = open_source(tf.function(tf.tanh), {"x": "float32[batch,6]"})
    assert source.perturbed(0) is None
    assert np.isfinite(source.run({"x": np.ones((2, 6), np.float32)})["output"]).all()
