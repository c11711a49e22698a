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

    Ordered columns are integers, the others categories. An infeasible design is told as worse
    than the worst so far, by how much it misses. Thinks a third of a second a design. Needs the
    extra `smac`. Source: Lindauer et al., SMAC3, JMLR 2022.
    """

    options = ParameterSpace(
        (Parameter("startup", (1, 5, 10, 20, 10_000), 5, free=True, doc="of a Sobol sequence"),)
    )

    def __init__(self, space: Space, rng: np.random.Generator, *, startup: int = 5) -> None:
        super().__init__(space, rng)
        if importlib.util.find_spec("smac") is None:
            raise MissingExtraError("the strategy smac", "smac")
        self._startup = startup
        self._folder = tempfile.mkdtemp(prefix="cosearch-smac-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._facade: Any = None
        self._columns: Any = None
        self._exhausted = False  # SMAC finds no configuration that it has not asked for

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        with self._apart(), _quiet():
            from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, Integer
            from smac import HyperparameterOptimizationFacade as Facade
            from smac import Scenario

            seed = int(self.rng.integers(2**31))
            self._columns = ConfigurationSpace(seed=seed)
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
                output_directory=self._folder,
            )
            self._facade = Facade(
                scenario,
                _never,
                intensifier=Facade.get_intensifier(scenario, max_config_calls=1),
                initial_design=Facade.get_initial_design(scenario, n_configs=self._startup),
                overwrite=True,
                logging_level=False,
            )

    def _next(self) -> tuple[Rows, Any] | None:
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        if self._exhausted:
            return None
        try:
            with self._apart(), _quiet():
                trial = self._facade.ask()
        except (ConfigurationSpaceExhaustedException, StopIteration):
            self._exhausted = True
            return None
        row = np.zeros(len(self.space.names), dtype=np.int64)
        for name, value in dict(trial.config).items():
            row[int(name)] = value
        return row, trial

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401
        from ConfigSpace import Configuration
        from smac.runhistory.dataclasses import TrialInfo, TrialValue

        if handle is None:
            values = {name: int(row[int(name)]) for name in self._columns}
            handle = TrialInfo(Configuration(self._columns, values=values), seed=0)
        with self._apart(), _quiet():
            self._facade.tell(handle, TrialValue(cost=result.penalised, time=0.0), save=False)


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
