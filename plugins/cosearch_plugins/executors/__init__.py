"""Executors: where trials are evaluated that ship with cosearch."""

from __future__ import annotations

from cosearch.registry.registration import Registration, hookimpl

_HERE = "cosearch_plugins.executors"


@hookimpl
def cosearch_executors() -> list[Registration]:
    """Return the executors."""
    return [
        Registration("serial", f"{_HERE}.serial:Serial", "one design after the other, right here"),
        Registration(
            "processes",
            f"{_HERE}.processes:Processes",
            "worker processes; one that hangs or dies costs its own trial",
        ),
        Registration(
            "dask",
            f"{_HERE}.dask.executor:Dask",
            "a Dask cluster: of this machine, an address, or a queue such as SLURM (extra `dask`)",
        ),
    ]
