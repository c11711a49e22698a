"""From a configuration to the machine and what it runs, and whose fault it is where that fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

from cosearch.errors import Infeasible, InputError, PluginError, broken, pass_on
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
    area = accelerator.area_mm2
    if not isinstance(area, Real) or not (math.isnan(area) or 0 <= area < math.inf):
        raise PluginError(
            f"hardware model {model.name!r} {origin(model)} built a machine of {area!r} mm2"
        )
    return accelerator


def network_for(hardware: HardwareModel, network: Network) -> Network:
    """Return a network as a family of machines prices it; raises InputError if that is nothing."""
    priced = network.priced(hardware.left_out)
    if not priced.layers:
        reasons = sorted({item.reason for item in priced.unmodelled})
        raise InputError(network.name, [f"nothing is left to map: {why}" for why in reasons])
    hardware.placed(priced, hardware.baseline)  # refuses now what no design could run
    return priced
