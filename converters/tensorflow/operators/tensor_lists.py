"""Lists of tensors, each held as one tensor with the list's axis first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Shape, Symbol, Tensor, constant, merged
from assay.converters.tensorflow.tensor_list import Collected, Collector, TensorList, fixed, handle


def given_list(op: Operation, index: int = 0) -> TensorList:
    """The list that an input stands for; refused where it is none, or one that is read while a loop writes it."""
    content = op.inputs[index].resource
    if isinstance(content, TensorList):
        return content
    if isinstance(content, Collector | Collected):
        raise RefusedError("reads a list that the same loop writes")
    raise RefusedError("gets a list that nothing here has made")


def _element(op: Operation, index: int) -> Shape | None:
    """The shape of an element as an input gives it: -1 is unknown."""
    sizes = op.inputs[index].sizes
    if sizes is None or op.inputs[index].rank == 0:
        return None
    return tuple(Symbol() if size == -1 else size for size in sizes)


def dense(e: Emitter, content: TensorList) -> Tensor:
    """The elements as one tensor; zeros where none was written yet."""
    if content.dense is not None:
        return content.dense
    element = content.static_element
    if element is None:
        raise RefusedError("reads elements that were not written, and whose shape is not known")
    shape: Shape = (content.size, *element)
    sizes = e.node("Concat", [_vector(e, content.length), e.ints(*element)], axis=0)
    zero = e.constant(np.zeros((), Tensor(content.dtype, ()).dtype_numpy))
    return e.tensor(e.node("Expand", [zero, sizes]), content.dtype, shape)


def _vector(e: Emitter, scalar: Tensor) -> ir.Value:
    return e.node("Reshape", [e.int64(scalar), e.ints(1)])


def _length(e: Emitter, tensor: Tensor) -> Tensor:
    """The number of elements of a list that is held in this tensor."""
    size = tensor.dim(0)
    if isinstance(size, int):
        return constant(np.array(size, np.int32), "int32")
    first = e.node("Gather", [e.node("Shape", [e.logical(tensor)], start=0, end=1), e.constant(np.array(0))], axis=0)
    return e.tensor(e.node("Cast", [first], to=ir.DataType.INT32), "int32", (), sizes=(size,))


def of_dense(e: Emitter, tensor: Tensor, element: Shape | None = None) -> TensorList:
    """The list whose elements a tensor has along its first axis."""
    shape = element if tensor.shape is None else tensor.shape[1:]
    return TensorList(tensor.dtype, shape, _length(e, tensor), tensor)


@handles("TensorListReserve")
def reserve(_e: Emitter, op: Operation) -> Tensor:
    """A list of a length without content."""
    return handle(TensorList(op.attr("element_dtype").name, _element(op, 0), op.inputs[1]))


@handles("EmptyTensorList")
def empty(_e: Emitter, op: Operation) -> Tensor:
    """A list of no elements."""
    return handle(TensorList(op.attr("element_dtype").name, _element(op, 0), constant(np.array(0, np.int32), "int32")))


@handles("TensorListFromTensor")
def from_tensor(e: Emitter, op: Operation) -> Tensor:
    """The tensor is the list."""
    return handle(of_dense(e, op.inputs[0]))


@handles("TensorListStack")
def stack(e: Emitter, op: Operation) -> Tensor:
    """The list is the tensor."""
    whole = dense(e, given_list(op))
    shape, static = whole.shape, _element(op, 1)
    value = e.logical(whole)
    element = fixed(static)
    if element is not None and (shape is None or fixed(shape[1:]) is None):  # a loop without a turn gives sizes of 0
        first = e.node("Shape", [value], start=0, end=1)
        value = e.node("Reshape", [value, e.node("Concat", [first, e.ints(*element)], axis=0)], allowzero=1)
    if shape is not None and static is not None and len(static) == len(shape) - 1:
        shape = (shape[0], *merged(shape[1:], [s if isinstance(s, int) else None for s in static]))  # type: ignore[misc]
    return op.result(value, shape)


@handles("TensorListGetItem")
def get_item(e: Emitter, op: Operation) -> Tensor:
    """One element."""
    whole = dense(e, given_list(op))
    value = e.node("Gather", [e.logical(whole), e.logical(op.inputs[1])], axis=0)
    return op.result(value, None if whole.shape is None else whole.shape[1:])


@handles("TensorListGather")
def gather(e: Emitter, op: Operation) -> Tensor:
    """Elements by their numbers, stacked."""
    whole, indices = dense(e, given_list(op)), op.inputs[1]
    shape = None if whole.shape is None or indices.shape is None else (*indices.shape, *whole.shape[1:])
    return op.result(e.node("Gather", [e.logical(whole), e.logical(indices)], axis=0), shape)


@handles("TensorListLength")
def length(e: Emitter, op: Operation) -> Tensor:
    """The number of elements."""
    content = given_list(op)
    return op.result(e.logical(content.length), (), sizes=content.length.sizes)


@handles("TensorListElementShape")
def element_shape(e: Emitter, op: Operation) -> Tensor:
    """The sizes of an element."""
    content = given_list(op)
    if content.dense is None:
        element = content.static_element
        if element is None:
            raise RefusedError("asks for the shape of elements that were not written")
        return constant(np.array(element, op.dtype()), op.dtype())
    sizes = e.node("Shape", [e.logical(content.dense)], start=1)
    shape = None if content.dense.shape is None else content.dense.shape[1:]
    value = e.node("Cast", [sizes], to=op.onnx_dtype())
    return op.result(value, None if shape is None else (len(shape),), sizes=shape)


@handles("TensorListSetItem")
def set_item(e: Emitter, op: Operation) -> Tensor:
    """The list with one element in place of what it had there."""
    content, index, value = op.inputs[0].resource, op.inputs[1], op.inputs[2]
    if isinstance(content, Collector):
        return handle(Collected(value))
    content = given_list(op)
    if op.attr("resize_if_index_out_of_bounds"):
        return _set_or_append(e, content, index, value)
    whole = e.logical(_writable(e, content, value))
    place = e.node("Reshape", [e.int64(index), e.ints(1, 1)])
    row = e.node("Unsqueeze", [e.logical(value), e.ints(0)])
    shape = _with_elements(content, value)
    written = e.tensor(e.node("ScatterND", [whole, place, row]), content.dtype, shape)
    return handle(TensorList(content.dtype, shape and shape[1:], content.length, written))


def _set_or_append(e: Emitter, content: TensorList, index: Tensor, value: Tensor) -> Tensor:
    """A list that grows with what is written to it, where that is seen to be just behind its end."""
    if index.array is None or not isinstance(content.size, int) or int(index.array) != content.size:
        raise RefusedError("lets a list grow to a length that is not known before the model runs")
    return handle(_appended(e, content, value))


def _with_elements(content: TensorList, value: Tensor) -> Shape | None:
    known = value.shape if value.shape is not None else content.element
    return None if known is None else (content.size, *known)


def _writable(e: Emitter, content: TensorList, value: Tensor) -> Tensor:
    """The elements so far; of a list without any, zeros in the shape of the one that is written."""
    if content.dense is not None or content.static_element is not None:
        return dense(e, content)
    sizes = e.node("Concat", [_vector(e, content.length), e.node("Shape", [e.logical(value)])], axis=0)
    zero = e.constant(np.zeros((), value.dtype_numpy))
    return e.tensor(e.node("Expand", [zero, sizes]), content.dtype, _with_elements(content, value))


def _appended(e: Emitter, content: TensorList, value: Tensor) -> TensorList:
    row = e.node("Unsqueeze", [e.logical(value), e.ints(0)])
    before = content.dense
    size = content.size
    if before is None and size != 0:
        before = _writable(e, content, value)
    longer = row if before is None else e.node("Concat", [e.logical(before), row], axis=0)
    after = size + 1 if isinstance(size, int) else Symbol()
    shape = None if value.shape is None else (after, *value.shape)
    return of_dense(e, e.tensor(longer, content.dtype, shape), value.shape)


@handles("TensorListPushBack")
def push_back(e: Emitter, op: Operation) -> Tensor:
    """The list with one element more."""
    content, value = op.inputs[0].resource, op.inputs[1]
    if isinstance(content, Collector):
        return handle(Collected(value))
    return handle(_appended(e, given_list(op), value))


@handles("TensorListPopBack")
def pop_back(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The list without its last element, and that."""
    content = given_list(op)
    whole = dense(e, content)
    value = e.logical(whole)
    size, element = content.size, None if whole.shape is None else whole.shape[1:]
    left = e.node("Slice", [value, e.ints(0), e.ints(-1), e.ints(0)])
    last = e.node("Gather", [value, e.constant(np.array(-1))], axis=0)
    shape = None if element is None else (size - 1 if isinstance(size, int) else Symbol(), *element)
    rest = e.tensor(left, content.dtype, shape)
    return [handle(of_dense(e, rest, element)), op.result(last, element, index=1)]


