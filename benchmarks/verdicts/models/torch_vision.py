"""Healthy PyTorch models that look at pictures."""

from __future__ import annotations

from typing import Any

from verdicts.models.registry import model
from verdicts.models.torch_weights import randomised

_PICTURE = {"input": "float32[batch,3,height>=16=24,width>=16=28]"}


@model("convnet", "torch", _PICTURE)
def convnet() -> Any:
    """Convolutions with batch normalisation, max and average pooling."""
    from torch import nn

    layers = [
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32, eps=1e-3),
        nn.LeakyReLU(0.1),
        nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        nn.Conv2d(32, 32, (3, 5), padding=(1, 2)),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    ]
    return randomised(nn.Sequential(*layers), 1)


@model("residual", "torch", _PICTURE)
def residual() -> Any:
    """Three residual blocks, one with a strided shortcut."""
    from torch import Tensor, nn

    class Block(nn.Module):
        def __init__(self, width_in: int, width: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(width)
            self.short = nn.Conv2d(width_in, width, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            y = self.norm1(self.conv1(x)).relu()
            return (self.norm2(self.conv2(y)) + self.short(x)).relu()  # type: ignore[no-any-return]

    blocks = [nn.Conv2d(3, 16, 7, 2, 3), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2), Block(32, 32, 1)]
    return randomised(nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 7)), 2)


@model("depthwise", "torch", _PICTURE)
def depthwise() -> Any:
    """Inverted bottlenecks with depthwise convolutions, hard-swish, ReLU6 and squeeze-and-excitation."""
    from torch import Tensor, nn

    class Bottleneck(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            wide = 4 * width
            self.expand = nn.Sequential(nn.Conv2d(width, wide, 1), nn.BatchNorm2d(wide), nn.Hardswish())
            self.depth = nn.Sequential(nn.Conv2d(wide, wide, 3, 1, 1, groups=wide), nn.BatchNorm2d(wide), nn.ReLU6())
            self.squeeze = nn.Sequential(nn.Conv2d(wide, 8, 1), nn.ReLU(), nn.Conv2d(8, wide, 1), nn.Hardsigmoid())
            self.project = nn.Sequential(nn.Conv2d(wide, width, 1), nn.BatchNorm2d(width))

        def forward(self, x: Tensor) -> Tensor:
            y = self.depth(self.expand(x))
            y = y * self.squeeze(y.mean((2, 3), keepdim=True))
            return x + self.project(y)  # type: ignore[no-any-return]

    stem = [nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.SiLU()]
    return randomised(
        nn.Sequential(*stem, Bottleneck(12), Bottleneck(12), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5)), 3
    )


@model("grouped", "torch", _PICTURE)
def grouped() -> Any:
    """Grouped convolutions with a channel shuffle between them."""
    from torch import Tensor, nn

    class Shuffle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            batch, width, height, columns = x.shape
            mixed = x.reshape(batch, 4, width // 4, height, columns).transpose(1, 2)
            return mixed.reshape(batch, width, height, columns)

    layers = [
        nn.Conv2d(3, 16, 3, 2, 1),
        nn.PReLU(16),
        nn.Conv2d(16, 32, 3, padding=1, groups=4),
        nn.BatchNorm2d(32),
        nn.ELU(),
        Shuffle(),
        nn.Conv2d(32, 32, 3, padding=2, dilation=2, groups=8),
        nn.Softplus(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 6),
    ]
    return randomised(nn.Sequential(*layers), 4)


@model("vit", "torch", {"pixels": "float32[batch,3,32,32] in -2..2"})
def vit() -> Any:
    """A vision transformer: patches, class token, learned positions, pre-normalisation."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

        def forward(self, x: Tensor) -> Tensor:
            batch, length, width = x.shape
            parts = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, width // self.heads)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, width)
            x = x + self.out(y)
            return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]

    class ViT(nn.Module):
        def __init__(self, width: int = 48) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, width, 8, 8)
            self.token = nn.Parameter(torch.zeros(1, 1, width))
            self.positions = nn.Parameter(torch.zeros(1, 17, width))
            self.blocks = nn.Sequential(Block(width, 4), Block(width, 4), Block(width, 4))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 9)

        def forward(self, pixels: Tensor) -> Tensor:
            x = self.patches(pixels).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
            return self.head(self.norm(self.blocks(x))[:, 0])  # type: ignore[no-any-return]

    return randomised(ViT(), 5)


@model("unet", "torch", {"pixels": "float32[batch,2,height>=8=22,width>=8=26]"})
def unet() -> Any:
    """An encoder and decoder with bilinear resizing to the size of the skip, nearest upsampling, and an output map."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down1 = nn.Sequential(nn.Conv2d(2, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
            self.down2 = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
            self.middle = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.Tanh())
            self.up = nn.Conv2d(32, 8, 3, padding=1, padding_mode="reflect")
            self.head = nn.Conv2d(16, 3, 1)

        def forward(self, pixels: Tensor) -> Tensor:
            first = self.down1(pixels)
            second = self.down2(functional.max_pool2d(first, 2))
            third = self.middle(functional.avg_pool2d(second, 2))
            wide = functional.interpolate(third, second.shape[2:], mode="bilinear", align_corners=False)
            joined = functional.relu(self.up(torch.cat([wide, second], 1)))
            full = functional.interpolate(joined, first.shape[2:], mode="nearest")
            return self.head(torch.cat([full, first], 1)).sigmoid()  # type: ignore[no-any-return]

    return randomised(UNet(), 6)


