"""A weight-sharing supernet of NAS-Bench-201's cells in PyTorch, small enough for a CPU.

Every edge of a cell holds all operations; a network is a path through them and shares their weights
with all others. Weights are trained on paths drawn at random (Guo et al., *Single Path One-Shot
Neural Architecture Search with Uniform Sampling*, ECCV 2020). A network is then searched by its
logits: Gumbel-softmax weights mix the operations, the loss is the cross-entropy on images held back
plus the expected logarithm of the cost (Liu, Simonyan and Yang, *DARTS*, ICLR 2019; Wu et al.,
*FBNet*, CVPR 2019).

The frame is smaller than the benchmark's - two stages of one cell - and so are the images: what it
says of a cell is a real accuracy on these images, not the benchmark's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import FloatArray, IntArray, Rows
from cosearch_plugins.schemes.rhnas.images import Images
from cosearch_plugins.workloads.nasbench201_cells import EDGES, OPERATIONS

CHANNELS = (8, 16)
"""Of the two stages."""

Tensor: TypeAlias = Any
"""Of PyTorch, which is imported late: it is an extra."""

Weights: TypeAlias = dict[str, Tensor]


@frozen
class Training:
    """How weights and logits are trained.

    Attributes:
        steps: of the weights.
        batch: images of a step.
        rate: of learning the weights.
        search_steps: of the logits.
        search_rate: of learning the logits.
        hot, cold: first and last temperature of the logits' search.
    """

    steps: int = 1_500
    batch: int = 64
    rate: float = 0.05
    search_steps: int = 150
    search_rate: float = 0.1
    hot: float = 2.0
    cold: float = 0.3


def torch_itself() -> Any:  # noqa: ANN401 - a module
    """Return PyTorch, or raise MissingExtraError."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("a supernet", "torch") from error
    return torch


def _weights(channels_in: int, classes: int, seed: int) -> Weights:
    """Return the weights of all operations, drawn as He et al., ICCV 2015, do."""
    torch = torch_itself()
    draw = torch.Generator().manual_seed(seed)

    def filters(out: int, into: int, side: int) -> Tensor:
        scale = (2.0 / (into * side * side)) ** 0.5
        return (scale * torch.randn(out, into, side, side, generator=draw)).requires_grad_()

    first, second = CHANNELS
    weights = {"stem": filters(first, channels_in, 3), "halve": filters(second, first, 3)}
    for stage, c in enumerate(CHANNELS):
        for edge in range(len(EDGES)):
            for i, name in enumerate(OPERATIONS):
                if name.startswith("nor_conv"):
                    weights[f"{stage}.{edge}.{i}"] = filters(c, c, int(name[-1]))
    weights["classify"] = (0.1 * torch.randn(classes, second, generator=draw)).requires_grad_()
    weights["bias"] = torch.zeros(classes, requires_grad=True)
    return weights


def _normed(x: Tensor) -> Tensor:
    """Return x normed by the batch's own statistics: those of one path do not fit another."""
    mean, var = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), keepdim=True)
    return (x - mean) / (var + 1e-5).sqrt()


