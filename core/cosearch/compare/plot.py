"""An anytime plot in text: how good each contender was after how many trials."""

from __future__ import annotations

import numpy as np

from cosearch.compare.chart import chart
from cosearch.compare.outcome import Result
from cosearch.compare.scores import ratios_so_far
from cosearch.quantities import counted, digits
from cosearch.typing import FloatArray


def anytime(result: Result, strategy: str) -> FloatArray:
    """Return float64[trials]: the median over cases and runs of best so far over best known.

    A run that ended early keeps its last value.
    """
    outcomes = [o for case in result.solved for o in result.of(strategy, case)]
    curves = [ratios_so_far(result, o) for o in outcomes if len(o.losses)]
    length = max(map(len, curves), default=0)
    padded = [np.pad(c, (0, length - len(c)), mode="edge") for c in curves]
    return np.asarray(np.median(padded, axis=0)) if padded else np.zeros(0)


def anytime_plot(result: Result, strategies: tuple[str, ...], width: int = 60) -> list[str]:
    """Return the lines of a plot; each contender is a letter, in the order given.

    The upright axis is logarithmic. Where curves meet, their letters take turns.
    """
    curves = [anytime(result, name) for name in strategies]
    trials = max(map(len, curves))
    marks = []
    for curve in curves:
        at = np.minimum(np.arange(width) * trials // width, len(curve) - 1)
        values = curve[at] if len(curve) else curve
        marks.append([(x, max(float(value), 1.0)) for x, value in enumerate(values)])
    lines = chart(marks, width, lambda value: f"{digits(value)}x", least=1.0)
    end, margin = counted(trials, "trial"), lines[-1].index("+") + 1
    return [*lines, f"{'':>{margin}}1{end:>{width - 1}}"]
