"""Problems on which defaults of the strategies were chosen: machines of a few formulas.

python benchmarks/strategy_tuning.py --strategies "bayesian;bayesian:acquisition=ei" --seeds 10

None of them is a machine that cosearch ships, so that what is measured on those (`cosearch
bench-optimizers`) says something. They have what makes real ones hard: work that divides badly,
a cost that is the larger of two, columns without an order, and limits that only building tells.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Mapping
from functools import cached_property

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from attrs import frozen

from cosearch.hooks.discovery import load_registry
from cosearch.search.objective import pareto_front
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.search.strategy import Answer
from cosearch.typing import FloatArray, Rows
from cosearch_plugins.bench.races import race

Columns = Mapping[str, np.ndarray]


@frozen(eq=False)
class Formulas:
    """A machine of formulas.

    Attributes:
        space: its designs.
        cost: from columns of values to losses, float64[n, m].
        use: from columns to used over allowed of each limit, float64[n, k].
        shown: whether a limit that is met says how much is to spare.
    """

    space: ParameterSpace
    cost: Callable[[Columns], FloatArray]
    use: Callable[[Columns], FloatArray]
    shown: bool = False

    def answer(self, rows: Rows) -> Answer:
        """Return what a strategy is told of rows."""
        columns = self.space.columns(rows)
        use = self.use(columns)
        feasible = (use <= 1.0).all(axis=1)
        told = use - 1.0
        if not self.shown:
            told = np.where(told > 0, told, np.nan)
        return np.where(feasible[:, None], self.cost(columns), np.inf), feasible, told

    @cached_property
    def front(self) -> FloatArray:
        """Losses on the Pareto front, by trying every design."""
        losses, feasible, _ = self.answer(self.space.unrank(np.arange(self.space.size)))
        losses = np.unique(losses[feasible], axis=0)
        return losses[pareto_front(losses)] if losses.shape[1] > 1 else losses[:1]


def array(m: int, k: int, n: int, limit: float, *, several: bool = False) -> Formulas:
    """A systolic array with two buffers for an m x k x n product, under an area limit."""
    space = ParameterSpace(
        (
            Parameter("rows", tuple(range(4, 33, 4 if several else 2))),
            Parameter("cols", tuple(range(4, 33, 4 if several else 2))),
            Parameter("a_kb", (8, 16, 32, 64, 128, 256)),
            Parameter("b_kb", (8, 16, 32, 64, 128, 256)),
            Parameter("flow", ("inputs", "outputs", "weights")),
        )
    )

    def area(c: Columns) -> FloatArray:
        return c["rows"] * c["cols"] / 60.0 + (c["a_kb"] + c["b_kb"]) / 12.0

    def cost(c: Columns) -> FloatArray:
        first = np.select([c["flow"] == "inputs", c["flow"] == "outputs"], [m, m], k)
        second = np.select([c["flow"] == "inputs", c["flow"] == "outputs"], [k, n], n)
        third = m * k * n / (first * second)
        tiles = np.ceil(first / c["rows"]) * np.ceil(second / c["cols"])
        steps = tiles * (third + c["rows"] + c["cols"])
        reuse_a = np.minimum(np.ceil(n / c["cols"]), np.ceil(m * k / 1024 / c["a_kb"]) ** 0.8)
        reuse_b = np.minimum(np.ceil(m / c["rows"]), np.ceil(k * n / 1024 / c["b_kb"]) ** 0.8)
        traffic = m * k * reuse_a + k * n * reuse_b + m * n
        cycles = np.maximum(steps, traffic / 8.0)
        buffers = m * k * n * (c["a_kb"] ** 0.5 / c["rows"] + c["b_kb"] ** 0.5 / c["cols"])
        energy = m * k * n * 1.0 + 0.3 * buffers + 150.0 * traffic + 0.05 * area(c) * cycles
        if several:
            return np.stack([energy, cycles, area(c)], axis=1)
        return (energy * cycles)[:, None]

    return Formulas(space, cost, lambda c: (area(c) / limit)[:, None], shown=limit > 20)


def fields(seed: int, share: float) -> Formulas:
    """Six memories of powers of two whose sizes meet limits as instruction fields and RAM do."""
    rng = np.random.default_rng(seed)
    names = ("batch", "block", "uop", "inp", "wgt", "acc")
    sizes = (4, 5, 6, 7, 7, 7)
    space = ParameterSpace(
        tuple(Parameter(n, tuple(range(s))) for n, s in zip(names, sizes, strict=True))
    )
    bits = rng.integers(1, 3, size=(3, 6)) * (rng.random((3, 6)) < 0.6)
    ram = 2.0 ** rng.integers(0, 2, size=6)
    spare = np.array([1.0, 0.9, 0.8]) * share * (bits * (np.array(sizes) - 1)).sum(axis=1)

    def use(c: Columns) -> FloatArray:
        x = np.stack([c[n] for n in names], axis=1).astype(float)
        fields_used = (x @ bits.T) / np.maximum(spare, 1.0)
        memory = (ram * 2.0**x)[:, 2:].sum(axis=1) / (60.0 * ram[2:].sum() * share)
        multipliers = 2.0 ** (x[:, 0] + 2 * x[:, 1]) / 90.0
        return np.column_stack([fields_used, memory, multipliers])

    def cost(c: Columns) -> FloatArray:
        batch, block, uop, inp, wgt, acc = (2.0 ** c[n] for n in names)
        compute = np.ceil(10 / batch) * np.ceil(14 / block) ** 2 * 400.0
        load = 9000.0 / np.minimum(inp, 9) + 14000.0 / np.minimum(wgt * block, 40) + 500 * batch
        issue = 30000.0 / (np.minimum(uop, 24) * np.minimum(acc, 20))
        cycles = np.maximum(compute + 3 * issue, load) + 300.0
        energy = 2e5 + 20 * load + compute * (inp + wgt + 2 * acc + uop) ** 0.7
        return (cycles * energy)[:, None]

    return Formulas(space, cost, use)


PROBLEMS = {
    "array": array(196, 512, 300, 45.0),
    "array-tight": array(100, 96, 1200, 14.0),
    "fields": fields(1, 0.55),
    "fields-tight": fields(5, 0.42),
    "front": array(60, 500, 130, 30.0, several=True),
}


def main() -> None:
    """Read the command line, race, print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategies", default="random;evolutionary;bayesian")
    parser.add_argument("--problems", default=";".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=200)
    given = parser.parse_args()
    registry = load_registry()
    budgets = tuple(b for b in (30, 50, 100, 200, 500, 1000) if b <= given.budget)
    for name in given.problems.split(";"):
        land = PROBLEMS[name]
        rows = land.space.unrank(np.arange(land.space.size))
        print(f"\n{name}: {land.space.size} designs, {100 * land.answer(rows)[1].mean():.1f} % "
              f"feasible; designs to 5 %, then regret in % at {budgets}")  # fmt: skip
        for spec in given.strategies.split(";"):
            named = registry.find("strategies", spec)
            runs = [race(name, land, named, seed, budgets) for seed in range(given.seeds)]
            hit = float(np.median([run.hit for run in runs]))
            mean = math.exp(np.mean([math.log(min(run.hit, 2 * given.budget)) for run in runs]))
            regrets = np.median([run.regrets for run in runs], axis=0)
            shown = "".join(f"{100 * r:9.2f}" for r in regrets)
            each = 1e3 * sum(run.cpu_s for run in runs) / sum(run.designs for run in runs)
            reached = sum(math.isfinite(run.hit) for run in runs)
            print(f"{spec:50}{hit:7.0f}{mean:7.0f}{reached:4}{shown}{each:8.2f} ms", flush=True)


if __name__ == "__main__":
    main()
