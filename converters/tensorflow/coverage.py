"""How each operation of a source would be converted: every handler is tried, and nothing is written to disk."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx_ir as ir

from assay.converters.explanation import (
    CONSTANT,
    HANGING,
    NOTHING,
    REFUSED,
    WRITTEN,
    Coverage,
    Explanation,
    Place,
    ordered,
)
from assay.converters.sources.base import Source
from assay.converters.sources.keras_composites import composite_of
from assay.converters.sources.tf_function import TensorFlowSource
from assay.converters.tensorflow.conversion import Conversion, function_graph
from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.native_exporter import NAME, labels, require_opset, write
from assay.converters.tensorflow.registry import COMPOSERS
from assay.converters.tensorflow.tensor import Tensor

_CALLS = ("PartitionedCall", "StatefulPartitionedCall", "RemoteCall")


@dataclass(frozen=True)
class _Seen:
    """An operation that the conversion came to, and what became of it."""

    operator: str
    name: str
    state: str


class _Counting(Emitter):
    """An emitter that counts the nodes of each operation; those of a branch are gone where the branch is refused."""

    def __init__(self, opset: int) -> None:
        super().__init__(opset)
        self.written: dict[str, Counter[str]] = defaultdict(Counter)

    def nodes(
        self, operator: str, inputs: Sequence[ir.Value | None], outputs: int, /, domain: str = "", **attributes: Any
    ) -> list[ir.Value]:
        self.written[self._prefix][operator] += 1
        return super().nodes(operator, inputs, outputs, domain=domain, **attributes)


class _Witness(Conversion):
    """A conversion that remembers each operation."""

    def __init__(self, emitter: _Counting, variables: Mapping[int, str]) -> None:
        super().__init__(emitter, variables)
        self.written = emitter.written
        self.seen: dict[str, _Seen] = {}

    def _outputs(self, operation: Any, inputs: Sequence[Tensor | None], prefix: str) -> Sequence[Tensor | None]:
        name = prefix + operation.name
        self.written.pop(name, None)  # bodies of loops are tried more than once
        found = super()._outputs(operation, inputs, prefix)
        self.seen[name] = _Seen(_operator(operation), name, _state(found))
        return found


def explain(source: Source, opset: int | None) -> Explanation:
    """Try the handler of every operation of the source's function; raises `ConvertError`."""
    assert isinstance(source, TensorFlowSource)
    conversion = _Witness(_Counting(require_opset(source.name, opset)), labels(source.function))
    write(source, conversion)
    return Explanation(source.name, NAME, conversion.emitter.opset, ordered(list(_covered(conversion))))


def _operator(operation: Any) -> str:
    """The operator's type, or the layer that a marked call stands for."""
    mark = composite_of(function_graph(operation, "f")) if operation.type in _CALLS else None
    return operation.type if mark is None or mark.kind not in COMPOSERS else f"{operation.type} of {mark.kind}"


def _state(found: Sequence[Tensor | None]) -> str:
    if any(tensor is None for tensor in found):
        return HANGING
    return CONSTANT if found and all(tensor is not None and tensor.array is not None for tensor in found) else NOTHING


def _covered(conversion: _Witness) -> Iterator[Coverage]:
    written = conversion.written
    refused = {refusal.name: refusal for refusal in conversion.refusals}
    fates: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for seen in conversion.seen.values():
        refusal = refused.get(seen.name)
        state = REFUSED if refusal else WRITTEN if written.get(seen.name) and seen.state == NOTHING else seen.state
        fates[seen.operator, state, refusal.reason if refusal else ""].append(seen.name)
    for (operator, state, reason), names in fates.items():
        onnx = sum((written.get(name, Counter()) for name in names), Counter[str]()) if state == WRITTEN else {}
        told = [refused[name] for name in names] if state == REFUSED else []
        places = tuple(Place(refusal.name, refusal.layer, refusal.line) for refusal in told)
        yield Coverage(operator, state, len(names), dict(sorted(onnx.items())), reason, places)
