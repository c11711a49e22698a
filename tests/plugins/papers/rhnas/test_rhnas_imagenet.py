"""The best pair for ImageNet against trying every machine, searches on it, and its page."""

import numpy as np
import pytest
from attrs import evolve, frozen

from cosearch.hooks.discovery import load_registry
from cosearch.machine.hardware import ManyMachines
from cosearch_plugins.landscape.separable import Separable
from cosearch_plugins.papers.rhnas import imagenet
from cosearch_plugins.papers.rhnas.imagenet import (
    IMAGE_READINGS,
    ImageProblem,
    ImageTable,
    image_problem,
    listed,
    optimum_of,
)
from cosearch_plugins.papers.rhnas.page import page_of
from cosearch_plugins.papers.rhnas.reproduce import ImageClaimed, Reproduction
from cosearch_plugins.papers.rhnas.searches import CONTENDERS, score

REGISTRY = load_registry()
READING = IMAGE_READINGS[0]


def table_of(objective, machines=6):
    """A table of some machines, the default among them, whose costs are drawn and not mapped."""
    problem = image_problem(REGISTRY, objective)
    space = Separable.of(problem.networks)
    rng = np.random.default_rng(0)
    rows = listed(problem, READING)
    sizes = problem.hardware.space
    baseline = sizes.index({k: v for k, v in problem.baseline.items() if k in sizes.names})
    rows = np.concatenate([rows[rng.choice(len(rows), machines - 1, replace=False)], [baseline]])
    work = np.array([float(layer.operations) for layer in space.layers])
    speed = rng.uniform(0.5, 2.0, (2, machines, 1)) * rng.uniform(0.8, 1.25, (2, machines, 232))
    return ImageTable(problem, space, rows, rng.uniform(5, 9, machines), *(work * speed))


@pytest.fixture(scope="module", params=["latency", "edp"])
def table(request):
    return table_of(request.param)


def test_the_machines_are_those_of_the_script():
    problem = image_problem(REGISTRY, "latency")
    assert len(listed(problem, READING)) == 5 * 4**3
    wide = evolve(READING, bus=0, macs=10)
    assert len(listed(problem, wide)) == 3 * 4**3 * 4


@frozen
class Priced:
    """Machines whose costs follow a formula; the last parameter says which cannot be built."""

    factor: float = 1.0
    unbuilt: int = 3

    def left_out(self, layer):
        return layer.operations % 2 == 1

    def price_many(self, rows, layers, objective):  # noqa: ARG002 - asked so
        work = np.array([float(layer.operations) for layer in layers])
        cycles = work * self.factor / (1.0 + rows.sum(axis=1))[:, None]
        built = rows.sum(axis=1) % 7 != self.unbuilt
        return ManyMachines(built, np.where(built, 5.0, np.nan), 2.0 * cycles, cycles)


def test_a_kept_table_is_used_while_its_machines_hold(tmp_path):
    problem = image_problem(REGISTRY, "latency")
    space, rows, notes = Separable.of(problem.networks), listed(problem, READING), []

    def made(hardware, *, trusted=False):
        of = evolve(problem, hardware=hardware), space, rows, tmp_path, notes.append
        return imagenet._table(*of, trusted=trusted), len(notes)

    first, count = made(Priced())
    assert (len(first.rows) < len(rows), count) == (True, 1)
    again, count = made(Priced())
    assert (np.array_equal(again.cycles, first.cycles), count) == (True, 1)
    assert made(Priced(1.01), trusted=True)[1] == 1
    assert made(Priced(1.01))[1] == 2
    assert made(Priced(1.01))[1] == 2
    assert made(Priced(1.01, unbuilt=9))[1] == 3
    assert [file.suffix for file in tmp_path.iterdir()] == [".npz"]


def test_the_best_pair_is_the_best_of_all_machines(table):
    floor = table.default_accuracy - 1.0
    found = optimum_of(table, floor)
    every = [table.network_on(m, floor) for m in range(len(table.rows))]
    values = [table.value(np.array(x.energy_pj), np.array(x.cycles)) for x in every]
    assert found.both == min(values)
    lowest = min(v * (1 - x.gap) for v, x in zip(values, every, strict=True))
    assert found.both * (1 - found.gap) <= lowest * (1 + 1e-12)
    assert found.gap < 0.01
    assert found.accuracy >= floor
    machine, network = table.default
    assert found.default == table.losses_of(network)[machine]
    assert found.hardware == table.losses_of(network).min()
    assert found.both <= found.one_after_other <= found.network <= found.default


def test_every_search_is_at_or_above_the_best():
    table = table_of("latency", 4)
    problem = ImageProblem("small", table, table.default_accuracy - 1.0)
    assert (problem._numbers >= 0).sum() == len({row.tobytes() for row in table.rows})
    gap = optimum_of(table, problem.floor).gap
    for contender in CONTENDERS:
        if contender.sums:
            found = score(REGISTRY, problem, contender, range(1), 12)
            assert found.losses[0] >= found.optimum * (1 - gap)
    network, machine = problem.baseline
    losses, counts, built = problem.answer(np.concatenate([network, machine])[None])
    assert built[0]
    assert counts[0]
    assert losses[0, 0] == pytest.approx(table.losses_of(network)[table.default[0]])


def test_the_page_states_reading_floor_gap_and_what_was_printed(table):
    floors = (optimum_of(table, table.default_accuracy),)
    objective = table.problem.objectives[0].name
    claim = ImageClaimed(READING, objective, len(table.rows), floors)
    page = page_of(Reproduction(True, 2, 24, "measured", 94.2, (), (), (claim,), "predicted, here"))
    printed = {"latency": 1.84, "edp": 1.86}[objective]
    assert f"printed in the abstract: {printed}x" in page
    assert READING.about in page
    assert f"{floors[0].default / floors[0].both:.2f}x" in page
    assert "predicted, here" in page
