"""Networks kept from a proxy: against brute force, and against pricing every network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosearch.errors import CosearchError
from cosearch.machine.building import build
from cosearch.study.report import report_of
from cosearch_plugins.landscape.classes import Classes
from cosearch_plugins.networks.decoupled import between_devices, on_machines
from cosearch_plugins.schemes.semi_decoupled_networks import correlation, kept_networks
from cosearch_plugins.workloads.nasbench201 import NasBench201

DATA = Path(__file__).parents[2] / "data" / "networks"

number = st.integers(0, 4).map(float)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(number, number, number | st.just(np.inf)), min_size=1, max_size=12))
def test_kept_networks_are_those_that_no_other_dominates(rows) -> None:
    accuracy, energy, cycles = np.array(rows).T
    kept = kept_networks(accuracy, energy, cycles)
    facts = [(-a, e, c) for a, e, c in rows]
    runs = [i for i, (_, e, c) in enumerate(facts) if np.isfinite(e) and np.isfinite(c)]

    def dominated(i):
        return any(
            facts[j] != facts[i] and all(x <= y for x, y in zip(facts[j], facts[i], strict=True))
            for j in runs
        )

    front = {facts[i] for i in runs if not dominated(i)}
    assert {facts[i] for i in kept} == front
    assert len(kept) == len(front)
    assert kept.tolist() == sorted(kept.tolist())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 100))
def test_on_the_proxy_itself_nothing_is_lost(seed, floor) -> None:
    """For any floor the front holds the cheapest network that is accurate enough."""
    rng = np.random.default_rng(seed)
    accuracy, cost = rng.integers(0, 100, 60).astype(float), rng.random(60)
    kept = kept_networks(accuracy, cost)
    enough = accuracy >= floor
    if enough.any():
        assert cost[kept][enough[kept]].min() == cost[enough].min()


@pytest.fixture
def decoupled(study_of):
    return lambda **more: study_of(
        **{
            "workload": "nasbench201",
            "scheme": "semi-decoupled-networks",
            "trials": 3,
            "objective": "latency",
            "constraints": ["accuracy>=94"],
            "combine": "layers",
            "strategy": "random",
        }
        | more
    )


def test_each_machine_has_the_best_of_the_networks_kept(decoupled, study_of) -> None:
    study, every = decoupled(), decoupled(scheme="network-inside", name="every")
    assert study.feasible
    exact = {t.outcome.accelerator: t.outcome.losses[0] for t in every.feasible}
    proxy = build(study.problem.hardware, study.problem.hardware.baseline)
    for trial in study.feasible:
        assert trial.outcome.metrics["accuracy"] >= 94
        assert trial.outcome.losses[0] >= exact[trial.outcome.accelerator]
        if trial.outcome.accelerator == str(proxy.key):
            assert trial.outcome.losses[0] == exact[trial.outcome.accelerator]


def test_fewer_layers_are_mapped_and_the_report_says_how_alike_machines_rank(decoupled) -> None:
    study = decoupled()
    problem = study.problem
    classes = Classes.of(problem.networks, problem.hardware)
    mapped = study.feasible[-1].outcome.layers
    assert len(mapped) <= len(classes.layers)
    said = str(report_of(study).agreement)
    assert "how alike machines rank all networks: rank correlation" in said


def test_devices_that_disagree_lose_and_a_device_serves_itself() -> None:
    """Counter-example: HW-NAS-Bench's estimate for Eyeriss, and a Raspberry Pi 4 (89 networks)."""
    space = NasBench201(table=f"{DATA / 'nasbench201.csv'}+{DATA / 'nasbench201_latency.csv'}")
    found = between_devices(space, ["eyeriss_ms", "raspi4_ms"], [90.0, None])
    one = next(v for v in found if v.proxy == "eyeriss_ms" and v.floor == 90.0)
    rows = space.measured_rows()
    columns = (space.score(name, rows) for name in ("eyeriss_ms", "raspi4_ms"))
    assert one.rank == pytest.approx(correlation(*columns))
    assert one.loss > 0.03
    enough = space.accuracy(rows) >= 90
    assert one.best == space.score("raspi4_ms", rows)[enough].min()
    assert all(v.loss >= 0 for v in found)
    with pytest.raises(CosearchError, match="two devices"):
        between_devices(space, ["eyeriss_ms"], [None])
    with pytest.raises(CosearchError, match="no network has an accuracy"):
        between_devices(space, ["eyeriss_ms", "raspi4_ms"], [99.0])


class TinyTable:
    """Three classes of one layer each on two machines, in place of a joint table."""

    def __init__(self, cycles) -> None:
        self.classes = Classes(
            ("a", "b", "c"), np.eye(3, dtype=np.int64), np.zeros((3, 1), dtype=np.int64),
            np.array([90.0, 91.0, 92.0]), np.ones(3, dtype=np.int64),
        )  # fmt: skip
        self.cycles = np.array(cycles)
        self.energy_pj = self.cycles
        self.machines = len(self.cycles)
        self.problem = type("Problem", (), {"baseline": {}})

    def number(self, _):
        return 0

    def losses(self, machines, classes):
        return classes.sums(self.cycles[machines])

    def best(self, classes):
        if len(classes) == 0:
            return None
        losses = self.losses(slice(0, self.machines), classes)
        return type("Optimum", (), {"loss": float(losses.min())})


def test_machines_that_rank_otherwise_than_the_baseline_are_told() -> None:
    alike = on_machines(TinyTable([[1.0, 2.0, 3.0], [0.5, 1.0, 1.5]]), [None, 91.0])
    assert [v.loss for v in alike] == [0.0, 0.0]
    assert alike[0].rank == pytest.approx(1.0)
    assert alike[0].kept == 3
    contrary = on_machines(TinyTable([[3.0, 2.0, 1.0], [0.1, 2.0, 3.0]]), [None])
    assert (contrary[0].kept, contrary[0].rank) == (1, pytest.approx(-1.0))
    assert contrary[0].loss == pytest.approx(9.0)


def test_what_runs_nowhere_is_not_ranked() -> None:
    assert np.isnan(correlation(np.array([1.0, 2.0, np.inf]), np.array([1.0, 2.0, 3.0])))
