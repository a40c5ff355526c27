"""Complex numbers as pairs of tensors: what acts on each part alone, and what mixes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.arithmetic import angle
from assay.converters.tensorflow.registry import HANDLERS, RefusedError, handles_complex
from assay.converters.tensorflow.tensor import Tensor, broadcast, constant

REAL = {"complex64": "float32", "complex128": "float64"}
_EACH_PART = (
    "Add AddV2 AddN Sub Neg Sum Mean Cumsum Reshape Transpose StridedSlice Slice ConcatV2 Pack Unpack Split SplitV "
    "ExpandDims Squeeze Gather GatherV2 GatherNd Pad ReverseV2 Reverse Roll Tile BroadcastTo Fill SelectV2 Select "
    "UnsortedSegmentSum SegmentSum ScatterNd TensorScatterAdd TensorScatterUpdate MatrixBandPart MatrixDiagPart "
    "ZerosLike SpaceToBatchND BatchToSpaceND EnsureShape Snapshot ReverseSequence"
)
_OF_THE_REAL_PART = "Shape Size Rank ShapeN"
_PRODUCTS = "Mul MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum"
Pair = tuple[ir.Value, ir.Value]


class Part(Operation):
    """An operation on complex numbers seen by one of its parts: its dtypes are real."""

    def dtype(self, index: int = 0) -> str:
        own = super().dtype(index)
        return REAL.get(own, own)


def parts(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """The real and the imaginary part; those of a real tensor are itself twice."""
    if tensor.dtype not in REAL:
        return tensor, tensor
    if tensor.parts is None:
        assert tensor.array is not None
        dtype = REAL[tensor.dtype]
        tensor.parts = constant(tensor.array.real.copy(), dtype), constant(tensor.array.imag.copy(), dtype)
    return tensor.parts


def pair(real: Tensor, imaginary: Tensor, dtype: str) -> Tensor:
    """A complex tensor of its parts."""
    return Tensor(dtype, real.shape, parts=(real, imaginary))


def values(e: Emitter, tensor: Tensor) -> Pair:
    """Both parts as values in TensorFlow's order of axes."""
    real, imaginary = parts(tensor)
    return e.logical(real), e.logical(imaginary)


def made(op: Operation, both: Pair, shape: Sequence[object] | None) -> Tensor:
    """The complex output of these values."""
    view = _view(op, op.inputs)
    real, imaginary = (view.result(value, shape) for value in both)  # type: ignore[arg-type]
    return pair(real, imaginary, op.dtype())


def _view(op: Operation, inputs: Sequence[Tensor]) -> Part:
    return Part(op.tf, inputs, op.emitter, op.conversion)


def _run(e: Emitter, op: Operation, inputs: Sequence[Tensor]) -> list[Tensor]:
    found = HANDLERS[op.type](e, _view(op, inputs))
    return [found] if isinstance(found, Tensor) else list(found)


@handles_complex(*_EACH_PART.split())
def each_part(e: Emitter, op: Operation) -> list[Tensor]:
    """The same of the real and of the imaginary part."""
    both = [_run(e, op, [parts(tensor)[n] for tensor in op.inputs]) for n in (0, 1)]
    return [pair(real, imaginary, op.dtype(n)) for n, (real, imaginary) in enumerate(zip(*both, strict=True))]


@handles_complex(*_OF_THE_REAL_PART.split())
def of_the_real_part(e: Emitter, op: Operation) -> list[Tensor]:
    """Shapes."""
    return _run(e, op, [parts(tensor)[0] for tensor in op.inputs])


@handles_complex("StopGradient", "PreventGradient", "Identity")
def passed_on(_e: Emitter, op: Operation) -> Tensor:
    """The tensor itself."""
    return op.inputs[0]


@handles_complex(*_PRODUCTS.split())
def product(e: Emitter, op: Operation) -> Tensor:
    """(a + bi)(c + di) = ac - bd + (ad + bc)i, whatever the product of the parts is."""
    if len(op.inputs) != 2 or any(op.type.startswith("Batch") and op.attr(name) for name in ("adj_x", "adj_y")):
        raise RefusedError("is a product of complex numbers that are conjugated, or of more than two")
    (a, b), (c, d) = map(parts, op.inputs)
    ac, bd, ad, bc = (_run(e, op, factors)[0] for factors in ((a, c), (b, d), (a, d), (b, c)))
    real = e.node("Sub", [e.logical(ac), e.logical(bd)])
    imaginary = e.node("Add", [e.logical(ad), e.logical(bc)])
    return made(op, (real, imaginary), ac.shape)


@handles_complex("Complex")
def of_parts(e: Emitter, op: Operation) -> Tensor:
    """Of two real tensors, which may broadcast."""
    real, imaginary = op.inputs
    if real.static_shape is not None and real.static_shape == imaginary.static_shape:
        return pair(real, imaginary, op.dtype())
    a, b = e.logical(real), e.logical(imaginary)
    wide = e.node("Expand", [a, e.node("Shape", [b])]), e.node("Expand", [b, e.node("Shape", [a])])
    return made(op, wide, broadcast([real.shape, imaginary.shape]))


