"""CMA-ES on the encoded space."""

from __future__ import annotations

import math

import numpy as np

from cosearch.search.parameters import Parameter, ParameterSpace, Space
from cosearch.search.strategy import Strategy
from cosearch.search.unseen import Unseen
from cosearch.typing import BoolArray, FloatArray, Rows
from cosearch_plugins.strategies.parts.breeding import neighbour
from cosearch_plugins.strategies.parts.rounding import Rounding

_MOST_CORRELATED = 128
"""Encodings longer than this keep a diagonal covariance (sep-CMA-ES)."""

_ATTEMPTS = 8


class Gaussian:
    """The search distribution of CMA-ES: mean, step size, covariance and both paths.

    Source: Hansen, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772, table 1 and
    equations 49 to 58 for the constants; positive weights only. Diagonal: Ros and Hansen, PPSN
    2008. The floor on each deviation keeps an integer from freezing, after Hamano et al., CMA-ES
    with Margin, GECCO 2022.
    """

    def __init__(self, mean: FloatArray, sigma: float, floor: FloatArray, population: int) -> None:
        e = len(mean)
        self.mean, self.sigma, self._floor = mean, sigma, floor
        self.population = population or 4 + int(3 * math.log(e))
        parents = self.population // 2
        weights = math.log((self.population + 1) / 2) - np.log(np.arange(1, parents + 1))
        self._weights = weights / weights.sum()
        mass = 1.0 / float((self._weights**2).sum())
        self._mass = mass
        self._c_sigma = (mass + 2) / (e + mass + 5)
        self._damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (e + 1)) - 1) + self._c_sigma
        self._c_c = (4 + mass / e) / (e + 4 + 2 * mass / e)
        self._c_1 = 2 / ((e + 1.3) ** 2 + mass)
        self._c_mu = min(1 - self._c_1, 2 * (mass - 2 + 1 / mass) / ((e + 2) ** 2 + mass))
        self._diagonal = e > _MOST_CORRELATED
        if self._diagonal:
            faster = (e + 2) / 3
            self._c_1 = min(0.5, self._c_1 * faster)
            self._c_mu = min(1 - self._c_1, self._c_mu * faster)
        self._expected = math.sqrt(e) * (1 - 1 / (4 * e) + 1 / (21 * e**2))
        self._path_sigma, self._path_c = np.zeros(e), np.zeros(e)
        self._covariance = np.ones(e) if self._diagonal else np.eye(e)
        self._axes, self._lengths = np.eye(0 if self._diagonal else e), np.ones(e)
        self._generation = 0

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return n points, float64[n, e]."""
        z = rng.standard_normal((n, len(self.mean))) * self._lengths
        return self.mean + self.sigma * (z if self._diagonal else z @ self._axes.T)

    def update(self, points: FloatArray) -> None:
        """Learn from the better half of a generation, float64[population // 2, e], best first."""
        self._generation += 1
        e = len(self.mean)
        steps = self._clipped((points - self.mean) / self.sigma)
        step = self._weights @ steps
        self.mean = self.mean + self.sigma * step
        fade = math.sqrt(self._c_sigma * (2 - self._c_sigma) * self._mass)
        self._path_sigma = (1 - self._c_sigma) * self._path_sigma + fade * self._whiten(step)
        length = float(np.linalg.norm(self._path_sigma))
        settled = math.sqrt(1 - (1 - self._c_sigma) ** (2 * self._generation))
        stalled = length / settled >= (1.4 + 2 / (e + 1)) * self._expected
        self._path_c = (1 - self._c_c) * self._path_c
        if not stalled:
            self._path_c += math.sqrt(self._c_c * (2 - self._c_c) * self._mass) * step
        keep = self._c_1 * self._c_c * (2 - self._c_c) if stalled else 0.0
        outer = self._outer(self._path_c[None, :], np.ones(1))
        spread = self._outer(steps, self._weights)
        self._covariance = (
            (1 - self._c_1 - self._c_mu + keep) * self._covariance
            + self._c_1 * outer
            + self._c_mu * spread
        )
        change = (self._c_sigma / self._damping) * (length / self._expected - 1)
        self.sigma = min(self.sigma * math.exp(min(change, 1.0)), 1.0)
        self._decompose()

    def _clipped(self, steps: FloatArray) -> FloatArray:
        """Return steps no longer than samples are: rounded and injected points may be far.

        Source: Hansen, Injecting External Solutions Into CMA-ES, arXiv:1110.4181, equation 4.
        """
        e = len(self.mean)
        longest = math.sqrt(e) + 2 * e / (e + 2)
        length = np.linalg.norm(self._whiten(steps), axis=1)
        shorten = np.minimum(1.0, longest / np.maximum(length, 1e-12))
        return np.asarray(steps * shorten[:, None])

    def _whiten(self, steps: FloatArray) -> FloatArray:
        """Return steps, float64[..., e], times the inverse square root of the covariance."""
        if self._diagonal:
            return steps / self._lengths
        return ((steps @ self._axes) / self._lengths) @ self._axes.T

    def _outer(self, steps: FloatArray, weights: FloatArray) -> FloatArray:
        if self._diagonal:
            return np.asarray(weights @ steps**2)
        return np.asarray((steps * weights[:, None]).T @ steps)

    def _decompose(self) -> None:
        least = (self._floor / self.sigma) ** 2
        if self._diagonal:
            self._covariance = np.maximum(self._covariance, least)
            self._lengths = np.sqrt(self._covariance)
            return
        short = np.maximum(0.0, least - np.diag(self._covariance))
        self._covariance = (self._covariance + self._covariance.T) / 2 + np.diag(short)
        values, self._axes = np.linalg.eigh(self._covariance)
        self._lengths = np.sqrt(np.maximum(values, 1e-14))


class CmaEs(Strategy):
    """A Gaussian over the space's encoding, rounded to the nearest row.

    It learns from the rounded points; points it never asked for are learned from too. A rounded
    point that was seen is replaced by an unseen neighbour. It does poorly where many columns are
    unordered.
    """

    options = ParameterSpace(
        (
            Parameter(
                "population",
                (0, 8, 16, 32, 64, 1024),
                0,
                free=True,
                doc="points of a generation; 0: 4 + 3 ln(length of the encoding)",
            ),
            Parameter(
                "sigma",
                (0.01, 0.1, 0.2, 0.3, 0.5, 1.0),
                0.3,
                free=True,
                doc="first step size; the encoding spans 0 to 1",
            ),
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
        self._unseen = Unseen(space)
        self._rounding = Rounding(space)
        self._gaussian: Gaussian | None = None
        if self._rounding.width:
            mean = space.encode(space.sample(256, rng)).mean(axis=0)
            floor = np.minimum(0.1, 0.25 * self._rounding.steps)
            self._gaussian = Gaussian(mean, sigma, floor, population)
        self._points: list[FloatArray] = []
        self._losses: list[float] = []

    def ask(self, n: int) -> Rows:
        """Return the rows nearest n samples."""
        found: list[Rows] = []
        missing = n
        for _ in range(_ATTEMPTS if self._gaussian else 0):
            if missing == 0 or self._gaussian is None:
                break
            samples = self._gaussian.sample(2 * missing, self.rng)
            fresh = self._unseen.take(self._rounding.nearest(samples), missing)
            found.append(fresh)
            missing -= len(fresh)
        if missing and self._gaussian is not None:
            centre = self._rounding.nearest(self._gaussian.mean[None, :])[0]
            near = [neighbour(centre, self.space, self._unseen, self.rng) for _ in range(missing)]
            found.extend(near)
            missing -= sum(len(rows) for rows in near)
        found.append(self._unseen.draw(missing, self.rng))
        return np.concatenate(found)

    def tell(
        self,
        rows: Rows,
        losses: FloatArray,
        feasible: BoolArray,
        violations: FloatArray | None = None,
    ) -> None:
        """Collect points until there is a generation of them, and update the distribution."""
        told = self.checked(rows, losses, feasible, violations)
        self._unseen.mark(told.rows)
        if self._gaussian is None:
            return
        self._points.extend(self.space.encode(told.rows))
        self._losses.extend(told.loss.tolist())
        while len(self._points) >= self._gaussian.population:
            self._learn(self._gaussian)

    def _learn(self, gaussian: Gaussian) -> None:
        size = gaussian.population
        points, losses = np.array(self._points[:size]), np.array(self._losses[:size])
        del self._points[:size], self._losses[:size]
        order = np.argsort(losses, kind="stable")[: size // 2]
        if np.isfinite(losses[order[0]]):
            gaussian.update(points[order])
