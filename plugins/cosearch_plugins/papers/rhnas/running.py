"""Pieces of `cosearch reproduce rhnas` side by side: tables first, then every search and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from cosearch.registry.registry import Registry
from cosearch.search.seeds import stream
from cosearch_plugins.papers.rhnas.imagenet import (
    IMAGE_READINGS,
    ImageProblem,
    image_tables,
)
from cosearch_plugins.papers.rhnas.problems import Tabulated, limited, tables_of
from cosearch_plugins.papers.rhnas.readings import READINGS
from cosearch_plugins.papers.rhnas.relaxed import RelaxedHardware, Rounded
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, Found

OBJECTIVES = ("latency", "edp")
SEARCHES = 20
"""Relaxed searches of hardware for each weight of the penalty."""


@frozen
class Race:
    """A problem on which searches are compared.

    Attributes:
        reading: by name.
        objective: by name.
        floor: least accuracy, per cent; of ImageNet, points below the default network's.
    """

    reading: str
    objective: str
    floor: float

    @property
    def of_imagenet(self) -> bool:
        """Whether its networks are those of ImageNet."""
        return self.reading in {reading.name for reading in IMAGE_READINGS}


@frozen
class Where:
    """What tables are of and where they are kept.

    Attributes:
        folder: of tables.
        networks: the space of CIFAR-10's networks, with its options.
    """

    folder: Path
    networks: str


def whole_of(name: str) -> str:
    """Return the widest reading of the same device: the others are parts of its table."""
    reading = next(r for r in READINGS if r.name == name)
    alike = [r for r in READINGS if r.device == reading.device]
    return max(alike, key=lambda r: (r.area, not r.bus)).name


def priced(registry: Registry, where: Where, name: str) -> None:
    """See that the tables of a reading are in the folder."""
    for image in IMAGE_READINGS:
        if image.name == name:
            image_tables(registry, image, OBJECTIVES, where.folder, _quiet)
            return
    reading = next(r for r in READINGS if r.name == name)
    tables_of(registry, reading, OBJECTIVES, where.folder, _quiet, where.networks)


def problem_of_race(registry: Registry, where: Where, race: Race) -> Tabulated | ImageProblem:
    """Return the problem of a race, its table being in the folder."""
    text = f"{race.reading}, {race.objective}, accuracy >= "
    if race.of_imagenet:
        image = next(r for r in IMAGE_READINGS if r.name == race.reading)
        found = image_tables(registry, image, OBJECTIVES, where.folder, _quiet, trusted=True)[
            race.objective
        ]
        floor = found.default_accuracy - race.floor
        return ImageProblem(f"ImageNet, {text}{floor:.2f}", found, floor)
    whole = next(r for r in READINGS if r.name == whole_of(race.reading))
    table = tables_of(
        registry, whole, OBJECTIVES, where.folder, _quiet, where.networks, trusted=True
    )[race.objective]
    reading = next(r for r in READINGS if r.name == race.reading)
    return Tabulated(f"{text}{race.floor:g}", limited(table, reading), race.floor)


def _quiet(text: str) -> None:
    """Say nothing: the process that asked has said it."""


@frozen
class Search:
    """One search of one race from one seed.

    Attributes:
        race: the problem.
        contender: its place among `CONTENDERS`.
        seed: of the search.
        trials: designs.
    """

    race: Race
    contender: int
    seed: int
    trials: int


@frozen
class RelaxedRun:
    """The relaxed searches of hardware of one race.

    Attributes:
        race: the problem.
        penalties: weights of the learned classifier.
    """

    race: Race
    penalties: tuple[float, ...]


Relaxations: TypeAlias = tuple[float, tuple[Rounded, ...]]
"""The estimator's mean error, and what searches came to by penalty."""


class Here:
    """Runs pieces in this process.

    Args:
        registry: knows the names.
        where: tables are.
    """

    def __init__(self, registry: Registry, where: Where) -> None:
        self._registry, self._where = registry, where
        self._problems: dict[Race, Tabulated | ImageProblem] = {}

    def price(self, name: str) -> None:
        """See that the tables of a reading are in the folder."""
        priced(self._registry, self._where, name)

    def problem(self, race: Race) -> Tabulated | ImageProblem:
        """Return the problem of a race."""
        if race not in self._problems:
            self._problems[race] = problem_of_race(self._registry, self._where, race)
        return self._problems[race]

    def search(self, piece: Search) -> Found:
        """Return what a search finds."""
        run = CONTENDERS[piece.contender].run
        return run(self._registry, self.problem(piece.race), piece.seed, piece.trials)

    def relax(self, piece: RelaxedRun) -> Relaxations:
        """Return what relaxed searches of hardware come to."""
        problem = self.problem(piece.race)
        if isinstance(problem, ImageProblem):
            raise TypeError("hardware is relaxed on tables alone")
        losses = problem.of_machines(problem.baseline[0])
        relaxed = RelaxedHardware(problem.machines, losses, stream(0, "relaxed hardware"))
        return relaxed.error, tuple(relaxed.search(SEARCHES, w) for w in piece.penalties)


Loader: TypeAlias = Callable[[tuple[str, ...]], Registry]


@cache
def _here(loader: Loader, files: tuple[str, ...], where: Where) -> Here:
    return Here(loader(files), where)


def _piece(
    loader: Loader, files: tuple[str, ...], where: Where, piece: str | Search | RelaxedRun
) -> Found | Relaxations | None:
    """Run one piece in a process that keeps what it has loaded."""
    here = _here(loader, files, where)
    if isinstance(piece, str):
        here.price(piece)
        return None
    return here.search(piece) if isinstance(piece, Search) else here.relax(piece)


class Pool:
    """Runs pieces in processes, or in this one where there is one worker."""

    def __init__(
        self, registry: Registry, where: Where, processes: ProcessPoolExecutor | None
    ) -> None:
        self.here = Here(registry, where)
        self._loader, self._files, self._where = registry.loader, registry.files, where
        self._processes = processes

    def all(self, pieces: Sequence[str | Search | RelaxedRun]) -> list[Found | Relaxations | None]:
        """Return what pieces come to, in order."""
        if self._processes is None or self._loader is None:
            return [self._alone(piece) for piece in pieces]
        rest = self._loader, self._files, self._where
        waiting = [self._processes.submit(_piece, *rest, piece) for piece in pieces]
        return [future.result() for future in waiting]

    def _alone(self, piece: str | Search | RelaxedRun) -> Found | Relaxations | None:
        if isinstance(piece, str):
            self.here.price(piece)
            return None
        return self.here.search(piece) if isinstance(piece, Search) else self.here.relax(piece)


@contextmanager
def pool_of(registry: Registry, where: Where, workers: int) -> Iterator[Pool]:
    """Yield what runs pieces; what the registry knows of a script alone is run in this process."""
    if workers == 1 or registry.local or registry.loader is None:
        yield Pool(registry, where, None)
        return
    processes = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield Pool(registry, where, processes)
        processes.shutdown()
    except BaseException:
        for process in list((processes._processes or {}).values()):  # noqa: SLF001 - no public way
            process.terminate()
        processes.shutdown(wait=False, cancel_futures=True)
        raise
