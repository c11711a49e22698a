"""What better means: objectives, constraints on results, Pareto dominance."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from cosearch.answers import no_text, shown
from cosearch.errors import (
    CosearchError,
    InputError,
    PluginError,
    UnknownNameError,
    pass_on,
    text_of,
)
from cosearch.typing import BoolArray, FloatArray

Metrics = Mapping[str, FloatArray]
"""`energy_pj`, `cycles`, `area_mm2`, `accuracy`, `clock_mhz`: each float64[n]."""


@frozen
class Objective:
    """A number to be made small, computed from metrics.

    Attributes:
        name: as users write it.
        unit: of the values.
        of: metrics to float64[n]; lower is better.
        summary: one line.
        needs: metrics it reads; a design that lacks one cannot be scored.
        monotone: depends on energy and cycles alone and never falls when one of them grows, so
            that bounds on them bound it.
        weights: of energy (pJ) and cycles, where it is their weighted sum; None for any other.
        powers: a and b, where it is `energy_pj**a * cycles**b`; None for any other.
    """

    name: str
    unit: str
    of: Callable[[Metrics], FloatArray]
    summary: str = ""
    needs: tuple[str, ...] = ("energy_pj", "cycles")
    monotone: bool = False
    weights: tuple[float, float] | None = None
    powers: tuple[int, int] | None = None

    def bound(self, metrics: Metrics) -> FloatArray:
        """Return the objective of bounds on metrics; these may be 0, and it infinite there."""
        of = self.of
        with np.errstate(divide="ignore", over="ignore"):
            found = of(metrics, bounds=True) if isinstance(of, _Checked) else of(metrics)
        return np.asarray(found)


@frozen
class _Checked:
    """What a plugin's objective is computed with, its values checked.

    Attributes:
        of: the plugin's.
        needs: of the objective.
        who: it is, for messages.
    """

    of: Callable[[Metrics], FloatArray]
    needs: tuple[str, ...]
    who: str

    def __call__(self, metrics: Metrics, *, bounds: bool = False) -> FloatArray:
        """Return finite values (of bounds: no NaN) wherever all that is needed is finite."""
        shape = np.broadcast_shapes(*(np.shape(column) for column in metrics.values()))
        values = self._values(metrics, shape)
        odd = np.isnan(values) if bounds else ~np.isfinite(values)
        for need in {*self.needs} & metrics.keys():
            odd = odd & np.isfinite(metrics[need])
        if odd.any():
            raise PluginError(f"{self.who}: of gave {values[odd][0]}")
        return values

    def _values(self, metrics: Metrics, shape: tuple[int, ...]) -> FloatArray:
        try:
            values = np.asarray(self.of(metrics))
        except CosearchError:
            raise
        except BaseException as error:
            pass_on(error)
            what = f"{type(error).__name__} in of: {text_of(error)}"
            raise PluginError(f"{self.who} raised {what}") from error
        if values.dtype.kind not in "fiu" or values.shape != shape:
            gave = f"{values.dtype} of shape {values.shape}"
            raise PluginError(f"{self.who}: of gave {gave}, no {shape} real numbers")
        return values.astype(np.float64)


def checked(objective: Objective, whose: str) -> Objective:
    """Return an objective whose values are checked, or raise PluginError for one that is none.

    Args:
        objective: of a plugin.
        whose: distribution and version, for messages.
    """
    texts = (objective.name, objective.unit, objective.summary)
    needs, name = objective.needs, objective.name
    kinds: Sequence[object] = (objective.of, needs)
    if any(map(no_text, texts)) or not callable(kinds[0]) or not isinstance(kinds[1], tuple):
        raise PluginError(f"the objective {shown(name)} of {whose} lacks a text, needs or values")
    return evolve(objective, of=_Checked(objective.of, needs, f"objective {name!r} of {whose}"))


OBJECTIVES: tuple[Objective, ...] = (
    Objective(
        "edp",
        "pJ*cycles",
        lambda m: m["energy_pj"] * m["cycles"],
        "energy-delay product",
        monotone=True,
        powers=(1, 1),
    ),
    Objective(
        "energy",
        "pJ",
        lambda m: m["energy_pj"],
        "energy of one run",
        ("energy_pj",),
        monotone=True,
        powers=(1, 0),
    ),
    Objective(
        "latency",
        "cycles",
        lambda m: m["cycles"],
        "cycles of one run",
        ("cycles",),
        monotone=True,
        powers=(0, 1),
    ),
    Objective(
        "ed2p",
        "pJ*cycles^2",
        lambda m: m["energy_pj"] * m["cycles"] ** 2,
        "energy times delay squared",
        monotone=True,
        powers=(1, 2),
    ),
    Objective(
        "geomean_edp",
        "pJ*cycles",
        lambda m: m["geomean_edp"],
        "geometric mean of the EDPs of several networks",
        ("geomean_edp",),
    ),
    Objective("area", "mm2", lambda m: m["area_mm2"], "silicon area", ("area_mm2",)),
    Objective(
        "power",
        "mW",
        lambda m: m["energy_pj"] * m["clock_mhz"] / m["cycles"] * 1e-3,
        "mean power: energy over time at the machine's clock",
        ("energy_pj", "cycles", "clock_mhz"),
    ),
    Objective(
        "error",
        "%",
        lambda m: 100.0 - m["accuracy"],
        "100 minus the network's accuracy",
        ("accuracy",),
    ),
)


def weighted_sum(energy: float, cycles: float) -> Objective:
    """Return `energy * energy_pj + cycles * cycles` as an objective, in pJ.

    Only the direction counts: the weights are scaled so that energy weighs 1 (cycles, where energy
    weighs nothing), and `Objective.weights` has them so. Equal directions have equal names.

    Args:
        energy: weight of a pJ: finite, at least 0.
        cycles: weight of a cycle, likewise; over the other, what a cycle is worth in pJ.

    Raises:
        InputError: the weights are no such numbers, or both are 0.
    """
    scale = energy if energy > 0 else cycles
    ratio = cycles / scale if scale > 0 else math.nan
    if not (energy >= 0 and cycles >= 0 and math.isfinite(energy) and math.isfinite(ratio)):
        raise InputError("weighted sum", [f"energy * {energy!r} + cycles * {cycles!r} is no goal"])
    weights = (energy / scale, ratio)
    return Objective(
        f"{weights[0]!r}*energy+{weights[1]!r}*cycles",
        "pJ",
        lambda m: weights[0] * m["energy_pj"] + weights[1] * m["cycles"],
        "energy, and cycles at a price",
        monotone=True,
        weights=weights,
    )


@frozen
class Constraint:
    """A limit on a metric or an objective, such as `area_mm2<=10`.

    Attributes:
        name: a metric or an objective.
        at_most: True for `<=`, False for `>=`.
        limit: in the metric's unit.
    """

    name: str
    at_most: bool
    limit: float

    @classmethod
    def parse(cls, text: str, known: Mapping[str, Objective]) -> Constraint:
        """Read `name<=number` or `name>=number`, or raise InputError."""
        match = re.fullmatch(r"\s*(\w+)\s*(<=|>=)\s*([-+.\deE]+)\s*", text)
        if match is None:
            raise InputError(
                f"constraint {text!r}",
                ["is not NAME<=NUMBER or NAME>=NUMBER"],
                "for example: --constraint 'area_mm2<=10'",
            )
        name, sign, number = match.groups()
        names = {"energy_pj", "cycles", "area_mm2", "accuracy", *known}
        if name not in names:
            raise UnknownNameError("metric", name, names)
        try:
            limit = float(number)
        except ValueError:
            raise InputError(f"constraint {text!r}", [f"{number!r} is not a number"]) from None
        return cls(name, sign == "<=", limit)

    def excess(self, values: FloatArray) -> FloatArray:
        """Return by how much values, float64[n], miss the limit, relative; negative: to spare."""
        over = values - self.limit if self.at_most else self.limit - values
        return np.asarray(over / max(abs(self.limit), 1e-300))

    def violation(self, values: FloatArray) -> FloatArray:
        """Return by how much values, float64[n], miss the limit, relative to it; 0 where met."""
        return np.maximum(self.excess(values), 0.0)

    def __str__(self) -> str:
        return f"{self.name}{'<=' if self.at_most else '>='}{self.limit:g}"


def pareto_front(losses: FloatArray) -> BoolArray:
    """Return bool[n]: which points, float64[n, m], no other point dominates.

    A point dominates another when it is nowhere worse and somewhere better; of equal points all
    stay. Points with an infinite or NaN loss never belong to the front.
    """
    front: BoolArray = np.asarray(np.isfinite(losses).all(axis=1))
    if losses.shape[1] == 1 and front.any():
        least: BoolArray = front & (losses[:, 0] == losses[front].min())
        return least
    for i in np.flatnonzero(front):
        no_worse = (losses <= losses[i]).all(axis=1)
        better = (losses < losses[i]).any(axis=1)
        front[i] = not bool((no_worse & better).any())
    return front
