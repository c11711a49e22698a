"""Numbers as engineers write them: three significant digits, a prefix and a unit.

Reports and the command line share these, so that one number looks the same everywhere.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any, Literal, TypeVar, overload

T = TypeVar("T")
U = TypeVar("U")

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SMALL = ((1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"))


@overload
def added(values: Iterable[int]) -> int: ...
@overload
def added(values: Iterable[float]) -> float: ...
@overload
def added(values: Iterable[T]) -> T | Literal[0]: ...
@overload
def added(values: Iterable[T], start: U) -> T | U: ...
def added(values: Iterable[Any], start: Any = 0) -> Any:
    """Return the sum of values, added one after the other, each sum rounded once.

    The built-in `sum` compensates floats from Python 3.12 on: the same figures would have other
    last digits there, and a mapping priced in a batch others than priced by itself.
    """
    return reduce(operator.add, values, start)


def digits(value: float, significant: int = 3) -> str:
    """Return a number with so many significant digits and no exponent where it is readable."""
    if not math.isfinite(value):
        return "inf" if value > 0 else "-inf" if value < 0 else "n/a"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{significant - 1}e}")
    magnitude = math.floor(math.log10(abs(rounded)))
    if not -4 <= magnitude < 9:
        return f"{value:.{significant - 1}e}"
    if magnitude >= significant:
        return f"{value:.0f}"
    return f"{rounded:.{max(0, significant - 1 - magnitude)}f}"


def si(value: float, unit: str = "", significant: int = 3) -> str:
    """Return a value with an SI prefix: `si(1.23e9, "MACs")` is `1.23 GMACs`."""
    if isinstance(value, int) and abs(value) < 1000:
        return f"{value} {unit}".strip()
    if not math.isfinite(value) or value == 0:
        return f"{digits(value)} {unit}".strip()
    scale, prefix = _prefix(float(f"{abs(value):.{significant - 1}e}"))
    return f"{digits(value / scale, significant)} {prefix}{unit}".strip()


def _prefix(magnitude: float) -> tuple[float, str]:
    for scale, prefix in _PREFIXES + _SMALL:
        if magnitude >= scale * (1 - 1e-12):
            return scale, prefix
    return _SMALL[-1]


def energy(pj: float) -> str:
    """Return an energy given in pJ: `4.12 mJ`."""
    return si(pj * 1e-12, "J")


def counted(number: float, one: str, many: str = "") -> str:
    """Return a number of things: `1 trial`, `2,000 trials`; `many` where an s does not do."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def whole(value: float) -> str:
    """Return a whole number with thousands apart: `1,234,567`."""
    return f"{value:,.0f}" if math.isfinite(value) else digits(value)


def ratio(value: float) -> str:
    """Return how many times: `1.84x`; close to 1 with more digits, so that better is not equal."""
    if 0.99 < value < 1.01 and value != 1:
        return f"{value:.4f}x"
    return f"{digits(value)}x" if math.isfinite(value) else digits(value)


def percent(share: float) -> str:
    """Return a share of 0 to 1 in per cent: `93.3 %`."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else "n/a"


def duration(seconds: float) -> str:
    """Return a time for people: `38 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if not math.isfinite(seconds):
        return "n/a"
    if seconds < 1:
        return si(seconds, "s", 2)
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    return f"{minutes // 60} h {minutes % 60} min"


def loss(value: float, unit: str, significant: int = 3) -> str:
    """Return an objective's value in its unit: pJ and their products in joules, with a prefix.

    Products of energy and delay get a digit more, as they move by more.
    """
    if unit == "pJ":
        return si(value * 1e-12, "J", significant)
    if unit.startswith("pJ*"):
        return si(value * 1e-12, "J" + unit[2:], max(significant, 4))
    if unit.startswith("cycles"):
        return si(value, unit, significant)
    return f"{digits(value, significant)} {unit}".strip()


METRICS = {"energy_pj": "pJ", "cycles": "cycles", "area_mm2": "mm2", "clock_mhz": "MHz"}
"""Units of what a design is known by."""


def metric(name: str, value: float) -> str:
    """Return a metric of a design by its name, for people: `7.94 mJ`, `12.2 mm2`, `0.0 %`."""
    if name.endswith("_gap"):
        return percent(value)
    if name in ("accuracy", "error"):
        return f"{digits(value, 4)} %"
    unit = METRICS.get(name.removeprefix("unfused_"))
    return digits(value, 4) if unit is None else loss(value, unit)
