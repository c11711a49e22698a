"""Accuracies predicted from measured networks of the same space.

The model: what lacks to a ceiling is a product of one factor a choice,

    accuracy = ceiling - exp(intercept + sum over columns of weight[column, choice]).

Additive over the columns of a space, so that a search may bound it column by column. The numbers
are fitted by `benchmarks/fit_accuracy.py` from the original measurements, and shipped in
`data/SPACE/accuracy.json` with the errors on networks that the fit had not seen.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np
from attrs import frozen

from cosearch.errors import CosearchError
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import FloatArray, Rows


@frozen(eq=False)
class FittedAccuracy:
    """A fitted model and how far off it is.

    Attributes:
        ceiling: per cent that no network of the space reaches.
        intercept: of the logarithm of what lacks to it.
        weights: float64[columns, most choices], by column and choice; 0 where there is none.
        rmse: root mean square error, points, on networks left out of the fit.
        bias: mean error on them, points; above 0 is optimistic.
        kendall: rank correlation (tau-b) with their measured accuracies.
        networks: how many were measured.
        how: they were left out.
    """

    ceiling: float
    intercept: float
    weights: FloatArray
    rmse: float
    bias: float
    kendall: float
    networks: int
    how: str

    def lacking(self, rows: Rows) -> FloatArray:
        """Return the logarithm, float64[n], of what rows int64[n, d] lack to the ceiling."""
        picked = self.weights[np.arange(rows.shape[1]), rows]
        return np.asarray(self.intercept + picked.sum(axis=1))

    def of(self, rows: Rows) -> FloatArray:
        """Return the predicted accuracy in per cent, float64[n], of rows int64[n, d]."""
        return np.asarray(self.ceiling - np.exp(self.lacking(rows)))

    @property
    def note(self) -> str:
        """How far off it is, for reports."""
        return (
            f"held-out error {self.rmse:.2f} points (root mean square) and rank correlation "
            f"{self.kendall:.2f} over {self.networks:,} measured networks, {self.how}"
        )


@cache
def shipped(folder: str) -> str:
    """Return the text of a space's shipped model."""
    data = resources.files(__package__) / "data" / folder / "accuracy.json"
    return data.read_text(encoding="utf-8")


def read_fitted(text: str, space: ParameterSpace) -> FittedAccuracy:
    """Return a model written by `benchmarks/fit_accuracy.py`.

    Raises:
        CosearchError: it is for another space.
    """
    facts = json.loads(text)
    by_column: dict[str, dict[str, float]] = facts["weights"]
    if tuple(by_column) != space.names:
        raise CosearchError("the fitted accuracy is for a space with other columns")
    weights = np.zeros((len(space.names), int(space.cardinalities.max())))
    for j, parameter in enumerate(space.parameters):
        of = by_column[parameter.name]
        weights[j, : len(parameter.choices)] = [of[str(c)] for c in parameter.choices]
    held_out = facts["held_out"]
    return FittedAccuracy(
        facts["ceiling"],
        facts["intercept"],
        weights,
        held_out["rmse"],
        held_out["bias"],
        held_out["kendall"],
        facts["networks"],
        held_out["how"],
    )
