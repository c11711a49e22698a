"""How the choice of mappings for a whole network looks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from cosearch.cli.output import Output, table
from cosearch.machine.hardware import Accelerator
from cosearch.mapping.claim import explained
from cosearch.mapping.network import NetworkResult
from cosearch.mapping.network_search import PROVEN
from cosearch.mapping.result import LayerResult
from cosearch.quantities import loss, percent, whole
from cosearch.search.objective import Objective
from cosearch.workload.mix import PartCost, cost_of_parts
from cosearch.workload.network import Layer, Network
from cosearch.workload.text import left_out_in_short

FEW = 6
"""Layers named at most where their mappings differ."""


def show_network(output: Output, choice: NetworkResult) -> None:
    """Print what the layers' own best mappings come to, and what mappings chosen together do."""
    objective = choice.objective
    what = _what(objective)
    own, value = choice.own_value, choice.value
    changed = choice.changed
    if changed:
        output.show(f"  {what} of the network, mapped together: {loss(value, objective.unit, 6)}")
        below = f"{100 * (1 - value / own):.2g} % below the layers' own best"
        output.show(f"  {below}, {loss(own, objective.unit, 6)}")
        output.prose(_differences(choice, changed), "faint", indent=2)
    else:
        output.show(f"  {what} of the network: {loss(value, objective.unit, 6)}")
    if choice.gap is not None:
        told = certainty(objective, choice.gap)
        output.prose(told.plain, str(told.style), indent=2)


def certainty(objective: Objective, gap: float, where: str = "") -> Text:
    """Return what is proven of a choice of mappings for a network.

    Args:
        objective: of the network.
        gap: how far below it another choice can be at most, relative.
        where: the words that say on which machine.
    """
    told, what = "proven: no choice of mappings", _what(objective)
    if gap <= PROVEN:
        return Text(f"{told} has a lower {what}{where}", style="good")
    return Text(f"{told} lowers {what} by more than {percent(gap)}{where}", style="warn")


def _what(objective: Objective) -> str:
    return objective.name.upper() if objective.name.startswith("ed") else objective.name


def parts_of(network: Network, choice: NetworkResult) -> tuple[PartCost, ...]:
    """Return what each network of a mix costs; nothing for a single one."""
    return cost_of_parts(network, {x.key: (x.energy_pj, x.cycles) for x in choice.layers})


def show_left_out(output: Output, network: Network) -> None:
    """Name what costs nothing, and why; nothing where all layers are priced."""
    for line in left_out_in_short(network):
        output.prose(line, "faint", indent=2)


def show_parts(output: Output, parts: Sequence[PartCost]) -> None:
    """Print the cost of each network of a mix; nothing where there is none."""
    if not parts:
        return
    rows = [
        (
            x.name,
            str(x.weight),
            f"{x.energy_pj / 1e6:,.2f}",
            whole(x.cycles),
            loss(x.edp, "pJ*cycles"),
        )
        for x in parts
    ]
    output.show("")
    output.title("networks", "one run each")
    columns = ("network", ">runs", ">energy|uJ", ">latency|cycles", ">EDP")
    output.show(table(columns, rows))


def _differences(choice: NetworkResult, changed: Sequence[int]) -> str:
    told = [_difference(choice.own[i], choice.layers[i]) for i in changed[:FEW]]
    rest = f"; and {len(changed) - FEW} more" if len(changed) > FEW else ""
    return f"for which other mappings are better: {'; '.join(told)}{rest}"


def _difference(own: LayerResult, chosen: LayerResult) -> str:
    energy, cycles = chosen.energy_pj / own.energy_pj - 1, chosen.cycles / own.cycles - 1
    return f"{own.name} ({100 * energy:+.2g} % energy, {100 * cycles:+.2g} % cycles)"


def network_facts(
    machine: Accelerator, network: Network, choice: NetworkResult
) -> dict[str, object]:
    """Return the choice for JSON; `layers` are those whose mapping is not their own best."""
    layers = [(network.unique[i], choice.layers[i]) for i in choice.changed]
    return {
        "energy_pj": choice.energy_pj,
        "cycles": choice.cycles,
        "edp": choice.energy_pj * choice.cycles,
        "value": choice.value,
        "gap": choice.gap,
        "proven": choice.gap is not None and choice.gap <= PROVEN,
        "own_best": {"value": choice.own_value, "gap": choice.alone},
        "networks": parts_of(network, choice),
        "layers": [_chosen_facts(machine, layer, chosen) for layer, chosen in layers],
    }


def _chosen_facts(machine: Accelerator, layer: Layer, chosen: LayerResult) -> dict[str, object]:
    cost = explained(chosen, machine, layer.einsum)
    return {
        "name": layer.name,
        "row": chosen.row,
        "run_as": chosen.as_run(layer.einsum).bounds,
        "loops": cost.loops,
        "energy_pj": cost.energy_pj,
        "cycles": cost.cycles,
    }
