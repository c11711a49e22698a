"""Several networks that share one machine, each run so and so often.

    resnet18*2+bert-base           two runs of the one for each of the other
    resnet18:batch=4*3+net.onnx    with options, and from a file

A mix is a network of its own: the layers of its parts, each with the part's name in front, run as
often as the part. Its energy and cycles are those of all runs. So what is minimized is the total
energy times the total time, of which a large network has the larger share; to weigh a small one up,
run it more often, or minimize `geomean_edp`. Layers that parts have in common are one layer,
searched once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from cosearch.errors import InputError
from cosearch.quantities import added
from cosearch.workload.link import Link
from cosearch.workload.network import Layer, Network, Part, Unmodelled


def cut_mix(text: str) -> list[tuple[str, int]]:
    """Return each part's text and weight; nothing where the text is no mix.

    Raises:
        InputError: a part is empty, or its weight is not a whole number of at least 1.
    """
    if "+" not in text and not re.search(r"\*[^:/]*$", text):
        return []
    return [_cut(text, part.strip()) for part in text.split("+")]


def _cut(text: str, part: str) -> tuple[str, int]:
    name, times, weight = part.rpartition("*")
    if not times:
        name, weight = part, "1"
    name, weight = name.strip(), weight.strip()
    if not name:
        raise InputError(text, [f"the part {part!r} names no workload"], _FOR_EXAMPLE)
    if not re.fullmatch(r"0*[1-9]\d{0,8}", weight):
        raise InputError(
            text, [f"{weight!r} is not how often {name!r} runs, a whole number"], _FOR_EXAMPLE
        )
    return name, int(weight)


_FOR_EXAMPLE = "for example: 'resnet18*2+bert-base'"


def mixed(parts: Sequence[Part]) -> Network:
    """Return the network of several, each run as often as its weight says.

    Args:
        parts: named by the text they come from; those whose networks have names of their own, and
            different ones, get these.

    Raises:
        InputError: a part is there twice.
    """
    texts = [part.name for part in parts]
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise InputError(
            "+".join(texts),
            [f"{text!r} is there twice" for text in twice],
            f"say how often it runs: '{twice[0]}*2'",
        )
    names = [part.network.name for part in parts]
    named = [
        part if names.count(name) > 1 else evolve(part, name=name)
        for part, name in zip(parts, names, strict=True)
    ]
    parameters = [part.network.parameters for part in named]
    return Network(
        " + ".join(
            part.name if part.weight == 1 else f"{part.weight} {part.name}" for part in named
        ),
        tuple(layer for part in named for layer in _layers(part)),
        tuple(item for part in named for item in _unmodelled(part)),
        "; ".join(part.network.source for part in named if part.network.source),
        None if None in parameters else added(filter(None, parameters)),
        tuple(named),
        tuple(_links(named)),
    )


def _layers(part: Part) -> Iterator[Layer]:
    for layer in part.network.layers:
        einsum = evolve(layer.einsum, name=f"{part.name}/{layer.name}")
        yield Layer(einsum, layer.count * part.weight)


def _links(parts: Sequence[Part]) -> Iterator[Link]:
    before = 0
    for part in parts:
        yield from (link.moved(before) for link in part.network.links)
        before += len(part.network.layers)


def _unmodelled(part: Part) -> Iterator[Unmodelled]:
    for item in part.network.unmodelled:
        yield evolve(
            item, name=f"{part.name}/{item.name}", operations=item.operations * part.weight
        )


@frozen
class PartCost:
    """What one run of a part of a mix costs.

    Attributes:
        name: of the part.
        weight: how often it runs.
        energy_pj, cycles: of one run.
        edp: their product, pJ*cycles.
    """

    name: str
    weight: int
    energy_pj: float
    cycles: float
    edp: float


def cost_of_parts(
    network: Network, costs: Mapping[str, tuple[float, float]]
) -> tuple[PartCost, ...]:
    """Return the cost of each part of a mix; nothing for a single network.

    Args:
        network: a mix.
        costs: energy (pJ) and cycles of one run of each layer, by the digest of its einsum.
    """
    return tuple(_cost(part, costs) for part in network.parts)


def _cost(part: Part, costs: Mapping[str, tuple[float, float]]) -> PartCost:
    found = [(layer.count, *costs[layer.einsum.key]) for layer in part.network.unique]
    energy = added(n * pj for n, pj, _ in found)
    cycles = added(n * cycles for n, _, cycles in found)
    return PartCost(part.name, part.weight, energy, cycles, energy * cycles)


def geomean_edp(parts: Sequence[PartCost]) -> float:
    """Return the geometric mean of the networks' EDPs, each as often as it runs, pJ*cycles.

    A machine that makes one network better by some per cent gains the same, be it small or large.
    """
    runs = added(part.weight for part in parts)
    mean: float = math.prod(part.edp ** (part.weight / runs) for part in parts)
    return mean
