"""Every entry of PyTorch's own operator database, each of its samples as a small module.

Tensors among a sample's arguments are inputs and the rest is baked into the module. The first axis is dynamic where
PyTorch takes the sample at another size, in all inputs that share its size, else in the first input alone; in linear
algebra only before the two axes of a matrix. Not judged
are: samples with complex or sparse tensors among their arguments; results that are no tensors; and whatever moves the
state of PyTorch's random generator, or gives another result where memory that is not initialised is filled with NaN.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from outcomes import Unjudgeable, told
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from assay.converters.sources.torch_runner import flatten, to_array
from assay.specs.interface import Axis, TensorSpec
from pytorch_cases.case import Case, Feeds

DTYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool, "float16": torch.float16}
_AXIS = "batch"
_MATRIX_AXES = 3
_OF_MATRICES = (
    *("cholesky", "cholesky_inverse", "cholesky_solve", "geqrf", "lu", "lu_solve", "lu_unpack", "matrix_exp", "ormqr"),
    *("pca_lowrank", "pinverse", "qr", "svd", "svd_lowrank", "triangular_solve"),
)


class Call(torch.nn.Module):
    """One call of an operator; its tensors are the arguments of ``forward``, complex results come as pairs."""

    def __init__(self, operator: Callable[..., Any], leaves: Sequence[Any], structure: Any) -> None:
        super().__init__()
        self.operator, self.leaves, self.structure = operator, list(leaves), structure

    def raw(self, *tensors: torch.Tensor) -> Any:
        """The operator's result as it comes."""
        given = iter(tensors)
        leaves = [next(given) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        args, kwargs = tree_unflatten(leaves, self.structure)
        return self.operator(*args, **kwargs)

    def forward(self, *tensors: torch.Tensor) -> Any:
        """The operator's tensors."""
        results = [result for _, result in flatten(self.raw(*tensors))]
        return tuple(torch.view_as_real(r.resolve_conj()) if r.is_complex() else r for r in map(_tensor, results))


def _tensor(result: Any) -> torch.Tensor:
    return result if isinstance(result, torch.Tensor) else torch.as_tensor(result)


@cache
def entries() -> Mapping[str, Any]:
    """Every entry of the database, by its name and variant."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {f"{op.name}{'.' if op.variant_test_name else ''}{op.variant_test_name}": op for op in op_db}


def names(samples: int | None) -> list[str]:
    """``ENTRY DTYPE #INDEX`` for each sample, float32 first."""
    found = []
    for dtype in DTYPES:
        for entry, operator in entries().items():
            if DTYPES[dtype] in operator.supported_dtypes("cpu"):
                found += samples_of(entry, dtype, samples)
    return found


def samples_of(entry: str, dtype: str, samples: int | None) -> list[str]:
    """The names of the cases of one entry."""
    return [f"{entry} {dtype} #{index}" for index in range(len(_samples(entry, dtype, samples)))]


@lru_cache(maxsize=8)
def _samples(entry: str, dtype: str, count: int | None) -> list[Any]:
    """The first samples of an entry, the same in every process; none where the database itself fails to make them."""
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    try:
        return list(islice(entries()[entry].sample_inputs("cpu", DTYPES[dtype]), count))
    except Exception:  # noqa: BLE001 - some need what this machine lacks
        return []


def _sample(entry: str, dtype: str, index: int) -> Any:
    """One sample; made with as many again, for to make each with all before it grows with the square."""
    return _samples(entry, dtype, 1 << index.bit_length())[index]


def case(name: str) -> Case:
    """The case of a sample."""
    entry, dtype, index = name.split(" ")
    sample = _sample(entry, dtype, int(index[1:]))
    args, axes = (sample.input, *sample.args), _MATRIX_AXES if _is_of_matrices(entry) else 1
    return of_call(name, entries()[entry].op, args, sample.kwargs, axes)


def _is_of_matrices(entry: str) -> bool:
    return entry.startswith("linalg.") or entry.partition(".")[0] in _OF_MATRICES


def of_call(
    name: str, operator: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], least_axes: int = 1
) -> Case:
    """A case of one call; a tensor has a dynamic axis from so many axes on. Raises `Unjudgeable`."""
    leaves, structure = tree_flatten((args, dict(kwargs)))
    tensors = [leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if any(t.is_complex() or t.layout is not torch.strided or t.is_quantized or t.is_nested for t in tensors):
        raise Unjudgeable("complex, quantized or sparse tensors among its arguments")
    module = Call(operator, leaves, structure)
    if not tensors:
        raise Unjudgeable("no tensor among its arguments")
    _require_repeatable(module, tensors)
    axes = _dynamic_axes(module, tensors, least_axes)
    inputs = {f"x{index}": _spec(f"x{index}", tensor, index in axes) for index, tensor in enumerate(tensors)}
    return Case(name, lambda: module, inputs, partial(_trials, tensors, axes))


def _spec(name: str, tensor: torch.Tensor, dynamic: bool) -> TensorSpec:
    dtype = str(tensor.dtype).removeprefix("torch.")
    dims: tuple[int | Axis, ...] = tuple(tensor.shape)
    if dynamic:
        dims = (Axis(_AXIS, example=tensor.shape[0]), *dims[1:])
    whole = not tensor.is_floating_point() and tensor.dtype is not torch.bool and tensor.numel()
    limits = (float(tensor.min()), float(tensor.max())) if whole else None
    return TensorSpec(name, dtype, dims, range=limits)


def _dynamic_axes(module: Call, tensors: Sequence[torch.Tensor], least: int) -> frozenset[int]:
    """The inputs whose first axis is dynamic: those for which PyTorch runs and traces the call at other sizes."""
    first = next((index for index, tensor in enumerate(tensors) if tensor.ndim >= least and tensor.shape[0] > 1), None)
    if first is None:
        return frozenset()
    size = tensors[first].shape[0]
    alike = frozenset(
        index
        for index, tensor in enumerate(tensors)
        # beside a batch of matrices goes a batch of their pivots
        if tensor.ndim >= (least if tensor.is_floating_point() else max(least - 1, 1)) and tensor.shape[0] == size
    )
    chosen = dict.fromkeys((alike, frozenset([first])))
    return next((axes for axes in chosen if _takes(module, tensors, axes)), frozenset())


def _takes(module: Call, tensors: Sequence[torch.Tensor], axes: frozenset[int]) -> bool:
    dims = tuple({0: torch.export.Dim(_AXIS)} if index in axes else None for index in range(len(tensors)))
    try:
        for size in _sizes(tensors, axes)[1:]:
            _run(module, _resized(tensors, axes, size))
        torch.export.export(module, tuple(tensors), dynamic_shapes=(dims,), strict=False)
    except Exception:  # noqa: BLE001 - an operator raises what it likes at a size that it does not take
        return False
    return True


def _sizes(tensors: Sequence[torch.Tensor], axes: frozenset[int]) -> list[int]:
    size = tensors[min(axes)].shape[0]
    return [size, size + 2, size - 1]


def _resized(tensors: Sequence[torch.Tensor], axes: frozenset[int], size: int) -> list[torch.Tensor]:
    """Rows are repeated in turn, numbers a little smaller each time, for what is equal has no order."""
    return [_rows(tensor, size) if index in axes else tensor for index, tensor in enumerate(tensors)]


def _rows(tensor: torch.Tensor, size: int) -> torch.Tensor:
    rows = torch.arange(size)
    taken = tensor[rows % tensor.shape[0]]
    if not tensor.is_floating_point():
        return taken
    scale = 0.9 ** (rows // tensor.shape[0]).to(tensor.dtype)
    return taken * scale.reshape(-1, *(1 for _ in tensor.shape[1:]))


def _trials(tensors: Sequence[torch.Tensor], axes: frozenset[int]) -> list[Feeds]:
    sizes = _sizes(tensors, axes) if axes else [0]
    return [
        {f"x{index}": to_array(tensor) for index, tensor in enumerate(_resized(tensors, axes, size))} for size in sizes
    ]


def _run(module: Call, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    with torch.no_grad():
        results = list(module(*(tensor.clone() for tensor in tensors)))
    if any(result.layout is not torch.strided for result in results):
        raise Unjudgeable("gives a sparse tensor")
    if any(result.dtype is torch.bfloat16 for result in results):
        raise Unjudgeable("gives bfloat16, which ONNX Runtime hands to nobody in Python")
    return results


class _Watch(TorchDispatchMode):
    """Tells whether an operation moves the state of PyTorch's generator, though its caller may put that back."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.drew = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        state = torch.get_rng_state()
        result = func(*args, **(kwargs or {}))
        self.drew = self.drew or not torch.equal(state, torch.get_rng_state())
        return result


def _require_repeatable(module: Call, tensors: Sequence[torch.Tensor]) -> None:
    try:
        with _Watch() as watch:
            plain = _run(module, tensors)
        numbers = not any(isinstance(leaf, torch.Tensor) for leaf in tree_flatten(module.raw(*tensors))[0])
        filled = _filled(module, tensors)
    except Exception as error:
        raise Unjudgeable(f"PyTorch: {type(error).__name__}: {told(str(error))}") from error
    if watch.drew:
        raise Unjudgeable("draws random numbers")
    if numbers:
        raise Unjudgeable("gives no tensor")
    if not all(torch.equal(a.nan_to_num(7.0), b.nan_to_num(7.0)) for a, b in zip(plain, filled, strict=True)):
        raise Unjudgeable("gives memory that is not initialised")


def _filled(module: Call, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Results where memory that is not initialised is filled with NaN."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        return _run(module, tensors)
    finally:
        torch.use_deterministic_algorithms(deterministic)
