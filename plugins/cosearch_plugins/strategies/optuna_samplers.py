"""Optuna's samplers as strategies."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result

_CONSTRAINT = "feasible"
"""Name of the constraint: 0 where a design is feasible, by how much it misses where not."""

_SAMPLERS = ("tpe", "gp", "cmaes", "nsga2", "nsga3", "qmc", "random")


class Optuna(Foreign):
    """A sampler of Optuna proposes; ordered columns are integers, the others categories.

    An infeasible design, or one of infinite loss, is told as violating a constraint, with the
    worst loss so far. `cmaes` takes every column for ordered; `gp` needs PyTorch (extra `torch`).
    Needs the extra `optuna`.

    Source: Akiba et al., Optuna, KDD 2019; each sampler's own is named in Optuna's documentation.
    """

    multi_objective = True
    options = ParameterSpace(
        (
            Parameter("sampler", _SAMPLERS, "tpe", doc="which of Optuna's samplers"),
            Parameter(
                "startup",
                (1, 5, 10, 20, 30, 10_000),
                10,
                free=True,
                doc="random designs before the model of tpe, gp and cmaes",
            ),
            Parameter("population", (2, 16, 32, 64, 4096), 32, free=True, doc="of nsga2 and nsga3"),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        sampler: str = "tpe",
        startup: int = 10,
        population: int = 32,
    ) -> None:
        super().__init__(space, rng)
        self.multi_objective = sampler != "cmaes"
        self._distributions = _distributions(space, categorical=sampler != "cmaes")
        self._sampler = _sampler(sampler, startup, population, int(rng.integers(2**31)))
        self._study: Any = None

    def _begin(self, objectives: int) -> None:
        self._study = _study(self._sampler, objectives)

    def _next(self) -> tuple[Rows, Any] | None:
        with _quiet():
            trial = self._study.ask(self._distributions)
        row = np.zeros(len(self.space.names), dtype=np.int64)
        for name, value in trial.params.items():
            row[int(name)] = value
        return row, trial

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401
        import optuna

        values = result.losses.tolist()
        with _quiet():
            if handle is not None:
                handle.set_constraint(_CONSTRAINT, result.missed)
                self._study.tell(handle, values)
                return
            self._study.add_trial(
                optuna.trial.create_trial(
                    params={name: int(row[int(name)]) for name in self._distributions},
                    distributions=self._distributions,
                    values=values,
                    constraints={_CONSTRAINT: result.missed},
                )
            )


def _distributions(space: Space, *, categorical: bool) -> dict[str, Any]:
    """Return the distribution of each column that has a choice, named by its number."""
    try:
        from optuna.distributions import CategoricalDistribution, IntDistribution
    except ImportError:
        raise MissingExtraError("the strategy optuna", "optuna") from None
    return {
        str(j): IntDistribution(0, int(cards) - 1)
        if ordered or not categorical
        else CategoricalDistribution(range(int(cards)))
        for j, (cards, ordered) in enumerate(zip(space.cardinalities, space.ordered, strict=True))
        if cards > 1
    }


def _sampler(name: str, startup: int, population: int, seed: int) -> Any:  # noqa: ANN401
    from optuna import samplers

    for needed, module, extra in (("gp", "torch", "torch"), ("cmaes", "cmaes", "optuna")):
        if name == needed and importlib.util.find_spec(module) is None:
            raise MissingExtraError(f"the strategy optuna:sampler={name}", extra)
    with _quiet():
        if name == "tpe":
            return samplers.TPESampler(n_startup_trials=startup, seed=seed)
        if name == "gp":
            return samplers.GPSampler(n_startup_trials=startup, seed=seed)
        if name == "cmaes":
            return samplers.CmaEsSampler(
                n_startup_trials=startup,
                seed=seed,
                with_margin=True,
                warn_independent_sampling=False,
            )
        if name == "nsga2":
            return samplers.NSGAIISampler(population_size=population, seed=seed)
        if name == "nsga3":
            return samplers.NSGAIIISampler(population_size=population, seed=seed)
        if name == "qmc":
            return samplers.QMCSampler(
                scramble=True,
                seed=seed,
                warn_asynchronous_seeding=False,
                warn_independent_sampling=False,
            )
        return samplers.RandomSampler(seed=seed)


def _study(sampler: Any, objectives: int) -> Any:  # noqa: ANN401
    import optuna

    with _quiet():
        return optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's log lines and warnings of experimental features off the screen."""
    import warnings

    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
