"""What a traced program says of its axes: which are fixed, and on what conditions the rest of it holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from assay.converters.contract import Clause
from assay.converters.exporter import ConvertError
from assay.converters.pytorch.guards import Guards
from assay.specs.conditions import Condition, ConditionError
from assay.specs.interface import Axis, TensorSpec

_COMPARISONS: dict[str, type[ast.cmpop]] = {"Eq": ast.Eq, "Ne": ast.NotEq}
_BINARY: dict[str, type[ast.operator]] = {
    "Mod": ast.Mod,
    "PythonMod": ast.Mod,
    "FloorDiv": ast.FloorDiv,
    "CleanDiv": ast.FloorDiv,
}
_MOST = {"Max": "max", "Min": "min"}
_HIGHEST_POWER = 4
_OF_DATA = re.compile(r"(u|zuf|f)\d+")


@dataclass(frozen=True)
class Ledger:
    """The axes of a program by torch's symbols, and what it holds on."""

    source: str
    names: Mapping[str, str]
    clauses: tuple[Clause, ...]

    def and_of(self, guards: Guards) -> Ledger:
        """With what was decided afterwards, in the translation."""
        heard = (_clause(self.source, guard.text, self.names, guard.line) for guard in guards.heard)
        return replace(self, clauses=_once((*self.clauses, *filter(None, heard))))


def ledger_of(
    source: str, program: torch.export.ExportedProgram, inputs: Sequence[TensorSpec], guards: Guards
) -> Ledger:
    """Read the program's sizes, ranges and asserts; ``guards`` say the lines. Raises `ConvertError`."""
    sizes = list(_axis_sizes(program, inputs))
    names = {f"_{place}": axis for place, (axis, _) in enumerate(sizes)}  # for what is said of an axis itself
    for axis, size in sizes:
        if str(size).isidentifier():
            names.setdefault(str(size), axis)
    texts = [*_same_sizes(sizes, names), *_ranges(program, names), *_asserts(program)]
    lines = {guard.text: guard.line for guard in guards.heard if guard.line}
    clauses = (_clause(source, text, names, lines.get(text) or _line(text, names, guards)) for text in texts)
    of_operators = {name for symbol, name in names.items() if guards.is_of_operators(symbol)}
    marked = (replace(c, of_operator=c.condition.names <= of_operators) for c in clauses if c is not None)
    return Ledger(source, names, _once(marked))


def _axis_sizes(program: torch.export.ExportedProgram, inputs: Sequence[TensorSpec]) -> Iterable[tuple[str, Any]]:
    """The name of each dynamic axis with the size that the program has there: a number or an expression."""
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    values = [nodes[name].meta["val"] for name in program.graph_signature.user_inputs if name in nodes]
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    for spec, tensor in zip(inputs, tensors, strict=True):
        for dim, size in zip(spec.dims or (), tensor.shape, strict=True):
            if isinstance(dim, Axis):
                yield dim.name, size if isinstance(size, int) else size.node.expr


def _same_sizes(sizes: Sequence[tuple[str, Any]], names: Mapping[str, str]) -> Iterable[str]:
    """An axis whose size is a number, or follows from another axis."""
    for place, (axis, size) in enumerate(sizes):
        if names.get(str(size)) != axis:
            yield f"Eq(_{place}, {size})"


def _ranges(program: torch.export.ExportedProgram, names: Mapping[str, str]) -> Iterable[str]:
    for symbol, bounds in program.range_constraints.items():
        if str(symbol) in names:
            yield from [f"{symbol} >= {bounds.lower}"] if bounds.lower.is_Integer else []
            yield from [f"{symbol} <= {bounds.upper}"] if bounds.upper.is_Integer else []


def _asserts(program: torch.export.ExportedProgram) -> Iterable[str]:
    """What the program asserts when it runs; a graph of ONNX has no such operator."""
    for node in program.graph.nodes:
        if node.op == "call_function" and node.target is torch.ops.aten._assert_scalar.default:
            value = node.args[0].meta["val"] if isinstance(node.args[0], torch.fx.Node) else None
            if isinstance(value, torch.SymBool):
                yield str(value.node.expr)


def _line(text: str, names: Mapping[str, str], guards: Guards) -> str | None:
    symbols = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    axes = {names[symbol] for symbol in symbols if symbol in names}
    own = (symbol for symbol, name in names.items() if name in axes)
    return next((line for symbol in own if (line := guards.line_of(symbol))), None)


def _clause(source: str, text: str, names: Mapping[str, str], line: str | None) -> Clause | None:
    """A guard as a condition, or None where it is about sizes that are data; those the source checks itself."""
    try:
        tree = _Worded(names).visit(ast.parse(text, mode="eval").body)
        if isinstance(tree, ast.Constant):
            return None
        return Clause(Condition(ast.unparse(tree)), line)
    except _DataSizeError:
        return None
    except (ConditionError, SyntaxError, _UnsayableError) as error:
        where = f" at {line}" if line else ""
        raise ConvertError(
            source, f"the model's code decides by {text}{where}, which no condition on axes can say: {error}"
        ) from error


def _once(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Each condition once, with a line where one is known."""
    found: dict[Condition, Clause] = {}
    for clause in clauses:
        known = found.get(clause.condition)
        if known is None or known.line is None:
            found[clause.condition] = clause
    return tuple(found.values())


class _UnsayableError(Exception):
    """Part of a guard that the language of conditions does not have."""


class _DataSizeError(Exception):
    """A guard about a size that the values of an input decide."""


class _Worded(ast.NodeTransformer):
    """torch's expressions in the language of conditions, and symbols by the names of their axes."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.names:
            return ast.Name(self.names[node.id])
        if _OF_DATA.fullmatch(node.id):
            raise _DataSizeError(node.id)
        raise _UnsayableError(node.id)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.visit(argument) for argument in node.args]
        if name in _COMPARISONS:
            return ast.Compare(arguments[0], [_COMPARISONS[name]()], arguments[1:])
        if name in _BINARY:
            return ast.BinOp(arguments[0], _BINARY[name](), arguments[1])
        if name in _MOST:
            return ast.Call(ast.Name(_MOST[name]), arguments, [])
        raise _UnsayableError(f"{name} of sizes")

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        op = ast.Not() if isinstance(node.op, ast.Invert) else node.op
        return ast.UnaryOp(op, self.visit(node.operand))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left = self.visit(node.left)
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            return ast.BoolOp(
                ast.And() if isinstance(node.op, ast.BitAnd) else ast.Or(), [left, self.visit(node.right)]
            )
        if isinstance(node.op, ast.Pow):
            return _product(left, node.right)
        return ast.BinOp(left, node.op, self.visit(node.right))


def _product(base: ast.expr, exponent: ast.expr) -> ast.expr:
    power = exponent.value if isinstance(exponent, ast.Constant) else None
    if not isinstance(power, int) or not 1 <= power <= _HIGHEST_POWER:
        raise _UnsayableError(f"a power of {ast.unparse(exponent)}")
    found = base
    for _ in range(power - 1):
        found = ast.BinOp(found, ast.Mult(), base)
    return found
