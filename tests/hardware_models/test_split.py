"""Two devices and a link: every cut against its sum by hand, and what the link's ends must give."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cosearch
from cosearch.errors import InputError
from cosearch.hooks.discovery import load_registry
from cosearch.workload.einsum import conv, gemm
from cosearch.workload.network import Layer, Network
from cosearch_hardware.roofline import DEVICES, RooflineAccelerator
from cosearch_hardware.split import LINK, SERVER, Split


def chain(sizes):
    return Network(
        "chain", tuple(Layer(gemm(f"fc{i}", M=4, N=n, K=k)) for i, (n, k) in enumerate(sizes))
    )


def cost(model, network, configuration):
    machine = model.build(configuration)
    layers = model.placed(network, configuration).layers
    costs = [machine.floor(layer.einsum) for layer in layers]
    return sum(c[0] for c in costs), sum(c[1] for c in costs)


def by_hand(network, cut, mbps, device, server):
    here, there = (RooflineAccelerator(d, DEVICES[d]) for d in (device, server))
    times = [here.floor(x.einsum)[1] for x in network.layers[:cut]]
    times += [there.floor(x.einsum)[1] for x in network.layers[cut:]]
    if cut < len(network.layers):
        first = network.layers[0].einsum
        words = (
            network.layers[cut - 1].einsum.words(network.layers[cut - 1].einsum.output)
            if cut
            else first.words(first.tensors[1])
        )
        times.append(math.ceil(words * 32 / mbps * 1e3))
    return sum(times)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), min_size=1, max_size=6),
    st.sampled_from((0.1, 20.0, 5e4)),
    st.sampled_from(tuple(DEVICES)),
)
def test_every_cut_costs_what_it_does_by_hand(sizes, mbps, server):
    network = chain(sizes)
    model = Split(mbps=str(mbps), cuts=len(sizes))
    for cut in range(len(sizes) + 1):
        configuration = {"device": "raspberry-pi-4", "server": server, "cut": cut}
        expected = by_hand(network, cut, mbps, "raspberry-pi-4", server)
        assert cost(model, network, configuration)[1] == expected


def best(mbps):
    network = chain([(2000, 2000), (50, 2000), (1000, 50), (3000, 1000)])
    model = Split(mbps=mbps, cuts=4)
    return min((cost(model, network, {"cut": cut})[1], cut) for cut in range(5))


def test_a_fast_link_cuts_at_the_input_and_a_dead_one_at_the_end():
    assert best("1e12")[1] == 0
    assert best("1e-6")[1] == 4
    found = [best(f"{10.0**e}") for e in range(-3, 9)]
    assert all(a >= b for (a, _), (b, _) in pairwise(found))
    assert len({cut for _, cut in found}) >= 3


def test_a_channel_that_fades_takes_the_mean_of_its_times():
    network = chain([(100, 100), (100, 100)])
    each = [cost(Split(mbps=rate, cuts=2), network, {"cut": 1})[1] for rate in ("5", "20", "80")]
    mean = cost(Split(mbps="5/20/80", cuts=2), network, {"cut": 1})[1]
    assert mean == pytest.approx(sum(each) / 3, abs=3)


def test_energy_of_the_device_alone_leaves_the_server_out():
    network = chain([(500, 500), (500, 500)])
    both = cost(Split(cuts=2, pj_per_bit=10.0), network, {"cut": 1})[0]
    own = cost(Split(cuts=2, pj_per_bit=10.0, counted="device"), network, {"cut": 1})[0]
    placed = Split(cuts=2).placed(network, {"cut": 1})
    there = [x.einsum for x in placed.layers if x.einsum.place == SERVER]
    server = RooflineAccelerator("rtx-3090", DEVICES["rtx-3090"])
    assert both - own == pytest.approx(sum(server.floor(x)[0] for x in there))
    link = next(x.einsum for x in placed.layers if x.einsum.place == LINK)
    assert own >= link.words(link.output) * 32 * 10.0


def test_equal_layers_on_both_sides_are_two_layers_of_a_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = cosearch.run(
        "vgg16", hardware="split:cuts=21", scheme="exhaustive", objective="latency",
        fixed={"device": "raspberry-pi-4", "server": "rtx-3090"}, workers=1,
    )  # fmt: skip
    network = load_registry().find("workloads", "vgg16").make().network()
    model = Split(cuts=21)
    whole = {"device": "raspberry-pi-4", "server": "rtx-3090"}
    costs = [cost(model, network, {**whole, "cut": cut})[1] for cut in range(22)]
    assert found.best.metrics["cycles"] == min(costs)
    assert found.best.configuration["cut"] == costs.index(min(costs))


def test_a_network_with_branches_is_refused_by_name():
    with pytest.raises(InputError, match="which tensors cross a cut"):
        cosearch.map("resnet18", "split")


@pytest.mark.parametrize("mbps", ["fast", "0", "-3", "5/", ""])
def test_a_rate_that_is_none_is_refused(mbps):
    with pytest.raises(InputError, match="no rate above 0"):
        Split(mbps=mbps)


def test_one_layer_without_a_place_runs_on_the_device():
    machine = Split().build({})
    layer = conv(K=8, C=8, P=8, Q=8, R=3, S=3)
    pi = RooflineAccelerator("raspberry-pi-4", DEVICES["raspberry-pi-4"])
    assert machine.floor(layer) == pi.floor(layer)
