"""pycma's CMA-ES as a strategy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import FloatArray, Rows
from cosearch_plugins.strategies.parts.foreign import Generations, Result, nearest_rows


class _Normal:
    """Standard normal numbers from the strategy's own generator, as pycma asks for them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def __call__(self, *shape: int) -> FloatArray:
        return self._rng.standard_normal(shape)


class Pycma(Generations):
    """CMA-ES of its author's own package, over the unit cube; columns are taken for ordered.

    Needs the extra `pycma`. Source: Hansen, Akimoto and Baudis, CMA-ES/pycma, Zenodo, 2019.
    """

    options = ParameterSpace(
        (
            Parameter("population", (0, 4, 8, 16, 32, 4096), 0, free=True, doc="0: pycma's own"),
            Parameter("sigma", (0.05, 0.2, 0.3, 0.5, 1.0), 0.3, free=True, doc="the first step"),
        )
    )

    def __init__(
        self,
        space: Space,
        rng: np.random.Generator,
        *,
        population: int = 0,
        sigma: float = 0.3,
    ) -> None:
        super().__init__(space, rng)
        self._sigma, self._size = sigma, population
        self._evolution: Any = None
        self._points: Any = None
        _pycma()

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        given = {
            "bounds": [0, 1],
            "randn": _Normal(self.rng),
            "seed": np.nan,
            "verbose": -9,
        } | ({"popsize": max(self._size, 4)} if self._size else {})
        centre = np.full(max(len(self.space.names), 2), 0.5)
        self._evolution = _pycma().CMAEvolutionStrategy(centre, self._sigma, given)

    def _generation(self) -> Rows:
        self._points = self._evolution.ask()
        return nearest_rows(np.array(self._points)[:, : len(self.space.names)], self.space)

    def _finish(self, results: Sequence[Result]) -> None:
        self._evolution.tell(self._points, [result.penalised for result in results])


def _pycma() -> Any:  # noqa: ANN401 - of an optional package
    try:
        import cma
    except ImportError:
        raise MissingExtraError("the strategy pycma", "pycma") from None
    return cma
