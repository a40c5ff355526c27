"""What the optimizers and converters of the installed packages make of a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import onnx
import onnxruntime as ort
from onnx import version_converter

from verdicts.graph import Graph, opset
from verdicts.rewrites.registry import Inapplicable, Origin, Rewritten, rewrite

_LEVELS = {
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
}
_LATEST = 23
_TRANSFORMERS = {"encoder": "bert", "keras_transformer": "bert", "decoder": "gpt2", "vit": "vit", "swin": "swin"}


@rewrite("ort-saved", "ONNX Runtime's optimized model, saved", contract=False)
def ort_saved(origin: Origin) -> Iterator[Rewritten]:
    """Basic and extended; the third level is bound to the machine that made it."""
    for level, value in _LEVELS.items():
        path = origin.folder / f"saved_{level}.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level, options.optimized_model_filepath = value, str(path)
        options.log_severity_level = 4
        ort.InferenceSession(origin.subject.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        yield Rewritten(level, onnx.load(path))


@rewrite("opset-upgrade", "newer versions of the operators, by onnx.version_converter", contract=False)
def opset_upgrade(origin: Origin) -> Iterator[Rewritten]:
    """Each up to 23."""
    refused = []
    for version in range(opset(origin.subject.model) + 1, _LATEST + 1):
        try:
            made = version_converter.convert_version(origin.subject.model, version)
        except Exception as error:  # noqa: BLE001 - the converter raises RuntimeError and its own kinds
            refused.append(f"{version}: {error}")
            continue
        made.metadata_props.extend(origin.subject.model.metadata_props[len(made.metadata_props) :])
        yield Rewritten(str(version), made)
    if refused:
        raise Inapplicable("; ".join(refused)[:200])


@rewrite("onnx-ir-passes", "common passes of onnx-ir")
def ir_passes(origin: Origin) -> Iterator[Rewritten]:
    """Constants lifted, equal initializers and subexpressions shared, unused nodes removed."""
    import onnx_ir as ir
    import onnx_ir.passes.common as common

    for label, made in (
        ("lift", common.LiftConstantsToInitializersPass()),
        ("deduplicate", common.DeduplicateInitializersPass()),
        ("subexpressions", common.CommonSubexpressionEliminationPass()),
        ("identities", common.IdentityEliminationPass()),
    ):
        model = ir.from_proto(Graph.copy(origin.subject.model).model)
        made(model)
        yield Rewritten(label, ir.to_proto(model))


@rewrite("onnxscript-optimizer", "onnxscript's optimizer and rewriter", contract=False)
def onnxscript_optimizer(origin: Origin) -> Iterator[Rewritten]:
    """Constant folding and its default rules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnxscript import optimizer, rewriter

        yield Rewritten("optimize", optimizer.optimize(Graph.copy(origin.subject.model).model))
        yield Rewritten("rewrite", rewriter.rewrite(Graph.copy(origin.subject.model).model))


@rewrite("ort-transformers", "fusions of onnxruntime.transformers", contract=False)
def ort_transformers(origin: Origin) -> Iterator[Rewritten]:
    """For models with attention, by the kind that is nearest."""
    kind = _TRANSFORMERS.get(origin.architecture.name)
    if kind is None:
        return
    from onnxruntime.transformers import optimizer

    path = origin.folder / "transformer.onnx"
    onnx.save(origin.subject.model, path)
    for level in (0, 1):
        made = optimizer.optimize_model(str(path), model_type=kind, num_heads=4, hidden_size=0, opt_level=level)
        target = origin.folder / f"transformer_{level}.onnx"
        made.save_model_to_file(str(target))
        yield Rewritten(f"{kind}-{level}", onnx.load(target))
