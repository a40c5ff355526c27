"""SE: what a model could make the machine do that loads it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import onnx
import onnx_ir as ir

from assay.conformance.lint.candidate import StaticCandidate, declared_shape
from assay.conformance.lint.registry import FilePart, Subject, Violation, rule
from assay.conformance.lint.tensors import tensors

_PAGE = 4096
_MAPPED = 1 << 20  # tensors from this size on gain by being mapped
_UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LONG_NAME, _LONG_TEXT = 1024, 1 << 20
_DEEPEST = 16
_FOREIGN = frozenset({"PyOp", "PythonOp", "ATen", "TritonOp", "EPContext", "ExternalKernelCall"})
_ALLOCATED = 1 << 36  # elements
_CROWDED = 3 << 29  # bytes: three quarters of what one protobuf holds
_FILES = 1


@rule("SE001")
def external_data_is_contained(candidate: StaticCandidate) -> Iterator[Violation]:
    """External data lies whole in the model's folder."""
    for subject, tensor in tensors(candidate):
        fault = candidate.faults.get(id(tensor)) if isinstance(tensor, ir.ExternalTensor) else None
        if fault:
            yield Violation(subject, fault)


@rule("SE002")
def inline_data_is_whole(candidate: StaticCandidate) -> Iterator[Violation]:
    """Data inside the file has the length that dims and dtype ask for."""
    for subject, tensor in tensors(candidate):
        fault = None if isinstance(tensor, ir.ExternalTensor) else candidate.faults.get(id(tensor))
        if fault:
            yield Violation(subject, fault)


def _placed(candidate: StaticCandidate) -> Iterator[tuple[Subject, ir.ExternalTensor]]:
    """The tensors that lie whole where they should."""
    for subject, tensor in tensors(candidate):
        if isinstance(tensor, ir.ExternalTensor) and id(tensor) not in candidate.faults:
            yield subject, tensor


@rule("SE003")
def external_data_is_apart(candidate: StaticCandidate) -> Iterator[Violation]:
    """No two tensors share a part of their bytes; they share all or none."""
    placed: dict[Path, list[tuple[int, int, str, Subject]]] = defaultdict(list)
    for subject, tensor in _placed(candidate):
        start = tensor.offset or 0
        entry = start, start + tensor.nbytes, str(tensor.name), subject
        placed[candidate.data_files.place(tensor).path].append(entry)
    for entries in placed.values():
        yield from _overlaps(sorted(entries, key=lambda entry: entry[:3]))


def _overlaps(entries: list[tuple[int, int, str, Subject]]) -> Iterator[Violation]:
    for (start, end, name, _), (next_start, next_end, _, subject) in pairwise(entries):
        if next_start < end and (start, end) != (next_start, next_end):
            got = f"external data begins at byte {next_start} within that of {name!r}, which ends at {end}"
            yield Violation(subject, f"{got}, but should lie apart")


@rule("SE004")
def external_data_is_aligned(candidate: StaticCandidate) -> Iterator[Violation]:
    """Large tensors begin on a page of memory, so that runtimes can map them."""
    askew = [(s, t) for s, t in _placed(candidate) if t.nbytes >= _MAPPED and (t.offset or 0) % _PAGE]
    if askew:
        subject, tensor = askew[0]
        got = f"external data begins at byte {tensor.offset} ({len(askew)} such tensors)"
        yield Violation(subject, f"{got}, but should begin at a multiple of {_PAGE}", {"count": len(askew)})


@rule("SE005")
def external_data_has_its_digest(candidate: StaticCandidate) -> Iterator[Violation]:
    """Where a checksum is stated, the file has it."""
    contained = {os_name(tensor) for _, tensor in _placed(candidate)}
    for tensor in candidate.proto.graph.initializer:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        stated, location = entries.get("checksum"), entries.get("location", "")
        if not stated or location not in contained:
            continue
        digest = _sha1(candidate.path.parent / location)
        if digest != stated.lower():
            part = FilePart(location, tensor.name)
            yield Violation(part, f"SHA-1 is {digest}, but should be {stated[:64]} as {tensor.name!r} states")


def os_name(tensor: ir.ExternalTensor) -> str:
    """The location as the file writes it."""
    return str(tensor.location)


@cache
def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


