"""Optimizers of nevergrad as strategies."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result

_OPTIMIZERS = {"portfolio": "PortfolioDiscreteOnePlusOne", "de": "TwoPointsDE", "wizard": "NGOpt"}

_BUDGET = 1000
"""Designs that it is told to expect; it chooses by that how to begin."""


class Nevergrad(Foreign):
    """An optimizer of nevergrad proposes; ordered columns are integers, the others categories.

    An infeasible design is told as worse than the worst so far. Designs that it did not propose
    are told where the optimizer takes such. Needs the extra `nevergrad`. Source: Rapin and
    Teytaud, Nevergrad: a gradient-free optimization platform, 2018.
    """

    options = ParameterSpace(
        (Parameter("optimizer", tuple(_OPTIMIZERS), "portfolio", doc="`wizard` is its NGOpt"),)
    )

    def __init__(
        self, space: Space, rng: np.random.Generator, *, optimizer: str = "portfolio"
    ) -> None:
        super().__init__(space, rng)
        if importlib.util.find_spec("nevergrad") is None:
            raise MissingExtraError("the strategy nevergrad", "nevergrad")
        self._name = _OPTIMIZERS[optimizer]
        self._optimizer: Any = None

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        with self._apart():
            import nevergrad as ng

            facts = zip(self.space.cardinalities.tolist(), self.space.ordered, strict=True)
            columns = {
                str(j): ng.p.Scalar(init=cards // 2, lower=0, upper=cards - 1).set_integer_casting()
                if ordered
                else ng.p.Choice(range(cards))
                for j, (cards, ordered) in enumerate(facts)
                if cards > 1
            }
            choices = ng.p.Dict(**columns)
            choices.random_state = np.random.RandomState(int(self.rng.integers(2**31)))
            self._optimizer = ng.optimizers.registry[self._name](choices, budget=_BUDGET)

    def _next(self) -> tuple[Rows, Any] | None:
        with self._apart():
            candidate = self._optimizer.ask()
        row = np.zeros(len(self.space.names), dtype=np.int64)
        for name, value in candidate.value.items():
            row[int(name)] = value
        return row, candidate

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401
        from nevergrad.common.errors import TellNotAskedNotSupportedError as Unable

        with self._apart(), contextlib.suppress(Unable):
            if handle is None:
                columns = self._optimizer.parametrization
                values = {name: int(row[int(name)]) for name in columns.value}
                handle = columns.spawn_child(new_value=values)
            self._optimizer.tell(handle, result.logged)
