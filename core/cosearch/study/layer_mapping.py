"""The best mapping of each layer of a network on one fixed machine, checked by its model."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

import numpy as np
from attrs import frozen

from cosearch.cost import Cost
from cosearch.errors import CosearchError, Infeasible, PluginError
from cosearch.hardware import Accelerator
from cosearch.mapper import Mapped
from cosearch.mapping.rejection import Rejections, sampled
from cosearch.study.problem import Problem, broken
from cosearch.study.seeds import stream
from cosearch.workload import Layer

CLAIM = 1e-9
"""By how much a mapper's energy may differ from the machine's own account, relative: the account
adds up in another order, no more."""


@frozen(eq=False)
class LayerMapping:
    """A layer and its mapping, or the reason why it has none.

    Attributes:
        layer: with its count.
        mapped: what the mapper found; None when the layer fits nowhere.
        cost: the machine's own account of it.
        verdict: why the layer fits nowhere.
        rejections: why random mappings of it are invalid; None where it fits nowhere.
    """

    layer: Layer
    mapped: Mapped | None = None
    cost: Cost | None = None
    verdict: Infeasible | None = None
    rejections: Rejections | None = None


def map_layers(problem: Problem, accelerator: Accelerator) -> Iterator[LayerMapping]:
    """Yield each unique layer as it is mapped, in order of execution.

    The random stream is the one a study of the same settings would use, so a study finds the same
    mappings.

    Raises:
        PluginError: the mapper broke down, or the machine does not confirm what it claims.
    """
    for layer in problem.network.unique:
        purpose = ("mapper", str(accelerator.key), layer.einsum.key, problem.mapper_purpose)
        rng = stream(problem.spec.seed if problem.mapper.uses_rng else 0, *purpose)
        try:
            mapped = problem.mapper.map(
                accelerator, layer.einsum, problem.mapper_objective,
                problem.spec.mapper_budget, rng,
            )  # fmt: skip
        except Infeasible as verdict:
            yield LayerMapping(layer, verdict=verdict)
            continue
        except CosearchError:
            raise
        except Exception as error:
            where = f"layer {layer.name!r}"
            raise broken("mapper", problem.spec.mapper, where, error) from error
        why = sampled(accelerator, layer.einsum, stream(0, "rejections", layer.einsum.key))
        yield LayerMapping(layer, mapped, _confirmed(accelerator, layer, mapped), rejections=why)


def _confirmed(accelerator: Accelerator, layer: Layer, mapped: Mapped) -> Cost:
    """Return the machine's account of a mapping, or raise PluginError when the two disagree."""
    cost = accelerator.explain(layer.einsum, np.asarray(mapped.row, dtype=np.int64))
    same = isclose(cost.energy_pj, mapped.energy_pj, rel_tol=CLAIM)
    if not (same and cost.cycles == mapped.cycles):
        raise PluginError(
            f"mapper {mapped.mapper!r} claims {mapped.energy_pj:.17g} pJ and {mapped.cycles:.17g} "
            f"cycles for {layer.name!r}; the model of the machine says {cost.energy_pj:.17g} pJ "
            f"and {cost.cycles:.17g} cycles"
        )
    return cost
