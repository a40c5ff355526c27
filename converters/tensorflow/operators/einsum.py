"""Einstein sums as products of matrices: ONNX Runtime's own operator ends the process where some tensors are empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.operators.sizes import vector
from assay.converters.tensorflow.registry import handles
from assay.converters.tensorflow.tensor import Dim, Tensor, broadcast

_SPARE = "αβγδεζηθικλμνξοπρστυφχψω"  # letters of the axes that an ellipsis stands for


@dataclass(frozen=True)
class Operand:
    """A value and the letters of its axes, whose sizes are ``dims``."""

    value: ir.Value
    letters: str
    dims: Mapping[str, Dim]

    def sizes(self, letters: str) -> list[Dim]:
        """The sizes of these axes."""
        return [self.dims[letter] for letter in letters]


@handles("Einsum")
def einsum(e: Emitter, op: Operation) -> Tensor:
    """Of one or two tensors; what else there is is left to ONNX's operator."""
    equation = _spelled(op.attr("equation"), op.inputs)
    terms, _, wanted = equation.partition("->")
    names = terms.split(",")
    if len(names) > 2 or "->" not in equation or "." in equation:
        return op.result(e.node("Einsum", [e.logical(tensor) for tensor in op.inputs], equation=op.attr("equation")))
    operands = [_diagonal(e, _operand(e, tensor, letters)) for tensor, letters in zip(op.inputs, names, strict=True)]
    dims = _dims(operands)
    summed = [_summed(e, each, _others(names, wanted, index)) for index, each in enumerate(operands)]
    found = summed[0] if len(summed) == 1 else _product(e, summed[0], summed[1], wanted)
    return op.result(_turned(e, found, wanted).value, [dims[letter] for letter in wanted])


def _spelled(equation: str, tensors: Sequence[Tensor]) -> str:
    """The equation with letters for what an ellipsis stands for, where the ranks that it stands for are one."""
    terms, arrow, wanted = equation.replace(" ", "").partition("->")
    names = terms.split(",")
    ranks = {
        None if tensor.rank is None else tensor.rank - len(name) + len("...")
        for name, tensor in zip(names, tensors, strict=True)
        if "..." in name
    }
    rank = next(iter(ranks), 0)
    if len(ranks) > 1 or rank is None or rank > len(_SPARE):
        return equation
    return f"{terms}{arrow}{wanted}".replace("...", _SPARE[:rank])


def _operand(e: Emitter, tensor: Tensor, letters: str) -> Operand:
    return Operand(e.logical(tensor), letters, {letter: tensor.dim(axis) for axis, letter in enumerate(letters)})


def _diagonal(e: Emitter, operand: Operand) -> Operand:
    """Axes of one letter are one axis: every element of the matrix's n * n that lies n + 1 behind the last."""
    letters = operand.letters
    twice = next((letter for letter in letters if letters.count(letter) > 1), None)
    if twice is None:
        return operand
    pair = [axis for axis, letter in enumerate(letters) if letter == twice][:2]
    others = [axis for axis in range(len(letters)) if axis not in pair]
    value = e.node("Transpose", [operand.value], perm=[*others, *pair])
    size = _size(e, twice, [operand])
    square = size * size if isinstance(size, int) else e.node("Mul", [size, size])
    step = e.ints(size + 1) if isinstance(size, int) else e.node("Add", [size, e.ints(1)])
    whole = _reshaped(e, value, len(others), [square])
    found = e.node("Slice", [whole, e.ints(0), e.ints(np.iinfo(np.int64).max), e.ints(len(others)), step])
    return _diagonal(e, Operand(found, "".join(letters[axis] for axis in others) + twice, operand.dims))


def _dims(operands: Sequence[Operand]) -> dict[str, Dim]:
    """The size of each letter's axis; those of an ellipsis broadcast."""
    letters = dict.fromkeys("".join(operand.letters for operand in operands))
    found = {}
    for letter in letters:
        own = [(operand.dims[letter],) for operand in operands if letter in operand.dims]
        (found[letter],) = broadcast(own) or ()
    return found


def _others(names: Sequence[str], wanted: str, index: int) -> str:
    return "".join([*names[:index], *names[index + 1 :], wanted])


def _summed(e: Emitter, operand: Operand, needed: str) -> Operand:
    """Without the axes that nobody else has."""
    alone = [axis for axis, letter in enumerate(operand.letters) if letter not in needed]
    if not alone:
        return operand
    left = "".join(letter for letter in operand.letters if letter in needed)
    return Operand(e.node("ReduceSum", [operand.value, e.ints(*alone)], keepdims=0), left, operand.dims)


