"""A checkpoint's model: its architecture from ``config.json``, its weights left where they lie in the shards.

Parameters are tensors over the mapped file, so that the same module traces without reading a weight and runs as the
reference; what the checkpoint does not hold (rotary tables, positions) the model's own code computes.
"""

from __future__ import annotations

import mmap
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from assay.converters.safetensors_file import PlacedTensor
from assay.converters.sources.base import SourceError
from assay.converters.sources.checkpoint_files import CheckpointFiles
from assay.specs.errors import brief

_CAST = 1 << 20  # bytes; larger tensors are not cast, for a cast copies them
_CHUNK = 1 << 26  # bytes
_SPARE_PARAMETERS = 1000
_LISTED = 3


@dataclass(frozen=True)
class MappedModel:
    """A module in evaluation mode, and where each of its tensors that are used as stored lies, by its address."""

    module: torch.nn.Module
    places: Mapping[int, PlacedTensor]


def mapped_model(files: CheckpointFiles, name: str, trusted: bool) -> MappedModel:
    """Build the model and lay its tensors over the shards; raises `SourceError` where they do not fit."""
    module = _skeleton(files, name, trusted)
    stored = _by_parameter(files.tensors, module)
    _require_all(module, stored, name)
    _require_ties(module, stored, name)
    places = _attach(module, stored, name)
    _require_values(module, name)
    return MappedModel(module.eval(), places)


def _skeleton(files: CheckpointFiles, name: str, trusted: bool) -> torch.nn.Module:
    """The module with parameters that have no memory, and buffers that its own code has computed."""
    if "quantization_config" in files.config:
        raise SourceError(name, "holds quantized weights (quantization_config), but should hold weights as trained")
    try:
        with _without_memory(_SPARE_PARAMETERS + 2 * len(files.tensors)):
            return _architecture(files, name, trusted)
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            name, f"can't be built from its config.json: {type(error).__name__}: {brief(error)}"
        ) from error


def _architecture(files: CheckpointFiles, name: str, trusted: bool) -> torch.nn.Module:
    import transformers

    options = {"local_files_only": True, "trust_remote_code": trusted}
    config = transformers.AutoConfig.from_pretrained(files.folder, **options)
    config.use_cache = False
    kind = _class_of(files, name, trusted)
    dtype = getattr(config, "dtype", None) or getattr(torch, files.main_dtype() or "float32")
    module: torch.nn.Module = kind._from_config(config, dtype=dtype)
    _require_one_dtype(module, config.dtype, name)
    return module


def _class_of(files: CheckpointFiles, name: str, trusted: bool) -> Any:
    import transformers
    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    named = files.config.get("architectures")
    if not isinstance(named, list) or len(named) != 1 or not isinstance(named[0], str):
        raise SourceError(name, f"names the architectures {str(named)[:200]} in its config.json, but should name one")
    if isinstance(found := getattr(transformers, named[0], None), type) and hasattr(found, "_from_config"):
        return found
    places = files.config.get("auto_map") or {}
    place = next((p for p in places.values() if isinstance(p, str) and p.endswith(f".{named[0]}")), None)
    if place is None:
        raise SourceError(name, f"names the architecture {named[0]}, which transformers does not have")
    if not trusted:
        raise SourceError(name, f"brings the code of {named[0]} with it; add --trust-source to run it")
    return get_class_from_dynamic_module(place, files.folder, local_files_only=True)


def _require_one_dtype(module: torch.nn.Module, dtype: torch.dtype, name: str) -> None:
    """Some classes have layers that transformers widens when it loads them, which copies their weights."""
    patterns = set(getattr(module, "_keep_in_fp32_modules_strict", None) or ()) if dtype.itemsize < 4 else set()
    patterns |= set(getattr(module, "_keep_in_fp32_modules", None) or ()) if dtype is torch.float16 else set()
    wide = [path for path, _ in module.named_parameters() if any(pattern in path for pattern in patterns)]
    if wide:
        due = "so its dtype in config.json and in the shards should be float32"
        raise SourceError(name, f"computes {wide[0]} in float32, but is {str(dtype).removeprefix('torch.')}; {due}")


@contextmanager
def _without_memory(most: int) -> Iterator[None]:
    """Parameters that are made inside have no memory, or lose it when registered; more than ``most`` are no model's."""
    count = 0

    def register(_module: torch.nn.Module, _path: str, parameter: torch.nn.Parameter | None) -> Any:
        nonlocal count
        count += 1
        if count > most:
            raise ValueError(f"makes more than {most} parameters, which the checkpoint does not hold")
        if parameter is None or parameter.device.type == "meta":
            return None
        return torch.nn.Parameter(parameter.detach().to("meta"), requires_grad=False)

    handle = register_module_parameter_registration_hook(register)
    try:
        with _EmptyOnMeta():
            yield
    finally:
        handle.remove()


class _EmptyOnMeta(TorchFunctionMode):
    """What is made without values gets no memory: weights before they are loaded, some larger than the machine's."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _by_parameter(tensors: Mapping[str, PlacedTensor], module: torch.nn.Module) -> dict[str, PlacedTensor]:
    """The tensors by the paths of the module, where they were saved with or without the path of the base model."""
    prefix = f"{getattr(module, 'base_model_prefix', '')}."
    wanted = set(_state(module))
    if prefix == "." or wanted & tensors.keys():
        return dict(tensors)
    if any(f"{prefix}{path}" in wanted for path in tensors):
        return {f"{prefix}{path}" if f"{prefix}{path}" in wanted else path: t for path, t in tensors.items()}
    return {path.removeprefix(prefix): tensor for path, tensor in tensors.items()}


def _state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by every path that they have; tied ones under each."""
    return dict(module.state_dict(keep_vars=True))


