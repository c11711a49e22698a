"""Programs of machines that differ in numbers alone: written once, and filled in for each.

A study prices the same layers on hundreds of machines of one form. Their programs differ in
energies, bandwidths, limits and the like, which are written into instructions as they are. To find
out where, a program is written for two sets of made-up numbers: what differs between the two is
where the numbers of a machine belong. Where something differs that is none of them, as where one
was calculated with, programs of this form are written for every machine anew.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from attrs import evolve, frozen

from cosearch.lately import Lately
from cosearch.loopnest.kernel.geometry import Inputs
from cosearch.loopnest.kernel.pack import Pack
from cosearch.loopnest.kernel.program import checks, prices, strictest
from cosearch.loopnest.kernel.state import Program
from cosearch.loopnest.kernel.tape import Store, Value
from cosearch.typing import BoolArray, FloatArray, IntArray

NUMBERS = (
    "compute_pj",
    "leak_pj",
    "bandwidth",
    "few",
    "read_pj",
    "fill_pj",
    "update_pj",
    "hop_pj",
    "router_pj",
    "check_limit",
)
"""What of a pack stands in programs as it is, and decides their form only by `_is_free`."""

PLACES = ("fanout_x", "fanout_y", "most_children")
"""What of a pack only networks look at."""

Written: TypeAlias = tuple[Program, Program, tuple[int, int], Store]
"""The checks, the prices, the registers of each kind that they need, and those filled first."""


class Holes(NamedTuple):
    """Where the numbers of a machine belong in an array: at `at` those at `source`."""

    at: IntArray
    source: IntArray

    def filled(self, array: FloatArray, numbers: FloatArray) -> FloatArray:
        """Return the array with the numbers of a machine."""
        out = array.copy()
        out.ravel()[self.at] = numbers[self.source]
        return out


@frozen(eq=False)
class Template:
    """Programs with holes.

    Attributes:
        written: for made-up numbers.
        holes: of the checks and the prices each, in `numbers` and in `constant`.
    """

    written: Written
    holes: tuple[tuple[Holes, Holes], tuple[Holes, Holes]]

    @classmethod
    def of(cls, inputs: Inputs, kept: Sequence[bool]) -> Template | None:
        """Return the template of all machines of one form, or None where there is none."""
        made_up = [_made_up(inputs.pack, seed) for seed in (1, 2)]
        one, two = (written(evolve(inputs, pack=pack), kept) for pack in made_up)
        numbers = [_numbers(pack) for pack in made_up]
        holes = []
        for a, b in zip(one[:2], two[:2], strict=True):
            if not (np.array_equal(a.code, b.code) and np.array_equal(a.lists, b.lists)):
                return None
            found = [
                _holes(before, after, *numbers)
                for before, after in ((a.numbers, b.numbers), (a.constant, b.constant))
            ]
            holes.append(tuple(h for h in found if h is not None))
        if any(len(both) < 2 for both in holes):
            return None
        return cls(one, (holes[0], holes[1]))  # type: ignore[arg-type]  # two pairs

    def filled(self, pack: Pack) -> Written:
        """Return the programs of one machine."""
        numbers = _numbers(pack)
        limits = (np.concatenate([[1.0], pack.check_limit]), np.ones(1))
        programs = [
            program.replace(
                numbers=inside.filled(program.numbers, numbers),
                constant=constant.filled(program.constant, numbers),
                limits=limit,
            )
            for program, (inside, constant), limit in zip(
                self.written[:2], self.holes, limits, strict=True
            )
        ]
        return programs[0], programs[1], *self.written[2:]


_COMPARED: Lately[Hashable, list[Value]] = Lately(256)
"""What the checks of a form compare with their limits."""

_TEMPLATES: Lately[Hashable, Template | bool] = Lately(256)
"""By form and the checks that are looked at; False where there is none."""


def filled(inputs: Inputs) -> Written:
    """Return the programs of a layer on a machine."""
    form = _form(inputs)
    compared = _COMPARED.get(form, lambda: checks(inputs)[2])
    kept = strictest(compared, inputs.pack.check_limit)
    template = _TEMPLATES.get((form, kept), lambda: Template.of(inputs, kept) or False)
    return template.filled(inputs.pack) if isinstance(template, Template) else written(inputs)


def written(inputs: Inputs, kept: Sequence[bool] | None = None) -> Written:
    """Write the programs, with the checks that are looked at; see `program.checks`."""
    check_tape, verdict, used = checks(inputs, kept)
    price_tape, energy, cycles = prices(inputs)
    limits = [float(limit) for limit in inputs.pack.check_limit]
    check_program, *check_sizes = check_tape.assemble(verdict, verdict, used, limits)
    price_program, *price_sizes = price_tape.assemble(energy, cycles)
    real, bits = (max(pair) for pair in zip(check_sizes, price_sizes, strict=True))
    return check_program, price_program, (real, bits), inputs.store


def _form(inputs: Inputs) -> Hashable:
    """Return all that programs depend on but the numbers."""
    pack = inputs.pack
    costly = bool(pack.hop_pj.any() or pack.router_pj.any())
    left_out = NUMBERS if costly else (*NUMBERS, *PLACES)
    parts = (np.asarray(x).tobytes() for f, x in pack._asdict().items() if f not in left_out)
    fixed, modes, free = inputs.fixed.tobytes(), inputs.keep_modes.tobytes(), _is_free(pack)
    return (*parts, fixed, modes, inputs.orders, free.tobytes())


def _numbers(pack: Pack) -> FloatArray:
    return np.concatenate([np.ravel(getattr(pack, field)) for field in NUMBERS])


def _is_free(pack: Pack) -> BoolArray:
    """Return bool[numbers]: all but those whose absence makes programs shorter."""
    absent = {"few": 1.0, "hop_pj": 0.0, "router_pj": 0.0, "bandwidth": np.inf}
    return np.concatenate(
        [np.ravel(getattr(pack, field)) != absent.get(field, np.nan) for field in NUMBERS]
    )


def _made_up(pack: Pack, seed: int) -> Pack:
    """Return a pack with other numbers, no two of them alike."""
    free = _is_free(pack)
    numbers = np.where(free, np.random.default_rng(seed).uniform(1e3, 1e6, len(free)), 0.0)
    changes, first = {}, 0
    for field in NUMBERS:
        own = np.asarray(getattr(pack, field), dtype=np.float64)
        ours = slice(first, first + own.size)
        first += own.size
        changes[field] = np.where(
            free[ours].reshape(own.shape), numbers[ours].reshape(own.shape), own
        )
    compute_pj = float(changes.pop("compute_pj"))
    return pack._replace(compute_pj=compute_pj, **changes)  # type: ignore[arg-type]  # arrays all


def _holes(one: FloatArray, two: FloatArray, first: FloatArray, second: FloatArray) -> Holes | None:
    """Return where two arrays hold different numbers, or None where one is not as it was given."""
    if one.shape != two.shape:
        return None
    one, two = one.ravel(), two.ravel()
    place = {number: i for i, number in enumerate(first.tolist())}
    at = np.flatnonzero(one != two)
    source = np.array([place.get(number, -1) for number in one[at].tolist()], dtype=np.int64)
    if (source < 0).any() or (second[source] != two[at]).any():
        return None
    return Holes(at, source)
