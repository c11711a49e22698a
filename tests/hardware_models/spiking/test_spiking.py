"""Spiking layers on an FPGA, against a simulation of every clock cycle of every state machine."""

import itertools
import math

import numpy as np
import pytest
from attrs import Factory, define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

import cosearch
from cosearch.errors import CosearchError, Infeasible, InputError
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network
from cosearch_hardware.spiking.fabric import (
    DEVICES,
    SHAPES,
    Circuit,
    any_of,
    block_rams,
    luts,
    multiplexer,
)
from cosearch_hardware.spiking.model import Spiking
from cosearch_hardware.spiking.places import stage_of
from cosearch_hardware.spiking.steps import Stage, cycles_of, share_of, spoken, step_of
from cosearch_plugins.workloads.spiking import SpikingMlp


@define
class Layered:
    """A layer clock by clock: its own states, those of its neurons, their potentials."""

    weights: np.ndarray
    hinders: bool
    threshold: int = 6
    state: str = "idle"
    neurons: str = "idle"
    count: int = 0
    stirred: int = 0
    answered: int = 0
    added: int = 0
    left: list = Factory(list)
    potentials: np.ndarray = field(init=False)
    out: np.ndarray = field(init=False)
    seen: tuple = ()

    def __attrs_post_init__(self):
        self.potentials = np.zeros(self.weights.shape[1], dtype=np.int64)
        self.out = np.zeros(self.weights.shape[1], dtype=bool)

    @property
    def ready(self):
        return self.state == "idle"

    def clock(self, inputs, start, restart):
        """Go on by one cycle; `inputs` are the spikes that lie at the layer's door."""
        exc = self.state in ("sample", "scan inputs")
        inh = self.state in ("sample", "scan neurons")
        neurons_ready = self.neurons == "idle"
        self._neurons(exc, inh)
        if self.state == "idle":
            self.state = "init wait" if restart else "sample" if start else "idle"
        elif self.state == "init wait":
            self.state = "init" if neurons_ready else "init wait"
        elif self.state == "init":
            self.state = "idle"
        elif self.state == "sample":
            self.seen = inputs.copy(), self.out.copy()
            self.out = self.potentials > self.threshold
            scans = ["inputs"] * bool(inputs.any())
            scans += ["neurons"] * bool(self.hinders and self.seen[1].any())
            self.stirred += bool(inputs.any())
            self.answered += bool(self.seen[1].any())
            self.left = scans[1:]
            self.state = f"wait {scans[0]}" if scans else "idle"
        elif self.state.startswith("wait"):
            if neurons_ready:
                self.state, self.count = f"scan {self.state.split()[1]}", 0
        else:
            self._add()

    def _add(self):
        lines = self.seen[0] if self.state == "scan inputs" else self.seen[1]
        if lines[self.count]:
            added = self.weights[self.count] if self.state == "scan inputs" else -1
            self.potentials = self.potentials + added
            self.added += len(self.potentials)
        self.count += 1
        if self.count == len(lines):
            self.state = f"wait {self.left.pop()}" if self.left else "idle"

    def _neurons(self, exc, inh):
        """Leak or fire once a sample, add while a scan lasts, then be idle again."""
        if self.neurons == "idle":
            if exc and inh:
                fired = self.potentials > self.threshold
                self.potentials = np.where(fired, 0, self.potentials - (self.potentials >> 2))
                self.neurons = "leak or fire"
            elif exc or inh:
                self.neurons = "add"
        elif self.neurons == "leak or fire" or not (exc or inh):
            self.neurons = "idle"


def simulate(layers, trains):
    """Run a network on spike trains, bool[steps, inputs]; return the cycles."""
    state, cycles, step = "init", 0, -1
    while True:
        cycles += 1
        start, restart = state == "network update", state == "init"
        ready = all(layer.ready for layer in layers)
        if start:
            step += 1
            arriving = [trains[step], *(layer.out.copy() for layer in layers[:-1])]
        doors = arriving if step >= 0 else [np.zeros(len(x.weights), dtype=bool) for x in layers]
        for layer, inputs in zip(layers, doors, strict=True):
            layer.clock(inputs, start, restart)
        if state == "update wait" and ready:
            if step + 1 == len(trains):
                return cycles
            state = "network update"
        else:
            state = "update wait"


