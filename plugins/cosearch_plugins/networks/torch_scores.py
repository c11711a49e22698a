"""NASWOT and LogSynflow computed on untrained cells of NAS-Bench-201, in PyTorch (extra `torch`).

What the scores are is stated in FreeREA (Cavagnero, Robbiano, Caputo and Averta, WACV 2023): the
log-determinant of the kernel of ReLU codes on one batch, and the sum over weights of
|w log(1 + g)|, where g is the gradient of Synflow. Both are means over initialisations. The batch
is noise, not images of the data set: codes hardly depend on which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from cosearch.errors import MissingExtraError
from cosearch.quantities import added
from cosearch.typing import FloatArray, Rows
from cosearch_plugins.workloads.nasbench201_cells import DATA_SETS, EDGES, OPERATIONS
from cosearch_plugins.workloads.nasbench201_dataflow import CELLS, STAGES

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGES = 64
"""In the batch of NASWOT."""

INITIALISATIONS = 3


@frozen
class Scores:
    """Of one network.

    Attributes:
        naswot: minus infinity where two images have the same codes.
        logsynflow: at least 0.
        parameters: trainable ones of the network that was built.
    """

    naswot: float
    logsynflow: float
    parameters: int


def computed_scores(row: Rows, dataset: str, seed: int) -> Scores:
    """Return the scores of one cell, int64[6].

    Args:
        row: the cell.
        dataset: decides the image's side and the classes.
        seed: of weights and of the batch.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    torch = _torch()
    data = DATA_SETS[dataset]
    generator = torch.Generator().manual_seed(seed)
    batch = torch.randn(IMAGES, 3, data.pixels, data.pixels, generator=generator)
    found = []
    for i in range(INITIALISATIONS):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1_000 * seed + i)
            network = build_torch(row, dataset)
        found.append((naswot(network, batch), logsynflow(network, data.pixels)))
    count = added(p.numel() for p in network.parameters())
    means: FloatArray = np.array(found).mean(axis=0)
    return Scores(float(means[0]), float(means[1]), count)


def naswot(network: Any, batch: Any) -> float:  # noqa: ANN401 - PyTorch's
    """Return the log-determinant of the kernel of a network's ReLU codes on a batch.

    Two images agree in as many codes as are active, or inactive, in both; every ReLU counts.
    """
    torch = _torch()
    kernel = torch.zeros(len(batch), len(batch), dtype=torch.float64)

    def see(_module: object, _given: object, out: Any) -> None:  # noqa: ANN401 - PyTorch's
        code = (out > 0).flatten(1).float()
        kernel.add_((code @ code.T + (1 - code) @ (1 - code).T).double())

    hooks = [
        m.register_forward_hook(see) for m in network.modules() if isinstance(m, torch.nn.ReLU)
    ]
    with torch.no_grad():
        network.train()(batch)
    for hook in hooks:
        hook.remove()
    sign, logdet = np.linalg.slogdet(kernel.numpy())
    return float(logdet) if sign > 0 else -np.inf


def logsynflow(network: Any, pixels: int) -> float:  # noqa: ANN401 - PyTorch's
    """Return the sum over weights of |w log(1 + g)|, batch norms left out.

    g is the gradient of the sum of outputs for an image of ones, all weights made positive.
    """
    torch = _torch()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.forward = _unchanged
    weights = [p for p in network.parameters() if p.ndim > 1]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    network.double().zero_grad()
    network(torch.ones(1, 3, pixels, pixels, dtype=torch.float64)).sum().backward()
    with torch.no_grad():
        reached = [p for p in weights if p.grad is not None]
        total = added(float((p * torch.log1p(p.grad)).abs().sum()) for p in reached)
    for norm in norms:
        del norm.forward
    return total


def _unchanged(x: Any) -> Any:  # noqa: ANN401 - PyTorch's
    return x


def build_torch(row: Rows, dataset: str) -> Any:  # noqa: ANN401 - a PyTorch module
    """Return the untrained network of one cell, int64[6] (Dong and Yang, ICLR 2020, Figure 1)."""
    nn = _torch().nn
    layers = [nn.Conv2d(3, STAGES[0][0], 3, padding=1, bias=False), nn.BatchNorm2d(STAGES[0][0])]
    narrow = STAGES[0][0]
    for channels, _ in STAGES:
        if channels != narrow:
            layers.append(_sum_of(_main(narrow, channels), _shortcut(narrow, channels)))
        layers += [_cell(row, channels) for _ in range(CELLS)]
        narrow = channels
    head = [nn.BatchNorm2d(narrow), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, *head, nn.Linear(narrow, DATA_SETS[dataset].classes))


def _conv(inward: int, outward: int, kernel: int, stride: int = 1) -> Any:  # noqa: ANN401
    """Return ReLU, convolution and batch norm."""
    nn = _torch().nn
    conv = nn.Conv2d(inward, outward, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(outward))


def _main(narrow: int, channels: int) -> Any:  # noqa: ANN401 - a PyTorch module
    return _torch().nn.Sequential(_conv(narrow, channels, 3, 2), _conv(channels, channels, 3))


def _shortcut(narrow: int, channels: int) -> Any:  # noqa: ANN401 - a PyTorch module
    nn = _torch().nn
    return nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(narrow, channels, 1, bias=False))


def _sum_of(*branches: Any) -> Any:  # noqa: ANN401 - PyTorch modules
    """Return a module that adds up what its branches make of one input."""
    nn = _torch().nn

    class Sum(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.branches = nn.ModuleList(branches)

        def forward(self, x: Any) -> Any:  # noqa: ANN401 - a tensor
            return added(branch(x) for branch in self.branches)

    return Sum()


def _cell(row: Rows, channels: int) -> Any:  # noqa: ANN401 - a PyTorch module
    """Return a cell: a node is the sum of what its edges make of the nodes before it."""
    nn = _torch().nn
    make: dict[str, Callable[[], Any]] = {
        "skip_connect": nn.Identity,
        "nor_conv_1x1": lambda: _conv(channels, channels, 1),
        "nor_conv_3x3": lambda: _conv(channels, channels, 3),
        "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    }
    kinds = [OPERATIONS[int(choice)] for choice in row]

    class Cell(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            made = [make[kind]() if kind in make else None for kind in kinds]
            self.edges = nn.ModuleList([m for m in made if m is not None])
            self.ways = [way for way, m in zip(EDGES, made, strict=True) if m is not None]

        def forward(self, x: Any) -> Any:  # noqa: ANN401 - a tensor
            nodes = [x, *(x * 0.0 for _ in range(3))]
            for (start, end), edge in zip(self.ways, self.edges, strict=True):
                nodes[end] = nodes[end] + edge(nodes[start])
            return nodes[3]

    return Cell()


def _torch() -> Any:  # noqa: ANN401 - a module
    try:
        import torch
    except ImportError:
        raise MissingExtraError("computing scores of untrained networks", "torch") from None
    return torch