@handles_complex("Real", "Imag")
def one_part(_e: Emitter, op: Operation) -> Tensor:
    """The real or the imaginary part."""
    return parts(op.inputs[0])[op.type == "Imag"]


@handles_complex("Conj")
def conjugate(e: Emitter, op: Operation) -> Tensor:
    """With the other sign of the imaginary part."""
    real, imaginary = values(e, op.inputs[0])
    return made(op, (real, e.node("Neg", [imaginary])), op.inputs[0].shape)


def _view_of_parts(op: Operation) -> Part:
    return _view(op, [parts(tensor)[0] for tensor in op.inputs])


@handles_complex("ComplexAbs")
def absolute(e: Emitter, op: Operation) -> Tensor:
    """The length, scaled by the larger part so that no square overflows."""
    return op.result(_length(e, op, *values(e, op.inputs[0])), op.inputs[0].shape)


def _length(e: Emitter, op: Operation, real: ir.Value, imaginary: ir.Value) -> ir.Value:
    dtype = parts(op.inputs[0])[0].dtype_numpy
    zero, one = e.constant(np.array(0, dtype)), e.constant(np.array(1, dtype))
    a, b = e.node("Abs", [real]), e.node("Abs", [imaginary])
    high, low = e.node("Max", [a, b]), e.node("Min", [a, b])
    ratio = e.node("Div", [low, e.node("Where", [e.node("Equal", [high, zero]), one, high])])
    return e.node("Mul", [high, e.node("Sqrt", [e.node("Add", [one, e.node("Mul", [ratio, ratio])])])])


@handles_complex("Angle")
def phase(e: Emitter, op: Operation) -> Tensor:
    """The angle from the real axis."""
    real, imaginary = values(e, op.inputs[0])
    return op.result(angle(e, _view_of_parts(op), imaginary, real), op.inputs[0].shape)


@handles_complex("Cast")
def cast(e: Emitter, op: Operation) -> Tensor:
    """Real numbers have no imaginary part; of complex ones the real part stays."""
    (tensor,) = op.inputs
    to = ir.DataType.DOUBLE if op.dtype() in ("complex128", "float64") else ir.DataType.FLOAT
    if op.dtype() not in REAL and op.dtype() not in REAL.values():
        raise RefusedError(f"casts complex numbers to {op.dtype()}")
    real, imaginary = (e.node("Cast", [value], to=to) for value in values(e, tensor))
    if op.dtype() not in REAL:
        return op.result(real, tensor.shape)
    if tensor.dtype not in REAL:
        imaginary = e.node("Expand", [e.constant(np.array(0, to.numpy())), e.node("Shape", [real])])
    return made(op, (real, imaginary), tensor.shape)


@handles_complex("Exp", "Log", "Square")
def function(e: Emitter, op: Operation) -> Tensor:
    """Of one complex number."""
    real, imaginary = values(e, op.inputs[0])
    formulas: dict[str, Callable[[], Pair]] = {
        "Exp": lambda: _exponential(e, real, imaginary),
        "Log": lambda: (
            e.node("Log", [_length(e, op, real, imaginary)]),
            angle(e, _view_of_parts(op), imaginary, real),
        ),
        "Square": lambda: _times(e, (real, imaginary), (real, imaginary)),
    }
    return made(op, formulas[op.type](), op.inputs[0].shape)


def _exponential(e: Emitter, real: ir.Value, imaginary: ir.Value) -> Pair:
    size = e.node("Exp", [real])
    return e.node("Mul", [size, e.node("Cos", [imaginary])]), e.node("Mul", [size, e.node("Sin", [imaginary])])


def _times(e: Emitter, x: Pair, y: Pair) -> Pair:
    (a, b), (c, d) = x, y
    real = e.node("Sub", [e.node("Mul", [a, c]), e.node("Mul", [b, d])])
    return real, e.node("Add", [e.node("Mul", [a, d]), e.node("Mul", [b, c])])


@handles_complex("Div", "RealDiv")
def quotient(e: Emitter, op: Operation) -> Tensor:
    """By the conjugate of the divisor."""
    x, (c, d) = values(e, op.inputs[0]), values(e, op.inputs[1])
    real, imaginary = _times(e, x, (c, e.node("Neg", [d])))
    norm = e.node("Add", [e.node("Mul", [c, c]), e.node("Mul", [d, d])])
    both = e.node("Div", [real, norm]), e.node("Div", [imaginary, norm])
    return made(op, both, broadcast([tensor.shape for tensor in op.inputs]))


@handles_complex("Equal", "NotEqual")
def equal(e: Emitter, op: Operation) -> Tensor:
    """In both parts."""
    (a, b), (c, d) = (values(e, tensor) for tensor in op.inputs)
    same = e.node("And", [e.node("Equal", [a, c]), e.node("Equal", [b, d])])
    found = same if op.type == "Equal" else e.node("Not", [same])
    return op.result(found, broadcast([tensor.shape for tensor in op.inputs]))
