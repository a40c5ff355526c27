"""Models that are right on usual inputs and wrong on one kind of probe, each beside its healthy source, as ONNX text.

``only`` names every probe on which the defect may show: it is found by these or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import onnx
import onnx.parser

from assay.converters.sources import Source, open_source
from assay.specs.interface import parse_specs, with_roles

HEADER = '<ir_version: 9, opset_import: ["" : 20]>'


@dataclass(frozen=True)
class Defect:
    """A graph with ``{healthy}`` and ``{wrong}`` nodes between its inputs and outputs, and who finds the wrong ones."""

    only: frozenset[str]
    graph: str
    healthy: str
    wrong: str
    inputs: dict[str, str]
    roles: dict[str, str] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()

    def write(self, folder: Path) -> tuple[Path, Source]:
        """The wrong model, and the healthy one as its source."""
        paths = []
        for name, nodes in (("healthy", self.healthy), ("wrong", self.wrong)):
            paths.append(folder / f"{name}.onnx")
            onnx.save(onnx.parser.parse_model(f"{HEADER} {self.graph} {{ {nodes} }}"), paths[-1])
        specs = with_roles(parse_specs(self.inputs), self.roles)
        return paths[1], open_source(paths[0], dict(zip(self.inputs, specs, strict=True)))


def of(
    *only: str, codes: str = "", roles: dict[str, str] | None = None, inputs: dict[str, str], **graph: str
) -> Defect:
    """A defect by the names of its probes."""
    return Defect(frozenset(only), inputs=inputs, roles=roles or {}, codes=frozenset(codes.split()), **graph)


ROWS = {"x": "float32[batch,6]"}
ROWS_GRAPH = "g (float[batch,6] x) => (float[batch,6] y)"
IDS = {"ids": "int64[batch,seq] in 0..255"}
IDS_GRAPH = "g (int64[batch,seq] ids) => (float[batch,seq] y)"
TEXT = {"text": "string[batch,4]"}
MASKED = {"x": "float32[batch,seq]", "attention_mask": "float32[batch,seq]"}
MASKED_GRAPH = "g (float[batch,seq] x, float[batch,seq] attention_mask) => (float[batch,seq] y)"
MASK_ROLES = {"attention_mask": "attention_mask"}
MAP = {"x": "float32[batch,height,width] in 0..1"}
MAP_GRAPH = "g (float[batch,height,width] x) => (float[batch,height,width] y)"
STATE = {"x": "float32[batch,2] in -1..1", "state": "float32[batch,2] in -1..1"}
STATE_GRAPH = "g (float[batch,2] x, float[batch,2] state) => (float[batch,2] y, float[batch,2] state_out)"


def where(condition: str, then: str = "y = Where(wrong, shifted, sound)") -> str:
    """The sound output, or one that is 1 off where the condition gives ``wrong``."""
    return f"sound = Neg(x) one = Constant<value_float = 1.0>() shifted = Add(sound, one) {condition} {then}"


def size_of(axis: int, name: str) -> str:
    return f"s{name} = Shape<start = {axis}, end = {axis + 1}>(x)"


def number(name: str, value: int) -> str:
    return f"{name} = Constant<value_ints = [{value}]>()"


DEFECTS = {
    "Relu6-like clip at 200": of(
        "very large",
        "near overflow",
        inputs=ROWS,
        graph=ROWS_GRAPH,
        healthy="y = Relu(x)",
        wrong="low = Constant<value_float = 0.0>() high = Constant<value_float = 200.0>() y = Clip(x, low, high)",
    ),
    "an overflow at a million": of(
        "near overflow",
        inputs=ROWS,
        graph=ROWS_GRAPH,
        healthy="y = Neg(x)",
        wrong="high = Constant<value_float = -1e6>() z = Neg(x) y = Max(z, high)",
    ),
    "a square root of a square for the absolute value": of(
        "near overflow",
        inputs=ROWS,
        graph=ROWS_GRAPH,
        healthy="y = Abs(x)",
        wrong="""two = Constant<value_float = 4.0>() half = Constant<value_float = 0.25>() z = Abs(x)
            p = Pow(z, two) y = Pow(p, half)""",
    ),
    "a mean over what is not zero": of(
        "sparse",
        "ties",
        "impulse",
        inputs={"x": "float32[batch,40]"},
        graph="g (float[batch,40] x) => (float[batch,1] y)",
        healthy="ax = Constant<value_ints = [1]>() y = ReduceMean(x, ax)",
        wrong="""ax = Constant<value_ints = [1]>() s = ReduceSum(x, ax) o = Constant<value_float = 1.0>()
            b = Cast<to = 9>(x) f = Cast<to = 1>(b) n = ReduceSum(f, ax) c = Max(n, o) y = Div(s, c)""",
    ),
    "no guard against a range of zero": of(
        "lowest",
        "highest",
        "blank",
        "constant rows",
        "impulse",
        "other mates",
        inputs={"x": "float32[batch,6] in 0..1"},
        graph=ROWS_GRAPH,
        healthy="""ax = Constant<value_ints = [1]>() h = ReduceMax(x, ax) l = ReduceMin(x, ax) r = Sub(h, l)
            e = Constant<value_float = 1e-30>() g = Max(r, e) d = Sub(x, l) y = Div(d, g)""",
        wrong="""ax = Constant<value_ints = [1]>() h = ReduceMax(x, ax) l = ReduceMin(x, ax) r = Sub(h, l)
            d = Sub(x, l) y = Div(d, r)""",
    ),
    "an epsilon of 1e-5": of(
        "small",
        inputs=ROWS,
        graph=ROWS_GRAPH + " <float[6] scale = {1.0, 2.0, -1.0, 0.5, 1.5, 1.0}>",
        healthy="y = LayerNormalization<epsilon = 1e-12>(x, scale)",
        wrong="""y = LayerNormalization<epsilon = 1e-9>(x, scale)""",
    ),
    "truncated division": of(
        "negative integers",
        "integers around zero",
        inputs={"a": "int64[batch,6]"},
        graph="g (int64[batch,6] a) => (float[batch,6] y)",
        healthy="f = Cast<to = 1>(a) t = Constant<value_float = 4.0>() d = Div(f, t) y = Floor(d)",
        wrong="t = Constant<value_int = 4>() d = Div(a, t) y = Cast<to = 1>(d)",
    ),
    "a positive remainder": of(
        "negative integers",
        "integers around zero",
        inputs={"a": "int64[batch,6]"},
        graph="g (int64[batch,6] a) => (int64[batch,6] y)",
        healthy="t = Constant<value_int = 4>() y = Mod(a, t)",
        wrong="t = Constant<value_int = 4>() y = Mod<fmod = 1>(a, t)",
    ),
    "one rare row of a table": of(
        "every index",
        "seq=201",
        "seq=202",
        "seq=203",
        inputs=IDS,
        graph=IDS_GRAPH,
        healthy="f = Cast<to = 1>(ids) y = Sqrt(f)",
        wrong="""rare = Constant<value_int = 201>() e = Equal(ids, rare) f = Cast<to = 1>(ids) s = Sqrt(f) n = Neg(s)
            y = Where(e, n, s)""",
    ),
    "the last row of a table": of(
        "first and last index",
        "highest",
        "every index",
        "all axes moved",
        "batch=5",
        "other mates",
        "rows reversed",
        "seq=253",
        "seq=254",
        "seq=255",
        "seq=256",
        inputs=IDS,
        graph=IDS_GRAPH,
        healthy="f = Cast<to = 1>(ids) y = Sqrt(f)",
        wrong="rare = Constant<value_int = 254>() c = Min(ids, rare) f = Cast<to = 1>(c) y = Sqrt(f)",
    ),
    "the last row of a table whose size nobody says": of(
        "last rows",
        inputs={"ids": "int64[batch,seq]"},
        graph=IDS_GRAPH,
        healthy="""t = Constant<value_floats = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
            13.0, 14.0, 15.0]>()
            a = Abs(ids) y = Gather(t, a)""",
        wrong="""t = Constant<value_floats = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0,
            13.0, 14.0, 99.0]>()
            a = Abs(ids) y = Gather(t, a)""",
    ),
    "capitals lost": of(
        "unusual texts",
        inputs=TEXT,
        graph="g (string[batch,4] text) => (float[batch,4] y)",
        healthy="""a = Constant<value_string = "Assay">() e = Equal(text, a) y = Cast<to = 1>(e)""",
        wrong="""a = Constant<value_string = "Assay2">() e = Equal(text, a) y = Cast<to = 1>(e)""",
    ),
    "the branch of a switch": of(
        "fast all true",
        "batch=1",
        "batch=2",
        "batch=5",
        "other mates",
        "rows reversed",
        inputs={"x": "float32[batch,6]", "fast": "bool[1]"},
        graph="g (float[batch,6] x, bool[1] fast) => (float[batch,6] y)",
        healthy="n = Neg(x) y = Where(fast, x, n)",
        wrong="y = Neg(x)",
    ),
    "a mask that nothing reads": of(
        "padded",
        "left-padded",
        "one token",
        "longer padding",
        codes="PA020",
        inputs=MASKED,
        roles=MASK_ROLES,
        graph=MASKED_GRAPH,
        healthy="y = Mul(x, attention_mask)",
        wrong="o = Abs(attention_mask) z = Sub(o, o) y = Add(x, z)",
    ),
    "a mask that is read as a length": of(
        "left-padded",
        inputs=MASKED,
        roles=MASK_ROLES,
        graph=MASKED_GRAPH,
        healthy="y = Mul(x, attention_mask)",
        wrong="""ax = Constant<value_ints = [1]>() n = ReduceSum(attention_mask, ax) o = Constant<value_int = 1>()
            p = Abs(attention_mask) q = Add(p, attention_mask) r = Sub(q, q) u = Constant<value_float = 1.0>()
            v = Add(r, u)
            w = CumSum(v, o) k = LessOrEqual(w, n) m = Cast<to = 1>(k) y = Mul(x, m)""",
    ),
    "a mask of one place": of(
        "one token",
        "seq=1",
        inputs=MASKED,
        roles=MASK_ROLES,
        graph="g (float[batch,seq] x, float[batch,seq] attention_mask) => (float[batch,1] y)",
        healthy="ax = Constant<value_ints = [1]>() z = Mul(x, attention_mask) y = ReduceSum(z, ax)",
        wrong="""ax = Constant<value_ints = [1]>() z = Mul(x, attention_mask) s = ReduceSum(z, ax)
            n = ReduceSum(attention_mask, ax) o = Constant<value_float = 1.5>() k = Less(n, o) t = Add(s, s)
            y = Where(k, t, s)""",
    ),
    "values where nothing was measured": of(
        "gaps",
        codes="PA020",
        inputs={"x": "float32[batch,6]", "observed": "float32[batch,6]"},
        roles={"observed": "observed_mask"},
        graph="g (float[batch,6] x, float[batch,6] observed) => (float[batch,6] y)",
        healthy="y = Mul(x, observed)",
        wrong="z = Sub(observed, observed) y = Add(x, z)",
    ),
    "padding in the mean": of(
        "padded",
        "left-padded",
        "one token",
        "longer padding",
        codes="PA022",
        inputs=MASKED,
        roles=MASK_ROLES,
        graph="g (float[batch,seq] x, float[batch,seq] attention_mask) => (float[batch,1] y)",
        healthy="""ax = Constant<value_ints = [1]>() z = Mul(x, attention_mask) s = ReduceSum(z, ax)
            n = ReduceSum(attention_mask, ax) y = Div(s, n)""",
        wrong="ax = Constant<value_ints = [1]>() z = Mul(x, attention_mask) y = ReduceMean(z, ax)",
    ),
    "a table of positions that ends at 70": of(
        "seq=71",
        "seq=72",
        inputs={"x": "float32[batch,seq]"},
        graph="g (float[batch,seq] x) => (float[batch,seq] y)",
        healthy="""o = Constant<value_int = 1>() z = Sub(x, x) u = Constant<value_float = 1.0>() v = Add(z, u)
            p = CumSum(v, o)
            y = Add(x, p)""",
        wrong="""o = Constant<value_int = 1>() z = Sub(x, x) u = Constant<value_float = 1.0>() v = Add(z, u)
            w = CumSum(v, o)
            e = Constant<value_float = 70.0>() p = Min(w, e) y = Add(x, p)""",
    ),
    "axes that are told apart by their size": of(
        "equal axes",
        inputs=MAP,
        graph=MAP_GRAPH,
        healthy="y = Neg(x)",
        wrong=where(f"{size_of(1, 'h')} {size_of(2, 'w')} wrong = Equal(sh, sw)"),
    ),
    "two axes off at once": of(
        "all axes moved",
        inputs=MAP,
        graph=MAP_GRAPH,
        healthy="y = Neg(x)",
        wrong=where(
            f"{size_of(1, 'h')} {size_of(2, 'w')} {number('h', 17)} {number('w', 19)} a = Equal(sh, h) b = Equal(sw, w)"
            " e = Equal(sh, sw) c = Or(a, b) d = Or(c, e) wrong = Not(d)"
        ),
    ),
    "a single row": of(
        "batch=1",
        inputs=ROWS,
        graph=ROWS_GRAPH,
        healthy="y = Neg(x)",
        codes="PA021",
        wrong=where(f"{size_of(0, 'n')} {number('n', 1)} wrong = Equal(sn, n)"),
    ),
    "a row that depends on far larger mates": of(
        "other mates",
        "impulse",
        codes="PA021",
        inputs={"x": "float32[batch,6]"},
        graph=ROWS_GRAPH,
        healthy="y = Neg(x)",
        wrong=where(
            "ax = Constant<value_ints = [1]>() a = Abs(x) m = ReduceMax(a, ax) n = ReduceMax<keepdims = 0>(a)"
            " t = Constant<value_float = 25.0>()"
            " l = Mul(m, t) wrong = Less(l, n)"
        ),
    ),
    "a constant of one row a sample": of(
        "rows reversed",
        "batch=5",
        "other mates",
        "batch=1",
        "batch=2",
        codes="PA023",
        inputs={"x": "float32[batch,6]"},
        graph=ROWS_GRAPH,
        healthy="y = Neg(x)",
        wrong=f"""{size_of(0, "n")} {number("n", 5)} e = Equal(sn, n) o = Constant<value_int = 0>() z = Sub(x, x)
            u = Constant<value_float = 1.0>() v = Add(z, u) p = CumSum(v, o) q = Sub(p, v) b = Where(e, q, z)
            s = Neg(x) y = Add(s, b)""",
    ),
    "a later place in an earlier output": of(
        codes="PA020",
        inputs={"x": "float32[batch,seq] in 0..1"},
        graph="g (float[batch,seq] x) => (float[batch,seq] y)",
        healthy="o = Constant<value_int = 1>() y = CumSum(x, o)",
        wrong="""o = Constant<value_int = 1>() ax = Constant<value_ints = [1]>() c = CumSum(x, o)
            m = ReduceMean(x, ax) y = Add(c, m)""",
    ),
    "a state that saturates": of(
        "steps",
        codes="PA024",
        inputs=STATE,
        graph=STATE_GRAPH,
        healthy="one = Constant<value_float = 1.0>() y = Add(x, state) state_out = Add(state, one)",
        wrong="""one = Constant<value_float = 1.0>() two = Constant<value_float = 2.5>() y = Add(x, state)
            n = Add(state, one) state_out = Min(n, two)""",
    ),
    "a stream that begins wrong": of(
        "state at zero",
        "steps",
        "lowest",
        "impulse",
        inputs={"x": "float32[batch,2] in -1..1", "state": "float32[batch,2]"},
        graph=STATE_GRAPH,
        healthy="y = Add(x, state) state_out = Neg(state)",
        wrong="""zero = Constant<value_float = 0.0>() k = Equal(state, zero) n = Neg(x) a = Where(k, n, x)
            y = Add(a, state)
            state_out = Neg(state)""",
    ),
    "texts that are all empty": of(
        "empty texts",
        inputs=TEXT,
        graph="g (string[batch,4] text) => (float[batch,1] y)",
        healthy="""a = Constant<value_string = "">() e = Equal(text, a) f = Cast<to = 1>(e)
            ax = Constant<value_ints = [1]>()
            y = ReduceSum(f, ax)""",
        wrong="""a = Constant<value_string = "">() e = Equal(text, a) f = Cast<to = 1>(e)
            ax = Constant<value_ints = [1]>()
            s = ReduceSum(f, ax) t = Constant<value_float = 3.0>() y = Min(s, t)""",
    ),
    "a prompt of twenty beside a cache": of(
        "steps at once",
        "seq=20",
        codes="PA024",
        inputs={"x": "float32[batch,seq]", "past": "float32[batch,past]", "attention_mask": "float32[batch,total]"},
        roles=MASK_ROLES,
        graph="""g (float[batch,seq] x, float[batch,past] past, float[batch,total] attention_mask)
            => (float[batch,seq] y, float[batch,total] present)""",
        healthy="""one = Constant<value_float = 1.0>() ax = Constant<value_ints = [1]>()
            present = Concat<axis = 1>(past, x)
            z = Mul(present, attention_mask) s = ReduceSum(past, ax) o = Constant<value_int = 1>() c = CumSum(x, o)
            n = Mul(s, one) y = Add(c, n)""",
        wrong=f"""ax = Constant<value_ints = [1]>() present = Concat<axis = 1>(past, x)
            z = Mul(present, attention_mask) t = ReduceSum(past, ax) o = Constant<value_int = 1>() c = CumSum(x, o)
            {size_of(1, "q")} {number("q", 20)} e = Equal(sq, q) u = Add(t, t) n = Where(e, u, t) y = Add(c, n)""",
    ),
}
