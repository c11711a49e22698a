"""How much of the space of losses a Pareto front dominates.

The hypervolume of a front is the volume of all points that some point of the front dominates and
that dominate the reference point (E. Zitzler and L. Thiele, *Multiobjective Optimization Using
Evolutionary Algorithms*, PPSN V, 1998). No other measure of one front grows whenever the front gets
better (E. Zitzler et al., *Performance Assessment of Multiobjective Optimizers*, IEEE Trans.
Evolutionary Computation 7, 2003).
"""

from __future__ import annotations

import numpy as np

from cosearch.quantities import added
from cosearch.search.objective import pareto_front
from cosearch.typing import FloatArray

MARGIN = 1.1
"""The reference point lies so far beyond the worst of the front, so that its ends count as well
(H. Ishibuchi et al., *How to Specify a Reference Point in Hypervolume Calculation*, Evolutionary
Computation 26, 2018)."""


def reference_point(losses: FloatArray) -> FloatArray:
    """Return float64[m]: in each objective MARGIN times the worst loss on the Pareto front.

    Args:
        losses: float64[n, m], 0 or more, lower is better; at least one row is finite.
    """
    front = losses[pareto_front(losses)]
    return np.asarray(MARGIN * front.max(axis=0))


def hypervolume(losses: FloatArray, reference: FloatArray) -> float:
    """Return the volume that points dominate below a reference point, exactly.

    Slices along the last objective are swept from its least value up; each slice is a hypervolume
    of one dimension less.

    Args:
        losses: float64[n, m], lower is better; points beyond the reference count for nothing.
        reference: float64[m].
    """
    inside = losses[(losses < reference).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    if inside.shape[1] == 1:
        return float(reference[0] - inside.min())
    inside = inside[np.argsort(inside[:, -1], kind="stable")]
    ends = np.append(inside[1:, -1], reference[-1])
    return float(
        added(
            (end - point[-1]) * hypervolume(inside[: i + 1, :-1], reference[:-1])
            for i, (point, end) in enumerate(zip(inside, ends, strict=True))
            if end > point[-1]
        )
    )


def dominated_share(losses: FloatArray, reference: FloatArray) -> float:
    """Return the hypervolume as a share of the box between zero and the reference point.

    Args:
        losses: float64[n, m], 0 or more.
        reference: float64[m], positive.
    """
    return hypervolume(losses / reference, np.ones(len(reference)))
