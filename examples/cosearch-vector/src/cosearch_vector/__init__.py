"""What this package brings to cosearch."""

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_hardware_models():
    return [Registration("vector", "cosearch_vector.model:Vector", "lanes and a scratchpad")]