def built(sizes, seed, *, hinders):
    rng = np.random.default_rng(seed)
    pairs = itertools.pairwise(sizes)
    return [Layered(rng.integers(-2, 6, size=pair), hinders) for pair in pairs]


SIZES = st.lists(st.integers(1, 9), min_size=2, max_size=4)


@settings(max_examples=500, deadline=None)
@given(SIZES, st.integers(1, 8), st.floats(0, 1), st.integers(0, 2**32 - 1), st.booleans())
def test_no_run_takes_longer_than_the_model_and_one_whose_steps_all_bring_spikes_as_long(
    sizes, steps, density, seed, hinders
):
    trains = np.random.default_rng(seed).random((steps, sizes[0])) < density
    layers = built(sizes, seed, hinders=hinders)
    taken = simulate(layers, trains)
    stages = [Stage(*pair) for pair in itertools.pairwise(sizes)]
    assert taken <= cycles_of(stages, steps, inhibition=hinders)
    if len(layers) == 1:
        (layer,), (stage,) = layers, stages
        shares = layer.stirred / steps, layer.answered / steps
        exact = cycles_of([evolve(stage, stirred=shares[0], answered=shares[1])], steps,
                          inhibition=hinders)  # fmt: skip
        assert taken == exact
    always = np.ones_like(trains)
    first = [max(sizes[0], *sizes)] == [sizes[0]] and not hinders
    if first:
        assert simulate(built(sizes, seed, hinders=False), always) == cycles_of(
            stages, steps, inhibition=False
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=4),
    st.lists(st.floats(0, 1), min_size=8, max_size=8),
    st.booleans(),
)
def test_the_mean_step_is_that_of_all_outcomes(sizes, shares, hinders):
    stages = [Stage(*s, shares[2 * i], shares[2 * i + 1]) for i, s in enumerate(sizes)]
    mean = 0.0
    outcomes = itertools.product(*(s.lengths(inhibition=hinders).items() for s in stages))
    for outcome in outcomes:
        mean += max(length for length, _ in outcome) * math.prod(p for _, p in outcome)
    assert step_of(stages, inhibition=hinders) == pytest.approx(mean, rel=1e-9)


def test_silence_is_as_likely_as_among_all_trains_of_a_step():
    share = 0.3
    trains = itertools.product((0, 1), repeat=4)
    heard = sum(math.prod(share if s else 1 - share for s in t) for t in trains if any(t))
    assert spoken(4, share) == pytest.approx(heard)
    assert spoken(4, None) == 1
    assert spoken(4, 0.0) == 0


@given(st.lists(st.integers(1, 99), min_size=1, max_size=6), st.integers(7, 10**6))
def test_shares_of_cycles_add_up(scans, cycles):
    shares = [share_of(cycles, scans, i) for i in range(len(scans))]
    assert sum(shares) == cycles
    assert min(shares) >= 1


