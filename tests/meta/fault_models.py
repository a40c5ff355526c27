"""Small models of both frameworks in which faults are planted one at a time; their weights are not trivial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Subject:
    """A healthy model with the specification of its inputs and the exporter that writes it."""

    build: Any
    inputs: dict[str, str]
    exporter: str | None = None


def attention() -> Any:
    """A transformer layer with a mask, GELU by erf, epsilons of 1e-12, and two outputs of one shape."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
            self.norm, self.last = nn.LayerNorm(8, eps=1e-12), nn.LayerNorm(8, eps=1e-12)
            self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)
            self.left, self.right = nn.Linear(8, 3), nn.Linear(8, 3)

        def split(self, x: Any) -> Any:
            return x.reshape(x.shape[0], x.shape[1], 2, 4).transpose(1, 2)

        def forward(self, x: Any, mask: Any) -> Any:
            q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
            scores = q @ k.transpose(2, 3) * 0.5 + (mask[:, None, None, :] - 1.0) * 4.0
            mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(x.shape[0], x.shape[1], 8)
            hidden = self.norm(x + self.out(mixed))
            hidden = self.last(hidden + self.down(functional.gelu(self.up(hidden))))
            pooled = hidden.mean(1)
            return {"left": torch.log_softmax(self.left(pooled), -1), "right": torch.tanh(self.right(pooled))}

    torch.manual_seed(0)
    return Attention()


def vision() -> Any:
    """Convolutions, a normalization with statistics, pooling, and a resize."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Vision(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.InstanceNorm2d(6, affine=True)
            self.deep, self.head = nn.Conv2d(6, 8, 3, padding=1), nn.Linear(8, 5)
            nn.init.uniform_(self.norm.weight, 0.5, 1.5)

        def forward(self, image: Any) -> Any:
            x = functional.max_pool2d(torch.relu(self.norm(self.stem(image))), 2)
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = functional.leaky_relu(self.deep(x), 0.1).mean((2, 3))
            return self.head(x)

    torch.manual_seed(0)
    return Vision()


def keras_vision() -> Any:
    """The same in Keras, with batch statistics and a softmax."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 16, 3), name="image"),
            layers.Conv2D(6, 3, padding="same", bias_initializer="random_normal"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Conv2D(8, 3, strides=2, bias_initializer="random_normal"),
            layers.LeakyReLU(0.1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, "softmax", bias_initializer="random_normal"),
        ]
    )
    generator = np.random.default_rng(0)
    norm = model.get_layer("norm")
    norm.set_weights([generator.uniform(0.5, 1.5, w.shape).astype("float32") for w in norm.get_weights()])
    return model


def keras_text() -> Any:
    """Tokens, a normalization, GELU, and two outputs of one shape."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    ids = keras.Input((None,), dtype="int32", name="ids")
    hidden = layers.LayerNormalization(epsilon=1e-6)(layers.Embedding(50, 8)(ids))
    hidden = layers.Dense(16, "gelu", bias_initializer="random_normal")(hidden)
    pooled = layers.GlobalAveragePooling1D()(hidden)
    heads = {
        name: layers.Dense(3, "tanh", name=name, bias_initializer="random_normal")(pooled) for name in ("left", "right")
    }
    return keras.Model(ids, heads)


_ATTENTION = {"x": "float32[batch,time>=2,8]", "mask": "float32[batch,time>=2] in 0..1"}
_IMAGE = {"image": "float32[batch,3,height>=8=12,width>=8=16]"}
SUBJECTS = {
    "attention": Subject(attention, _ATTENTION),
    "attention by TorchScript": Subject(attention, _ATTENTION, "torch.onnx.torchscript"),
    "vision": Subject(vision, _IMAGE),
    "Keras vision": Subject(keras_vision, {"image": "float32[batch,12,16,3]"}),
    "Keras text": Subject(keras_text, {"ids": "int32[batch,time>=2] in 0..49"}),
}
