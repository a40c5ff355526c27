"""The providers by the names that users give them, and whether this machine has them."""

from __future__ import annotations

from assay.specs.errors import AssayError

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}


class UnknownProviderError(AssayError):
    """A provider that Assay has no name for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no provider {self.name!r}, but there are {', '.join(PROVIDERS)}"


def require_known(names: tuple[str, ...]) -> None:
    """Raise `UnknownProviderError` for a name that is in no catalogue: a slip of the user's, not of the machine's."""
    for name in names:
        if name not in PROVIDERS:
            raise UnknownProviderError(name)


def why_unavailable(name: str) -> str | None:
    """None where this machine's ONNX Runtime has the provider, else the reason in one sentence."""
    import onnxruntime as ort

    available = ort.get_available_providers()
    if PROVIDERS[name] in available:
        return None
    return f"this machine's ONNX Runtime {ort.__version__} has no {PROVIDERS[name]}, but has {', '.join(available)}"
