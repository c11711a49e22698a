"""Dataflows as constraints on loops, told by what a layer's dimensions stand for."""

from __future__ import annotations

from cosearch.loopnest.mapping import LevelConstraint
from cosearch.workload.einsum import Einsum
from cosearch_hardware.dimensions import Dimensions

NOTHING: frozenset[str] = frozenset()


def passing(layer: Einsum) -> frozenset[str]:
    """Return the dimensions that pass by a weight that rests: output pixels, rows of a matrix."""
    dims = Dimensions.of(layer)
    return dims.output_width | dims.output_height | dims.streamed


def weights_rest(layer: Einsum, pass_by: frozenset[str]) -> LevelConstraint:
    """Return the constraint on a register that holds one weight while those dimensions pass by."""
    return LevelConstraint(
        temporal={dim: 1 for dim in layer.dims if dim not in pass_by},
        x_dims=NOTHING,
        y_dims=NOTHING,
    )


def spread(x: frozenset[str], y: frozenset[str]) -> LevelConstraint:
    """Return the constraint on a level whose children are wired for those dimensions alone."""
    return LevelConstraint(x_dims=x, y_dims=y)
