"""Other exporters and other opsets for the same source."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import onnx

from assay import AssayError, convert
from verdicts.rewrites.registry import Inapplicable, Origin, Rewritten, rewrite

_TORCH = ("torch.onnx.dynamo", "torch.onnx.torchscript")
_OPSETS = (17, 18, 19, 21)


def _converted(origin: Origin, exporter: str | None, opset: int | None) -> onnx.ModelProto:
    own = origin.architecture
    folder = origin.folder / "exported"
    shutil.rmtree(folder, ignore_errors=True)
    bundle = convert(
        origin.source, folder, own.task, dict(own.inputs), opset=opset, exporter=exporter, outputs=own.outputs
    )
    return onnx.load(bundle.model)


@rewrite("exporter", "another exporter for the same source", contract=False)
def exporter(origin: Origin) -> Iterator[Rewritten]:
    """TorchScript for dynamo, and the other way round."""
    if origin.architecture.framework != "torch":
        return
    refused = []
    for name in _TORCH:
        if name != (origin.architecture.exporter or _TORCH[0]):
            try:
                yield Rewritten(name, _converted(origin, name, None))
            except AssayError as error:
                refused.append(f"{name}: {error}")
    if refused:
        raise Inapplicable("; ".join(refused)[:200])


@rewrite("export-opset", "the same exporter at other opsets", contract=False)
def export_opset(origin: Origin) -> Iterator[Rewritten]:
    """17 to 21, as far as the exporter writes them."""
    refused = []
    for opset in _OPSETS:
        try:
            yield Rewritten(str(opset), _converted(origin, origin.architecture.exporter, opset))
        except AssayError as error:
            refused.append(f"{opset}: {error}")
    if refused:
        raise Inapplicable("; ".join(refused)[:200])