def _require_all(module: torch.nn.Module, stored: Mapping[str, PlacedTensor], name: str) -> None:
    """What the model has, the checkpoint holds in its shape, and the other way around."""
    state = _state(module)
    held = {id(state[path]) for path in stored if path in state}
    missing = [path for path, tensor in state.items() if id(tensor) not in held]
    missing = _unmatched(missing, getattr(module, "_keys_to_ignore_on_load_missing", None))
    if missing:
        raise SourceError(name, f"lacks {_listed(missing)}, which {type(module).__name__} has")
    own = {path for path, _ in module.named_buffers(remove_duplicate=False)}  # those that are not saved, too
    extra = [path for path in stored if path not in state and path not in own]
    extra = _unmatched(extra, getattr(module, "_keys_to_ignore_on_load_unexpected", None))
    if extra:
        raise SourceError(name, f"holds {_listed(extra)}, which {type(module).__name__} does not have")
    for path in sorted(stored.keys() & state.keys()):
        due, got = tuple(state[path].shape), stored[path].shape
        if due != got:
            raise SourceError(name, f"holds {path} with the shape {list(got)}, but should with {list(due)}")


def _unmatched(paths: Iterable[str], patterns: Iterable[str] | None) -> list[str]:
    """The paths that none of the class's patterns finds."""
    return [path for path in paths if not any(re.search(pattern, path) for pattern in patterns or ())]


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return f"the {'tensor' if len(paths) == 1 else 'tensors'} {', '.join(paths[:_LISTED])}{more}"


def _require_ties(module: torch.nn.Module, stored: Mapping[str, PlacedTensor], name: str) -> None:
    """Tensors that the model ties are stored once, or alike."""
    first: dict[int, str] = {}
    for path, tensor in _state(module).items():
        if path in stored:
            other = first.setdefault(id(tensor), path)
            if other != path and not _same_bytes(stored[other], stored[path]):
                due = "but should be the same, for config.json ties them"
                raise SourceError(name, f"holds {other} and {path} with values that differ, {due}")


def _same_bytes(one: PlacedTensor, other: PlacedTensor) -> bool:
    if (one.dtype, one.length) != (other.dtype, other.length):
        return False
    with one.file.open("rb") as left, other.file.open("rb") as right:
        left.seek(one.offset)
        right.seek(other.offset)
        steps = (min(_CHUNK, one.length - start) for start in range(0, one.length, _CHUNK))
        return all(left.read(step) == right.read(step) for step in steps)


def _require_values(module: torch.nn.Module, name: str) -> None:
    """No tensor is left that neither the checkpoint nor the model's code gives values."""
    tensors = (*module.named_parameters(), *module.named_buffers())
    empty = [path for path, tensor in tensors if tensor.device.type == "meta"]
    if empty:
        raise SourceError(name, f"lacks {_listed(empty)}, which {type(module).__name__} has")


def _attach(module: torch.nn.Module, stored: Mapping[str, PlacedTensor], name: str) -> dict[int, PlacedTensor]:
    """Put the stored tensors in place of the module's own, one for all that are tied; gives their places."""
    maps: dict[Path, mmap.mmap] = {}
    state = _state(module)
    fresh: dict[int, torch.Tensor] = {}
    places: dict[int, PlacedTensor] = {}
    for path, own in state.items():
        if path in stored and id(own) not in fresh:
            laid = _over(stored[path], maps)
            fresh[id(own)] = _as_declared(laid, own, path, name)
            if fresh[id(own)] is laid and laid.numel() and stored[path].is_aligned:
                places[laid.data_ptr()] = stored[path]
    for submodule in module.modules():
        for held, wrap in (
            (submodule._parameters, partial(torch.nn.Parameter, requires_grad=False)),
            (submodule._buffers, _itself),
        ):
            _replace(held, fresh, wrap)
    return places


def _itself(tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def _replace(held: Any, fresh: dict[int, torch.Tensor], wrap: Any) -> None:
    for key, own in held.items():
        if own is not None and id(own) in fresh:
            tensor = fresh[id(own)]
            held[key] = fresh[id(own)] = tensor if isinstance(tensor, torch.nn.Parameter) else wrap(tensor)


def _over(stored: PlacedTensor, maps: dict[Path, mmap.mmap]) -> torch.Tensor:
    """A tensor whose memory is the file's; a copy where it is not aligned."""
    dtype: torch.dtype = getattr(torch, stored.dtype)
    if stored.length == 0:
        return torch.empty(stored.shape, dtype=dtype)
    if stored.file not in maps:
        with stored.file.open("rb") as file:
            maps[stored.file] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    memory: Any = maps[stored.file]
    offset, count = stored.offset, stored.length // dtype.itemsize
    if not stored.is_aligned:
        memory, offset = bytearray(memory[offset : offset + stored.length]), 0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # and nothing writes to it
        return torch.frombuffer(memory, dtype=dtype, count=count, offset=offset).view(stored.shape)


def _as_declared(tensor: torch.Tensor, own: torch.Tensor, path: str, name: str) -> torch.Tensor:
    """The tensor in the dtype that the model has for it; small ones are cast, as transformers casts all."""
    if tensor.dtype == own.dtype:
        return tensor
    if not (tensor.is_floating_point() and own.is_floating_point()) or tensor.nbytes > _CAST:
        got, due = (str(dtype).removeprefix("torch.") for dtype in (tensor.dtype, own.dtype))
        raise SourceError(name, f"holds {path} as {got}, but should as {due}, the dtype in its config.json")
    return tensor.to(own.dtype)
