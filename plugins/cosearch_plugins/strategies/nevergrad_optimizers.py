"""Nevergrad's optimizers as strategies."""

from __future__ import annotations

from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result

_OPTIMIZERS = ("NGOpt", "DiscreteOnePlusOne", "TwoPointsDE", "PSO", "DiscreteLenglerOnePlusOne")


class Nevergrad(Foreign):
    """An optimizer of Nevergrad proposes; ordered columns are transitions, the others choices.

    Needs the extra `nevergrad`. Source: Bennet, Doerr, Moreau, Rapin, Teytaud and Teytaud,
    Nevergrad, ACM SIGEVOlution 14(1), 2021.
    """

    options = ParameterSpace(
        (
            Parameter("optimizer", _OPTIMIZERS, "NGOpt", free=True, doc="any name it registers"),
            Parameter(
                "horizon", (10, 100, 300, 1000, 100_000), 300, free=True,
                doc="designs it is told to have, by which NGOpt chooses",
            ),
        )
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        optimizer: str = "NGOpt",
        horizon: int = 300,
    ) -> None:
        super().__init__(space, rng)
        self._name, self._horizon = optimizer, horizon
        self._optimizer: Any = None
        _nevergrad()

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        ng = _nevergrad()
        columns = zip(self.space.cardinalities.tolist(), self.space.ordered.tolist(), strict=True)
        parts = [(ng.p.TransitionChoice if o else ng.p.Choice)(range(c)) for c, o in columns]
        instrumentation = ng.p.Tuple(*parts)
        instrumentation.random_state = np.random.RandomState(int(self.rng.integers(2**31)))
        made = ng.optimizers.registry[self._name]
        self._optimizer = made(instrumentation, budget=self._horizon)

    def _next(self) -> tuple[Rows, Any] | None:
        candidate = self._optimizer.ask()
        return np.array(candidate.value, dtype=np.int64), candidate

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401, ARG002
        if handle is not None:
            self._optimizer.tell(handle, result.penalised)


def _nevergrad() -> Any:  # noqa: ANN401 - of an optional package
    try:
        import nevergrad
    except ImportError:
        raise MissingExtraError("the strategy nevergrad", "nevergrad") from None
    return nevergrad
