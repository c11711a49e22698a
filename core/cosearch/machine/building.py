"""From a configuration to the machine and what it runs, and whose fault it is where that fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from cosearch.errors import Infeasible, InputError, PluginError, broken, pass_on, printable
from cosearch.machine.hardware import Accelerator, HardwareModel
from cosearch.origin import origin
from cosearch.typing import Value
from cosearch.workload.network import Network


def build(model: HardwareModel, configuration: Mapping[str, Value]) -> Accelerator:
    """Return the machine; raises Infeasible, or PluginError when the model breaks down.

    What a configuration chooses beside the model's own parameters, such as mappings, is left out.
    """
    own = {name: value for name, value in configuration.items() if name in model.space.names}
    try:
        accelerator = model.build(own)
    except Infeasible:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("hardware model", model.name, "build", error, model) from error
    if not isinstance(accelerator, Accelerator):
        raise PluginError(
            f"hardware model {model.name!r} {origin(model)} built {type(accelerator).__name__}, "
            "no Accelerator"
        )
    try:
        wrong = _nonsense(accelerator)
    except Infeasible:
        raise
    except BaseException as error:
        pass_on(error)
        raise broken("machine", model.name, "a property", error, model) from error
    if wrong:
        raise PluginError(f"hardware model {model.name!r} {origin(model)} built a machine {wrong}")
    return accelerator


def _nonsense(machine: Accelerator) -> str:
    """Return what a machine says of itself that cannot be; empty where all of it can."""
    area, clock, key, sources = machine.area_mm2, machine.clock_mhz, machine.key, machine.sources
    if not isinstance(area, Real) or not (math.isnan(area) or 0 <= area < math.inf):
        return f"of {area!r} mm2"
    if clock is not None and not (isinstance(clock, Real) and 0 < clock < math.inf):
        return f"of {clock!r} MHz"
    if not isinstance(key, str) or not key or printable(key) != key:
        return f"whose key is {key!r}, no text"
    if not isinstance(machine.name, str):
        return f"whose name is {machine.name!r}, no text"
    pairs = sources.items() if isinstance(sources, Mapping) else [(sources, None)]
    odd = [f"{what!r}: {where!r}" for what, where in pairs if not isinstance(where, str)]
    return f"with the sources {odd[0]}, no text" if odd else ""


def network_for(hardware: HardwareModel, network: Network) -> Network:
    """Return a network as a family of machines prices it; raises InputError if that is nothing."""
    priced = network.priced(hardware.left_out)
    if not priced.layers:
        reasons = sorted({item.reason for item in priced.unmodelled})
        raise InputError(network.name, [f"nothing is left to map: {why}" for why in reasons])
    hardware.placed(priced, hardware.baseline)  # refuses now what no design could run
    return priced
