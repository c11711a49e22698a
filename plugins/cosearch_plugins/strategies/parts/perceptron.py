"""A small perceptron in numpy: of what a search differentiates, and of what can be built."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cosearch.typing import FloatArray
from cosearch_plugins.strategies.parts.policy import Adam

HIDDEN = (64, 64)


class Perceptron:
    """Two hidden layers of 64 rectified units, one output.

    Args:
        inputs: numbers that describe a design.
        rng: for the first parameters.
    """

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        sizes = (inputs, *HIDDEN, 1)
        self._shapes = list(pairwise(sizes))
        parts = []
        for a, b in self._shapes:
            parts += [rng.normal(0.0, np.sqrt(2.0 / a), a * b), np.zeros(b)]
        self.theta: FloatArray = np.concatenate(parts)

    def _layers(self, flat: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        position, layers = 0, []
        for a, b in self._shapes:
            weights = flat[position : position + a * b].reshape(a, b)
            layers.append((weights, flat[position + a * b : position + a * b + b]))
            position += a * b + b
        return layers

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the output, float64[n], of designs float64[n, inputs]."""
        return self._forward(x)[-1][:, 0]

    def _forward(self, x: FloatArray) -> list[FloatArray]:
        values = [x]
        layers = self._layers(self.theta)
        for i, (weights, bias) in enumerate(layers):
            z = values[-1] @ weights + bias
            values.append(np.maximum(z, 0.0) if i < len(layers) - 1 else z)
        return values

    def slopes(self, x: FloatArray, of_output: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the slopes of `sum(of_output * output)` in the parameters and in each input.

        Args:
            x: float64[n, inputs].
            of_output: float64[n].
        """
        values, layers = self._forward(x), self._layers(self.theta)
        flat = np.zeros_like(self.theta)
        slots = self._layers(flat)
        back = of_output[:, None]
        for i in range(len(layers) - 1, -1, -1):
            slots[i][0][:] = values[i].T @ back
            slots[i][1][:] = back.sum(axis=0)
            back = back @ layers[i][0].T
            if i:
                back = back * (values[i] > 0)
        return flat, back

    def fit(
        self, x: FloatArray, y: FloatArray, rng: np.random.Generator, steps: int, *, labels: bool
    ) -> None:
        """Fit outputs to numbers by least squares, or to labels 0 and 1 by logistic loss.

        Args:
            x: float64[n, inputs].
            y: float64[n].
            rng: for batches.
            steps: of 256 designs each, the rate falling linearly from 0.003.
            labels: whether y are labels; the output is then their log odds.
        """
        adam = Adam(len(self.theta), 0.003)
        for step in range(steps):
            at = rng.integers(0, len(x), size=256)
            out = self(x[at])
            error = (1.0 / (1.0 + np.exp(-np.clip(out, -30, 30))) if labels else out) - y[at]
            gradient, _ = self.slopes(x[at], error / len(at))
            self.theta = self.theta - (1.0 - step / steps) * adam.step(gradient)
