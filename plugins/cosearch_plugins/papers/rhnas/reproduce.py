"""`cosearch reproduce rhnas`: the shape of the claim, exact optima, and what searches reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.search.seeds import stream
from cosearch_plugins.landscape.summary import Summary, summary_of
from cosearch_plugins.landscape.table import JointTable
from cosearch_plugins.papers.rhnas.problems import Tabulated, limited, tables_of
from cosearch_plugins.papers.rhnas.readings import FLOORS, NETWORKS, READINGS, Reading
from cosearch_plugins.papers.rhnas.relaxed import RelaxedHardware, Rounded
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, Contender, Score, score

OBJECTIVES = ("latency", "edp")
RACES = (("asic <= 2x", "latency", 93.5), ("asic <= 2x", "edp", 94.0))
"""Readings, objectives and floors on which searches are compared; no default was chosen on them."""

QUICK_RACES = (("pynq", "edp", 94.0),)
"""The loop's settings were chosen on this board: its figures here flatter it."""

QUICK_CONTENDERS = (
    "random", "evolutionary", "ppo", "network, then evolutionary", "network-inside, evolutionary",
    "rhnas",
)  # fmt: skip
"""Searches of the quick run."""

PENALTIES = (0.0, 0.1, 0.3, 1.0, 3.0)
"""Weights of the learned classifier in the relaxed search of hardware."""

QUICK = "pynq"
"""The one reading that is priced in seconds."""


@frozen
class Claimed:
    """The exact optima of one reading and objective, at each floor.

    Attributes:
        reading: which machines.
        objective: `latency` or `edp`.
        machines: that can be built.
        classes: of networks of equal cost.
        floors: the optima.
    """

    reading: Reading
    objective: str
    machines: int
    classes: int
    floors: tuple[Summary, ...]


@frozen
class Raced:
    """What searches reach on one problem.

    Attributes:
        problem: reading, objective and floor, in words.
        optimum: the least loss of all pairs.
        realizable: share of the machines, every rule hidden, that can be built.
        scores: of the contenders.
        estimator_error: mean relative error of the relaxed search's estimator.
        rounded: what the relaxed search of hardware comes to, by penalty.
    """

    problem: str
    optimum: float
    realizable: float
    scores: tuple[Score, ...]
    estimator_error: float
    rounded: tuple[Rounded, ...]


@frozen
class Reproduction:
    """All that is shown.

    Attributes:
        quick: whether a part alone was run.
        seeds, trials: of the searches.
        accuracies: what the networks' accuracies are.
        default: accuracy of the default network, per cent.
        claimed: by reading and objective.
        raced: by problem.
    """

    quick: bool
    seeds: int
    trials: int
    accuracies: str
    default: float
    claimed: tuple[Claimed, ...]
    raced: tuple[Raced, ...]


def reproduce(
    registry: Registry,
    folder: Path,
    note: Callable[[str], None],
    *,
    quick: bool = False,
    seeds: int = 10,
    trials: int = 1_000,
    table: str = "",
) -> Reproduction:
    """Return the readings with their exact optima, and the searches beside them.

    Args:
        registry: knows the names.
        folder: where tables are kept.
        note: told what is being done.
        quick: one board alone, and fewer searches.
        seeds: runs of each search.
        trials: designs of each run.
        table: the benchmark's file of accuracies; predicted ones without it.
    """
    networks = f"{NETWORKS},table={table}" if table else NETWORKS
    readings = [r for r in READINGS if not quick or r.name.startswith(QUICK)]
    tables: dict[tuple[str, str], JointTable] = {}
    for reading in readings:
        alike = [r for r in readings if r.device == reading.device]
        whole = max(alike, key=lambda r: (r.area, not r.bus))
        if (whole.name, OBJECTIVES[0]) not in tables:
            priced = tables_of(registry, whole, OBJECTIVES, folder, note, networks)
            tables |= {(whole.name, name): table for name, table in priced.items()}
        for name in OBJECTIVES:
            tables[reading.name, name] = limited(tables[whole.name, name], reading)
    claimed = tuple(
        Claimed(
            reading,
            objective,
            tables[reading.name, objective].machines,
            len(tables[reading.name, objective].classes),
            tuple(summary_of(tables[reading.name, objective], floor) for floor in FLOORS),
        )
        for reading in readings
        for objective in OBJECTIVES
    )
    races = QUICK_RACES if quick else RACES
    raced = []
    for name, objective, floor in races:
        problem = Tabulated(f"{name}, {objective}, accuracy >= {floor:g}",
                            tables[name, objective], floor)  # fmt: skip
        taking = [c for c in CONTENDERS if not quick or c.name in QUICK_CONTENDERS]
        raced.append(_raced(registry, problem, taking, note, range(seeds), trials))
    space = tables[readings[0].name, OBJECTIVES[0]].problem.networks
    if space is None:
        raise TypeError("a joint table is of a space of networks")
    row = space.space.index(space.baseline)
    default = float(space.accuracy(row[None])[0])
    said = space.remark(row)
    return Reproduction(quick, seeds, trials, said, default, claimed, tuple(raced))


def _raced(
    registry: Registry,
    problem: Tabulated,
    contenders: Sequence[Contender],
    note: Callable[[str], None],
    seeds: Sequence[int],
    trials: int,
) -> Raced:
    scores = []
    for contender in contenders:
        note(f"{problem.name}: {contender.name} ({contender.what})")
        scores.append(score(registry, problem, contender, seeds, trials))
    note(f"{problem.name}: a relaxed search of hardware")
    losses = problem.of_machines(problem.baseline[0])
    relaxed = RelaxedHardware(problem.machines, losses, stream(0, "relaxed hardware"))
    rounded = tuple(relaxed.search(20, weight) for weight in PENALTIES)
    realizable = float(np.isfinite(problem.best_of_machines).mean())
    return Raced(problem.name, problem.optimum, realizable, tuple(scores), relaxed.error, rounded)


def ratios_of(summary: Summary) -> Mapping[str, float | None]:
    """Return default over found: the machine alone, the network alone, both."""
    return {
        "hardware only": summary.ratio(summary.hardware),
        "network only": summary.ratio(summary.network),
        "one after the other": summary.ratio(summary.one_after_other),
        "both": summary.ratio(summary.both),
    }
