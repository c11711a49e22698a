"""The loop in a study, and on a problem whose optimum is known."""

import numpy as np
import pytest

from cosearch.errors import CosearchError
from cosearch.hooks.discovery import load_registry
from cosearch.search.objective import OBJECTIVES
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.study.codesign import plan
from cosearch.study.report import report_of
from cosearch.testing.conformance import asks_are_well_formed, nothing_is_asked_twice
from cosearch_plugins.schemes.rhnas.machines import MachineAgent, Settings
from cosearch_plugins.schemes.rhnas.networks import GumbelSearch
from cosearch_plugins.schemes.rhnas.scheme import NetworkTable
from cosearch_plugins.schemes.rhnas.search import AlternatingSearch

REGISTRY = load_registry()
NETWORKS = ParameterSpace(tuple(Parameter(f"e{i}", range(4), group="network") for i in range(3)))
MACHINES = ParameterSpace(tuple(Parameter(f"m{i}", range(6)) for i in range(5)))


def cost(network, machine):
    """Infinite where a machine cannot be built: about one in ten can."""
    if machine.sum() > 9:
        return np.inf
    return 10.0 + ((network + 1) * np.array([1, 2, 3])).sum() + ((machine - 2) ** 2).sum()


def losses_on(machine):
    rows = NETWORKS.unrank(np.arange(NETWORKS.size))
    found = np.array([cost(row, machine) for row in rows])
    short = np.maximum(5 - rows.sum(axis=1), 0)
    return np.log(found) + 3.0 * short if np.isfinite(found).all() else None


class Loop(AlternatingSearch):
    """The loop on a small problem, under the contract of strategies."""

    def __init__(self, space, rng):
        start = np.zeros(5, dtype=np.int64)
        describe = lambda row: (row + 1.0) / (row + 1.0).sum()  # noqa: E731
        relaxed = GumbelSearch(NETWORKS, rng)
        super().__init__(
            space, rng, NETWORKS, MACHINES, losses_on, describe, start, Settings(), relaxed
        )


def test_it_finds_the_best_pair_and_proposes_what_can_be_built():
    both = NETWORKS.beside(MACHINES)
    loop = Loop(both, np.random.default_rng(0))
    best, built, proposed = np.inf, 0, 0
    for _ in range(100):
        rows = loop.ask(4)
        found = np.array([cost(row[:3], row[3:]) for row in rows])
        loop.tell(rows, found[:, None], np.isfinite(found))
        enough = rows[:, :3].sum(axis=1) >= 5
        best = min(best, found[enough].min(initial=np.inf))
        built, proposed = built + np.isfinite(found).sum(), proposed + len(rows)
    least = min(cost(n, np.array([2, 2, 2, 2, 1]))
                for n in NETWORKS.unrank(np.arange(64)) if n.sum() >= 5)  # fmt: skip
    assert best <= 1.05 * least
    assert built / proposed >= 0.6
    assert loop.statistics["networks"] >= 1


def test_it_ends_when_neither_gets_better():
    both = NETWORKS.beside(MACHINES)
    loop = Loop(both, np.random.default_rng(0))
    loop._patience = 12
    asked = 0
    while len(rows := loop.ask(4)):
        found = np.full(len(rows), 5.0)
        loop.tell(rows, found[:, None], np.ones(len(rows), dtype=bool))
        asked += len(rows)
        assert asked < 200


def test_asks_keep_the_contract_on_its_own_space(monkeypatch):
    for check in (asks_are_well_formed, nothing_is_asked_twice):
        check(Machines, {})


class Machines(AlternatingSearch):
    """The agent alone, on whatever space a check brings."""

    multi_objective = False

    def __init__(self, space, rng):
        self.space, self.rng = space, rng
        self._agent = MachineAgent(space, 2, rng, Settings())

    def ask(self, n):
        return self._agent.ask(n, np.array([0.5, 0.5]))

    def tell(self, rows, losses, feasible, violations=None):
        told = self.checked(rows, losses, feasible, violations)
        usable = told.feasible & np.isfinite(told.loss) & (told.loss > 0)
        if usable.all():
            best = float(told.loss.min(initial=1.0))
            self._agent.tell(told.rows, told.loss, told.feasible, best)


def test_the_losses_of_all_networks_are_those_of_each():
    cells = REGISTRY.find("network_spaces", "nasbench201").make()
    table = NetworkTable.of(cells, ())
    rng = np.random.default_rng(0)
    energy, cycles = rng.uniform(1, 9, (2, len(table.layers)))
    latency = next(o for o in OBJECTIVES if o.name == "latency")
    losses = table.losses(energy, cycles, latency, 1.0)
    for row in cells.space.sample(20, rng):
        expected = sum(
            layer.count * cycles[table.layers.index(layer.einsum)]
            for layer in cells.build(row).layers
        )
        assert losses[cells.space.rank(row[None])[0]] == pytest.approx(np.log(expected))


def test_a_study_with_the_scheme(study_of):
    study = study_of(
        workload="nasbench201", scheme="rhnas", trials=8, objective="latency",
        constraints=["accuracy>=93"], combine="layers",
    )  # fmt: skip
    assert len(study.trials) == 8
    assert study.best.outcome.metrics["accuracy"] >= 93
    assert report_of(study).best.disagreements == ()
    again = study_of(
        workload="nasbench201", scheme="rhnas", trials=8, objective="latency",
        constraints=["accuracy>=93"], combine="layers", name="again",
    )  # fmt: skip
    assert [t.row for t in again.in_order] == [t.row for t in study.in_order]


@pytest.mark.parametrize(
    ("workload", "objective", "said"),
    [
        ("nasbench201", "error", "makes one cost small"),
        ("mobile-space", "latency", "too many"),
    ],
)
def test_what_the_loop_cannot_search_is_refused(workload, objective, said):
    with pytest.raises(CosearchError, match=said):
        plan(REGISTRY, workload, "systolic", "random", scheme="rhnas", objective=objective)


def test_a_space_too_large_for_a_table_is_searched_by_its_parts(study_of):
    study = study_of(
        workload="ofa-mobilenetv3", hardware="roofline", scheme="rhnas", trials=4,
        objective="latency", constraints=["accuracy>=76"], combine="layers",
    )  # fmt: skip
    assert len(study.trials) == 4
    assert study.best.outcome.metrics["accuracy"] >= 76
    with pytest.raises(CosearchError, match="cannot keep a limit on macs"):
        study_of(
            workload="ofa-mobilenetv3", hardware="roofline", scheme="rhnas", trials=2,
            objective="latency", constraints=["macs<=300000000"], name="limited",
        )  # fmt: skip
