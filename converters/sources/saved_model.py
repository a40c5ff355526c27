"""A SavedModel folder of TensorFlow 1 or 2, by its serving signature or the one that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.util import deprecation

from assay.converters.sources.base import Request, SourceError, resolve_inputs
from assay.converters.sources.tf_function import TensorFlowSource, from_concrete, spec_from_tf
from assay.specs.errors import brief

SIGNATURE = "serving_default"


def open_folder(path: Path, request: Request) -> TensorFlowSource:
    """Load a SavedModel with today's loader, or from its graph where the objects can't be restored any more.

    Models saved with a Keras optimizer of TensorFlow 2.4 fail in today's loader (``'_UserObject' object has no
    attribute 'add_slot'``); their graph and variables are whole.
    """
    try:
        loaded = tf.saved_model.load(str(path))
    except AttributeError:
        return _from_graph(path, request)
    except Exception as error:
        raise SourceError(request.name, f"can't be loaded as a SavedModel: {brief(error)}") from error
    name = _choose(request, list(loaded.signatures))
    return from_concrete(loaded.signatures[name], request, "saved-model", owner=loaded)


def _choose(request: Request, signatures: list[str]) -> str:
    """The signature that is asked for, else the serving one, else the only one."""
    if request.signature is None and (SIGNATURE in signatures or len(signatures) == 1):
        return SIGNATURE if SIGNATURE in signatures else signatures[0]
    if request.signature in signatures:
        return request.signature
    found = ", ".join(sorted(signatures)) or "none"
    if request.signature is not None:
        raise SourceError(request.name, f"has no signature {request.signature}, but has {found}")
    chosen = f"; choose one: {request.name}#{min(signatures)}" if signatures else ""
    raise SourceError(request.name, f"has the signatures {found}, but should have one named {SIGNATURE}{chosen}")


def _from_graph(path: Path, request: Request) -> TensorFlowSource:
    """Import the graph of the SavedModel, with its variable operations replaced by captured variables.

    Left as operations of the graph, variables would be seen by no freezing, no digest and no perturbation.
    """
    try:
        with deprecation.silence(), tf.compat.v1.Session(graph=tf.Graph()) as session:
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
            definition = session.graph.as_graph_def()
            values = session.run(_reads(session.graph))
    except Exception as error:
        raise SourceError(request.name, f"can't be loaded as a SavedModel: {brief(error)}") from error
    signature = meta.signature_def[_choose(request, [n for n in meta.signature_def if not n.startswith("__")])]
    variables = {handle: tf.Variable(value, name=handle.split(":")[0]) for handle, value in values.items()}
    everything = tf.compat.v1.wrap_function(lambda: _import(definition, variables), [])
    inputs, outputs = (_elements(everything.graph, infos) for infos in (signature.inputs, signature.outputs))
    function = everything.prune(inputs, outputs)
    own = [spec_from_tf(name, tf.TensorSpec(tensor.shape, tensor.dtype)) for name, tensor in inputs.items()]

    def call(tensors: list[Any]) -> Any:
        graph = tf.compat.v1.get_default_graph()
        for variable in variables.values():  # freezing asks the graph for its variables
            graph.watch_variable(variable)
        return function(*tensors)

    specs = resolve_inputs(request.name, own, request.inputs, request.hints)
    return TensorFlowSource("saved-model", request, specs, call, (function, variables))


def _reads(graph: Any) -> dict[str, Any]:
    with graph.as_default():
        return {
            operation.outputs[0].name: tf.raw_ops.ReadVariableOp(
                resource=operation.outputs[0], dtype=operation.get_attr("dtype")
            )
            for operation in graph.get_operations()
            if operation.type == "VarHandleOp"
        }


def _import(definition: Any, variables: dict[str, Any]) -> None:
    capture = tf.compat.v1.get_default_graph().capture
    tf.graph_util.import_graph_def(definition, {name: capture(v.handle) for name, v in variables.items()}, name="")


def _elements(graph: Any, infos: Any) -> dict[str, Any]:
    return {name: graph.as_graph_element(infos[name].name) for name in sorted(infos)}
