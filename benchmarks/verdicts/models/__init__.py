"""The healthy models: small architectures with weights and statistics that are far from their defaults."""

from __future__ import annotations

from verdicts.models import fixtures, keras_sequence, keras_vision, torch_dense, torch_sequence, torch_vision
from verdicts.models.registry import MODELS, Architecture, model

__all__ = [
    "MODELS",
    "Architecture",
    "fixtures",
    "keras_sequence",
    "keras_vision",
    "model",
    "torch_dense",
    "torch_sequence",
    "torch_vision",
]
