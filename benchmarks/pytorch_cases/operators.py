"""Every entry of PyTorch's own operator database, each of its samples as a small module.

Tensors among a sample's arguments are inputs and the rest is baked into the module. The first axis is dynamic where
PyTorch takes the sample at another size, in all inputs that share its size, else in the first input alone. Not judged
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
from torch.utils._pytree import tree_flatten, tree_unflatten

from assay.converters.sources.torch_runner import flatten, to_array
from assay.specs.interface import Axis, TensorSpec
from pytorch_cases.case import Case, Feeds

DTYPES = {"float32": torch.float32, "int64": torch.int64, "bool": torch.bool, "float16": torch.float16}
_AXIS = "batch"


class Call(torch.nn.Module):
    """One call of an operator; its tensors are the arguments of ``forward``, complex results come as pairs."""

    def __init__(self, operator: Callable[..., Any], leaves: Sequence[Any], structure: Any) -> None:
        super().__init__()
        self.operator, self.leaves, self.structure = operator, list(leaves), structure

    def forward(self, *tensors: torch.Tensor) -> Any:
        """The operator's result."""
        given = iter(tensors)
        leaves = [next(given) if isinstance(leaf, torch.Tensor) else leaf for leaf in self.leaves]
        args, kwargs = tree_unflatten(leaves, self.structure)
        results = [result for _, result in flatten(self.operator(*args, **kwargs))]
        return tuple(torch.view_as_real(r) if r.is_complex() else r for r in map(_tensor, results))


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
                count = len(_samples(entry, dtype, samples))
                found += [f"{entry} {dtype} #{index}" for index in range(count)]
    return found


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


def case(name: str) -> Case:
    """The case of a sample."""
    entry, dtype, index = name.split(" ")
    sample = _samples(entry, dtype, int(index[1:]) + 1)[int(index[1:])]
    return of_call(name, entries()[entry].op, (sample.input, *sample.args), sample.kwargs)


def of_call(name: str, operator: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Case:
    """A case of one call; raises `Unjudgeable`."""
    leaves, structure = tree_flatten((args, dict(kwargs)))
    tensors = [leaf.detach() for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if any(t.is_complex() or t.layout is not torch.strided or t.is_quantized or t.is_nested for t in tensors):
        raise Unjudgeable("complex, quantized or sparse tensors among its arguments")
    module = Call(operator, leaves, structure)
    if not tensors:
        raise Unjudgeable("no tensor among its arguments")
    _require_repeatable(module, tensors)
    axes = _dynamic_axes(module, tensors)
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


def _dynamic_axes(module: Call, tensors: Sequence[torch.Tensor]) -> frozenset[int]:
    """The inputs whose first axis is dynamic: those for which PyTorch runs and traces the call at other sizes."""
    first = next((index for index, tensor in enumerate(tensors) if tensor.ndim and tensor.shape[0] > 1), None)
    if first is None:
        return frozenset()
    size = tensors[first].shape[0]
    alike = frozenset(index for index, tensor in enumerate(tensors) if tensor.ndim and tensor.shape[0] == size)
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
    return results


def _require_repeatable(module: Call, tensors: Sequence[torch.Tensor]) -> None:
    state = torch.get_rng_state()
    try:
        plain, filled = _run(module, tensors), _filled(module, tensors)
    except Exception as error:
        raise Unjudgeable(f"PyTorch: {type(error).__name__}: {told(str(error))}") from error
    if not torch.equal(state, torch.get_rng_state()):
        raise Unjudgeable("draws random numbers")
    if not plain:
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
