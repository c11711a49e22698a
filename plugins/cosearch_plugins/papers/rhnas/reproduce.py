"""`cosearch reproduce rhnas`: the shape of the claim, exact optima, and what searches reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch_plugins.landscape.summary import Summary, summary_of
from cosearch_plugins.landscape.table import JointTable
from cosearch_plugins.papers.rhnas.imagenet import (
    FLOORS_BELOW,
    IMAGE_READINGS,
    ImageOptimum,
    ImageProblem,
    ImageReading,
    image_tables,
    optimum_of,
)
from cosearch_plugins.papers.rhnas.problems import Tabulated, limited, tables_of
from cosearch_plugins.papers.rhnas.readings import FLOORS, NETWORKS, READINGS, Reading
from cosearch_plugins.papers.rhnas.relaxed import Rounded
from cosearch_plugins.papers.rhnas.running import (
    OBJECTIVES,
    Pool,
    Race,
    RelaxedRun,
    Search,
    Where,
    pool_of,
    whole_of,
)
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, Found, Score, scored

RACES = (
    Race("asic <= 2x", "latency", 93.5),
    Race("asic <= 2x", "edp", 94.0),
    Race("pynq, 256 MACs", "latency", 0.0),
)
"""Problems on which searches are compared; earlier defaults were chosen on the second."""

QUICK_RACES = (Race("pynq", "edp", 94.0),)
"""The loop's settings were chosen on this board: its figures here flatter it."""

QUICK_CONTENDERS = (
    "random", "evolutionary", "ppo", "network, then evolutionary", "network-inside, evolutionary",
    "rhnas",
)  # fmt: skip
"""Searches of the quick run."""

PENALTIES = (0.0, 0.1, 0.3, 1.0, 3.0)
"""Weights of the learned classifier in the relaxed search of hardware."""

QUICK = ("pynq", "pynq, port <= 8 bytes")
QUICK_IMAGES = ("pynq, 256 MACs, port <= 8 bytes",)
"""Readings that are priced in half a minute."""


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
class ImageClaimed:
    """The optima of one reading and objective for ImageNet, at each floor.

    Attributes:
        reading: which machines.
        objective: `latency` or `edp`.
        machines: that can be built and run every layer.
        floors: the optima.
    """

    reading: ImageReading
    objective: str
    machines: int
    floors: tuple[ImageOptimum, ...]


@frozen
class Raced:
    """What searches reach on one problem.

    Attributes:
        problem: data set, reading, objective and floor, in words.
        optimum: the least loss of all pairs.
        realizable: share of the machines, every rule hidden, that can be built.
        scores: of the contenders.
        estimator_error: mean relative error of the relaxed search's estimator.
        rounded: what the relaxed search of hardware comes to, by penalty; empty where hardware was
            not relaxed.
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
        images: what is claimed for ImageNet.
        image_accuracies: what the accuracies of its networks are.
    """

    quick: bool
    seeds: int
    trials: int
    accuracies: str
    default: float
    claimed: tuple[Claimed, ...]
    raced: tuple[Raced, ...]
    images: tuple[ImageClaimed, ...] = ()
    image_accuracies: str = ""


def reproduce(
    registry: Registry,
    folder: Path,
    note: Callable[[str], None],
    *,
    quick: bool = False,
    seeds: int = 10,
    trials: int = 1_000,
    table: str = "",
    workers: int = 1,
) -> Reproduction:
    """Return the exact optima under every reading, and what searches reach.

    Args:
        registry: knows the names.
        folder: where complete tables are kept.
        note: told what takes long.
        quick: one board, fewer searches.
        seeds: runs of each search.
        trials: designs of each run.
        table: the benchmark's file of accuracies; predicted ones without it.
        workers: processes; the result does not hang on how many.
    """
    networks = f"{NETWORKS},table={table}" if table else NETWORKS
    where = Where(folder, networks)
    readings = [r for r in READINGS if not quick or r.name in QUICK]
    images = [r for r in IMAGE_READINGS if not quick or r.name in QUICK_IMAGES]
    wholes = list(dict.fromkeys(whole_of(reading.name) for reading in readings))
    with pool_of(registry, where, workers) as pool:
        note(f"pricing every machine: {'; '.join([*wholes, *(r.name for r in images)])}")
        pool.all([*wholes, *(reading.name for reading in images)])
        tables = _tables(registry, where, readings)
        note("the best pair under every reading")
        claimed = [_claimed(tables, reading, name) for reading in readings for name in OBJECTIVES]
        found = [claim for r in images for claim in _image_claims(registry, where, r)]
        taking = [i for i, c in enumerate(CONTENDERS) if not quick or c.name in QUICK_CONTENDERS]
        races = QUICK_RACES if quick else RACES
        raced = _raced_all(pool, races, taking, note, range(seeds), trials)
    space = next(iter(tables.values())).problem.networks
    if space is None:
        raise TypeError("a joint table is of a space of networks")
    row = space.space.index(space.baseline)
    default = float(space.accuracy(row[None])[0])
    of_images = registry.find("network_spaces", "ofa-mobilenetv3").make()
    told = of_images.remark(of_images.space.index(of_images.baseline))
    return Reproduction(
        quick, seeds, trials, space.remark(row), default, tuple(claimed), tuple(raced),
        tuple(found), told,
    )  # fmt: skip


