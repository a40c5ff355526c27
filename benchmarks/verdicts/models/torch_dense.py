"""Healthy PyTorch models over tables, graphs and mixtures; one is deep and ill-conditioned, one works in float16."""

from __future__ import annotations

from typing import Any

from verdicts.models.registry import model
from verdicts.models.torch_weights import randomised


@model(
    "recommender",
    "torch",
    {"user": "int64[batch] in 0..299", "item": "int64[batch] in 0..499", "facts": "float32[batch,5]"},
)
def recommender() -> Any:
    """Factors of users and items, and a small network over them and over dense facts."""
    import torch
    from torch import Tensor, nn

    class Recommender(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.users, self.items = nn.Embedding(300, 16), nn.Embedding(500, 16)
            self.user_bias, self.item_bias = nn.Embedding(300, 1), nn.Embedding(500, 1)
            self.deep = nn.Sequential(nn.Linear(37, 32), nn.ReLU(), nn.Linear(32, 1))

        def forward(self, user: Tensor, item: Tensor, facts: Tensor) -> Tensor:
            u, i = self.users(user), self.items(item)
            linear = (u * i).sum(-1) + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]
            return torch.sigmoid(linear + self.deep(torch.cat([u, i, facts], -1))[:, 0])

    return randomised(Recommender(), 41)


@model(
    "tabular",
    "torch",
    {"numbers": "float32[batch,8]", "category": "int64[batch,3] in 0..9"},
    outputs=("logits", "risk", "choice"),
)
def tabular() -> Any:
    """Many activations over numbers and categories; three outputs, one of them a decision."""
    import torch
    from torch import Tensor, nn

    class Tabular(nn.Module):
        offsets: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.tables = nn.Embedding(30, 4)
            self.register_buffer("offsets", torch.tensor([0, 10, 20]))
            self.first = nn.Sequential(nn.BatchNorm1d(20), nn.SELU(), nn.Linear(20, 32), nn.Softplus())
            self.second = nn.Sequential(nn.Linear(32, 16), nn.CELU(), nn.LayerNorm(16), nn.Linear(16, 4))
            self.risk = nn.Linear(32, 4)

        def forward(self, numbers: Tensor, category: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            rows = self.tables(category + self.offsets).flatten(1)
            x = self.first(torch.cat([numbers, rows], -1))
            logits = self.second(x)
            return logits, self.risk(x).log_softmax(-1), logits.argmax(-1)

    return randomised(Tabular(), 42)


@model("experts", "torch", {"x": "float32[batch,tokens=7,16]"})
def experts() -> Any:
    """A mixture of four experts, of which a gate takes the best two for each token."""
    import torch
    from torch import Tensor, nn

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.gate = nn.LayerNorm(16), nn.Linear(16, 4)
            self.up, self.down = nn.Parameter(torch.zeros(4, 16, 24)), nn.Parameter(torch.zeros(4, 24, 16))

        def forward(self, x: Tensor) -> Tensor:
            y = self.norm(x)
            best, index = self.gate(y).softmax(-1).topk(2, -1)
            share = torch.zeros_like(y[..., :4]).scatter(-1, index, best / best.sum(-1, keepdim=True))
            hidden = torch.einsum("btd,edh->bteh", y, self.up).relu()
            each = torch.einsum("bteh,ehd->bted", hidden, self.down)
            return x + (each * share[..., None]).sum(2)

    return randomised(Experts(), 43)


@model("graph_network", "torch", {"nodes": "float32[12,8]", "edges": "int64[2,edges=30] in 0..11"})
def graph_network() -> Any:
    """Two rounds of messages along edges, summed where they arrive; duplicate edges count twice."""
    import torch
    from torch import Tensor, nn

    class GraphNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.message = nn.ModuleList(nn.Linear(16, 8) for _ in range(2))
            self.head = nn.Linear(8, 3)

        def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
            x = nodes
            for message in self.message:
                pairs = torch.cat([x[edges[0]], x[edges[1]]], -1)
                sent = torch.tanh(message(pairs))
                x = x + torch.zeros_like(x).index_add(0, edges[1], sent)
            return self.head(x).amax(0)  # type: ignore[no-any-return]

    return randomised(GraphNetwork(), 44)


@model("calendar", "torch", {"days": "int64[batch,3] in -5000..5000", "values": "float32[batch,3]"})
def calendar() -> Any:
    """Integer arithmetic on days that may lie before the epoch, masks of conditions, and cumulative sums."""
    import torch
    from torch import Tensor, nn

    class Calendar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weekday, self.week = nn.Embedding(7, 6), nn.Embedding(5, 6)
            self.head = nn.Linear(9, 4)

        def forward(self, days: Tensor, values: Tensor) -> Tensor:
            week = torch.div(days, 7, rounding_mode="floor")
            mixed = self.weekday(torch.remainder(days, 7)) * self.week(torch.remainder(week, 5))
            total = torch.where(values > 0, values, values * 0.25).cumsum(-1)
            return self.head(torch.cat([mixed.sum(1), total], -1)).clamp(-3, 3)  # type: ignore[no-any-return]

    return randomised(Calendar(), 45)


@model("ignoring", "torch", {"x": "float32[batch,6]", "unused": "float32[batch,4]"})
def ignoring() -> Any:
    """Takes an input that it does not read."""
    from torch import Tensor, nn

    class Ignoring(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Sequential(nn.Linear(6, 12), nn.GELU(), nn.Linear(12, 3))

        def forward(self, x: Tensor, unused: Tensor) -> Tensor:  # noqa: ARG002 - that is the point
            return self.dense(x)  # type: ignore[no-any-return]

    return randomised(Ignoring(), 48)


@model("deep", "torch", {"x": "float32[batch,24]"})
def deep() -> Any:
    """Forty layers that stretch what they get: rounding grows from layer to layer, so the floor is high."""
    import torch
    from torch import Tensor, nn

    class Deep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(24, 24) for _ in range(40))
            self.head = nn.Linear(24, 5)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                x = torch.sin(1.6 * layer(x)) + 0.1 * x
            return self.head(x)  # type: ignore[no-any-return]

    return randomised(Deep(), 46)


@model("half", "torch", {"input": "float16[batch,20]"})
def half() -> Any:
    """A dense network whose weights and arithmetic are float16."""
    from torch import nn

    layers = [nn.Linear(20, 32), nn.ReLU(), nn.LayerNorm(32), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 6)]
    return randomised(nn.Sequential(*layers), 47).half()
