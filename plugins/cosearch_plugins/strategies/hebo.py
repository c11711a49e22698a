"""HEBO as a strategy."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from cosearch.errors import CosearchError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result


class Hebo(Foreign):
    """HEBO proposes; ordered columns are integers, the others categories.

    An infeasible design is told as worse than the worst so far. It pins packages that have no
    build for this Python, so it comes with no extra: docs/strategies.md says how it is installed.
    Source: Cowen-Rivers et al., HEBO, JAIR 74, 2022.
    """

    options = ParameterSpace(
        (Parameter("startup", (2, 5, 8, 20, 10_000), 8, free=True, doc="of a Sobol sequence"),)
    )

    def __init__(self, space: Space, rng: np.random.Generator, *, startup: int = 8) -> None:
        super().__init__(space, rng)
        if importlib.util.find_spec("hebo") is None:
            raise CosearchError(
                "the strategy hebo needs a package that is not installed",
                "docs/strategies.md says how: uv pip install hebo --overrides FILE",
            )
        self._startup = startup
        self._optimizer: Any = None

    def _begin(self, objectives: int) -> None:  # noqa: ARG002
        with self._quiet():
            from hebo.design_space.design_space import DesignSpace
            from hebo.optimizers.hebo import HEBO

            facts = zip(self.space.cardinalities.tolist(), self.space.ordered, strict=True)
            columns = [
                {"name": str(j), "type": "int", "lb": 0, "ub": cards - 1}
                if ordered
                else {"name": str(j), "type": "cat", "categories": list(range(cards))}
                for j, (cards, ordered) in enumerate(facts)
                if cards > 1
            ]
            seed = int(self.rng.integers(2**31))
            self._optimizer = HEBO(
                DesignSpace().parse(columns), rand_sample=self._startup, scramble_seed=seed
            )

    def _next(self) -> tuple[Rows, Any] | None:
        with self._quiet():
            proposed = self._optimizer.suggest()
        row = np.zeros(len(self.space.names), dtype=np.int64)
        for name in proposed.columns:
            row[int(name)] = proposed[name].iloc[0]
        return row, proposed

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401
        import pandas as pd

        if handle is None:
            names = self._optimizer.space.para_names
            handle = pd.DataFrame([{name: int(row[int(name)]) for name in names}])
        with self._quiet():
            self._optimizer.observe(handle, np.array([[result.logged]]))

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep its output off the screen, and its draws within this strategy's."""
        import torch

        with self._apart(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.rng.integers(2**31)))
            with contextlib.redirect_stdout(io.StringIO()):
                yield
