from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from cosearch.errors import Infeasible
from cosearch.loopnest.kernel import template
from cosearch.loopnest.kernel.batch import Programs, Source
from cosearch.loopnest.space.decoding import decoder, row_inputs
from cosearch.loopnest.space.mapspace import MapSpace
from cosearch.machine.architecture import AccessEnergy, Architecture, Compute, Link, Memory
from cosearch.workload.einsum import conv, gemm

LAYERS = (conv(K=8, C=4, P=6, Q=6, R=3, S=3), gemm(M=12, N=8, K=16))


def machine(seed):
    """Return one of a family of machines that differ in numbers, a few of them in form too."""
    rng = np.random.default_rng(seed)

    def energy():
        return AccessEnergy(*(float(x) for x in rng.integers(1, 9, 3) / 4))

    def bandwidth():
        return float(rng.integers(1, 9)) if rng.random() < 0.5 else None

    link = Link(*(float(x) for x in rng.integers(0, 2, 2)))
    return Architecture(
        "family",
        (
            Memory("PE", int(rng.integers(8, 300)), energy(), mesh_x=4, mesh_y=2),
            Memory(
                "buffer",
                int(rng.integers(100, 3000)),
                energy(),
                block_size=int(rng.choice([1, 2, 4])),
                read_bandwidth=bandwidth(),
                shared_bandwidth=bandwidth(),
                leak_pj_per_cycle=float(rng.integers(0, 2)),
                network_below=link,
            ),
            Memory("DRAM", None, energy(), is_dram=True),
        ),
        Compute(float(rng.integers(0, 3)), 4, 2),
    )


def dearer(machine):
    """Return a machine of the same form with other numbers."""
    levels = [evolve(m, energy=AccessEnergy(3.25, 1.5, 7.75)) for m in machine.levels]
    return evolve(machine, levels=tuple(levels), compute=evolve(machine.compute, energy_pj=9.5))


@pytest.mark.parametrize("layer", LAYERS, ids=["conv", "gemm"])
def test_filled_programs_price_as_those_written_for_the_machine(layer, monkeypatch):
    write, written = template.written, []
    monkeypatch.setattr(template, "written", lambda *a: written.append(a) or write(*a))
    feasible = machines = 0
    for seed in range(30):
        try:
            spaces = [MapSpace(m, layer) for m in (machine(seed), dearer(machine(seed)))]
        except Infeasible:
            continue
        for number, space in enumerate(spaces):
            rows = space.sample(64, np.random.default_rng(seed))
            inputs = row_inputs(space)
            before = len(written)
            ours = Programs.of(inputs)
            assert number == 0 or len(written) == before
            own = Programs(inputs, *write(row_inputs(space)))
            source = Source(len(rows), rows, decoder(space, inputs))
            found, wanted = ours.run(source), own.run(source)
            for name in ("reason", "energy_pj", "cycles", "excess"):
                a, b = getattr(found, name), getattr(wanted, name)
                good = wanted.reason == 0 if name in ("energy_pj", "cycles") else wanted.reason >= 0
                assert np.array_equal(a[good], b[good]), (seed, name)
            feasible += int((wanted.reason == 0).sum())
            machines += 1
    assert machines > 30
    assert feasible > 200


def test_machines_of_one_form_share_a_template():
    layer = LAYERS[1]
    one = machine(0)
    programs = [Programs.of(row_inputs(MapSpace(m, layer))) for m in (one, dearer(one))]
    assert programs[0].prices.code is programs[1].prices.code
    assert not np.array_equal(programs[0].prices.numbers, programs[1].prices.numbers)


def test_what_was_calculated_with_is_no_hole():
    first, second = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    found = template._holes(np.array([9.0, 3.0]), np.array([9.0, 7.0]), first, second)
    assert found is not None
    assert found.filled(np.array([9.0, 3.0]), np.array([0.0, 4.0])).tolist() == [9.0, 4.0]
    assert template._holes(np.array([6.0]), np.array([14.0]), first, second) is None
    assert template._holes(np.array([2.0]), np.array([7.0]), first, second) is None
