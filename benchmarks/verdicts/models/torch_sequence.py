"""Healthy PyTorch models that read sequences."""

from __future__ import annotations

from typing import Any

from verdicts.models.registry import model
from verdicts.models.torch_weights import randomised

_TOKENS = {
    "input_ids": "int64[batch,sequence<=40=12] in 0..99",
    "attention_mask": "int64[batch,sequence<=40=12] in 0..1",
}


@model("encoder", "torch", _TOKENS, task="text-embedding")
def encoder() -> Any:
    """A transformer encoder in the manner of BERT: post-normalisation with epsilon 1e-12 and an additive mask."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    class Layer(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
            self.out, self.norm1 = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12)
            self.up, self.down = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
            self.norm2 = nn.LayerNorm(width, eps=1e-12)

        def split(self, x: Tensor) -> Tensor:
            return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

        def forward(self, x: Tensor, bias: Tensor) -> Tensor:
            q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
            weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5 + bias).softmax(-1)
            seen = (weights @ v).transpose(1, 2).reshape(x.shape)
            x = self.norm1(x + self.out(seen))
            return self.norm2(x + self.down(functional.gelu(self.up(x))))  # type: ignore[no-any-return]

    class Encoder(nn.Module):
        def __init__(self, width: int = 48) -> None:
            super().__init__()
            self.words, self.positions = nn.Embedding(100, width), nn.Embedding(40, width)
            self.norm = nn.LayerNorm(width, eps=1e-12)
            self.layers = nn.ModuleList(Layer(width, 4) for _ in range(2))
            self.pool = nn.Linear(width, width)

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
            positions = torch.arange(input_ids.shape[1])
            x = self.norm(self.words(input_ids) + self.positions(positions))
            bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
            for layer in self.layers:
                x = layer(x, bias)
            return {"last_hidden_state": x, "pooler_output": self.pool(x[:, 0]).tanh()}

    return randomised(Encoder(), 21)


@model("relative", "torch", {"tokens": "int64[batch,length<=60=14] in 0..49"})
def relative() -> Any:
    """Attention with the bucketed relative positions of T5 and root-mean-square normalisation."""
    import math

    import torch
    from torch import Tensor, nn

    class Relative(nn.Module):
        def __init__(self, width: int = 32) -> None:
            super().__init__()
            self.words, self.buckets = nn.Embedding(50, width), nn.Embedding(16, 2)
            self.scale = nn.Parameter(torch.ones(width))
            self.qkv, self.out, self.head = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.Linear(width, 7)

        def bucket(self, distance: Tensor) -> Tensor:
            side = (distance > 0).long() * 8
            far = distance.abs()
            log = 4 + (torch.log(far.float().clamp(min=1) / 4) / math.log(16 / 4) * 4).long()
            return side + torch.where(far < 4, far, log.clamp(max=7))

        def forward(self, tokens: Tensor) -> Tensor:
            batch, length = tokens.shape
            x = self.words(tokens)
            y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
            q, k, v = self.qkv(y).reshape(batch, length, 3, 2, -1).permute(2, 0, 3, 1, 4)
            steps = torch.arange(length)
            bias = self.buckets(self.bucket(steps[None, :] - steps[:, None])).permute(2, 0, 1)
            seen = (q @ k.transpose(-2, -1) + bias).softmax(-1) @ v
            x = x + self.out(seen.transpose(1, 2).reshape(batch, length, -1))
            return self.head(x)  # type: ignore[no-any-return]

    return randomised(Relative(), 22)


def _rotate(x: Any, cosine: Any, sine: Any) -> Any:
    import torch

    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat([-second, first], -1) * sine


@model("decoder", "torch", {"input_ids": "int64[batch,sequence<=48=12] in 0..79"}, outputs=("logits",))
def decoder() -> Any:
    """A causal decoder with rotary positions, pre-normalisation and a gated feed-forward part."""
    import torch
    from torch import Tensor, nn
    from torch.nn import functional

    class Layer(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.gate, self.up, self.down = nn.Linear(width, 64), nn.Linear(width, 64), nn.Linear(64, width)

        def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
            batch, length, width = x.shape
            q, k, v = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            q, k = _rotate(q, cosine, sine), _rotate(k, cosine, sine)
            weights = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
            seen = weights.masked_fill(mask, -1e9).softmax(-1) @ v
            x = x + self.out(seen.transpose(1, 2).reshape(batch, length, width))
            y = self.norm2(x)
            return x + self.down(functional.silu(self.gate(y)) * self.up(y))  # type: ignore[no-any-return]

    class Decoder(nn.Module):
        cosine: Tensor
        sine: Tensor

        def __init__(self, width: int = 32) -> None:
            super().__init__()
            self.words = nn.Embedding(80, width)
            angle = torch.outer(torch.arange(48.0), 1.0 / 10000 ** (torch.arange(4.0) / 4)).repeat(1, 2)
            self.register_buffer("cosine", angle.cos())
            self.register_buffer("sine", angle.sin())
            self.layers = nn.ModuleList(Layer(width, 4) for _ in range(2))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 80, bias=False)

        def forward(self, input_ids: Tensor) -> Tensor:
            length = input_ids.shape[1]
            x = self.words(input_ids)
            mask = torch.ones(length, length, dtype=torch.bool).triu(1)
            for layer in self.layers:
                x = layer(x, self.cosine[:length], self.sine[:length], mask)
            return self.head(self.norm(x))  # type: ignore[no-any-return]

    return randomised(Decoder(), 23)


_STEP = {
    "token": "int64[batch,1] in 0..59",
    "past_key": "float32[batch,2,past<=30=6,8]",
    "past_value": "float32[batch,2,past<=30=6,8]",
}


@model("decoder_step", "torch", _STEP, outputs=("logits", "present_key", "present_value"))
def decoder_step() -> Any:
    """One step of a decoder with a key and value cache and learned positions."""
    import torch
    from torch import Tensor, nn

    class Step(nn.Module):
        def __init__(self, width: int = 16) -> None:
            super().__init__()
            self.words, self.positions = nn.Embedding(60, width), nn.Embedding(32, width)
            self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 60))

        def forward(self, token: Tensor, past_key: Tensor, past_value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            batch = token.shape[0]
            position = torch.arange(past_key.shape[2], past_key.shape[2] + 1)
            x = self.words(token) + self.positions(position)
            q, k, v = self.qkv(self.norm(x)).reshape(batch, 1, 3, 2, 8).permute(2, 0, 3, 1, 4)
            key, value = torch.cat([past_key, k], 2), torch.cat([past_value, v], 2)
            seen = (q @ key.transpose(-2, -1) * 8**-0.5).softmax(-1) @ value
            x = x + self.out(seen.transpose(1, 2).reshape(batch, 1, -1))
            return self.head(x), key, value

    return randomised(Step(), 24)


@model(
    "lstm",
    "torch",
    {"features": "float32[batch,time=11,6]"},
    outputs=("scores", "last"),
    exporter="torch.onnx.torchscript",
)
def lstm() -> Any:
    """A bidirectional LSTM of two layers."""
    from torch import Tensor, nn

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.LSTM(6, 12, 2, batch_first=True, bidirectional=True)
            self.head = nn.Linear(24, 5)

        def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
            states, (hidden, _) = self.recurrent(features)
            return self.head(states), hidden[-1]

    return randomised(Recurrent(), 25)


@model("gru", "torch", {"features": "float32[batch,time=9,5]"}, exporter="torch.onnx.torchscript")
def gru() -> Any:
    """A GRU over strided frames, with a dense layer over its last state."""
    from torch import Tensor, nn

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.GRU(5, 16, batch_first=True)
            self.head = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 4), nn.Softmax(-1))

        def forward(self, features: Tensor) -> Tensor:
            return self.head(self.recurrent(features)[0][:, -1])  # type: ignore[no-any-return]

    return randomised(Recurrent(), 26)


@model("audio", "torch", {"wave": "float32[batch,samples>=400=1200] in -1..1"}, exporter="torch.onnx.torchscript")
def audio() -> Any:
    """A one-dimensional network over a power spectrum that convolutions with sines and cosines make."""
    import torch
    from torch import Tensor, nn

    class Audio(nn.Module):
        real: Tensor
        imaginary: Tensor

        def __init__(self) -> None:
            super().__init__()
            angle = 2 * torch.pi * torch.outer(torch.arange(33.0), torch.arange(64.0)) / 64
            window = torch.hann_window(64)
            self.register_buffer("real", (angle.cos() * window)[:, None])
            self.register_buffer("imaginary", (angle.sin() * window)[:, None])
            self.body = nn.Sequential(
                nn.Conv1d(33, 24, 3, padding=1), nn.BatchNorm1d(24), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(24, 16, 3)
            )
            self.head = nn.Linear(16, 6)

        def forward(self, wave: Tensor) -> Tensor:
            x = wave[:, None]
            real = nn.functional.conv1d(x, self.real, stride=32)
            imaginary = nn.functional.conv1d(x, self.imaginary, stride=32)
            spectrum = torch.log(real**2 + imaginary**2 + 1e-5)
            return self.head(self.body(spectrum).mean(-1))  # type: ignore[no-any-return]

    return randomised(Audio(), 27)


@model("tcn", "torch", {"input": "float32[batch,4,time>=4=20]"})
def tcn() -> Any:
    """Dilated causal convolutions with residual sums."""
    from torch import Tensor, nn
    from torch.nn import functional

    class Causal(nn.Module):
        def __init__(self, width_in: int, width: int, dilation: int) -> None:
            super().__init__()
            self.dilation = dilation
            self.conv = nn.Conv1d(width_in, width, 3, dilation=dilation)
            self.short = nn.Conv1d(width_in, width, 1)

        def forward(self, x: Tensor) -> Tensor:
            padded = functional.pad(x, (2 * self.dilation, 0))
            return functional.relu(self.conv(padded)) + self.short(x)  # type: ignore[no-any-return]

    layers = [Causal(4, 16, 1), Causal(16, 16, 2), Causal(16, 16, 4), nn.Conv1d(16, 3, 1)]
    return randomised(nn.Sequential(*layers), 28)


_TEXT = {
    "input_ids": "int64[batch,sequence<=64=10] in 0..199",
    "attention_mask": "int64[batch,sequence<=64=10] in 0..1",
}


@model("text_embedding", "torch", _TEXT, outputs=("sentence_embedding",), task="text-embedding")
def text_embedding() -> Any:
    """Token vectors averaged where the mask is one, then scaled to length one."""
    from torch import Tensor, nn
    from torch.nn import functional

    class Embedding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(200, 24)
            self.dense = nn.Sequential(nn.Linear(24, 48), nn.GELU(), nn.Linear(48, 24), nn.LayerNorm(24))

        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
            x = self.dense(self.words(input_ids))
            kept = attention_mask[..., None].to(x.dtype)
            return functional.normalize((x * kept).sum(1) / kept.sum(1).clamp(min=1e-9), dim=-1)

    return randomised(Embedding(), 29)
