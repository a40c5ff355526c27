"""The operations that a PyTorch model runs, by the dispatcher: a TorchDispatchMode that keeps each result."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from assay.converters.passes.record_source_lines import LIBRARIES
from assay.converters.sources.recorded import Recorded
from assay.converters.sources.torch_runner import TorchSource, to_array

_OURS = str(Path(__file__).parents[2])
_NO_WORK = frozenset({"lift_fresh", "detach", "alias", "empty", "item", "_local_scalar_dense"})


def record_torch(source: TorchSource, feeds: Mapping[str, np.ndarray]) -> list[Recorded]:
    """One forward pass, watched."""
    recording = _Recording()
    with _module_paths(source.module, recording.path), recording:
        source.run(feeds)
    return recording.records


class _Recording(TorchDispatchMode):
    """Tensors are told apart by identity, so each is kept alive till the end."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.records: list[Recorded] = []
        self.path: list[str] = []
        self._makers: dict[int, int] = {}
        self._kept: list[torch.Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, torch.Tensor)]
        inputs = tuple(self._makers[id(tensor)] for tensor in tensors if id(tensor) in self._makers)
        if func.overloadpacket.__name__ in _NO_WORK:
            return result
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor) and not tensor.is_sparse:
                self._keep(func.overloadpacket.__name__, tensor, inputs)
        return result

    def _keep(self, op: str, tensor: torch.Tensor, inputs: tuple[int, ...]) -> None:
        with torch._C._DisableTorchDispatch():
            value = to_array(tensor)
        self._makers[id(tensor)] = len(self.records)
        self._kept.append(tensor)
        self.records.append(Recorded(op, value, inputs, self.path[-1] if self.path else None, _users_line()))


def _users_line() -> str | None:
    """The innermost frame that is no library's, as ``file.py:12``; beyond our own call it is none of the model's."""
    inside = traceback.extract_stack(limit=80)
    for frame in reversed([one for one in inside if not one.filename.endswith("torch_recording.py")]):
        if frame.filename.startswith(_OURS):
            return None
        if not any(part in frame.filename for part in LIBRARIES):
            return f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
    return None


@contextmanager
def _module_paths(module: Any, path: list[str]) -> Iterator[None]:
    """While it is open, ``path`` ends in the path of the module that runs."""
    handles = []
    for name, inner in module.named_modules() if isinstance(module, torch.nn.Module) else ():
        if name and not isinstance(inner, torch.jit.ScriptModule):
            handles.append(inner.register_forward_pre_hook(lambda _m, _i, name=name: path.append(name)))
            handles.append(inner.register_forward_hook(lambda _m, _i, _o: path.pop() and None, always_call=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
