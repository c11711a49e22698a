"""BoTorch's expected improvement as a strategy."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np

from cosearch.errors import MissingExtraError
from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.foreign import Foreign, Result

_STEPS = 50
"""Of the optimizer of a process's hyperparameters, at most."""


class Botorch(Foreign):
    """BoTorch's default process, and its logarithmic expected improvement, over a pool of designs.

    The process sees the encoded choices. A second one learns what is feasible, 1 or -1, and its
    probability weights the improvement. Both are fitted anew whenever something was told; where a
    fit fails, the pool is taken as it was drawn. Needs the extra `botorch`. Source: Ament et al.,
    Unexpected Improvements to Expected Improvement for Bayesian Optimization, NeurIPS 2023;
    Balandat et al., BoTorch, NeurIPS 2020.
    """

    options = ParameterSpace(
        (
            Parameter("startup", (2, 5, 10, 20, 10_000), 5, free=True, doc="random designs first"),
            Parameter("pool", (64, 256, 512, 1024, 65_536), 512, free=True,
                      doc="feasible designs among which it chooses"),
        )
    )  # fmt: skip

    def __init__(
        self, space: Space, rng: np.random.Generator, *, startup: int = 5, pool: int = 512
    ) -> None:
        super().__init__(space, rng)
        if importlib.util.find_spec("botorch") is None:
            raise MissingExtraError("the strategy botorch", "botorch")
        self._startup, self._pool, self._seeds = startup, pool, rng.spawn(1)[0]
        self._told: list[tuple[Rows, Result]] = []
        self._ranked: Rows = np.zeros((0, len(space.names)), dtype=np.int64)

    def _begin(self, objectives: int) -> None:
        """There is nothing to make before it is fitted."""

    def _learn(self, row: Rows, result: Result, handle: Any) -> None:  # noqa: ANN401, ARG002
        self._told.append((row, result))
        self._ranked = self._ranked[:0]

    def _next(self) -> tuple[Rows, Any] | None:
        usable = np.array([result.missed == 0 for _, result in self._told])
        if usable.sum() < 2 or len(usable) < self._startup:
            return None
        if len(self._ranked) == 0:
            pool = self._unseen.find(self._pool, self.rng)
            if len(pool) == 0:
                return None
            order = np.argsort(-self._improvement(pool, usable), kind="stable")
            self._ranked = pool[order]
        row, self._ranked = self._ranked[0], self._ranked[1:]
        return row, None

    def _improvement(self, pool: Rows, usable: BoolArray) -> FloatArray:
        """Return the acquisition, float64[p], of a pool; zeros where no process can be fitted.

        What a second attempt at a fit draws is the strategy's own, and no other's of this process.
        """
        import torch
        from botorch.exceptions.errors import ModelFittingError

        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            torch.manual_seed(int(self._seeds.integers(2**31)))
            try:
                return self._of_pool(pool, usable)
            except ModelFittingError:
                return np.zeros(len(pool))

    def _of_pool(self, pool: Rows, usable: BoolArray) -> FloatArray:
        import torch
        from botorch.acquisition.analytic import (
            LogConstrainedExpectedImprovement,
            LogExpectedImprovement,
        )
        from botorch.models import ModelListGP

        x = torch.as_tensor(self.space.encode(np.array([row for row, _ in self._told])))
        loss = np.array([result.logged for _, result in self._told])[usable]
        y = (loss - loss.mean()) / max(float(loss.std()), 1e-9)
        models = [_fitted(x[usable], -y)]
        if usable.all():
            chosen = LogExpectedImprovement(models[0], best_f=float(-y.min()))
        else:
            models.append(_fitted(x, np.where(usable, 1.0, -1.0)))
            chosen = LogConstrainedExpectedImprovement(
                ModelListGP(*models), float(-y.min()), 0, {1: (0.0, None)}
            )
        with torch.no_grad():
            found = chosen(torch.as_tensor(self.space.encode(pool))[:, None, :])
        return np.asarray(found.numpy())


def _fitted(x: Any, y: FloatArray) -> Any:  # noqa: ANN401 - of an optional package
    import torch
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    model = SingleTaskGP(x, torch.as_tensor(y)[:, None], outcome_transform=None)
    likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
    fit_gpytorch_mll(likelihood, optimizer_kwargs={"options": {"maxiter": _STEPS}})
    return model
