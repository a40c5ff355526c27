"""Conditions on the sizes of axes: ``2 * sequence > 20``, ``height % 32 == 0``, ``width <= 512 or batch == 1``.

A condition is made of the names of axes, whole numbers, ``+ - * // %``, ``min`` and ``max``, comparisons, ``and``,
``or`` and ``not``; ``//`` rounds down and ``%`` has the sign of the divisor, as in Python. Where something is divided
by zero, the condition does not hold.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from assay.specs.errors import AssayError

Size = int | np.ndarray
_LONGEST = 2000
_LARGEST = 1 << 40
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {"min": np.minimum, "max": np.maximum}


class ConditionError(AssayError):
    """A text that is no condition."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def __str__(self) -> str:
        return f"{self.text[:120]!r} {self.reason}"


@dataclass(frozen=True)
class Condition:
    """A condition in its normal text; two are equal where their texts are."""

    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", ast.unparse(_parsed(self.text)))

    def __str__(self) -> str:
        return self.text

    @cached_property
    def tree(self) -> ast.expr:
        """The expression, of the nodes that the language has."""
        return _parsed(self.text)

    @cached_property
    def names(self) -> frozenset[str]:
        """The axes that it speaks of."""
        calls = {id(node.func) for node in ast.walk(self.tree) if isinstance(node, ast.Call)}
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, ast.Name) and id(node) not in calls)
        return frozenset(node.id for node in nodes)

    @cached_property
    def constants(self) -> frozenset[int]:
        """The whole numbers in it."""
        nodes = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return frozenset(value for value in nodes if isinstance(value, int))

    def holds(self, sizes: Mapping[str, Size]) -> Any:
        """Whether it holds at these sizes: a bool, or an array of them where the sizes are arrays of int64."""
        divisors: list[Any] = []
        with np.errstate(divide="ignore", over="ignore"):
            value = _value(self.tree, {k: np.asarray(v, np.int64) for k, v in sizes.items()}, divisors)
        defined = reduce(np.logical_and, (np.not_equal(divisor, 0) for divisor in divisors), np.bool_(True))
        found = np.logical_and(value, defined)
        return bool(found) if found.ndim == 0 else found

    def given(self, name: str, size: int) -> Condition:
        """The same with a number in place of this axis."""
        return Condition(ast.unparse(_Replaced(name, size).visit(ast.parse(self.text, mode="eval").body)))


class _Replaced(ast.NodeTransformer):
    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.size) if node.id == self.name else node


def satisfied(conditions: Iterable[Condition], sizes: Mapping[str, int]) -> bool:
    """Whether all of them hold at these sizes; one that speaks of an axis without a size is left out."""
    return all(condition.holds(sizes) for condition in conditions if condition.names <= set(sizes))


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Several conditions; raises `ConditionError`."""
    return tuple(dict.fromkeys(map(Condition, texts)))


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ConditionError(text, f"has {len(text)} characters, but should have at most {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _require_truth(text, tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionError(text, "is no condition, but should be like 'sequence % 8 == 0'") from None
    return tree


def _require_truth(text: str, node: ast.expr) -> None:
    """The expression is true or false, and made of what the language has."""
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _require_truth(text, value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _require_truth(text, operand)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            for value in (left, *others):
                _require_number(text, value)
        case _:
            raise ConditionError(
                text, f"holds {ast.unparse(node)!r}, which is neither true nor false, but should be a comparison"
            )


def _require_number(text: str, node: ast.expr) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            if value > _LARGEST:
                raise ConditionError(text, f"holds {value}, but should hold no number above {_LARGEST}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _require_number(text, operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _require_number(text, left)
            _require_number(text, right)
        case ast.Call(func=ast.Name(id=name), args=[_, _, *_] as args, keywords=[]) if name in _FUNCTIONS:
            for argument in args:
                _require_number(text, argument)
        case _:
            raise ConditionError(text, f"holds {ast.unparse(node)!r}, but should hold axes and whole numbers alone")


def _value(node: ast.expr, sizes: Mapping[str, Any], divisors: list[Any]) -> Any:
    """The value of an expression that was checked before; what it divides by is noted."""
    match node:
        case ast.Name(id=name):
            return sizes[name]
        case ast.Constant(value=value):
            return np.int64(value)  # type: ignore[arg-type]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, sizes, divisors)
            return np.logical_not(inner) if isinstance(op, ast.Not) else np.negative(inner)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _value(left, sizes, divisors), _value(right, sizes, divisors)
            divisors += [b] if isinstance(op, ast.FloorDiv | ast.Mod) else []
            return _ARITHMETIC[type(op)](a, b)
        case ast.Call(func=ast.Name(id=name), args=args):
            return reduce(_FUNCTIONS[name], (_value(argument, sizes, divisors) for argument in args))
        case ast.BoolOp(op=op, values=values):
            combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return reduce(combine, (_value(value, sizes, divisors) for value in values))
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_value(value, sizes, divisors) for value in (left, *others)]
            pairs = zip(ops, values[:-1], values[1:], strict=True)
            return reduce(np.logical_and, (_COMPARISONS[type(op)](a, b) for op, a, b in pairs))
    raise AssertionError(node)
