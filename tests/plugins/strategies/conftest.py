"""A landscape whose optimum is known, and how long a strategy takes to it."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from cosearch.hooks.discovery import load_registry
from cosearch.search.parameters import Parameter, ParameterSpace, Rule

VALUES = tuple(range(8))
SPACE = ParameterSpace(
    (*(Parameter(f"p{i}", VALUES) for i in range(5)), Parameter("kind", ("a", "b", "c"))),
    (Rule("p0 + p1 exceeds 10", lambda c: c["p0"] + c["p1"] <= 10),),
)
TARGET = np.array([2, 5, 3, 6, 1, 2])


def hill(rows):
    """Positive, smooth, least (1) at TARGET; infeasible, unknown to the space, where p2 < p4."""
    distance = ((rows - TARGET)[:, :5] ** 2 * [1.0, 0.5, 1.5, 1.0, 0.7]).sum(axis=1)
    loss = np.exp((distance + 3.0 * (rows[:, 5] != TARGET[5])) / 12.0)
    return loss[:, None], rows[:, 2] >= rows[:, 4]


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Matrices of a hundred rows are no work for two threads, which wait by spinning."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def registry():
    return load_registry(third_party=False)


@pytest.fixture(scope="session")
def evaluations(registry):
    """Return a function: median evaluations over seeds until the loss is within 5 % of 1."""

    def of(spec, budget=300, seeds=5, batch=4):
        named, needed = registry.find("strategies", spec), []
        for seed in range(seeds):
            strategy = named.make(SPACE, np.random.default_rng(seed))
            asked = budget
            for spent in range(0, budget, batch):
                rows = strategy.ask(batch)
                losses, feasible = hill(rows)
                strategy.tell(rows, losses, feasible)
                if (losses[feasible] <= 1.05).any():
                    asked = spent + batch
                    break
            needed.append(asked)
        return float(np.median(needed))

    return of