def _convolved(x: Tensor, filters: Tensor, stride: int = 1) -> Tensor:
    from torch.nn import functional

    return _normed(functional.conv2d(x, filters, stride=stride, padding=filters.shape[-1] // 2))


def _operation(weights: Weights, stage: int, edge: int, choice: int, x: Tensor) -> Tensor:
    from torch.nn import functional

    name = OPERATIONS[choice]
    if name == "none":
        return x * 0.0
    if name == "skip_connect":
        return x
    if name == "avg_pool_3x3":
        return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    return _convolved(x.relu(), weights[f"{stage}.{edge}.{choice}"])


def _cell(weights: Weights, stage: int, x: Tensor, choose: list[Any]) -> Tensor:
    """Return a cell's last node; each edge takes one operation, or all of them by weight."""
    nodes = [x]
    for node in (1, 2, 3):
        total = x * 0.0
        for e, (a, b) in enumerate(EDGES):
            if b != node:
                continue
            if isinstance(choose[e], int):
                total = total + _operation(weights, stage, e, choose[e], nodes[a])
            else:
                for i in range(len(OPERATIONS)):
                    total = total + choose[e][i] * _operation(weights, stage, e, i, nodes[a])
        nodes.append(total)
    return nodes[3]


def _classified(weights: Weights, x: Tensor, choose: list[Any]) -> Tensor:
    """Return the logits of classes, of images and an operation, or weights, for each edge."""
    x = _cell(weights, 0, _convolved(x, weights["stem"]), choose)
    x = _cell(weights, 1, _convolved(x.relu(), weights["halve"], 2), choose)
    return _normed(x).relu().mean(dim=(2, 3)) @ weights["classify"].T + weights["bias"]


class Supernet:
    """Shared weights of all cells, trained once, and searches on them.

    Args:
        images: to train and to choose on.
        seed: of weights, paths and batches.
        how: settings.
    """

    def __init__(self, images: Images, seed: int, how: Training | None = None) -> None:
        self.images, self.how = images, how or Training()
        self.rng = np.random.default_rng(seed)
        self.weights = _weights(images.train.shape[1], images.classes, seed)
        _train(self.weights, images, self.rng, self.how, self._path)

    def _path(self) -> list[int]:
        return [int(i) for i in self.rng.integers(0, len(OPERATIONS), len(EDGES))]

    def accuracy(self, rows: Rows) -> FloatArray:
        """Return the accuracy on the images held back, per cent, float64[n], by shared weights."""
        held = self.images.valid, self.images.valid_labels
        return np.array([_accuracy(self.weights, *held, row) for row in rows])

    def loss(self, row: Rows) -> float:
        """Return a network's cross-entropy on the images held back, by shared weights."""
        torch = torch_itself()
        x, y = _tensors(self.images.valid, self.images.valid_labels)
        with torch.no_grad():
            out = _classified(self.weights, x, [int(i) for i in row])
            return float(torch.nn.functional.cross_entropy(out, y))


class SupernetSearch:
    """Finds a network by gradients through the supernet; a stand-in for the search by a table.

    Args:
        supernet: trained.
        space: of the cells.
        weight: of the cross-entropy beside the logarithm of the cost.
    """

    def __init__(self, supernet: Supernet, space: ParameterSpace, weight: float) -> None:
        self.supernet, self.space, self.weight = supernet, space, weight

    def find(self, losses: FloatArray) -> Rows:
        """Return the likeliest network, int64[6].

        Args:
            losses: float64[size] by rank: the logarithm of every network's cost on the machine.
        """
        torch, net, how = torch_itself(), self.supernet, self.supernet.how
        cost = torch.tensor(losses - losses.min(), dtype=torch.float32)
        cost = cost.reshape(tuple(int(c) for c in self.space.cardinalities))
        logits = torch.zeros(len(EDGES), len(OPERATIONS), requires_grad=True)
        descent = torch.optim.Adam([logits], lr=how.search_rate)
        for step in range(how.search_steps):
            heat = how.hot * (how.cold / how.hot) ** (step / max(1, how.search_steps - 1))
            noise = torch.tensor(net.rng.gumbel(size=logits.shape), dtype=torch.float32)
            weights = ((logits + noise) / heat).softmax(dim=1)
            x, y = _batch(net.images.valid, net.images.valid_labels, net.rng, how.batch)
            out = _classified(net.weights, x, list(weights))
            wrong = torch.nn.functional.cross_entropy(out, y)
            total = _expected(cost, weights) + self.weight * wrong
            descent.zero_grad()
            total.backward()
            descent.step()
        return np.array(logits.detach().argmax(dim=1).numpy(), dtype=np.int64)

    def value(self, losses: FloatArray, row: Rows) -> float:
        """Return what a network is worth: its cost and its cross-entropy."""
        cost = float(losses[int(self.space.rank(row[None, :])[0])])
        return cost + self.weight * self.supernet.loss(row)

    def meets(self, row: Rows) -> bool:  # noqa: ARG002 - no table is asked
        """Return that a network may be taken: what it reaches is not known here."""
        return True

    def blank(self) -> FloatArray:
        """Return one cost for all networks, float64[size]."""
        return np.zeros(self.space.size)


def alone(images: Images, row: Rows, seed: int, how: Training) -> float:
    """Return the accuracy on test images, per cent, of one network trained by itself."""
    weights = _weights(images.train.shape[1], images.classes, seed)
    path = [int(i) for i in row]
    _train(weights, images, np.random.default_rng(seed), how, lambda: path)
    return _accuracy(weights, images.test, images.test_labels, row)


def _train(
    weights: Weights,
    images: Images,
    rng: np.random.Generator,
    how: Training,
    path: Callable[[], list[int]],
) -> None:
    torch = torch_itself()
    every = list(weights.values())
    descent = torch.optim.SGD(every, lr=how.rate, momentum=0.9, weight_decay=5e-4)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(descent, how.steps)
    for _ in range(how.steps):
        x, y = _batch(images.train, images.train_labels, rng, how.batch)
        loss = torch.nn.functional.cross_entropy(_classified(weights, x, path()), y)
        descent.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(every, 5.0)
        descent.step()
        falling.step()


def _accuracy(weights: Weights, images: FloatArray, labels: IntArray, row: Rows) -> float:
    torch = torch_itself()
    x, y = _tensors(images, labels)
    with torch.no_grad():
        out = _classified(weights, x, [int(i) for i in row])
    return 100.0 * float((out.argmax(dim=1) == y).float().mean())


def _batch(
    images: FloatArray, labels: IntArray, rng: np.random.Generator, n: int
) -> tuple[Tensor, Tensor]:
    at = rng.integers(0, len(images), size=n)
    return _tensors(images[at], labels[at])


def _tensors(images: FloatArray, labels: IntArray) -> tuple[Tensor, Tensor]:
    torch = torch_itself()
    x = torch.tensor(np.ascontiguousarray(images), dtype=torch.float32)
    return x, torch.tensor(np.asarray(labels))


def _expected(cost: Tensor, weights: Tensor) -> Tensor:
    """Return the expected logarithm of the cost over the networks that weights make."""
    torch = torch_itself()
    for w in weights:
        cost = torch.tensordot(w, cost, dims=([0], [0]))
    return cost
