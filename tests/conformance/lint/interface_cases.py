"""Models that keep and break the rules of inputs and outputs."""

from __future__ import annotations

import json

import onnx
from lint_models import METADATA, Case, graph, of_task, rows

TEXT = of_task("text-classification")
IMAGE = of_task("image-classification")
RELU = rows("y = Relu(x)")
CLASSIFIER = "p = GlobalAveragePool(pixel_values) logits = Flatten(p)"
PIXELS = "float[batch,3,height,width] pixel_values"
LOGITS = "float[batch,3] logits"
UNKEPT_CONDITIONS = (
    *('["batch <"]', '["batch"]', "batch < 4", '{"batch": 4}', '["__import__(1) > 0"]', '["batch ** 2 > 4"]'),
    *('["rows <= 4"]', '["batch > 8", "batch < 8"]', '["batch % 2 == 1", "batch % 2 == 0"]'),
)


def classifier(inputs: str, body: str = "", outputs: str = LOGITS) -> str:
    """A classifier of images of three channels: what comes out is the mean of each."""
    return graph(inputs, outputs, f"{body} {CLASSIFIER}")


def text_classifier(ids: str, mask: str, swapped: bool = False, dtype: str = "int64") -> str:
    """A classifier of texts with these axes of its two inputs."""
    inputs = f"{dtype}[{ids}] input_ids, {dtype}[{mask}] attention_mask"
    inputs = ", ".join(reversed(inputs.split(", "))) if swapped else inputs
    body = "a = Cast<to=1>(input_ids) b = Cast<to=1>(attention_mask) p = Mul(a, b) s = ReduceMean<axes=[1]>(p)"
    return graph(inputs, LOGITS, f"{body} logits = Mul(s, w)", "float[1,3] w = {1, 2, 3}")


def voice_activity(following: str) -> str:
    """A detector of voices whose next state is this."""
    inputs = "float[batch,512] input, float[2,batch,4] state"
    outputs = "float[batch,1] output, float[2,batch,{}] stateN"
    body = f"output = ReduceMean<axes=[1]>(input) stateN = {following}"
    return graph(inputs, outputs.format(8 if "Concat" in following else 4), body)


