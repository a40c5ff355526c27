"""Functions of ``keras.ops`` that make, move, take, sort and join."""

from __future__ import annotations

from collections.abc import Iterator

from keras import ops

from tensorflow_cases.case import Case, operator
from tensorflow_cases.keras_call import of


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _moved()
    yield from _made()
    yield from _joined()
    yield from _taken()
    yield from _flows()


def _moved() -> Iterator[Case]:
    cube = "f4[a,b,3]"
    yield of("reshape", cube, newshape=(-1, 3))
    yield of("transpose", cube, axes=(2, 0, 1))
    yield of("transpose", cube)
    yield of("swapaxes", cube, axis1=0, axis2=2)
    yield of("moveaxis", cube, source=0, destination=-1)
    yield of("expand_dims", cube, axis=1)
    yield of("squeeze", "f4[a,1,3]", axis=1)
    yield of("ravel", cube)
    yield of("flip", cube, axis=1)
    yield of("fliplr", cube)
    yield of("flipud", cube)
    yield of("rot90", "f4[a,b,3]")
    yield of("rot90", "f4[a,b,3]", k=3)
    yield of("roll", cube, shift=1, axis=1)
    yield of("roll", cube, shift=2)
    yield of("pad", "f4[a,3]", pad_width=((1, 2), (0, 1)))
    yield of("pad", "f4[a,3]", pad_width=((0, 0), (2, 1)), mode="reflect")
    yield of("pad", "f4[a,3]", pad_width=((0, 0), (2, 1)), mode="symmetric")
    yield of("tile", "f4[a,3]", repeats=(2, 3))
    yield of("repeat", "f4[a,3]", repeats=2, axis=1)
    yield of("repeat", "f4[a,3]", repeats=2)
    yield of("broadcast_to", "f4[1,3]", shape=(4, 3))
    yield of("copy", "f4[a,3]")
    yield of("diagonal", "f4[a,4,5]", axis1=1, axis2=2)
    yield of("diag", "f4[4]")
    yield of("diag", "f4[4,5]", k=1)
    yield of("diagflat", "f4[4]", k=-1)
    yield of("trace", "f4[a,4,4]", axis1=1, axis2=2)
    yield of("tril", "f4[a,4,5]", k=1)
    yield of("triu", "f4[a,4,5]", k=-1)
    yield of("view", "f4[a,3]", dtype="int32")


def _made() -> Iterator[Case]:
    for name in ("zeros_like", "ones_like"):
        yield of(name, "f4[a,b,3]")
    yield of("full_like", "f4[a,3]", fill_value=2.5)
    yield operator("keras.ops.zeros", lambda x: ops.zeros((ops.shape(x)[0], 2)) + x[:, :2], "f4[a,3]")
    yield operator("keras.ops.ones", lambda x: ops.ones((3,)) * x, "f4[a,3]")
    yield operator("keras.ops.full", lambda x: ops.full((3,), 2.0) * x, "f4[a,3]")
    yield operator("keras.ops.eye", lambda x: ops.matmul(x, ops.eye(3, 4, k=1)), "f4[a,3]")
    yield operator("keras.ops.identity", lambda x: ops.matmul(x, ops.identity(3)), "f4[a,3]")
    yield operator("keras.ops.tri", lambda x: ops.matmul(x, ops.tri(3)), "f4[a,3]")
    yield operator("keras.ops.arange", lambda x: ops.arange(ops.shape(x)[0]), "f4[a,3]")
    yield operator("keras.ops.linspace", lambda x, y: ops.linspace(x, y, 5), "f4[a,3] f4[a,3]")
    yield operator("keras.ops.logspace", lambda x, y: ops.logspace(x, y, 5), "f4[a,3]:unit f4[a,3]:unit")
    yield operator("keras.ops.geomspace", lambda x, y: ops.geomspace(x, y, 5), "f4[a,3]:pos f4[a,3]:pos")
    yield operator("keras.ops.meshgrid", lambda x, y: ops.meshgrid(x, y), "f4[a] f4[b]")
    yield operator("keras.ops.meshgrid ij", lambda x, y: ops.meshgrid(x, y, indexing="ij"), "f4[a] f4[b]")
    yield of("vander", "f4[4]", N=3)
    yield of("one_hot", "i4[a,3]:small", num_classes=6)
    yield of("one_hot", "i4[a,3]", num_classes=6, axis=1)
    yield of("multi_hot", "i4[a,3]:small", num_classes=6)
    yield of("shape", "f4[a,b,3]")
    yield of("size", "f4[a,b,3]")


