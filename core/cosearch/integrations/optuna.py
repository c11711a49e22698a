"""An Optuna objective of any hardware model and workload.

study = optuna.create_study()
study.optimize(Objective.of("resnet18", "eyeriss"), n_trials=100)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.integrations.designs import Designs
from cosearch.search.parameters import Parameter
from cosearch.trials.trial import Outcome

try:
    import optuna
except ImportError:
    raise MissingExtraError("cosearch.integrations.optuna", "optuna") from None

if TYPE_CHECKING:
    from optuna.trial import Trial

CONSTRAINT = "feasible"
"""Name of the trial's constraint: 0 where the design is feasible, by how much it misses if not."""


class Objective:
    """Evaluates an Optuna trial as a design, lower is better.

    An ordered parameter is suggested as the index of its choice, so that the sampler sees that
    neighbours are alike; others are categorical. The trial's user attributes hold the
    `configuration` and, if it is infeasible, the `reason`; an infeasible trial is pruned, and its
    constraint `feasible` is positive.

    Args:
        designs: what is searched.
    """

    def __init__(self, designs: Designs) -> None:
        self.designs = designs

    @classmethod
    def of(cls, *names: str, **settings: Any) -> Objective:  # noqa: ANN401 - see there
        """Resolve names as `cosearch run` does; see `Designs.of`."""
        return cls(Designs.of(*names, **settings))

    def __call__(self, trial: Trial) -> float | tuple[float, ...]:
        """Return the loss, or a tuple of the losses of several objectives.

        Raises:
            optuna.TrialPruned: the design is infeasible.
        """
        space = self.designs.space
        row = np.array([_suggest(trial, p) for p in space.parameters], dtype=np.int64)
        trial.set_user_attr("configuration", space.decode(row))
        broken = space.broken(row)
        if broken:
            self._refuse(trial, "; ".join(broken), None)
        outcome = self.designs.evaluate(row)
        if not outcome.ok:
            self._refuse(trial, outcome.reason, outcome)
        trial.set_constraint(CONSTRAINT, 0.0)
        return outcome.losses[0] if len(outcome.losses) == 1 else tuple(outcome.losses)

    def _refuse(self, trial: Trial, reason: str, outcome: Outcome | None) -> None:
        missed = None if outcome is None else outcome.violation
        trial.set_user_attr("reason", reason)
        trial.set_constraint(CONSTRAINT, max(missed, 1e-9) if missed is not None else 1.0)
        raise optuna.TrialPruned(reason)


def _suggest(trial: Trial, parameter: Parameter) -> int:
    """Return the index of the choice that the trial's sampler suggests."""
    if len(parameter.choices) == 1:
        return 0
    if parameter.ordered:
        return int(trial.suggest_int(parameter.name, 0, len(parameter.choices) - 1))
    choice = trial.suggest_categorical(parameter.name, list(parameter.choices))
    return parameter.choices.index(choice)
