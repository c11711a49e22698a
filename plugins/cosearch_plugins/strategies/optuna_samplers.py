"""Optuna's samplers as strategies."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cosearch.errors import CosearchError, MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy, Told
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows

_CONSTRAINT = "feasible"
"""Name of the constraint that says whether a design was: 0 if so, 1 if not."""

_SAMPLERS = ("tpe", "gp", "cmaes", "nsga2", "nsga3", "qmc", "random")


class Optuna(Strategy):
    """A sampler of Optuna proposes; what it repeats, or known constraints forbid, is passed over.

    An infeasible design, or one of infinite loss, is told as violating a constraint, with the
    worst loss so far. Until the first result the rows are random, for only then is the number of
    objectives known. `cmaes` takes every column for ordered; `gp` needs PyTorch (extra `torch`).
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
        self._pending: dict[bytes, Any] = {}
        self._worst: FloatArray | None = None
        self._unseen = Unseen(space)

    def ask(self, n: int) -> Rows:
        """Return up to n rows: the sampler's, made up with random ones where it repeats itself."""
        found = [self._unseen.draw(0, self.rng)]
        missing = n
        if self._study is not None and self._distributions:
            for _ in range(4 * n + 8):
                if missing == 0:
                    break
                rows = self._from_sampler()
                found.append(rows)
                missing -= len(rows)
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Finish the trials; rows that Optuna did not propose are added as trials."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        if len(told.rows) == 0:
            return
        m = told.losses.shape[1]
        if self._study is None:
            self._study, self._worst = _study(self._sampler, m), np.zeros(m)
        if len(self._study.directions) != m:
            raise CosearchError(
                f"Optuna was told {len(self._study.directions)} losses first and now {m}"
            )
        with _quiet():
            for i, row in enumerate(told.rows):
                self._tell_one(row, *self._value(told, i))

    def _value(self, told: Told, i: int) -> tuple[list[float], float]:
        """Return the losses Optuna gets, all finite, and by how much the constraint is missed."""
        losses = told.losses[i]
        if self._worst is None:
            self._worst = np.zeros(len(losses))
        if not (told.feasible[i] and np.isfinite(losses).all()):
            return self._worst.tolist(), 1.0
        self._worst = np.maximum(self._worst, losses)
        return losses.tolist(), 0.0

    def _from_sampler(self) -> Rows:
        """Return the one row the sampler proposes, or none if it may not be asked."""
        import optuna

        with _quiet():
            trial = self._study.ask(self._distributions)
        row = np.zeros((1, len(self.space.names)), dtype=np.int64)
        for name, value in trial.params.items():
            row[0, int(name)] = value
        known = not bool(self.space.feasible(row)[0])
        fresh = self._unseen.take(row)
        if len(fresh):
            self._pending[row[0].tobytes()] = trial
            return fresh
        with _quiet():
            if known and self._worst is not None:
                trial.set_constraint(_CONSTRAINT, 1.0)
                self._study.tell(trial, self._worst.tolist())
            else:
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return fresh

    def _tell_one(self, row: Rows, values: list[float], violation: float) -> None:
        import optuna

        trial = self._pending.pop(row.tobytes(), None)
        if trial is not None:
            trial.set_constraint(_CONSTRAINT, violation)
            self._study.tell(trial, values)
            return
        self._study.add_trial(
            optuna.trial.create_trial(
                params={name: int(row[int(name)]) for name in self._distributions},
                distributions=self._distributions,
                values=values,
                constraints={_CONSTRAINT: violation},
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