@handles("TensorListConcat", "TensorListConcatV2")
def concat(e: Emitter, op: Operation) -> Sequence[Tensor]:
    """The elements one after the other along their own first axis, and their lengths, which are all alike here."""
    whole = dense(e, given_list(op))
    if whole.rank is None or whole.shape is None or whole.rank < 2:
        raise RefusedError("joins elements of unknown rank")
    value = e.logical(whole)
    sizes = e.node("Shape", [value])
    tail = e.node("Slice", [sizes, e.ints(2), e.ints(np.iinfo(np.int64).max), e.ints(0)])
    count, each = (e.node("Slice", [sizes, e.ints(at), e.ints(at + 1), e.ints(0)]) for at in (0, 1))
    total = e.node("Mul", [count, each])
    joined = e.node("Reshape", [value, e.node("Concat", [total, tail], axis=0)])
    known = fixed(whole.shape[:2])
    first = known[0] * known[1] if known else Symbol()
    lengths = e.node("Expand", [each, count])
    return [
        op.result(joined, (first, *whole.shape[2:])),
        op.result(lengths, (whole.shape[0],), index=1),
    ]


@handles("TensorListResize")
def resize(_e: Emitter, op: Operation) -> Tensor:
    """The list cut or continued with zeros; the length must be known."""
    content = given_list(op)
    wanted = op.inputs[1]
    if wanted.sizes and wanted.sizes[0] is content.size:
        return handle(content)
    if content.dense is None:
        return handle(TensorList(content.dtype, content.element, wanted))
    raise RefusedError("changes the length of a list that has content")
