"""V: convolutions, poolings, resizing and layouts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto

from verdicts.graph import Graph, attribute, is_float, set_attribute
from verdicts.mutations.numerics import after, set_to
from verdicts.mutations.registry import Edit, mutation
from verdicts.subject import Subject


@mutation("V1", "Resize places its pixels by another rule")
def coordinates(subject: Subject) -> Iterator[Edit]:
    """half_pixel, asymmetric, align_corners, pytorch_half_pixel: those that the node does not have."""
    for place, node in subject.graph.of("Resize"):
        own = attribute(node, "coordinate_transformation_mode", b"half_pixel")
        for mode in ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"):
            if own != mode.encode():
                yield Edit(place, set_to("coordinate_transformation_mode", mode), mode)


@mutation("V2", "Resize interpolates in another way")
def interpolation(subject: Subject) -> Iterator[Edit]:
    """nearest, linear, cubic: those that the node does not have."""
    for place, node in subject.graph.of("Resize"):
        own = attribute(node, "mode", b"nearest")
        for mode in ("nearest", "linear", "cubic"):
            if own != mode.encode():
                yield Edit(place, set_to("mode", mode), mode)


@mutation("V3", "a nearest Resize rounds in another way")
def rounding(subject: Subject) -> Iterator[Edit]:
    """floor, ceil and the two roundings: shows at exact halves and at odd factors."""
    for place, node in subject.graph.of("Resize"):
        if attribute(node, "mode", b"nearest") == b"nearest":
            own = attribute(node, "nearest_mode", b"round_prefer_floor")
            for mode in ("floor", "ceil", "round_prefer_ceil"):
                if own != mode.encode():
                    yield Edit(place, set_to("nearest_mode", mode), mode)


@mutation("V5", "Resize smooths, or leaves out what lies outside")
def resize_borders(subject: Subject) -> Iterator[Edit]:
    """antialias and exclude_outside are switched."""
    for place, node in subject.graph.of("Resize"):
        if attribute(node, "mode", b"nearest") != b"nearest":
            for name in ("antialias", "exclude_outside"):
                yield Edit(place, set_to(name, 1 - int(attribute(node, name, 0))), name)


@mutation("V6", "a pooling counts its last window in another way")
def ceil_mode(subject: Subject) -> Iterator[Edit]:
    """The attribute ceil_mode is switched."""
    for place, node in subject.graph.of("MaxPool", "AveragePool"):
        yield Edit(place, set_to("ceil_mode", 1 - int(attribute(node, "ceil_mode", 0))))


@mutation("V7", "an average counts its padding, or does not")
def count_include_pad(subject: Subject) -> Iterator[Edit]:
    """The attribute count_include_pad is switched: shows at borders."""
    for place, node in subject.graph.of("AveragePool"):
        own = int(attribute(node, "count_include_pad", 0))
        yield Edit(place, set_to("count_include_pad", 1 - own))


@mutation("V8", "the padding lies on the other side")
def padding_side(subject: Subject) -> Iterator[Edit]:
    """[1,1,1,1] becomes [0,0,2,2], as SAME_LOWER for SAME_UPPER; automatic padding changes its side."""
    sides = {b"SAME_UPPER": "SAME_LOWER", b"SAME_LOWER": "SAME_UPPER"}
    for place, node in subject.graph.of("Conv", "MaxPool", "AveragePool", "ConvTranspose"):
        pads, automatic = attribute(node, "pads"), attribute(node, "auto_pad", b"NOTSET")
        if isinstance(pads, list) and sum(pads):
            half = len(pads) // 2
            moved = [max(0, p - 1) for p in pads[:half]] + [
                q + min(p, 1) for p, q in zip(pads[:half], pads[half:], strict=True)
            ]
            yield Edit(place, set_to("pads", moved))
        elif automatic in sides:
            yield Edit(place, set_to("auto_pad", sides[automatic]))


@mutation("V9", "a border is filled in another way")
def pad_mode(subject: Subject) -> Iterator[Edit]:
    """Zeros for a reflection, edge values for zeros."""
    others = {b"constant": "edge", b"reflect": "edge", b"edge": "constant"}
    for place, node in subject.graph.of("Pad"):
        yield Edit(place, set_to("mode", others[attribute(node, "mode", b"constant")]))


@mutation("V10", "a sampled grid has other corners or borders")
def grid_sample(subject: Subject) -> Iterator[Edit]:
    """align_corners, padding_mode and mode."""
    for place, node in subject.graph.of("GridSample"):
        yield Edit(place, set_to("align_corners", 1 - int(attribute(node, "align_corners", 0))), "corners")
        other = "border" if attribute(node, "padding_mode", b"zeros") == b"zeros" else "zeros"
        yield Edit(place, set_to("padding_mode", other), "border")
        yield Edit(place, set_to("mode", "nearest"), "mode")


@mutation("V11", "a dilation, stride or group is another, with the size kept")
def dilation(subject: Subject) -> Iterator[Edit]:
    """The dilation and the padding of a convolution both grow."""
    for place, node in subject.graph.of("Conv"):
        kernel, pads = attribute(node, "kernel_shape"), attribute(node, "pads")
        if not isinstance(kernel, list) or not isinstance(pads, list) or max(kernel) < 3 or not sum(pads):
            continue
        old = attribute(node, "dilations", [1] * len(kernel))

        def apply(
            graph: Graph, node: NodeProto, kernel: list[int] = kernel, pads: list[int] = pads, old: list[int] = old
        ) -> None:
            grown = [p + (k - 1) // 2 for p, k in zip(pads, kernel * 2, strict=True)]
            set_attribute(node, "dilations", [d + 1 for d in old])
            set_attribute(node, "pads", grown)

        yield Edit(place, apply)


@mutation("V12", "the channels of a picture are in another order")
def channel_order(subject: Subject) -> Iterator[Edit]:
    """RGB becomes BGR in the first convolution that takes three channels."""
    for place, node in subject.graph.of("Conv"):
        weight = subject.graph.constant(node.input[1])
        if weight is not None and is_float(weight) and weight.shape[1] == 3:

            def apply(graph: Graph, node: NodeProto, weight: np.ndarray = weight) -> None:
                node.input[1] = graph.add_constant(weight[:, ::-1].copy())

            yield Edit(place, apply)
            return


@mutation("V13", "a Reshape stands for a Transpose, or a Transpose has other axes")
def transposed(subject: Subject) -> Iterator[Edit]:
    """The shape is right, the order of the elements is not."""
    for place, node in subject.graph.of("Transpose"):
        shape = subject.values[node.output[0]].shape
        permutation = attribute(node, "perm")
        if subject.values[node.output[0]].dtype.kind != "f" or not isinstance(permutation, list):
            continue

        def reshape(graph: Graph, node: NodeProto, shape: tuple[int, ...] = shape) -> None:
            target = list(shape)
            target[0] = -1
            name, value, out = node.name, node.input[0], node.output[0]
            del node.attribute[:]
            node.op_type, node.name = "Reshape", name
            del node.input[:]
            node.input.extend([value, graph.add_constant(np.array(target, np.int64))])
            node.output[0] = out

        yield Edit(place, reshape, "reshape")
        pair = next(
            ((i, j) for i in range(1, len(shape)) for j in range(i + 1, len(shape)) if shape[i] == shape[j]), None
        )
        if pair:
            moved = list(permutation)
            moved[pair[0]], moved[pair[1]] = moved[pair[1]], moved[pair[0]]
            yield Edit(place, set_to("perm", moved), "axes")


@mutation("V14", "a transposed convolution pads its output in another way")
def output_padding(subject: Subject) -> Iterator[Edit]:
    """The size is kept: what was output padding becomes less padding at the end."""
    for place, node in subject.graph.of("ConvTranspose"):
        pads = attribute(node, "pads")
        strides = attribute(node, "strides", [1])
        if isinstance(pads, list) and pads[0] > 0 and isinstance(strides, list):

            def apply(graph: Graph, node: NodeProto, pads: list[int] = pads) -> None:
                half = len(pads) // 2
                set_attribute(node, "pads", [p - 1 for p in pads[:half]] + [p + 1 for p in pads[half:]])

            yield Edit(place, apply, "shifted")
        if isinstance(strides, list) and max(strides) > 1:
            yield Edit(place, _more_output, "larger")


def _more_output(graph: Graph, node: NodeProto) -> None:
    strides = attribute(node, "strides", [1, 1])
    own = attribute(node, "output_padding", [0] * len(strides))
    set_attribute(node, "output_padding", [1 - int(p > 0) for p in own])


@mutation("V15", "the preprocessing is in the graph a second time")
def scaled_input(subject: Subject) -> Iterator[Edit]:
    """A division by 255, or a mean and deviation, behind a float input."""
    for name, value in subject.feeds.items():
        fed = subject.graph.consumers(name)
        if value.dtype != np.float32 or not fed:
            continue
        place = list(subject.graph.nodes).index(fed[0])

        def divided(graph: Graph, node: NodeProto, name: str = name) -> None:
            graph.insert_after(name, "Div", [graph.add_constant(np.array(255, np.float32))])

        def normalised(graph: Graph, node: NodeProto, name: str = name) -> None:
            graph.insert_after(name, "Mul", [graph.add_constant(np.array(0.99, np.float32))])

        yield Edit(place, divided, "255")
        yield Edit(place, normalised, "0.99")


@mutation("V16", "a map is shifted by one pixel, or turned round")
def flipped(subject: Subject) -> Iterator[Edit]:
    """The kernel of a convolution is mirrored, as convolution for correlation."""
    for place, node in subject.graph.of("Conv"):
        weight = subject.graph.constant(node.input[1])
        if weight is not None and is_float(weight) and max(weight.shape[2:], default=1) > 1:

            def apply(graph: Graph, node: NodeProto, weight: np.ndarray = weight) -> None:
                turned = np.flip(weight, tuple(range(2, weight.ndim)))
                node.input[1] = graph.add_constant(np.ascontiguousarray(turned))

            yield Edit(place, apply)


@mutation("V17", "a pooling is of the other kind")
def pooling_kind(subject: Subject) -> Iterator[Edit]:
    """Maximum for average, average for maximum."""
    for place, node in subject.graph.of("MaxPool", "AveragePool"):
        if len(node.output) == 1:
            yield Edit(place, _other_pooling)


def _other_pooling(graph: Graph, node: NodeProto) -> None:
    own = node.op_type
    node.op_type = "AveragePool" if own == "MaxPool" else "MaxPool"
    for name in ("count_include_pad", "storage_order"):
        set_attribute(node, name, None)


@mutation("V18", "the output is in the other layout")
def other_layout(subject: Subject) -> Iterator[Edit]:
    """An output of four axes has its channels last, or first."""
    for name in subject.graph.outputs():
        maker = subject.graph.producer(name)
        if subject.values[name].ndim == 4 and maker is not None:
            place = list(subject.graph.nodes).index(maker)
            yield Edit(place, after("Transpose", perm=[0, 2, 3, 1], output=list(maker.output).index(name)))
