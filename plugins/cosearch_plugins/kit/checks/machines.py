"""What every hardware model and every accelerator must do, however it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cosearch.errors import Infeasible
from cosearch.machine.building import build
from cosearch.machine.cost import CostBatch
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.mapping.claim import account_of, agree
from cosearch.mapping.priced import priced
from cosearch.typing import Rows, Value
from cosearch.workload.einsum import Einsum
from cosearch_plugins.kit.checks.require import LAYERS, ROWS, designs, drawn, require

SOME = 8
"""Mappings that are explained, and priced one by one."""


def baseline_is_a_machine(model: HardwareModel) -> None:
    """The baseline is a design of the space and can be built."""
    values = model.space.complete(model.baseline)
    model.space.index(values)
    build(model, values)


def refusals_have_reasons(model: HardwareModel) -> None:
    """A design is built, or refused with a reason and margins above 1."""
    for configuration in designs(model.space, model.baseline):
        try:
            build(model, configuration)
        except Infeasible as verdict:
            where = f"{dict(configuration)} is refused"
            require(verdict.reason.strip(), f"{where} without a reason")
            for rule, margin in verdict.margins.items():
                require(margin > 1, f"{where}, but its margin of {rule!r} is {margin!r}, not > 1")


def machines_say_what_they_are(model: HardwareModel) -> None:
    """Every machine has a name, an area or NaN, a clock or None, and sources of its numbers."""
    for configuration, machine in _machines(model):
        where = f"the machine of {dict(configuration)}"
        require(machine.name, f"{where} has no name")
        require(machine.key, f"{where} has no key")
        clock = machine.clock_mhz
        require(clock is None or clock > 0, f"{where} has a clock of {clock!r} MHz")
        require(machine.sources, f"{where} names no sources: where do its numbers come from?")
        for part, source in machine.sources.items():
            require(str(source).strip(), f"{where} names no source of {part!r}")


def building_twice_gives_one_machine(model: HardwareModel) -> None:
    """Equal designs have equal keys, and cost the same."""
    for configuration, machine in _machines(model):
        again = build(model, configuration)
        where = f"built twice, {dict(configuration)}"
        require(machine.key == again.key, f"{where} has the keys {machine.key!r} and {again.key!r}")
        for layer, rows, costs in _priced(machine):
            _require_equal(costs, priced(again, layer, rows), f"{where} prices {layer.name!r}")


def keys_change_with_costs(model: HardwareModel) -> None:
    """Machines of one key cost the same, whichever design they come from."""
    seen: dict[str, tuple[Mapping[str, Value], Accelerator]] = {}
    for configuration, machine in _machines(model):
        other, first = seen.setdefault(str(machine.key), (configuration, machine))
        if first is machine:
            continue
        for layer, rows, costs in _priced(machine):
            where = f"{dict(other)} and {dict(configuration)} have one key and price {layer.name!r}"
            same = np.array_equal(
                first.mapspace(layer).cardinalities, machine.mapspace(layer).cardinalities
            )
            require(same, f"{where} in different mapspaces")
            _require_equal(costs, priced(first, layer, rows), where)


def batches_are_single_mappings(model: HardwareModel) -> None:
    """A mapping costs the same by itself, in a batch and in another order; rows stay."""
    for configuration, machine in _machines(model):
        for layer, rows, costs in _priced(machine):
            where = f"on {dict(configuration)}, {layer.name!r}"
            before = rows.copy()
            backwards = priced(machine, layer, rows[::-1].copy())
            priced(machine, layer, rows)
            require(np.array_equal(before, rows), f"{where}: evaluate changed its rows")
            _require_equal(costs, _reversed(backwards), f"{where}, in another order")
            for i in range(min(SOME, len(rows))):
                alone = priced(machine, layer, rows[i : i + 1])
                _require_equal(_part(costs, i), alone, f"{where}, the row {rows[i].tolist()} alone")


def explanations_are_prices(model: HardwareModel) -> None:
    """`explain` says what `evaluate` says, and names the levels."""
    for configuration, machine in _machines(model):
        for layer, rows, costs in _priced(machine):
            for i in np.flatnonzero(costs.feasible)[:SOME]:
                row = rows[i]
                cost = account_of(machine, layer, row)
                said = cost.energy_pj, cost.cycles
                price = float(costs.energy_pj[i]), float(costs.cycles[i])
                where = f"on {dict(configuration)}, row {row.tolist()} of {layer.name!r}"
                require(agree(said, price), f"{where}: explain says {said}, evaluate {price}")
                require(0 <= cost.utilization <= 1, f"{where}: utilization {cost.utilization!r}")


def bounds_are_never_undercut(model: HardwareModel) -> None:
    """`bounds` and `floor` stay below every price; what cannot be run says why."""
    for configuration, machine in _machines(model):
        for layer, rows, costs in _priced(machine):
            ok = costs.feasible
            floor, below = machine.floor(layer), machine.bounds(layer, rows)
            prices = (costs.energy_pj, costs.cycles)
            for what, least, bound, price in zip(
                ("pJ", "cycles"), floor, below, prices, strict=True
            ):
                where = f"on {dict(configuration)}, {layer.name!r}"
                under = np.flatnonzero(ok & (price < least * (1 - 1e-12)))
                require(not len(under), f"{where}: a floor of {least!r} {what} is undercut")
                under = np.flatnonzero(ok & (price < bound * (1 - 1e-12)))
                row = rows[under[0]].tolist() if len(under) else []
                require(not len(under), f"{where}: row {row} undercuts its bound in {what}")
            for i in np.flatnonzero(~ok):
                reason = costs.reasons[int(costs.reason[i])]
                row = f"row {rows[i].tolist()} of {layer.name!r}"
                require(costs.reason[i] > 0 and reason.strip(), f"{row} cannot be run, and no why")
                require(costs.excess[i] > 1, f"{row}: {reason}, but its excess is not above 1")


def floors_of_many_are_of_each(model: HardwareModel) -> None:
    """`floor_over`, where a model has it, is undercut by the floor of no machine it is of."""
    choices = {parameter.name: parameter.choices for parameter in model.space.parameters}
    for layer in LAYERS:
        over = model.floor_over(choices, layer)
        for configuration, machine in _machines(model) if over else ():
            values = model.space.complete(configuration)
            alone = model.floor_over({name: (value,) for name, value in values.items()}, layer)
            floor = machine.floor(layer)
            for least in filter(None, (over, alone)):
                where = f"on {dict(configuration)}, {layer.name!r}: a floor of {least} of many"
                under = any(own < all_ for own, all_ in zip(floor, least, strict=True))
                require(not under, f"{where} machines is undercut by that of one, {floor}")


CHECKS = (
    baseline_is_a_machine,
    refusals_have_reasons,
    machines_say_what_they_are,
    building_twice_gives_one_machine,
    keys_change_with_costs,
    batches_are_single_mappings,
    explanations_are_prices,
    bounds_are_never_undercut,
    floors_of_many_are_of_each,
)


def _machines(model: HardwareModel) -> Iterator[tuple[Mapping[str, Value], Accelerator]]:
    for configuration in designs(model.space, model.baseline):
        try:
            yield configuration, build(model, configuration)
        except Infeasible:
            continue


def _priced(machine: Accelerator) -> Iterator[tuple[Einsum, Rows, CostBatch]]:
    """Yield layers with some mappings and their prices; layers that fit nowhere are left out."""
    for layer in LAYERS:
        try:
            space = machine.mapspace(layer)
        except Infeasible as verdict:
            require(verdict.reason.strip(), f"{machine.name} refuses {layer.name!r} without a why")
            continue
        rows = drawn(space, ROWS)
        yield layer, rows, priced(machine, layer, rows)


def _require_equal(one: CostBatch, other: CostBatch, where: str) -> None:
    for what in ("energy_pj", "cycles", "feasible"):
        here, there = getattr(one, what), getattr(other, what)
        different = np.flatnonzero(here != there)
        if len(different):
            i = different[0]
            require(False, f"{where}: {what} is {here[i]!r} and {there[i]!r}")


def _reversed(costs: CostBatch) -> CostBatch:
    return CostBatch(costs.energy_pj[::-1], costs.cycles[::-1], costs.feasible[::-1],
                     costs.reason[::-1], costs.reasons)  # fmt: skip


def _part(costs: CostBatch, i: int) -> CostBatch:
    here = slice(i, i + 1)
    return CostBatch(costs.energy_pj[here], costs.cycles[here], costs.feasible[here],
                     costs.reason[here], costs.reasons)  # fmt: skip