@rule("SE006")
def name_is_clean(candidate: StaticCandidate) -> Iterator[Violation]:
    """No name holds what steers a terminal, breaks a line or turns the direction of writing."""
    unclean = [(subject, name) for subject, name in _names(candidate) if _UNCLEAN.search(name)]
    if unclean:
        subject, name = unclean[0]
        got = f"name {name[:80]!a} holds a control character ({len(unclean)} such names)"
        yield Violation(subject, f"{got}, but should hold characters that show", {"count": len(unclean)})


@rule("SE007")
def text_is_short(candidate: StaticCandidate) -> Iterator[Violation]:
    """No name or text is so long that it is none."""
    for subject, name in _names(candidate):
        if len(name) > _LONG_NAME:
            yield Violation(subject, f"name has {len(name)} characters, but should have at most {_LONG_NAME}")
    for entry in candidate.proto.metadata_props:
        if len(entry.value) > _LONG_TEXT:
            got = f"metadata has {len(entry.value)} characters"
            yield Violation(
                FilePart(candidate.path.name, entry.key[:80]), f"{got}, but should have at most {_LONG_TEXT}"
            )


def _names(candidate: StaticCandidate) -> Iterator[tuple[Subject, str]]:
    """Each value and node by its name, and the operators of nodes."""
    for graph in candidate.graphs:
        for value in (*graph.inputs, *graph.initializers.values()):
            yield value, _text(value.name)
    for node in candidate.all_nodes:
        yield node, _text(node.name)
        yield node, _text(node.op_type)
        for value in node.outputs:
            yield value, _text(value.name)


def _text(name: str | bytes | None) -> str:
    return name.decode(errors="backslashreplace") if isinstance(name, bytes) else name or ""


@rule("SE008")
def graph_is_shallow(candidate: StaticCandidate) -> Iterator[Violation]:
    """Subgraphs do not nest so deep that readers run out of stack."""
    for graph, owner in candidate.owners.items():
        depth, around = 1, owner
        while isinstance(around.graph, ir.Graph) and around.graph in candidate.owners:
            depth, around = depth + 1, candidate.owners[around.graph]
        if depth == _DEEPEST + 1:
            yield Violation(owner, f"graph {graph.name!r} lies {depth} deep, but should lie at most {_DEEPEST} deep")


@rule("SE009")
def code_is_the_graph(candidate: StaticCandidate) -> Iterator[Violation]:
    """No operator runs code that is not in the graph."""
    for node in candidate.nodes(*_FOREIGN, domain=None):
        if node.domain and node.op_identifier() not in candidate.model.functions:
            got = f"{node.op_type} of {node.domain} runs code that the graph does not show"
            yield Violation(node, f"{got}, but should be operators that anyone can read")


@rule("SE010")
def allocation_is_bounded(candidate: StaticCandidate) -> Iterator[Violation]:
    """No tensor is so large that no machine holds it."""
    for value in (*candidate.inputs, *candidate.outputs):
        yield from _absurd(value, declared_shape(value))
    values = {value.name: value for node in candidate.graph for value in node.outputs}
    for name, shape in candidate.shapes.items():
        if name in values:
            yield from _absurd(values[name], shape)


def _absurd(value: ir.Value, shape: tuple[int | str | None, ...] | None) -> Iterator[Violation]:
    size = 1
    for dim in shape or ():
        size *= dim if isinstance(dim, int) and dim > 0 else 1
        if size > _ALLOCATED:
            yield Violation(value, f"has {size} elements or more, but should have at most {_ALLOCATED}")
            return


@rule("SE011")
def protobuf_has_room(candidate: StaticCandidate) -> Iterator[Violation]:
    """The file is not so near the limit of protobuf that the next tool can't write it."""
    size = candidate.path.stat().st_size
    if size > _CROWDED:
        got = f"has {size} bytes of the {onnx.checker.MAXIMUM_PROTOBUF} that a protobuf holds"
        yield Violation(FilePart(candidate.path.name), f"{got}, but should keep its weights apart")


@rule("SE012")
def external_data_is_one_file(candidate: StaticCandidate) -> Iterator[Violation]:
    """External data lies in one file, which moves and is signed as one."""
    files = {str(tensor.location) for _, tensor in tensors(candidate) if isinstance(tensor, ir.ExternalTensor)}
    if len(files) > _FILES:
        part = FilePart(candidate.path.name)
        yield Violation(
            part, f"external data lies in {len(files)} files, but should lie in one", {"files": sorted(files)[:10]}
        )