def _tables(
    registry: Registry, where: Where, readings: Sequence[Reading]
) -> dict[tuple[str, str], JointTable]:
    """Return the table of each reading and objective; those in the folder were just looked at."""
    wholes = {whole_of(reading.name) for reading in readings}
    priced = {
        name: tables_of(
            registry, next(r for r in READINGS if r.name == name), OBJECTIVES, where.folder,
            lambda _: None, where.networks, trusted=True,
        )
        for name in wholes
    }  # fmt: skip
    return {
        (reading.name, name): limited(priced[whole_of(reading.name)][name], reading)
        for reading in readings
        for name in OBJECTIVES
    }


def _claimed(
    tables: Mapping[tuple[str, str], JointTable], reading: Reading, objective: str
) -> Claimed:
    table = tables[reading.name, objective]
    floors = tuple(summary_of(table, floor) for floor in FLOORS)
    return Claimed(reading, objective, table.machines, len(table.classes), floors)


def _image_claims(registry: Registry, where: Where, reading: ImageReading) -> list[ImageClaimed]:
    tables = image_tables(registry, reading, OBJECTIVES, where.folder, lambda _: None, trusted=True)
    return [
        ImageClaimed(
            reading,
            name,
            len(table.rows),
            tuple(optimum_of(table, table.default_accuracy - below) for below in FLOORS_BELOW),
        )
        for name, table in tables.items()
    ]


def _raced_all(
    pool: Pool,
    races: Sequence[Race],
    taking: Sequence[int],
    note: Callable[[str], None],
    seeds: Sequence[int],
    trials: int,
) -> list[Raced]:
    """Return what searches reach on every race, all of them at once."""
    note(f"{len(races) * len(taking) * len(seeds)} searches, and relaxed hardware")
    relaxed = [RelaxedRun(race, PENALTIES) for race in races if not race.of_imagenet]
    searches = [
        Search(race, contender, seed, trials)
        for race in races
        for contender in taking
        if not race.of_imagenet or CONTENDERS[contender].sums
        for seed in seeds
    ]
    longest = sorted(searches, key=lambda s: -s.contender)
    results = pool.all([*relaxed, *longest])
    met = dict(zip(longest, cast("list[Found]", results[len(relaxed) :]), strict=True))
    rounded = dict(zip((r.race for r in relaxed), results, strict=False))
    return [
        _raced(pool, race, [s for s in searches if s.race == race], met, rounded.get(race))
        for race in races
    ]


def _raced(
    pool: Pool,
    race: Race,
    searches: Sequence[Search],
    met: Mapping[Search, Found],
    relaxed: object,
) -> Raced:
    problem = pool.here.problem(race)
    scores = tuple(
        scored(problem, CONTENDERS[k], [met[s] for s in searches if s.contender == k])
        for k in dict.fromkeys(s.contender for s in searches)
    )
    error, rounded = cast("tuple[float, tuple[Rounded, ...]]", relaxed or (0.0, ()))
    share = _realizable(problem)
    return Raced(problem.name, problem.optimum, share, scores, error, rounded)


def _realizable(problem: Tabulated | ImageProblem) -> float:
    if isinstance(problem, ImageProblem):
        return problem.realizable
    return float(np.isfinite(problem.best_of_machines).mean())


def ratios_of(summary: Summary) -> Mapping[str, float | None]:
    """Return default over found: the machine alone, the network alone, both."""
    return {
        "hardware only": summary.ratio(summary.hardware),
        "network only": summary.ratio(summary.network),
        "one after the other": summary.ratio(summary.one_after_other),
        "both": summary.ratio(summary.both),
    }
