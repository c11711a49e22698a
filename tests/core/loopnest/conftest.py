"""Random layers and machines, small enough for the reference model and varied enough to trust."""

import pytest
from hypothesis import strategies as st

from cosearch.machine.architecture import (
    AccessEnergy,
    Architecture,
    Compute,
    CostRules,
    Link,
    Memory,
    Partition,
)
from cosearch.workload.einsum import ROLES, Axis, Einsum, Tensor, conv, gemm

SIZES = st.sampled_from([2, 3, 4, 1, 5, 6, 8, 9, 12])
STEPS = st.sampled_from([1, 1, 2, 3])
PICOJOULES = st.sampled_from([0.0, 0.1, 0.35, 1.7, 6.1, 200.0])


@st.composite
def convolutions(draw):
    kind = draw(st.sampled_from(["dense", "depthwise", "grouped"]))
    channels = {"K": draw(SIZES), "C": draw(SIZES)} if kind != "depthwise" else {"K": 1, "C": 1}
    groups = 1 if kind == "dense" else draw(st.sampled_from([2, 3, 4]))
    return conv(
        kind,
        P=draw(SIZES),
        Q=draw(SIZES),
        R=draw(SIZES),
        S=draw(st.sampled_from([1, 2, 3])),
        N=draw(st.sampled_from([1, 1, 2])),
        G=groups,
        stride=(draw(STEPS), draw(STEPS)),
        dilation=(draw(STEPS), draw(STEPS)),
        **channels,
    )


@st.composite
def products(draw):
    batch = draw(st.sampled_from([1, 1, 2, 4]))
    return gemm(M=draw(SIZES), N=draw(SIZES), K=draw(SIZES), B=batch)


@st.composite
def einsums(draw):
    """Any affine axes: three dimensions on one axis, one on two axes, results that slide."""
    dims = ("A", "B", "C", "D")
    terms = st.lists(
        st.tuples(st.sampled_from(dims), STEPS), min_size=1, max_size=3, unique_by=lambda t: t[0]
    )
    axes = st.lists(terms.map(lambda t: Axis(tuple(t))), min_size=1, max_size=3)
    tensors = tuple(Tensor(role, role, tuple(draw(axes))) for role in ROLES)
    sizes = tuple(draw(st.sampled_from([1, 2, 3, 4, 6])) for _ in dims)
    return Einsum("einsum", dims, sizes, tensors)


def energies():
    return st.builds(AccessEnergy, PICOJOULES, PICOJOULES, PICOJOULES)


@st.composite
def memories(draw, name, mesh, *, outermost, networks):
    roles = st.frozensets(st.sampled_from(ROLES))
    roomy = outermost or draw(st.booleans())
    words = st.sampled_from([8, 24, 100, 500, 4000])
    bandwidth = st.one_of(st.none(), st.sampled_from([0.25, 1.0, 1.5, 3.0, 16.0]))
    keeps = frozenset(ROLES) if outermost else draw(roles)
    split = st.dictionaries(st.sampled_from(ROLES), st.builds(Partition, words, energies()))
    link = st.builds(Link, PICOJOULES, PICOJOULES) if networks else st.just(Link())
    return Memory(
        name,
        None if roomy else draw(words),
        draw(energies()),
        block_size=draw(st.sampled_from([1, 1, 2, 3, 8])),
        mesh_x=mesh[0],
        mesh_y=mesh[1],
        read_bandwidth=draw(bandwidth),
        write_bandwidth=draw(bandwidth),
        shared_bandwidth=draw(bandwidth),
        multiple_buffering=draw(st.sampled_from([1.0, 1.0, 2.0])),
        leak_pj_per_cycle=draw(st.sampled_from([0.0, 0.0, 0.013])),
        is_dram=outermost or draw(st.integers(0, 9)) == 0,
        keeps=keeps,
        may_keep=draw(roles) - keeps,
        partitions={} if roomy else draw(st.one_of(st.just({}), split)),
        network_below=draw(link),
        cluster_size=draw(st.sampled_from([1, 1, 1, 2, 3])),
    )


@st.composite
def machines(draw, rules=None):
    depth = draw(st.integers(2, 5))
    networks = draw(st.booleans())
    spread = draw(st.lists(st.integers(0, depth - 1), max_size=2, unique=True))
    mesh, levels = (1, 1), []
    for level in reversed(range(depth)):
        levels.append(
            draw(memories(f"m{level}", mesh, outermost=level == depth - 1, networks=networks))
        )
        if level in spread:
            fanout = draw(st.sampled_from([(2, 1), (1, 3), (4, 2), (3, 4), (5, 1)]))
            mesh = (mesh[0] * fanout[0], mesh[1] * fanout[1])
    compute = Compute(draw(PICOJOULES), *mesh)
    return Architecture(
        "machine",
        tuple(reversed(levels)),
        compute,
        rules=CostRules() if rules is None else draw(rules),
    )


RULES = st.builds(
    CostRules,
    first_fill_is_counted=st.booleans(),
    only_innermost_loop_slides=st.booleans(),
    geometric_halo=st.booleans(),
)


class Cases:
    layers = st.one_of(convolutions(), convolutions(), products())
    any_einsum = einsums()
    plain_machines = machines()
    ruled_machines = machines(rules=RULES)


@pytest.fixture(scope="session")
def cases():
    """Return strategies for layers and machines."""
    return Cases
