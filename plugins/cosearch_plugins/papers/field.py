"""The systems around the two papers: what each published, and what its plugin gives here.

Every figure is computed when it is asked for. Where a publication could be had as an abstract
alone, that is all its row claims.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from cosearch.errors import MissingExtraError
from cosearch.mapping.mapper import Budget
from cosearch.quantities import added
from cosearch.registry.registry import Registry
from cosearch.search.objective import OBJECTIVES
from cosearch.workload.einsum import gemm
from cosearch.workload.network import Network
from cosearch_plugins.papers.split_race import SplitRace

if TYPE_CHECKING:
    from cosearch_hardware.crossbar.training import Rule, Step

MS_RANAS = "MS-RANAS (arXiv 2009.13940)"
SPIKER_PLUS = (
    "cosearch map spiking-mlp:sizes=spiker-plus,steps=100 -H spiking "
    "--set weight_bits=4 --set neuron_bits=6"
)
LATENCY = next(o for o in OBJECTIVES if o.name == "latency")


@frozen
class Figure:
    """One figure of a system beside the model's.

    Attributes:
        system: and where it was published.
        plugin: that expresses it.
        what: is compared.
        published: as printed; empty where nothing is known.
        here: what the plugin gives.
        gap: why the two differ, or what is not known.
        command: that shows the plugin's figure; this one where no other does.
    """

    system: str
    plugin: str
    what: str
    published: str
    here: str
    gap: str
    command: str = "cosearch reproduce field"


def figures(registry: Registry) -> Iterator[Figure]:
    """Yield the figures of every system, each as it is computed; seconds in all."""
    for of in (_isaac, _feedback, _random_weights, _split, _chain, _spiking):
        yield from of(registry)
    for of in (_slots, _memory, _exits, _analog):
        yield from of(registry)


def _isaac(registry: Registry) -> Iterator[Figure]:
    machine = registry.find("hardware_models", "crossbar").make().build({})
    layer = gemm(M=100_000, N=16 * 126, K=128 * 128)
    row = np.array([machine.chip.active_choices.index(128), 0, 0])
    cycles = machine.explain(layer, row).cycles
    tops = 2 * layer.macs / (cycles / machine.clock_mhz / 1e6) / 1e12
    name = "ISAAC (ISCA 2016)"
    yield Figure(
        name, "crossbar", "area of all tiles, mm2", "62.5", f"{machine.area_mm2:.1f}",
        "links between chips left out in both",
        "cosearch show hardware crossbar",
    )  # fmt: skip
    yield Figure(
        name, "crossbar", "all arrays at work, TOPS of 16 bits", "41.3 (2 x 2,048 MACs in 1.6 us)",
        f"{tops:.1f}", "the offset's column is a 129th conversion of each read",
        "cosearch map gemm:M=100000,N=2016,K=16384 -H crossbar -o latency",
    )  # fmt: skip


def _training(registry: Registry, rule: Rule, frozen_layers: tuple[int, ...] = ()) -> Step:
    from cosearch_hardware.crossbar.training import step

    model = registry.find("hardware_models", "crossbar").make()
    machine = model.build({"arrays": 672, "weight_bits": 8, "input_bits": 8})
    layers = [gemm(f"fc{i}", M=16, N=64, K=64) for i in range(9)]
    return step(machine, layers, rule, frozen_layers)


def _feedback(registry: Registry) -> Iterator[Figure]:
    back = _training(registry, "backpropagation")
    direct = _training(registry, "feedback-alignment")
    ratio = back.backward / direct.backward
    yield Figure(
        "learning on compute-in-memory (arXiv 2212.14337)", "crossbar",
        "backward pass of 9 equal layers, backpropagation over feedback alignment",
        "up to about N for N layers", f"{ratio:.1f}",
        "8 products go back through 9 layers; accuracy is not modelled",
    )  # fmt: skip


def _random_weights(registry: Registry) -> Iterator[Figure]:
    whole = _training(registry, "feedback-alignment")
    read_out = _training(registry, "feedback-alignment", tuple(range(8)))
    saved = 1 - read_out.update_pj / whole.update_pj
    yield Figure(
        "DEPLM (arXiv 2312.09262)", "crossbar", "writes saved by 8 frozen layers of 9, %",
        "training cost 70.12 to 89.46", f"{100 * saved:.1f}",
        "writes alone; the published costs need device data and other networks",
    )  # fmt: skip
    back = _training(registry, "backpropagation")
    saved = 1 - read_out.energy_pj / back.energy_pj
    yield Figure(
        "DEPLM (arXiv 2312.09262)", "crossbar",
        "energy of a step saved by 8 frozen layers of 9 over backpropagation, %",
        "training cost 70.12 to 89.46", f"{100 * saved:.1f}",
        "16 vectors a step, a cell's reset and set of 0.6 pJ each (NVSim); other data and networks",
    )  # fmt: skip


def _network(registry: Registry, name: str) -> Network:
    network: Network = registry.find("workloads", name).make().network()
    return network


def _split(registry: Registry) -> Iterator[Figure]:
    network = _network(registry, "alexnet")
    cuts = len(network.layers)
    found = []
    for mbps in ("1", "100", "10000"):
        model = registry.find("hardware_models", f"split:cuts={cuts},mbps={mbps}").make()
        machine = model.build({})
        times = [
            added(
                machine.floor(layer.einsum)[1] * layer.count
                for layer in model.placed(network, {"cut": cut}).layers
            )
            for cut in range(cuts + 1)
        ]
        best = int(np.argmin(times))
        found.append(f"{best} at {mbps}")
    yield Figure(
        "SAC-d (arXiv 2201.02968), IoVT (2411.00838)", "split",
        f"best cut of AlexNet's {cuts} layers, layers on the device at Mbit/s", "",
        ", ".join(found), "devices are rooflines; the papers' own tables are not known",
        "cosearch run alexnet -H split:cuts=11,mbps=100 --set device=raspberry-pi-4 "
        "--set server=rtx-3090 --scheme exhaustive -o latency",
    )  # fmt: skip
    race = SplitRace(registry)
    tried = (f"{s} {race.median(s, range(3)):.0f}" for s in ("random", "ppo", "discrete-sac"))
    yield Figure(
        "SAC-d (arXiv 2201.02968)", "discrete-sac",
        f"designs to the fastest exit, server, cut and bits of AlexNet, of {race.nanoseconds.size}",
        "", ", ".join(tried),
        "enumerated; time alone, for no accuracies of exits are known, nor the paper's rivals",
    )  # fmt: skip


def _chain(registry: Registry) -> Iterator[Figure]:
    from cosearch_hardware.arm_cpu.chain import q_learning, shortest

    _ = registry
    gaps = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        costs = [rng.random(8) for _ in range(20)]
        moves = [rng.random((8, 8)) for _ in range(19)]
        _, least = shortest(costs, moves)
        gaps.append(q_learning(costs, moves, 1000, rng)[1] / least - 1)
    yield Figure(
        "LNE and its search (arXiv 2006.05181, 1811.07315)", "arm-cpu",
        "tabular learner over the shortest path, 20 layers x 8 choices, 1,000 episodes, %", "",
        f"{100 * float(np.median(gaps)):.1f}",
        "random tables: no times of single implementations are public",
    )  # fmt: skip


def _spiking(registry: Registry) -> Iterator[Figure]:
    from cosearch_hardware.spiking.fabric import DEVICES

    model = registry.find("hardware_models", "spiking").make()
    network = model.placed(_network(registry, "spiking-mlp"), {})
    machine = model.build({})
    (layer,) = network.layers
    energy, cycles = machine.floor(layer.einsum)
    taken, has = machine.taken(layer.einsum), DEVICES[machine.device]
    name = "Spiker (arXiv 2201.06993)"
    yield Figure(
        name, "spiking", "us an image, 784 inputs and 400 neurons, 30 steps at 100 MHz", "215",
        f"at most {cycles / machine.clock_mhz:.0f}",
        "every step is taken to bring spikes; steps are those of the authors' test bench",
        "cosearch map spiking-mlp -H spiking -o latency",
    )  # fmt: skip
    yield Figure(
        name, "spiking", "mJ an image", "13", f"{energy / 1e9:.2f}",
        "13 mJ in 215 us are 60 W, no power of an Artix-7; here Spiker+'s 180 mW, by LUTs",
        "cosearch map spiking-mlp -H spiking -o energy",
    )  # fmt: skip
    yield Figure(
        name, "spiking", f"share of an {machine.device}, %", "around 40",
        f"{100 * taken['LUTs'] / has.luts:.0f} of LUTs, "
        f"{100 * taken['block RAMs'] / has.block_rams:.0f} of block RAMs",
        "encoders of inputs, counters of outputs and control are not counted; device assumed",
        "cosearch map spiking-mlp -H spiking -o latency",
    )  # fmt: skip
    yield from _spiker_plus(registry)


def _spiker_plus(registry: Registry) -> Iterator[Figure]:
    model = registry.find("hardware_models", "spiking").make()
    network = _network(registry, "spiking-mlp:sizes=spiker-plus,steps=100")
    layers = model.placed(network, {}).layers
    machine = model.build({"weight_bits": 4, "neuron_bits": 6})
    cycles = added(machine.floor(layer.einsum)[1] for layer in layers)
    taken = machine.taken(layers[0].einsum)
    yield Figure(
        "Spiker+ (arXiv 2401.01141)", "spiking",
        "us an image, 784-128-10, 100 steps at 100 MHz", "780",
        f"{cycles / machine.clock_mhz:.0f}", "its 180 mW are what energies are scaled from",
        SPIKER_PLUS,
    )  # fmt: skip
    yield Figure(
        "Spiker+ (arXiv 2401.01141)", "spiking", "logic and block RAMs of the same",
        "7,612 logic cells, 18", f"{taken['LUTs']:,} LUTs, {taken['block RAMs']}",
        "data path and scan alone; widths of the authors' test, not known to be the paper's",
        SPIKER_PLUS,
    )  # fmt: skip


def _slots(registry: Registry) -> Iterator[Figure]:
    shared = registry.find("hardware_models", "vta").make()
    network = _network(registry, "alexnet").priced(shared.left_out)
    layers = [layer for layer in network.unique if not layer.einsum.operation]
    total = {}
    for name in ("vta", "vta:slots=LLCS,slot_cycles=16"):
        machine = registry.find("hardware_models", name).make().build({})
        mapper = registry.find("mappers", machine.default_mapper).make()
        costs = (
            mapper.map(machine, x.einsum, LATENCY, Budget(), np.random.default_rng(0)).cycles
            * x.count
            for x in layers
        )
        total[name] = added(costs)
    on_demand, in_slots = total.values()
    yield Figure(
        "time-triggered loads of VTA (Ezekiel et al., 2023)", "vta:slots=LLCS",
        "AlexNet's products, slots over a port on demand", "", f"{in_slots / on_demand:.3f}",
        "no figures of the publication are known",
        "cosearch map alexnet -H vta:slots=LLCS,slot_cycles=16 -o latency",
    )  # fmt: skip


def _memory(registry: Registry) -> Iterator[Figure]:
    from cosearch_plugins.memory.objectives import flows
    from cosearch_plugins.memory.peak import least_peak

    (flow,) = flows(_network(registry, "vit-b16"))
    peak = least_peak(flow)
    yield Figure(
        MS_RANAS, "peak_memory", "ViT-B/16, kwords alive in the best order (as written)", "",
        f"{peak.words / 1e3:.0f} ({peak.as_written / 1e3:.0f}), "
        f"{'proven' if peak.proven else 'not proven'}",
        "the objective alone; its accuracies take training", "cosearch show workload vit-b16",
    )  # fmt: skip


def _exits(registry: Registry) -> Iterator[Figure]:
    space = registry.find("network_spaces", "early-exits:network=alexnet").make()
    rows = np.arange(int(space.space.size))[:, None]
    macs = [space.build(row).macs for row in rows]
    yield Figure(
        MS_RANAS, "early-exits", "AlexNet, computation up to each exit over the whole, %", "",
        ", ".join(f"{100 * m / macs[-1]:.0f}" for m in macs),
        "accuracies of exits are the user's; the paper's networks and exits are not known",
        "cosearch run early-exits:network=alexnet -H roofline -s grid --trials 20 -o macs",
    )  # fmt: skip


def _analog(registry: Registry) -> Iterator[Figure]:
    space = registry.find("network_spaces", "analog-nasbench:state=analog-30days").make()
    rows = np.array([space.row(i) for i in range(15_625)])
    what = "median accuracy digital, trained for analog cells after 30 days, %"
    try:
        medians = np.median(space.score("digital", rows)), np.median(space.accuracy(rows))
        here = ", ".join(f"{median:.2f}" for median in medians)
    except MissingExtraError as missing:
        here = f"- ({missing.hint})"
    yield Figure(
        "analog in-memory accuracies (arXiv 2506.18495)", "analog-nasbench", what, "", here,
        "of the 15,625 networks of the package, read safely",
        "cosearch run analog-nasbench:state=analog-30days -H crossbar -o error,latency",
    )  # fmt: skip
