"""Probes: sets of inputs, each with a name and a purpose, made from the interface and from real samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from assay.conformance.data import take
from assay.converters.examples import numpy_dtype, trace_sizes, typical_feeds
from assay.specs.interface import Axis, Interface, TensorSpec

Feeds = Mapping[str, np.ndarray]
SEED = 20240131
REAL_SAMPLES = "real samples"
_BATCHES = (1, 2, 5)
_REAL_SAMPLES = 8


@dataclass(frozen=True)
class Probe:
    """One set of inputs, arrays by input name; ``natural`` where the values are of the usual magnitude."""

    name: str
    purpose: str
    feeds: Feeds
    natural: bool = True


def make_probes(interface: Interface, samples: Feeds | None = None) -> tuple[Probe, ...]:
    """Every probe of the default level: sizes, contents, masks, and real samples where there are some."""
    sizes = trace_sizes(interface)
    probes = [*_sizes(interface, sizes), *_contents(interface, sizes), *_masks(interface, sizes)]
    if samples is not None:
        probes.append(
            Probe(REAL_SAMPLES, "data as the model meets it in use", take(interface, samples, 0, _REAL_SAMPLES))
        )
    return tuple(probes)


def _sizes(interface: Interface, sizes: Mapping[str, int]) -> Iterator[Probe]:
    yield Probe("typical", "the sizes at which the model was traced", typical_feeds(interface.inputs, sizes, SEED))
    for seed, (name, axis) in enumerate(interface.axes.items(), SEED + 1):
        for size in _moved(axis, sizes[name]):
            feeds = typical_feeds(interface.inputs, {**sizes, name: size}, seed + 1000 * size)
            yield Probe(f"{name}={size}", f"the axis {name} moved alone, off the traced {sizes[name]}", feeds)


def _moved(axis: Axis, traced: int) -> list[int]:
    """Sizes to try, the traced one left out unless it is a batch size that is always tried."""
    if "batch" in axis.name:
        return [size for size in _BATCHES if axis.allows(size)]
    wanted = (axis.minimum, traced - 1, traced + 1, 2 * traced, axis.maximum or 0)
    return [size for size in dict.fromkeys(wanted) if size > 0 and size != traced and axis.allows(size)]


def _contents(interface: Interface, sizes: Mapping[str, int]) -> Iterator[Probe]:
    base = typical_feeds(interface.inputs, sizes, SEED)
    numeric = [
        spec for spec in interface.inputs if spec.role != "attention_mask" and spec.dtype not in ("bool", "string")
    ]
    if not numeric:
        return
    for name, (purpose, fill) in _FILLS.items():
        changed = {spec.name: fill(spec, base[spec.name]) for spec in numeric}
        if any(array is not None for array in changed.values()):
            feeds = {**base, **{key: array for key, array in changed.items() if array is not None}}
            yield Probe(name, purpose, feeds, natural=False)


def _masks(interface: Interface, sizes: Mapping[str, int]) -> Iterator[Probe]:
    """All other probes have masks of ones, under which a mask that was dropped does not show."""
    base = typical_feeds(interface.inputs, sizes, SEED)
    padded = {spec.name: _padded(base[spec.name]) for spec in interface.inputs if spec.role == "attention_mask"}
    if any((array == 0).any() for array in padded.values()):
        yield Probe("padded", "masks that end before the sequence, each row elsewhere", {**base, **padded})


def _padded(mask: np.ndarray) -> np.ndarray:
    """Ones up to a length that falls from row to row, and never to none."""
    if mask.ndim == 0:
        return mask
    rows = mask.reshape(-1, mask.shape[-1]) if mask.size else mask[:0]
    lengths = [max(1, mask.shape[-1] * (len(rows) - row) // (len(rows) + 1)) for row in range(len(rows))]
    kept = np.arange(mask.shape[-1]) < np.array(lengths, int).reshape(-1, 1)
    return kept.reshape(mask.shape).astype(mask.dtype)


def _low(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    return np.full_like(array, spec.range[0] if spec.range else 0)


def _high(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    return np.full_like(array, spec.range[1]) if spec.range else None


def _scaled(factor: float, spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not _is_float(spec) or spec.range is not None:
        return None
    scaled: np.ndarray = (array * array.dtype.type(factor)).astype(array.dtype)
    return scaled


def _ramp(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not _is_float(spec):
        return None
    low, high = spec.range or (-1.0, 1.0)
    return np.linspace(low, high, array.size).reshape(array.shape).astype(array.dtype)


def _impulse(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    if not _is_float(spec) or array.size == 0:
        return None
    low, high = spec.range or (0.0, 1.0)
    impulse = np.full(array.shape, low)
    impulse.flat[array.size // 2] = high
    return impulse.astype(array.dtype)


def _constant_rows(spec: TensorSpec, array: np.ndarray) -> np.ndarray | None:
    """Each row one value: zero variance, where a normalization shows its epsilon."""
    if not _is_float(spec) or array.ndim < 2:
        return None
    return np.broadcast_to(array[..., :1], array.shape).astype(array.dtype)


def _is_float(spec: TensorSpec) -> bool:
    return numpy_dtype(spec.dtype).kind not in "iub"


_FILLS = {
    "lowest": ("zero, or the low end of the range, everywhere", _low),
    "highest": ("the high end of the range everywhere", _high),
    "small": ("values a hundredth of the typical ones", lambda spec, array: _scaled(0.01, spec, array)),
    "large": ("values thirty times the typical ones", lambda spec, array: _scaled(30.0, spec, array)),
    "ramp": ("a rising ramp: order and direction of axes", _ramp),
    "impulse": ("one value apart from all others: positions", _impulse),
    "constant rows": ("rows without variance: epsilons", _constant_rows),
}
