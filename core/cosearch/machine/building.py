"""From a configuration to the machine and what it runs, and whose fault it is where that fails."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cosearch.errors import Infeasible, InputError, PluginError, broken
from cosearch.machine.hardware import Accelerator, HardwareModel
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
    except Exception as error:
        raise broken("hardware model", model.name, "build", error) from error
    if not isinstance(accelerator, Accelerator):
        raise PluginError(f"hardware model {model.name!r} built {accelerator!r}, no Accelerator")
    area = accelerator.area_mm2
    if not (math.isnan(area) or (area >= 0 and math.isfinite(area))):
        raise PluginError(f"hardware model {model.name!r} built a machine of {area} mm2")
    return accelerator


def network_for(hardware: HardwareModel, network: Network) -> Network:
    """Return a network as a family of machines prices it; raises InputError if that is nothing."""
    priced = network.priced(hardware.left_out)
    if not priced.layers:
        reasons = sorted({item.reason for item in priced.unmodelled})
        raise InputError(network.name, [f"nothing is left to map: {why}" for why in reasons])
    return priced