@given(st.integers(1, 3000), st.integers(1, 500), st.sampled_from((1, 2, 3, 4, 5, 6, 8)))
def test_block_rams_hold_the_weights_and_no_shape_needs_fewer(inputs, neurons, bits):
    stage, circuit = Stage(inputs, neurons), Circuit(bits, 8, "block", inhibition=False)
    least = min(
        math.ceil(neurons / (width // bits)) * math.ceil(inputs / depth)
        for width, depth in SHAPES
        if width >= bits
    )
    assert block_rams(stage, circuit) == least
    assert least * 36 * 1024 >= inputs * neurons * bits
    assert block_rams(stage, evolve(circuit, memory="lut")) == 0
    assert luts(stage, evolve(circuit, memory="lut")) * 64 >= inputs * neurons * bits


def test_small_circuits_take_the_luts_that_one_counts():
    assert [multiplexer(n) for n in (1, 2, 4, 5, 8, 16, 17, 32)] == [0, 1, 1, 2, 2, 4, 9, 9]
    assert [any_of(n) for n in (1, 2, 6, 7, 11, 12)] == [1, 1, 1, 2, 2, 3]
    plain = Circuit(5, 6, "block", inhibition=False)
    assert luts(Stage(4, 2), plain) == 3 * 6 * 2 + 1 + 1
    assert luts(Stage(4, 2), evolve(plain, inhibition=True)) == 3 * 6 * 2 + 2 + 2


def test_the_published_designs():
    """58 block RAMs stand in the authors' test bench; 780 us and 180 mW in the abstract."""
    spiker = cosearch.map("spiking-mlp", "spiking", objective="latency")
    assert spiker.cycles == 30 * (784 + 5) + 4
    assert block_rams(Stage(784, 400), Circuit(5, 16, "block", inhibition=False)) == 58
    assert 0.3 < luts(Stage(784, 400), Circuit(5, 16, "block", False)) / 63_400 < 0.35
    machine = Spiking().build({"weight_bits": 4, "neuron_bits": 6})
    plus = Spiking().placed(SpikingMlp(sizes="spiker-plus", steps=100).network(), {})
    costs = [machine.floor(layer.einsum) for layer in plus.layers]
    assert sum(c[1] for c in costs) == pytest.approx(78_000, rel=0.02)
    assert sum(c[0] for c in costs) == pytest.approx(180e-3 * 780e-6 * 1e12)


def test_a_network_that_does_not_fit_is_refused_as_a_whole():
    model = Spiking()
    network = model.placed(SpikingMlp(sizes="784-300-300", steps=10).network(), {})
    small, large = (model.build({"device": d}) for d in ("xc7a35t", "xc7a100t"))
    for layer in network.layers:
        with pytest.raises(Infeasible, match="block RAMs of 50") as verdict:
            small.mapspace(layer.einsum)
        assert verdict.value.margins["block RAMs"] > 1
        assert large.mapspace(layer.einsum).size == 1
    alone = model.placed(SpikingMlp(sizes="784-300", steps=10).network(), {})
    assert small.mapspace(alone.layers[0].einsum).size == 1


def test_silent_steps_cost_time_and_energy_less():
    def price(density):
        return cosearch.map(f"spiking-mlp:sizes=20-10,density={density}", "spiking")

    dense, sparse, silent = price("unknown"), price("0.02"), price("0")
    assert dense.cycles > sparse.cycles > silent.cycles == 30 * 3 + 4
    assert dense.energy_pj > sparse.energy_pj > silent.energy_pj


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (Network("n", (Layer(conv(K=4, C=4, P=4, Q=4, R=3, S=3)),)), "not fully connected"),
        (Network("n", (Layer(gemm(M=4, N=4, K=4).with_bits({"Inputs": 8})),)), "8 bits"),
        (Network("n", (Layer(gemm(M=4, N=4, K=4)), Layer(gemm(M=5, N=4, K=4)))), "4 and 5"),
    ],
)
def test_other_networks_are_refused_with_a_reason(network, why):
    with pytest.raises(InputError, match=why):
        Spiking().placed(network, {})


@pytest.mark.parametrize("options", [{"sizes": "784"}, {"sizes": "a-b"}, {"density": "2"},
                                     {"density": "0.1/0.1"}])  # fmt: skip
def test_options_that_make_no_network_are_refused(options):
    with pytest.raises(InputError):
        SpikingMlp(**{"sizes": "4-3-2", **options})


def test_density_is_part_of_a_layer_and_of_its_key():
    layer = gemm(M=4, N=3, K=2)
    inputs = evolve(layer.tensors[1], density=0.5)
    sparse = evolve(layer, tensors=(layer.tensors[0], inputs, layer.tensors[2]))
    assert sparse != layer
    assert sparse.key != layer.key
    assert stage_of(sparse)[0].stirred == 0.75
    with pytest.raises(CosearchError, match="no density"):
        evolve(layer, tensors=(layer.tensors[0], evolve(inputs, density=1.5), layer.tensors[2]))


def test_devices_are_ordered_by_size():
    sizes = [(d.luts, d.block_rams) for d in DEVICES.values()]
    assert sizes == sorted(sizes)
