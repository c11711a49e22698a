"""Networks with early exits: what is built, what is known of them, and the split that uses them."""

import itertools
import math

import numpy as np
import pytest

import cosearch
from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch_hardware.split import Split
from cosearch_plugins.memory.objectives import peak_memory
from cosearch_plugins.workloads.early_exits import EarlyExits, Exit

REGISTRY = load_registry(third_party=False)
GIVEN = (Exit("end", 57.0), Exit("pool1", 30.0), Exit("conv4", 45.0))


def space(mode="answer", **options):
    return EarlyExits(mode=mode, exits=GIVEN, classes=10, **options)


def rows(of):
    cards = of.space.cardinalities
    return np.array(list(itertools.product(*(range(c) for c in cards))))


def names(network):
    return [layer.name for layer in network.layers]


def test_the_network_ends_at_the_exit_that_answers():
    of = space()
    assert of.space.parameters[0].choices == ("pool1", "conv4", "end")
    networks = [of.build(row) for row in rows(of)]
    assert names(networks[0]) == ["conv1", "pool1", "pool1.exit.mean", "pool1.exit.fc"]
    assert networks[2].layers == of.original.layers
    assert networks[2].links == of.original.links
    assert networks[2].parameters == of.original.parameters
    assert list(of.accuracy(rows(of))) == [30.0, 45.0, 57.0]
    head = networks[1].layers[-1].einsum
    assert (head.bounds["C"], head.bounds["K"]) == (384, 10)


def test_all_exits_that_are_built_run():
    of = space("anytime")
    both = of.build(of.space.index({"exit.pool1": True, "exit.conv4": True}))
    heads = [name for name in names(both) if "exit" in name]
    assert heads == ["pool1.exit.mean", "pool1.exit.fc", "conv4.exit.mean", "conv4.exit.fc"]
    none = of.build(of.space.index({"exit.pool1": False, "exit.conv4": False}))
    assert none.layers == of.original.layers
    assert set(of.accuracy(rows(of))) == {57.0}


def by_hand(of, row):
    """Return the mean accuracy over many budgets, from the layers of the network alone."""
    at, done = [], 0
    accuracies = {f"{x.after}.exit.fc": x.accuracy for x in GIVEN} | {"fc8": 57.0}
    for layer in of.build(row).layers:
        done += layer.einsum.macs
        if layer.name in accuracies:
            at.append((done, accuracies[layer.name]))
    whole = sum(x.einsum.macs for x in of.build(np.ones(2, dtype=np.int64)).layers)
    budgets = (np.arange(20_000) + 0.5) / 20_000 * whole
    return np.mean([max((a for macs, a in at if macs <= b), default=0.0) for b in budgets])


def test_anytime_is_the_mean_over_budgets():
    of = space("anytime")
    for row, score in zip(rows(of), of.score("anytime", rows(of)), strict=True):
        assert score == pytest.approx(by_hand(of, row), abs=0.01)


def test_peak_memory_of_a_network_that_stops_early():
    of = space()
    stops = [peak_memory(of.build(row)) for row in rows(of)]
    assert stops[0] == 3 * 227 * 227 + 96 * 55 * 55
    assert stops[2] == peak_memory(of.original)
    runs_all = space("anytime").build(np.array([1, 1]))
    assert peak_memory(runs_all) >= stops[2]


def test_without_a_table_no_accuracy_is_known():
    of = EarlyExits()
    assert [x.after for x in of.exits] == ["pool1", "pool2", "pool3", "end"]
    assert np.isnan(of.accuracy(rows(of))).all()
    assert math.isnan(EarlyExits(mode="anytime").score("anytime", np.array([[1, 1, 1]]))[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("after,accuracy\nconv9,50\n", "no layer is named 'conv9'"),
        ("after,accuracy\nconv4,50\nconv4,51\n", "there twice"),
        ("after,accuracy\nconv4,150\n", "no percentage"),
        ("after,accuracy\n", "has no exit"),
        ("where,accuracy\nconv4,1\n", "has no column 'after'"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, told):
    file = tmp_path / "exits.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        EarlyExits(table=str(file))


def test_a_fully_connected_layer_may_have_an_exit_too():
    of = EarlyExits(exits=(Exit("fc6", 1.0),), classes=10)
    assert names(of.build(np.array([0])))[-1] == "fc6.exit.fc"


def test_split_chooses_exit_cut_and_bits_together(tmp_path):
    file = tmp_path / "exits.csv"
    file.write_text("after,accuracy\npool1,30\npool2,45\nend,57\n")
    found = cosearch.run(
        f"early-exits:table={file}", hardware="split:cuts=4,mbps=5,least_bits=16",
        strategy="grid", scheme="exhaustive", objective="latency", constraints=["accuracy>=40"],
        fixed={"device": "raspberry-pi-4", "server": "rtx-3090"},
    )  # fmt: skip
    of, model, costs = EarlyExits(table=str(file)), Split("5", cuts=4, least_bits=16), {}
    for exit_, cut, bits in itertools.product(("pool2", "end"), range(5), (32, 16)):
        configuration = {"cut": cut, "bits": bits}
        network = model.placed(of.build(of.space.index({"exit": exit_})), configuration)
        machine = model.build(configuration)
        costs[exit_, cut, bits] = sum(machine.floor(x.einsum)[1] for x in network.layers)
    best = found.best
    chosen = tuple(best.configuration[name] for name in ("exit", "cut", "bits"))
    assert best.metrics["cycles"] == min(costs.values()) == costs[chosen]