@model(
    "detector",
    "torch",
    {"pixels": "float32[batch,3,height>=16=32,width>=16=40]"},
    outputs=("boxes", "scores", "labels"),
)
def detector() -> Any:
    """An anchor-free detection head: scores, the ten best cells of each picture, and their boxes."""
    import torch
    from torch import Tensor, nn

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.SiLU(), nn.Conv2d(16, 16, 3, 1, 1), nn.SiLU()
            )
            self.classes, self.sides = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 1)

        def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            features = self.body(pixels)
            height, width = features.shape[2:]
            scores, labels = self.classes(features).sigmoid().flatten(2).max(1)
            sides = self.sides(features).exp().flatten(2).transpose(1, 2)
            y = torch.arange(height, dtype=torch.float32).reshape(-1, 1).expand(height, width).reshape(-1)
            x = torch.arange(width, dtype=torch.float32).reshape(1, -1).expand(height, width).reshape(-1)
            centre = torch.stack([x, y], -1) * 2 + 1
            boxes = torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], -1)
            best, index = scores.topk(10, 1)
            return boxes.gather(1, index[..., None].expand(-1, -1, 4)), best, labels.gather(1, index)

    return randomised(Detector(), 7)


@model("swin", "torch", {"pixels": "float32[batch,3,32,32]"})
def swin() -> Any:
    """Shifted windows of attention with a relative position bias."""
    import torch
    from torch import Tensor, nn

    class Windows(nn.Module):
        def __init__(self, width: int, shift: int) -> None:
            super().__init__()
            self.shift, self.heads = shift, 2
            self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.bias = nn.Parameter(torch.zeros(1, 2, 16, 16))
            self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU("tanh"))
            self.narrow = nn.Linear(2 * width, width)

        def forward(self, x: Tensor) -> Tensor:
            batch, side, _, width = x.shape
            y = torch.roll(self.norm(x), (-self.shift, -self.shift), (1, 2))
            y = y.reshape(batch, side // 4, 4, side // 4, 4, width).permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, width)
            q, k, v = self.qkv(y).reshape(-1, 16, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
            weights = (q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5 + self.bias).softmax(-1)
            y = self.out((weights @ v).transpose(1, 2).reshape(-1, 16, width))
            y = y.reshape(batch, side // 4, side // 4, 4, 4, width).permute(0, 1, 3, 2, 4, 5)
            x = x + torch.roll(y.reshape(batch, side, side, width), (self.shift, self.shift), (1, 2))
            return x + self.narrow(self.mlp(x))  # type: ignore[no-any-return]

    class Swin(nn.Module):
        def __init__(self, width: int = 32) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, width, 4, 4)
            self.blocks = nn.Sequential(Windows(width, 0), Windows(width, 2))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

        def forward(self, pixels: Tensor) -> Tensor:
            x = self.blocks(self.patches(pixels).permute(0, 2, 3, 1))
            return self.head(self.norm(x).mean((1, 2)))  # type: ignore[no-any-return]

    return randomised(Swin(), 8)


@model("normalised", "torch", _PICTURE)
def normalised() -> Any:
    """Group and instance normalisation, reflection padding, pixel shuffle, and log-softmax over classes."""
    from torch import nn

    layers = [
        nn.ReflectionPad2d(1),
        nn.Conv2d(3, 16, 3),
        nn.GroupNorm(4, 16),
        nn.SiLU(),
        nn.Conv2d(16, 16, 3, 2, 1),
        nn.InstanceNorm2d(16, affine=True),
        nn.Mish(),
        nn.PixelShuffle(2),
        nn.Conv2d(4, 8, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 6),
        nn.LogSoftmax(-1),
    ]
    return randomised(nn.Sequential(*layers), 9)


@model("generator", "torch", {"input": "float32[batch,16]"})
def generator() -> Any:
    """A decoder of transposed convolutions, from a latent vector to a picture."""
    from torch import nn

    layers = [
        nn.Linear(16, 32 * 4 * 4),
        nn.Unflatten(1, (32, 4, 4)),
        nn.ConvTranspose2d(32, 16, 4, 2, 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1),
        nn.LeakyReLU(0.2),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
        nn.Conv2d(8, 3, 3, padding=1),
        nn.Tanh(),
    ]
    return randomised(nn.Sequential(*layers), 10)


@model("warp", "torch", {"pixels": "float32[batch,3,18,22]"})
def warp() -> Any:
    """A spatial transformer: an affine grid that the picture itself chooses, and sampling along it."""
    from torch import Tensor, nn
    from torch.nn import functional

    class Warp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.locate = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.affine = nn.Linear(8, 6)
            self.head = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, pixels: Tensor) -> Tensor:
            matrix = self.affine(self.locate(pixels)).reshape(-1, 2, 3)
            grid = functional.affine_grid(matrix, list(pixels.shape), align_corners=False)
            seen = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
            return self.head(seen)  # type: ignore[no-any-return]

    return randomised(Warp(), 11)
