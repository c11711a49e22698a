"""Parts of a crossbar chip as `hwcomponents` prices them, at any node it scales to.

An extra (`cosearch[hwcomponents]`, Python 3.12 or newer). hwcomponents-library (T. Andrulis and
others, MIT licence) has ISAAC's converters, drivers, adders, eDRAM, bus and router and scales them
from 32 nm. Arrays, registers, sample and hold, and what is left of a tile are not in it: they stay
as the paper's table has them at 32 nm, and so do clock and read time, whatever the node.
"""

from __future__ import annotations

import importlib
from typing import Any

from cosearch.errors import CosearchError, MissingExtraError
from cosearch_hardware.crossbar.pricing import Part, Parts

PJ, MM2 = 1e12, 1e6
"""Joules to picojoules, square metres to square millimetres."""
_LINE_BITS, _LINES, _UNITS = 256, 2048, 12
"""Of a tile's eDRAM, and the units on its bus; a router's flit is as wide as a line."""
_ADDERS = 0.5
"""Of an array: eight share four shift-and-add units."""


def source(node_nm: int) -> str:
    """Return what stands beside figures of these prices."""
    return (
        f"hwcomponents-library's parts of ISAAC at {node_nm} nm; arrays, registers, sample and "
        "hold as in table I of the paper, 32 nm"
    )


def parts(node_nm: int) -> Parts:
    """Return the parts at a node, nm.

    Raises:
        MissingExtraError: the package is not installed.
        CosearchError: it refuses the node.
    """
    library, node = _package(), node_nm * 1e-9
    try:
        converter = library.IsaacADC(tech_node=node, resolution=8)
        driver = library.IsaacDAC(tech_node=node, resolution=1, rows=1)
        adder = library.IsaacShiftAdd(tech_node=node)
        memory = library.IsaacEDRAM(tech_node=node, width=_LINE_BITS, depth=_LINES)
        bus = library.IsaacEDRAMBus(tech_node=node, width=_LINE_BITS)
        router = library.IsaacRouterSharedByFour(tech_node=node, width=_LINE_BITS)
        return Parts(
            _part(converter.convert(), converter),
            _part(driver.convert(), driver),
            _part(adder.shift_add(), adder, pieces=_ADDERS),
            _part(memory.read(), memory, bits=_LINE_BITS),
            _part(bus.transfer(), bus, bits=_LINE_BITS, pieces=_UNITS),
            _part(router.transfer(), router, bits=_LINE_BITS),
        )
    except Exception as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise CosearchError(
            f"hwcomponents cannot price a crossbar at {node_nm} nm: {said[0]}",
            "choose another node_nm, or prices=isaac",
        ) from error


def _part(event: Any, model: Any, *, bits: int = 1, pieces: float = 1.0) -> Part:  # noqa: ANN401
    """Return a part of which there are so many pieces, an event of which moves so many bits."""
    return Part(event.energy * PJ / bits, model.area * MM2 * pieces)


def _package() -> Any:  # noqa: ANN401 - an optional package, without types
    try:
        return importlib.import_module("hwcomponents_library.library.isaac")
    except ImportError as error:
        raise MissingExtraError("crossbar:prices=hwcomponents", "hwcomponents") from error
