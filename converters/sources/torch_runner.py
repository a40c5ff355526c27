"""What the PyTorch sources share: tensors in and out, inference mode, float64 and perturbed twins, digests."""

from __future__ import annotations

import dataclasses
import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from assay.converters.sources.base import ExactTwin, Feeds, Outputs, Runnable, Source, SourceError
from assay.converters.sources.torch_float64 import in_float64
from assay.converters.sources.torch_shaking import WAVER, Shaking, Wavering, move_by_ulps

_NUMBERS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


class TorchSource(Source):
    """A PyTorch model in any form that can be called and copied."""

    framework = "pytorch"
    module: Any

    @abstractmethod
    def copy_module(self) -> Any:
        """A copy whose weights may be changed."""

    def arguments(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments of a call with one value an input, in order."""
        return tuple(values), {}

    def results(self, value: Any) -> Any:
        """What a call gives, as `flatten` takes it."""
        return value

    def run(self, feeds: Feeds) -> Outputs:
        return self.run_module(self.module, feeds)

    def run_module(
        self,
        module: Any,
        feeds: Feeds,
        dtype: torch.dtype | None = None,
        mode: AbstractContextManager[Any] | None = None,
    ) -> Outputs:
        """One forward pass of this module or a twin of it, in a mode of dispatch where one is given.

        ``dtype`` is what floating inputs are cast to.
        """
        values = [to_tensor(feeds[spec.name], dtype) for spec in self.inputs]
        with inference(module), mode or nullcontext():
            args, kwargs = self.arguments(values)
            result = module(*args, **kwargs)
        named = self.name_outputs(list(flatten(self.results(result))))
        return {name: to_array(value) for name, value in named.items()}

    def exact(self) -> ExactTwin | None:
        return _Exact(self, self._double_copy())

    def perturbed(self, seed: int) -> Runnable | None:
        twin = self._moved_copy(seed, 1)
        return None if twin is None else _Twin(self, twin)

    def shaken(self, seed: int) -> Runnable | None:
        return _Shaken(self, self.module, Shaking, seed)

    def wavering(self, seed: int) -> Runnable | None:
        return _Shaken(self, self._moved_copy(seed, WAVER) or self.module, Wavering, seed)

    def _double_copy(self) -> Any:
        """A copy with weights in float64, or the module itself, whose weights are then cast where they are used."""
        try:
            return self.copy_module().double()
        except (RuntimeError, NotImplementedError, TypeError, AttributeError):
            return self.module

    def _moved_copy(self, seed: int, ulps: int) -> Any:
        """A copy with each weight moved, or None where there are none or it can't be copied."""
        try:
            twin = self.copy_module()
        except (RuntimeError, NotImplementedError, TypeError, AttributeError):
            return None
        generator = torch.Generator().manual_seed(seed)
        weights = [p for p in (*twin.parameters(), *twin.buffers()) if p.is_floating_point()]
        for weight in weights:
            move_by_ulps(weight, ulps, generator)
        return twin if weights else None

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        for name, value in self.state().items():
            if value.dtype in _NUMBERS and value.layout is torch.strided and not value.is_meta:
                yield name, _viewed(value)

    def state(self) -> Mapping[str, torch.Tensor]:
        """Parameters and buffers by their paths."""
        return {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}

    def sha256(self) -> str:
        digest = hashlib.sha256(f"{type(self.module).__qualname__}".encode())
        for name, value in sorted(self.state().items()):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class _Twin:
    source: TorchSource
    module: Any

    def run(self, feeds: Feeds) -> Outputs:
        return self.source.run_module(self.module, feeds)


class _Exact:
    """Every operation in float64, those too whose dtype the model's code names; see `torch_float64`."""

    def __init__(self, source: TorchSource, module: Any) -> None:
        self.source, self.module = source, module
        self._kept: set[str] = set()

    @property
    def kept(self) -> Sequence[str]:
        return sorted(self._kept)

    def run(self, feeds: Feeds) -> Outputs:
        return self.source.run_module(self.module, feeds, torch.float64, in_float64(self._kept))


@dataclasses.dataclass(frozen=True)
class _Shaken:
    source: TorchSource
    module: Any
    mode: type[Shaking]
    seed: int

    def run(self, feeds: Feeds) -> Outputs:
        return self.source.run_module(self.module, feeds, mode=self.mode(self.seed))


@contextmanager
def flat_outputs(source: TorchSource) -> Iterator[None]:
    """The module gives its outputs as one flat tuple, as exporters want them: no dataclass, None or number."""

    def flat(_module: Any, _inputs: Any, result: Any) -> tuple[Any, ...]:
        return tuple(value for _, value in flatten(source.results(result)))

    hook = source.module.register_forward_hook(flat)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def inference(module: Any) -> Iterator[None]:
    """Evaluation mode without gradients; each submodule gets its own mode back afterwards."""
    submodules = list(module.modules()) if isinstance(module, torch.nn.Module) else []
    modes = [(m, getattr(m, "training", False)) for m in submodules]  # frozen TorchScript has no mode
    if any(training for _, training in modes):
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for submodule, training in modes:
            if training:
                submodule.training = True


def flatten(value: Any, name: str | None = None) -> Iterator[tuple[str | None, Any]]:
    """The tensors of nested outputs, each with its dotted name; under a tuple there is no name."""
    if value is None:
        return
    if isinstance(value, torch.Tensor | torch.SymInt | torch.SymFloat | torch.SymBool):
        yield name, value
    elif isinstance(value, bool | int | float):
        yield name, torch.as_tensor(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from flatten(item, str(key) if name is None else f"{name}.{key}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from flatten({f.name: getattr(value, f.name) for f in dataclasses.fields(value)}, name)
    elif isinstance(value, tuple | list):
        fields = getattr(value, "_fields", None)
        for index, item in enumerate(value):
            yield from flatten(item, fields[index] if fields else None if name is None else f"{name}.{index}")
    else:
        raise SourceError("the model", f"gives a {type(value).__name__} among its outputs, but should give tensors")


def to_array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as an array that owns its memory; bfloat16 becomes ml_dtypes' bfloat16."""
    return _viewed(tensor).copy()


def _viewed(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as an array over its own memory, where it lies there as numpy wants it."""
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        import ml_dtypes

        array: np.ndarray = tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    else:
        array = tensor.numpy()
    return array


def to_tensor(array: np.ndarray, dtype: torch.dtype | None = None) -> torch.Tensor:
    """An array as a tensor with memory of its own; a floating one is cast where a dtype is given."""
    array = np.array(array, order="C")
    tensor = (
        torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        if array.dtype.name == "bfloat16"
        else torch.from_numpy(array)
    )
    return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
