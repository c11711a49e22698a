"""Which layers stand beside each other on a device, written into the place of each.

All layers of a spiking network are on the device at once, each with neurons of its own: what a
layer costs, and whether it fits, depends on the others. A place reads `1 of 784x128 128x10`.
"""

from __future__ import annotations

from collections.abc import Sequence

from cosearch.errors import Infeasible
from cosearch.workload.einsum import Einsum
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.spiking.steps import Stage, spoken


def stage_of(layer: Einsum) -> tuple[Stage, int]:
    """Return a layer's sizes and its time steps.

    Raises:
        Infeasible: it is no fully connected layer, or its inputs are no spikes.
    """
    view = gemm_view(layer) if not layer.operation else None
    if view is None or view.size("B") > 1 or view.windows:
        raise Infeasible(
            f"layer {layer.name!r} is not fully connected: neurons here have all inputs of a layer"
        )
    inputs, outputs = view.tensor("Inputs"), view.tensor("Outputs")
    if inputs.bits not in (None, 1):
        raise Infeasible(
            f"layer {layer.name!r} has inputs of {inputs.bits} bits: a spike is one", {}
        )
    sizes = view.size("K"), view.size("N")
    activity = spoken(sizes[0], inputs.density), spoken(sizes[1], outputs.density)
    return Stage(*sizes, *activity), view.size("M")


def place(index: int, stages: Sequence[Stage]) -> str:
    """Return the place of a layer among all layers of its network."""
    return f"{index} of {' '.join(_text(stage) for stage in stages)}"


def placed_among(layer: Einsum) -> tuple[int, tuple[Stage, ...]]:
    """Return a layer's index and all layers of its network; itself where it has no place."""
    if not layer.place:
        return 0, (stage_of(layer)[0],)
    index, _, *texts = layer.place.split(" ")
    return int(index), tuple(_stage(text) for text in texts)


def _text(stage: Stage) -> str:
    sizes = f"{stage.inputs}x{stage.neurons}"
    known = (stage.stirred, stage.answered) != (1.0, 1.0)
    return f"{sizes}@{stage.stirred!r}/{stage.answered!r}" if known else sizes


def _stage(text: str) -> Stage:
    sizes, _, activity = text.partition("@")
    inputs, _, neurons = sizes.partition("x")
    shares = (float(share) for share in activity.split("/")) if activity else ()
    return Stage(int(inputs), int(neurons), *shares)
