"""SMAC3 as a strategy."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result

_WITHOUT_END = 10**9
"""Trials of a scenario, which ends where its caller ends it."""


class Smac(Foreign):
    """A random forest proposes, by SMAC's facade for hyperparameters of few evaluations.

    Ordered columns are integers, the others categories. Losses are told by their logarithm: SMAC
    takes that of what is above the best, and of large equal ones that is infinite. An infeasible
    design is told as worse than the worst so far, by how much it misses. Thinks for 0.1 to 0.4 s a
    design. Needs the extra `smac`. Unpickled, it does over what it did. Source: Lindauer et al.,
    SMAC3, JMLR 2022.
    """

    options = ParameterSpace(
        (Parameter("startup", (1, 5, 10, 20, 10_000), 5, free=True, doc="of a Sobol sequence"),)
    )

    def __init__(self, space: Space, rng: np.random.Generator, *, startup: int = 5) -> None:
        super().__init__(space, rng)
        if importlib.util.find_spec("smac") is None:
            raise MissingExtraError("the strategy smac", "smac")
        self._startup = startup
        self._seeds: tuple[int, int] | None = None
        self._events: list[tuple[int, tuple[Rows, int | None, float] | None]] = []
        self._exhausted = False  # SMAC finds no configuration that it has not asked for

    def __getstate__(self) -> dict[str, Any]:
        """Leave SMAC out, which holds generators that nothing can pickle."""
        return {k: v for k, v in vars(self).items() if k not in ("_facade", "_columns", "_asked")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make SMAC anew, and ask and tell it what it was."""
        vars(self).update(state)
        if self._seeds is not None:
            self._make(self._seeds)
            for seed, told in self._events:
                if told is None:
                    self._ask(seed)
                else:
                    self._tell(seed, *told)

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        self._seeds = self._drawn_seed(), self._drawn_seed()
        self._make(self._seeds)

    def _make(self, seeds: tuple[int, int]) -> None:
        apart, seed = seeds
        self._asked: list[Any] = []
        folder = tempfile.mkdtemp(prefix="cosearch-smac-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        with self._apart(apart), _quiet():
            from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, Integer
            from smac import HyperparameterOptimizationFacade as Facade
            from smac import Scenario

            self._columns: Any = ConfigurationSpace(seed=seed)
            facts = zip(self.space.cardinalities, self.space.ordered, strict=True)
            for j, (cards, ordered) in enumerate(facts):
                if cards > 1:
                    self._columns.add(
                        Integer(str(j), (0, int(cards) - 1))
                        if ordered
                        else CategoricalHyperparameter(str(j), list(range(int(cards))))
                    )
            scenario = Scenario(
                self._columns,
                deterministic=True,
                n_trials=_WITHOUT_END,
                seed=seed,
                output_directory=folder,
            )
            self._facade: Any = Facade(
                scenario,
                _never,
                intensifier=Facade.get_intensifier(scenario, max_config_calls=1),
                acquisition_maximizer=_in_order(Facade.get_acquisition_maximizer(scenario)),
                initial_design=Facade.get_initial_design(scenario, n_configs=self._startup),
                overwrite=True,
                logging_level=False,
            )

    def _next(self) -> tuple[Rows, Any] | None:
        if self._exhausted:
            return None
        seed = self._drawn_seed()
        self._events.append((seed, None))
        trial = self._ask(seed)
        if trial is None:
            return None
        row = np.zeros(len(self.space.names), dtype=np.int64)
        for name, value in dict(trial.config).items():
            row[int(name)] = value
        return row, len(self._asked) - 1

    def _ask(self, seed: int) -> Any:  # noqa: ANN401
        """Return SMAC's next trial, kept for what is told of it; None where it has no other."""
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        try:
            with self._apart(seed), _quiet():
                self._asked.append(self._facade.ask())
        except (ConfigurationSpaceExhaustedException, StopIteration):
            self._exhausted = True
            return None
        return self._asked[-1]

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401
        seed = self._drawn_seed()
        self._events.append((seed, (row.copy(), handle, result.logged)))
        self._tell(seed, row, handle, result.logged)

    def _tell(self, seed: int, row: Rows, number: int | None, cost: float) -> None:
        """Tell SMAC of a trial that it asked for, by its number, or of another."""
        from ConfigSpace import Configuration
        from smac.runhistory.dataclasses import TrialInfo, TrialValue

        if number is None:
            values = {name: int(row[int(name)]) for name in self._columns}
            trial = TrialInfo(Configuration(self._columns, values=values), seed=0)
        else:
            trial = self._asked[number]
        with self._apart(seed), _quiet():
            self._facade.tell(trial, TrialValue(cost=cost, time=0.0), save=False)


def _in_order(maximizer: Any) -> Any:  # noqa: ANN401
    """Return a maximizer whose local searches start in an order that each process has.

    SMAC takes their starts from a set, and a configuration's hash is that of a text.
    """
    search = maximizer._local_search  # noqa: SLF001 - it takes no other way in
    unordered = search._get_initial_points  # noqa: SLF001

    def ordered(*given: Any, **named: Any) -> list[Any]:  # noqa: ANN401
        return sorted(unordered(*given, **named), key=lambda point: point.get_array().tolist())

    search._get_initial_points = ordered  # noqa: SLF001
    return maximizer


def _never(config: Any, seed: int = 0) -> float:  # noqa: ANN401
    """Stand for the function that SMAC itself would call."""
    raise NotImplementedError(config, seed)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep SMAC's log lines off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
