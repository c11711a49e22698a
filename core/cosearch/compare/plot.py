"""An anytime plot in text: how good each contender was after how many trials."""

from __future__ import annotations

import numpy as np

from cosearch.compare.outcome import Result
from cosearch.compare.scores import ratios_so_far
from cosearch.quantities import digits
from cosearch.typing import FloatArray

LETTERS = "abcdefghijklmnopqrstuvwxyz"
HEIGHT = 10


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

    The upright axis is logarithmic. Where curves meet, the first contender's letter shows.
    """
    curves = [anytime(result, name) for name in strategies]
    trials = max(map(len, curves))
    highest = max(float(c.max(initial=1.0)) for c in curves)
    top = np.log(max(highest, 1.05))
    grid = [[" "] * width for _ in range(HEIGHT)]
    for letter, curve in reversed(list(zip(LETTERS, curves, strict=False))):
        at = np.minimum(np.arange(width) * trials // width, len(curve) - 1)
        heights = np.round(np.log(np.maximum(curve[at], 1.0)) / top * (HEIGHT - 1)).astype(int)
        for x, y in enumerate(heights):
            grid[HEIGHT - 1 - int(y)][x] = letter
    labels = {
        0: f"{digits(float(np.exp(top)))}x",
        HEIGHT // 2: f"{digits(float(np.exp(top * (HEIGHT - 1 - HEIGHT // 2) / (HEIGHT - 1))))}x",
        HEIGHT - 1: "1x",
    }
    lines = [f"{labels.get(i, ''):>7} |{''.join(row).rstrip()}" for i, row in enumerate(grid)]
    end = f"{trials} trials"
    return [*lines, f"{'':>7} +{'-' * width}", f"{'':>9}1{end:>{width - 1}}"]
