"""What mappers found, remembered by everything that decides it; and written as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import define, field

from cosearch.einsum import Einsum
from cosearch.errors import InputError
from cosearch.hardware import Accelerator
from cosearch.mapper import Mapped
from cosearch.objective import Objective

Key = tuple[str, str, str, str]
"""Machine, layer, objective and mapper (with its options and limits, as text)."""


@define
class MappingCache:
    """An object to pass around: nothing is searched twice that was found with the same settings.

    A machine's key covers its constraints, a layer's everything but its name.
    """

    _found: dict[Key, Mapped] = field(factory=dict)

    @staticmethod
    def key(accelerator: Accelerator, layer: Einsum, objective: Objective, mapper: str) -> Key:
        """Return what a result is remembered by."""
        return accelerator.key, layer.key, objective.name, mapper

    def get(self, key: Key) -> Mapped | None:
        """Return what was found, or None."""
        return self._found.get(key)

    def put(self, key: Key, mapped: Mapped) -> Mapped:
        """Remember a result and return it."""
        self._found[key] = mapped
        return mapped

    def __len__(self) -> int:
        return len(self._found)


def mapped_to_dict(mapped: Mapped) -> dict[str, Any]:
    """Return a result as plain data that JSON can hold."""
    return {
        "row": [int(choice) for choice in mapped.row],
        "energy_pj": mapped.energy_pj,
        "cycles": mapped.cycles,
        "proven": mapped.proven,
        "gap": mapped.gap,
        "evaluations": mapped.evaluations,
        "nodes": mapped.nodes,
        "seconds": mapped.seconds,
        "rejections": dict(mapped.rejections),
        "mapper": mapped.mapper,
    }


def mapped_from_dict(data: Mapping[str, Any]) -> Mapped:
    """Return the result that `mapped_to_dict` wrote; raises InputError for anything else."""
    missing = [name for name in ("row", "energy_pj", "cycles") if name not in data]
    if missing:
        raise InputError("stored mapping", [f"{name} is missing" for name in missing])
    fields = {name: value for name, value in data.items() if name != "row"}
    try:
        return Mapped(row=np.array(data["row"], dtype=np.int64), **fields)
    except TypeError as error:
        raise InputError("stored mapping", [str(error)]) from error