def _product(e: Emitter, a: Operand, b: Operand, wanted: str) -> Operand:
    shared = "".join(letter for letter in a.letters if letter in b.letters and letter not in wanted)
    if not shared:
        return _elementwise(e, a, b, wanted)
    stack = "".join(letter for letter in wanted if letter in a.letters and letter in b.letters)
    left, right = ("".join(letter for letter in x.letters if letter not in stack + shared) for x in (a, b))
    if _is_better_swapped(stack, left, right, wanted):
        a, b, left, right = b, a, right, left
    return _of_matrices(e, _turned(e, a, stack + left + shared), _turned(e, b, stack + shared + right), len(shared))


def _is_better_swapped(stack: str, left: str, right: str, wanted: str) -> bool:
    """Several axes may stay as they are on the left where nothing is stacked; else the order of the result decides."""
    if not stack and len(left) != len(right):
        return len(left) < len(right)
    return bool(wanted) and wanted[-1] in left


def _elementwise(e: Emitter, a: Operand, b: Operand, wanted: str) -> Operand:
    """Nothing is summed up: both are spread over the axes of the result."""
    spread = [_spread(e, _turned(e, x, "".join(c for c in wanted if c in x.letters)), wanted) for x in (a, b)]
    return Operand(e.node("Mul", spread), wanted, {**b.dims, **a.dims})


def _spread(e: Emitter, operand: Operand, wanted: str) -> ir.Value:
    lacking = [axis for axis, letter in enumerate(wanted) if letter not in operand.letters]
    return e.node("Unsqueeze", [operand.value, e.ints(*lacking)]) if lacking else operand.value


def _turned(e: Emitter, operand: Operand, letters: str) -> Operand:
    """With its axes in another order."""
    if operand.letters == letters:
        return operand
    order = [operand.letters.index(letter) for letter in letters]
    return Operand(e.node("Transpose", [operand.value], perm=order), letters, operand.dims)


def _of_matrices(e: Emitter, a: Operand, b: Operand, shared: int) -> Operand:
    """Of [stack, left, shared] and [stack, shared, right]: [stack, left, right]."""
    count = len(a.letters) - shared
    common = a.letters[count:]
    stack = b.letters[: b.letters.index(common)]
    left, right = a.letters[len(stack) : count], b.letters[len(stack) + shared :]
    joined = bool(stack) and len(left) != 1
    first = _grouped(e, a, [*stack, *([left] if joined else left), common])
    second = _grouped(e, b, [*stack, common, *([right] if stack or right else [])])
    value = e.node("MatMul", [first, second])
    parts = [*stack, *([left] if joined else left), *([right] if stack or right else [])]
    return Operand(_apart(e, value, parts, (a, b)), stack + left + right, _dims((a, b)))


def _grouped(e: Emitter, operand: Operand, groups: Sequence[str]) -> ir.Value:
    """With the axes of each group as one; a group of none is an axis of one element."""
    if all(len(group) == 1 for group in groups):
        return operand.value
    kept = next(index for index, group in enumerate(groups) if len(group) != 1)
    at = [operand.letters.index(group) for group in groups]
    parts = [_together(e, operand, start, group) for start, group in zip(at[kept:], groups[kept:], strict=True)]
    return _reshaped(e, operand.value, kept, parts)


def _together(e: Emitter, operand: Operand, start: int, group: str) -> int | ir.Value:
    """The number of elements along the axes of a group."""
    known = [dim for dim in operand.sizes(group) if isinstance(dim, int)]
    if len(known) == len(group):
        product = 1
        for size in known:
            product *= size
        return product
    sizes = e.node("Shape", [operand.value], start=start, end=start + len(group))
    return sizes if len(group) == 1 else e.node("ReduceProd", [sizes], keepdims=1)


def _apart(e: Emitter, value: ir.Value, groups: Sequence[str], operands: Sequence[Operand]) -> ir.Value:
    """With the axes of each group as they were."""
    if all(len(group) == 1 for group in groups):
        return value
    kept = next(index for index, group in enumerate(groups) if len(group) != 1)
    sizes = [_size(e, letter, operands) for group in groups[kept:] for letter in group]
    return _reshaped(e, value, kept, sizes)


def _reshaped(e: Emitter, value: ir.Value, kept: int, sizes: Sequence[int | ir.Value]) -> ir.Value:
    """With the first axes as they are, and these sizes after them.

    ONNX Runtime makes a lone computed size behind constants -1, which an empty tensor can't be given.
    """
    if all(isinstance(size, int) and size for size in sizes):
        return e.node("Reshape", [value, vector(e, [*[0] * kept, *sizes])])
    first = [e.node("Shape", [value], start=0, end=kept)] if kept else []
    return e.node("Reshape", [value, vector(e, [*first, *sizes])], allowzero=1)


def _size(e: Emitter, letter: str, operands: Sequence[Operand]) -> int | ir.Value:
    operand = next(each for each in operands if letter in each.letters)
    known = operand.dims[letter]
    if isinstance(known, int):
        return known
    axis = operand.letters.index(letter)
    return e.node("Shape", [operand.value], start=axis, end=axis + 1)
