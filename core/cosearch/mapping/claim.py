"""What a mapper claims, held against the machine: its price, and its model that can be read.

Every mapping a mapper returns is priced by the machine (`Accelerator.evaluate`); what the machine
says is what counts and is kept. Every mapping that is shown or reported is explained by the
reference model (`Accelerator.explain`) on top, and the two must agree. One tolerance holds for
both: another order of adding up, no more.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isclose
from numbers import Integral, Real

import numpy as np
from attrs import evolve

from cosearch.errors import CosearchError, PluginError, broken, pass_on
from cosearch.machine.cost import Cost
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.mapper import Mapped
from cosearch.mapping.priced import priced
from cosearch.mapping.result import LayerResult
from cosearch.origin import origin
from cosearch.typing import Rows
from cosearch.workload.einsum import Einsum

CLAIM = 1e-12
"""By how much two accounts of one mapping's energy may differ, relative: rounding, no more."""


def agree(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether two accounts of a mapping, energy (pJ) and cycles, are the same."""
    return isclose(one[0], other[0], rel_tol=CLAIM) and one[1] == other[1]


def confirmed(mapped: Mapped, accelerator: Accelerator, layer: Einsum, mapper: str) -> Mapped:
    """Return the mapping with what the machine says it costs.

    A mapper that adds up in another order may differ in the last digits.

    Raises:
        PluginError: the mapping is none, cannot be run, or costs something else.
    """
    _refuse_nonsense(mapped, mapper)
    row: Rows = np.asarray(mapped.row, dtype=np.int64)
    run = _as_run(mapped, layer, mapper)
    price = price_of(accelerator, run, row)
    if isinstance(price, str):
        raise PluginError(f"mapper {mapper!r} returned {price}")
    energy, cycles = price
    if not agree((energy, cycles), (mapped.energy_pj, mapped.cycles)):
        raise PluginError(
            f"mapper {mapper!r} claims {mapped.energy_pj:.17g} pJ and {mapped.cycles:.17g} cycles "
            f"for {run.name!r}; the machine says {energy:.17g} pJ and {cycles:.17g} cycles"
        )
    if row is mapped.row and (energy, cycles) == (mapped.energy_pj, mapped.cycles):
        return mapped
    return evolve(mapped, row=row, energy_pj=energy, cycles=cycles)


MOST_PRICES = 100_000
"""Prices kept: then they begin anew, and what comes up is priced again."""

_PRICES: dict[Hashable, tuple[float, float]] = {}
"""By machine, layer and mapping what this process has priced: searches in several directions end at
one mapping, and a comparison meets the same designs in many runs. A machine whose class was made
anew, as in a notebook, is another."""


def price_of(accelerator: Accelerator, run: Einsum, row: Rows) -> tuple[float, float] | str:
    """Return what the machine says a mapping costs, energy (pJ) and cycles, or why it is none.

    Raises:
        PluginError: the machine broke down, or its price makes no sense.
    """
    kind = type(accelerator)
    place = (kind, str(accelerator.key), run.key, row.shape, row.tobytes())
    price = _PRICES.get(place)
    if price is not None:
        return price
    if not inside(row, accelerator, run):
        return f"a row that is not in the mapspace of {run.name!r}"
    costs = priced(accelerator, run, row[None, :])
    if not costs.feasible[0]:
        why = costs.reasons[costs.reason[0]]
        return f"a mapping of {run.name!r} that the machine cannot run: {why}"
    if len(_PRICES) >= MOST_PRICES:
        _PRICES.clear()
    price = float(costs.energy_pj[0]), float(costs.cycles[0])
    _PRICES[place] = price
    return price


def explained(result: LayerResult, accelerator: Accelerator, layer: Einsum) -> Cost:
    """Return the reference model's account of a result.

    Raises:
        PluginError: it is not what the machine said the mapping costs.
    """
    cost = account_of(accelerator, result.as_run(layer), result.row)
    if not agree((cost.energy_pj, cost.cycles), (result.energy_pj, result.cycles)):
        raise PluginError(
            f"{accelerator.name} prices a mapping of {result.name!r} at {result.energy_pj:.17g} pJ "
            f"and {result.cycles:.17g} cycles; its reference model says {cost.energy_pj:.17g} pJ "
            f"and {cost.cycles:.17g} cycles"
        )
    return cost


def _refuse_nonsense(mapped: object, mapper: str) -> None:
    """Raise PluginError for what no mapping, count or claim can be."""
    if not isinstance(mapped, Mapped):
        raise PluginError(f"mapper {mapper!r} returned {type(mapped).__name__}, no Mapped")
    row = np.asarray(mapped.row)
    counts = (mapped.evaluations, mapped.nodes)
    what = ""
    if row.dtype.kind not in "iu":
        what = f"a row of {row.dtype}, {row.tolist()!r}: a point is whole numbers"
    elif not all(isinstance(n, Integral) and n >= 0 for n in counts):
        what = f"{mapped.evaluations!r} evaluations and {mapped.nodes!r} nodes"
    elif not isinstance(mapped.proven, bool | np.bool_):
        what = f"proven={mapped.proven!r}, which is neither True nor False"
    elif mapped.gap is not None and not (isinstance(mapped.gap, Real) and mapped.gap >= 0):
        what = f"a gap of {mapped.gap!r}"
    elif mapped.proven and mapped.gap:
        what = f"a mapping proven best, {mapped.gap:g} off the optimum"
    if what:
        raise PluginError(f"mapper {mapper!r} returned {what}")


def account_of(accelerator: Accelerator, layer: Einsum, row: Sequence[int]) -> Cost:
    """Return the reference model's account of a row; raises PluginError where it gives none."""
    try:
        cost: object = accelerator.explain(layer, np.array(row, dtype=np.int64))
    except CosearchError:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("machine", accelerator.name, "explain", error, accelerator) from error
    if isinstance(cost, Cost) and cost.levels:
        return cost
    what = f"{type(cost).__name__}, no Cost"
    if isinstance(cost, Cost):
        what = "a Cost without levels: name at least one part of the machine"
    raise PluginError(f"{accelerator.name} {origin(accelerator)}: explain returned {what}")


def inside(row: Rows, accelerator: Accelerator, layer: Einsum) -> bool:
    """Return whether a row, int64[d], is a point of the mapspace."""
    cards = accelerator.mapspace(layer).cardinalities
    return row.shape == cards.shape and bool(((row >= 0) & (row < cards)).all())


def _as_run(mapped: Mapped, layer: Einsum, mapper: str) -> Einsum:
    """Return the layer as the mapper runs it, or raise PluginError for one that is too small."""
    sizes = mapped.sizes
    if sizes is None:
        return layer
    smaller = any(n < own for n, own in zip(sizes, layer.sizes, strict=False))
    if len(sizes) != len(layer.sizes) or smaller:
        raise PluginError(
            f"mapper {mapper!r} runs {layer.name!r} at the sizes {sizes}, less than {layer.sizes}"
        )
    return mapped.as_run(layer)
