"""A score composed of others, fitted to few networks and tested on those it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.typing import FloatArray, IntArray
from cosearch.workload.network import NetworkSpace
from cosearch_plugins.networks.columns import Networks, chosen_rows
from cosearch_plugins.networks.formula import (
    Evolution,
    Tree,
    agreement,
    best_pair,
    best_single,
    ranks,
    written,
)
from cosearch_plugins.workloads.score_objectives import SCORES


@frozen(eq=False)
class Ranked:
    """Some networks with the ranks of their scores.

    Attributes:
        name: of the space, with options.
        inputs: float64[n, k]: ranks by each score, from 0 to 1.
        accuracy: float64[n], or what else is to be ranked.
    """

    name: str
    inputs: FloatArray
    accuracy: FloatArray


@frozen
class Composed:
    """One formula and how well it ranks.

    Attributes:
        seed: of the split and the search.
        by: `search`, or the bars `best score` and `best sum of two`, chosen on the same networks.
        formula: over ranks.
        fitted: rank correlation on the networks it was fitted to.
        tested: on the others, one a space; the networks of the fit are left out in each.
    """

    seed: int
    by: str
    formula: str
    fitted: float
    tested: tuple[float, ...]


def inputs_of(space: NetworkSpace) -> list[str]:
    """Return the training-free scores of a space, and MACs: never what was measured."""
    return [*(name for name in SCORES if name in space.scores), "macs"]


def ranked(name: str, space: NetworkSpace, inputs: Sequence[str], against: str) -> Ranked:
    """Return the networks of a space of which every input is known.

    Raises:
        CosearchError: fewer than ten are.
    """
    networks = Networks.of(space, chosen_rows(space, None, 0, ()))
    columns = {score: networks.column(score) for score in inputs}
    target = networks.column(against)
    known = ~np.isnan(np.stack([*columns.values(), target])).any(axis=0)
    if known.sum() < 10:
        raise CosearchError(f"of {known.sum()} networks of {name} alone all scores are known")
    return Ranked(name, ranks({k: c[known] for k, c in columns.items()}), target[known])


def compose(spaces: Sequence[Ranked], names: Sequence[str], fit: int, seed: int) -> list[Composed]:
    """Return the formula found on some networks of the first space, and the bars.

    Args:
        spaces: the same networks in each, in one order.
        names: of the inputs.
        fit: networks that formulas are fitted to.
        seed: of the split and the search.

    Raises:
        CosearchError: the spaces have different networks, or too few to test on.
    """
    n = len(spaces[0].accuracy)
    if any(len(space.accuracy) != n for space in spaces):
        raise CosearchError("the spaces do not have the same networks with all scores")
    if not 10 <= fit <= n - 10:
        raise CosearchError(f"of {n} networks {fit} cannot be fitted to, and 10 be left to test")
    rng = np.random.default_rng(seed)
    mine = rng.permutation(n)[:fit]
    rest = np.setdiff1d(np.arange(n), mine)
    inputs, accuracy = spaces[0].inputs[mine], spaces[0].accuracy[mine]
    found: dict[str, Tree] = {
        "search": Evolution().best(inputs, accuracy, rng),
        "best sum of two": best_pair(inputs, accuracy),
        "best score": best_single(inputs, accuracy),
    }
    return [_judged(by, tree, spaces, names, mine, rest, seed) for by, tree in found.items()]


def _judged(
    by: str,
    tree: Tree,
    spaces: Sequence[Ranked],
    names: Sequence[str],
    mine: IntArray,
    rest: IntArray,
    seed: int,
) -> Composed:
    tested = tuple(agreement(tree, s.inputs[rest], s.accuracy[rest]) for s in spaces)
    fitted = agreement(tree, spaces[0].inputs[mine], spaces[0].accuracy[mine])
    return Composed(seed, by, written(tree, names), fitted, tested)