def _joined() -> Iterator[Case]:
    two = "f4[a,3] f4[a,3]"
    for name in ("concatenate", "stack", "vstack", "hstack", "dstack"):
        yield operator(f"keras.ops.{name}", lambda x, y, n=name: getattr(ops, n)([x, y]), two)
    yield operator("keras.ops.concatenate(axis=1)", lambda x, y: ops.concatenate([x, y], axis=1), two)
    yield operator("keras.ops.stack(axis=1)", lambda x, y: ops.stack([x, y], axis=1), two)
    yield of("append", two, axis=0)
    yield of("split", "f4[a,6]", indices_or_sections=3, axis=1)
    yield of("split", "f4[a,6]", indices_or_sections=[1, 4], axis=1)
    yield of("array_split", "f4[a,7]", indices_or_sections=3, axis=1)
    yield of("hsplit", "f4[a,6]", indices_or_sections=2)
    yield of("vsplit", "f4[6,a]", indices_or_sections=2)
    yield of("dsplit", "f4[a,2,6]", indices_or_sections=2)
    yield of("unstack", "f4[a,3]", axis=1)
    yield of("kron", "f4[a,2] f4[2,3]")
    yield of("cross", two)
    yield of("outer", "f4[a] f4[b]")
    yield of("inner", "f4[a,3] f4[b,3]")
    yield of("dot", "f4[a,3] f4[3,4]")
    yield of("vdot", "f4[3] f4[3]")
    yield of("matmul", "f4[a,b,3] f4[3,4]")
    yield of("matmul", "i4[a,3] i4[3,2]")
    yield of("tensordot", "f4[a,3,4] f4[4,3,2]", axes=[[1, 2], [1, 0]])
    yield operator("keras.ops.einsum", lambda x, y: ops.einsum("abc,acd->abd", x, y), "f4[a,b,3] f4[a,3,4]")
    yield of("cdist", "f4[a,3] f4[b,3]")


def _taken() -> Iterator[Case]:
    yield of("take", "f4[a,5] i4[b]:small", axis=1)
    yield of("take", "f4[5,a] i4[b,2]:small", axis=0)
    yield of("take_along_axis", "f4[a,5] i4[a,2]:small", axis=1)
    yield operator("keras.ops.get_item", lambda x: ops.get_item(x, (slice(None), 1)), "f4[a,3]")
    yield operator("keras.ops.slice", lambda x: ops.slice(x, (0, 1), (2, 2)), "f4[5,3]")
    yield operator("keras.ops.slice_update", lambda x, y: ops.slice_update(x, (1, 1), y), "f4[5,3] f4[2,2]")
    yield operator("keras.ops.scatter", lambda i, v: ops.scatter(i, v, (7, 3)), "i4[a,1]:small f4[a,3]")
    yield operator(
        "keras.ops.scatter_update", lambda x, i, v: ops.scatter_update(x, i, v), "f4[7,3] i4[1,1]:small f4[1,3]"
    )
    yield of("nonzero", "f4[a,3]:zeros")
    yield of("sort", "f4[a,5]", axis=-1)
    yield of("argsort", "f4[a,5]", axis=-1)
    yield of("argsort", "f4[a,5]:ties", axis=-1)
    yield of("argpartition", "f4[a,5]", kth=2)
    yield operator("keras.ops.searchsorted", lambda x, y: ops.searchsorted(x, y), "f4[6]:sorted f4[a]")
    yield of("unique", "i4[7]:small")
    yield of("unravel_index", "i4[a]:small", shape=(3, 4))
    yield operator(
        "keras.ops.select", lambda c, d, x, y: ops.select([c, d], [x, y], 0.5), "b1[a,3] b1[a,3] f4[a,3] f4[a,3]"
    )
    yield of("argmax", "f4[a,b,3]:ties", axis=1)
    yield of("fold", "f4[a,12,4]", output_size=(3, 3), kernel_size=2)
    yield of("unfold", "f4[a,3,5,5]", kernel_size=2)


def _flows() -> Iterator[Case]:
    yield operator("keras.ops.cond", lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0), "f4[a,3]")
    yield operator(
        "keras.ops.switch",
        lambda i, x: ops.switch(i, [lambda v: v, lambda v: -v, lambda v: v * v], x),
        "i4[]:two f4[a,3]",
    )
    yield operator(
        "keras.ops.while_loop",
        lambda x: ops.while_loop(lambda i, _: i < 4, lambda i, v: (i + 1, v * 1.5), (0, x))[1],
        "f4[a,3]",
    )
    yield operator("keras.ops.fori_loop", lambda x: ops.fori_loop(0, 3, lambda _, v: v * 1.5, x), "f4[a,3]")
    yield operator("keras.ops.map", lambda x: ops.map(lambda row: row * ops.sum(row), x), "f4[a,3]")
    yield operator("keras.ops.scan", lambda x: ops.scan(lambda c, v: (c + v, c * v), x[0], x), "f4[5,3]")
    yield operator("keras.ops.associative_scan", lambda x: ops.associative_scan(ops.add, x), "f4[5,3]")
    yield operator(
        "keras.ops.vectorized_map", lambda x: ops.vectorized_map(lambda row: row * ops.sum(row), x), "f4[a,3]"
    )
