"""Random sources, which no certificate can cover."""

from __future__ import annotations

from assay.converters.tensorflow.emitter import Emitter
from assay.converters.tensorflow.operation import Operation
from assay.converters.tensorflow.registry import RefusedError, handles
from assay.converters.tensorflow.tensor import Tensor

_SOURCES = (
    "RandomUniform",
    "RandomUniformInt",
    "RandomStandardNormal",
    "TruncatedNormal",
    "ParameterizedTruncatedNormal",
    "RandomShuffle",
    "RandomGammaV3",
    "RandomGamma",
    "RandomPoissonV2",
    "Multinomial",
    "StatelessRandomUniform",
    "StatelessRandomUniformV2",
    "StatelessRandomUniformInt",
    "StatelessRandomUniformIntV2",
    "StatelessRandomUniformFullInt",
    "StatelessRandomUniformFullIntV2",
    "StatelessRandomNormal",
    "StatelessRandomNormalV2",
    "StatelessTruncatedNormal",
    "StatelessTruncatedNormalV2",
    "StatelessMultinomial",
    "StatelessRandomBinomial",
    "StatelessRandomGammaV3",
    "StatelessRandomPoisson",
    "StatelessShuffle",
    "StatefulUniform",
    "StatefulUniformInt",
    "StatefulStandardNormalV2",
    "StatefulTruncatedNormal",
    "FractionalMaxPool",
    "FractionalAvgPool",
)


@handles(*_SOURCES)
def refused(_e: Emitter, _op: Operation) -> Tensor:
    """Two runs differ, or follow a generator that ONNX does not have."""
    raise RefusedError("draws random numbers, so that the two models can't be shown to be the same")
