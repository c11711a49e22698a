"""What this package brings to cosearch."""

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_strategies():
    return [Registration("tabu", "cosearch_tabu.strategy:Tabu", "the best neighbour not yet tried")]