def clear_shape(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.ClearField("shape")


def repeat_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def list_weight(model: onnx.ModelProto) -> None:
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", onnx.TensorProto.FLOAT, [3]))


def interface_json(**more: object) -> dict[str, bytes]:
    """The interface.json of `RELU`."""
    dims = [{"axis": "batch"}, 3]
    tensors = {
        side: [{"name": name, "dtype": "float32", "dims": dims}] for side, name in (("inputs", "x"), ("outputs", "y"))
    }
    content = {"schema": "assay.interface/v1", "task": "generic", "metadata": {}, **tensors, **more}
    return {"interface.json": json.dumps(content).encode()}


def stating(conditions: str) -> dict[str, str]:
    """Metadata with this text of conditions."""
    return METADATA | {"assay.conditions": conditions}


CASES = [
    Case("IO001", RELU, graph("float[batch,3] x", "float[batch,3] keras_tensor_12", "keras_tensor_12 = Relu(x)")),
    Case("IO001", RELU, graph('float[batch,3] "a b"', "float[batch,3] y", 'y = Relu("a b")')),
    Case("IO001", RELU, graph("float[batch,3] x", 'float[batch,3] "Call:0"', '"Call:0" = Relu(x)')),
    Case("IO002", classifier(PIXELS), graph(PIXELS, "float[batch,3] z", f"{CLASSIFIER} z = Relu(logits)"), IMAGE),
    Case("IO002", classifier(PIXELS), classifier("float[3,height,width] pixel_values"), IMAGE),
    Case(
        "IO002",
        classifier(PIXELS),
        graph(
            PIXELS,
            "double[batch,3] logits",
            "p = GlobalAveragePool(pixel_values) f = Flatten(p) logits = Cast<to=11>(f)",
        ),
        IMAGE,
    ),
    Case(
        "IO002",
        classifier(PIXELS),
        graph(
            f"{PIXELS}, float[1] scale",
            LOGITS,
            "s = Mul(pixel_values, scale) p = GlobalAveragePool(s) logits = Flatten(p)",
        ),
        IMAGE,
    ),
    Case(
        "IO003", RELU, graph("float[batch,3] x, float[batch,3] dead", "float[batch,3] y", "z = Relu(dead) y = Relu(x)")
    ),
    Case(
        "IO004",
        graph("double[batch] x", "double[batch] y", "y = Relu(x)"),
        graph("float[batch] x", "double[batch] y", "y = Cast<to=11>(x)"),
    ),
    Case(
        "IO006",
        text_classifier("batch,sequence", "batch,sequence"),
        text_classifier("batch,sequence", "batch,sequence", swapped=True),
        TEXT,
    ),
    Case(
        "IO007",
        rows("y = Add(x, w)", "float[3] w = {1, 2, 3}"),
        rows("y = Add(x, w)", "float[3] w = {1, 2, 3}"),
        {"edit": repeat_weight},
        {"edit": None},
    ),
    Case("IO008", classifier(PIXELS), classifier(PIXELS.replace("batch", "1"), outputs="float[1,3] logits"), IMAGE),
    Case("IO009", RELU, rows("y = Identity(x)")),
    Case(
        "IO010",
        graph("float[batch,3] x", "float[batch,3] up, float[batch,3] down", "up = Relu(x) down = Neg(x)"),
        graph(
            "float[batch,3] x",
            "float[batch,3] up, float[3] down",
            "up = Relu(x) down = Constant<value_floats=[1.0, 2.0, 3.0]>()",
        ),
    ),
    Case(
        "IO011",
        graph("float[batch,3] x, float[batch,3] m", "float[batch,3] y", "y = Add(x, m)"),
        graph("float[batch,3] x, float[batch,3] m", "float[batch,3] y", "s = Shape(m) z = Reshape(x, s) y = Relu(z)"),
    ),
    Case(
        "IO012",
        text_classifier("batch,sequence", "batch,sequence"),
        text_classifier("batch,sequence", "batch,sequence", dtype="int32"),
        TEXT,
    ),
    Case(
        "IO013",
        graph("float[batch,3] x", "float[batch,3] up, float[batch,3] down", "up = Relu(x) down = Neg(x)"),
        graph("float[batch,3] x", "float[batch,3] y_0, float[batch,3] y_1", "y_0 = Relu(x) y_1 = Neg(x)"),
    ),
    Case("IO014", RELU, RELU, {"edit": clear_shape}, {"edit": None}),
    Case("IO015", RELU, graph("float[batch,3] x", "seq(float[batch,3]) y", "y = SequenceConstruct(x)")),
    Case(
        "IO016",
        rows("y = Add(x, w)", "float[3] w = {1, 2, 3}"),
        rows("y = Add(x, w)", "float[3] w = {1, 2, 3}"),
        {"edit": list_weight},
        {"edit": None},
    ),
    Case(
        "IO017",
        voice_activity("Relu(state)"),
        voice_activity("Concat<axis=2>(state, state)"),
        of_task("voice-activity"),
    ),
    Case("IO018", RELU, graph("float[batch,3] x", "double[batch,3] y", "y = Relu(x)")),
    Case("IO019", RELU, RELU, {"files": interface_json(surplus=1)}, {"files": interface_json()}),
    Case(
        "IO020",
        classifier(PIXELS),
        classifier(PIXELS.replace("3", "channels"), outputs="float[batch,classes] logits"),
        IMAGE,
    ),
    Case(
        "IO021",
        text_classifier("batch,sequence", "batch,sequence"),
        text_classifier("batch,sequence", "n,sequence"),
        TEXT,
    ),
    Case("IO022", RELU, graph("double[batch,3] x", "double[batch,3] y", "y = Relu(x)"), lint={"target": "edge"}),
    Case("MD001", RELU, RELU, {"metadata": {"assay.profile": "1.0"}}, {"metadata": METADATA}),
    Case("MD002", RELU, RELU, {"metadata": METADATA | {"assay.task": "telepathy"}}, {"metadata": METADATA}),
    Case("MD006", RELU, RELU, {"metadata": METADATA | {"assay.source.sha256": "a1b2"}}, {"metadata": METADATA}),
    Case(
        "MD007",
        classifier(PIXELS),
        classifier(PIXELS),
        {"metadata": IMAGE["metadata"] | {"assay.roles": '{"pixel_values": "mask"}'}},
        {"metadata": IMAGE["metadata"] | {"assay.roles": '{"pixel_values": "pixel_values"}'}},
    ),
    Case(
        "MD007",
        RELU,
        RELU,
        {"metadata": METADATA | {"assay.roles": '{"z": "mask"}'}},
        {"metadata": METADATA | {"assay.roles": '{"x": "features"}'}},
    ),
    Case("MD007", RELU, RELU, {"metadata": METADATA | {"assay.roles": "{"}}, {"metadata": METADATA}),
    Case(
        "MD008",
        RELU,
        RELU,
        {"metadata": {key: METADATA[key] for key in METADATA if "exporter" not in key}},
        {"metadata": METADATA},
    ),
    Case(
        "MD009",
        classifier(PIXELS),
        classifier(PIXELS),
        {"metadata": IMAGE["metadata"] | {"names": '["a", "b"]'}},
        {"metadata": IMAGE["metadata"] | {"names": '["a", "b", "c"]'}},
    ),
    Case(
        "MD010",
        RELU,
        RELU,
        {"metadata": METADATA | {"note": "see /home/ada/model.py, line 3"}},
        {"metadata": METADATA | {"note": "see model.py, line 3"}},
    ),
    Case(
        "MD011",
        classifier(PIXELS),
        classifier(PIXELS),
        {"metadata": METADATA | {"assay.task": "image-classification"}},
        IMAGE,
    ),
    Case(
        "MD012",
        RELU,
        RELU,
        {"edit": lambda model: model.metadata_props.add(key="assay.task", value="x")},
        {"edit": None},
    ),
    *(
        Case("SH020", RELU, RELU, {"metadata": stating(text)}, {"metadata": stating('["batch % 8 == 0"]')})
        for text in UNKEPT_CONDITIONS
    ),
    Case(
        "SH020",
        RELU,
        RELU,
        {"metadata": stating('["batch <= 8"]'), "files": interface_json(conditions=["batch <= 4"])},
        {"metadata": stating('["batch <= 4"]')},
    ),
    Case("SH020", RELU, RELU, {"files": interface_json(conditions=["batch <"])}, {"files": interface_json()}),
]
