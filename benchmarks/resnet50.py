"""ResNet-50 (K. He et al., 2015; stride in the 3x3 convolution): 25.6 million random weights, of natural statistics."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

INPUTS = {"image": "float32[batch,3,224,224] in -3..3"}
_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; ``width`` channels inside, four times as many outside."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(channels, width, 1, 1),
            nn.ReLU(),
            *_convolution(width, width, 3, stride),
            nn.ReLU(),
            *_convolution(width, 4 * width, 1, 1),
        )
        same = stride == 1 and channels == 4 * width
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(channels, 4 * width, 1, stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float32[batch, channels, height, width] to float32[batch, 4 * width, height / stride, width / stride]."""
        result: torch.Tensor = torch.relu(self.body(x) + self.shortcut(x))
        return result


class ResNet50(nn.Module):
    """Images of 224 x 224 to 1000 logits."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        channels = 64
        for width, count, stride in _STAGES:
            for index in range(count):
                blocks.append(Bottleneck(channels, width, stride if index == 0 else 1))
                channels = 4 * width
        self.stem = nn.Sequential(*_convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, 1000)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """float32[batch, 3, 224, 224] to float32[batch, 1000]."""
        logits: torch.Tensor = self.head(self.blocks(self.stem(image)).mean((2, 3)))
        return logits


def build() -> nn.Module:
    """The same weights each time, with running statistics that are not those of a fresh model."""
    torch.manual_seed(0)
    model = ResNet50().eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
            layer.bias.data.normal_(0, 0.1)
    return model


def _convolution(channels: int, width: int, kernel: int, stride: int) -> tuple[Any, ...]:
    return nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(width)
