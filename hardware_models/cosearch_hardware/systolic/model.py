"""The systolic array as a hardware model: its design space, presets and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from attrs import astuple

from cosearch.machine.hardware import HardwareModel
from cosearch.machine.technology import Storage, Technology
from cosearch.quantities import added
from cosearch.search.parameters import Parameter, ParameterSpace
from cosearch.typing import Configuration, Value
from cosearch.workload.einsum import Einsum
from cosearch_hardware.gemm_view import gemm_view
from cosearch_hardware.pricing import AREA, CHIP, TECHNOLOGY, sources_of
from cosearch_hardware.systolic.floor import floor
from cosearch_hardware.systolic.folds import Dataflow
from cosearch_hardware.systolic.machine import SystolicAccelerator
from cosearch_hardware.systolic.pricing import Array, Prices
from cosearch_hardware.width import HELD, WIDTH, with_width

SIDES = (8, 12, 14, 16, 32, 64, 128, 256)
SMALL_SIDES = (1, 2, 4)
"""Offered beside them where the option `small_sides` is set."""

WIDTHS = ("word_bits", "accumulator_bits")

BUFFER_KB = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)

PRESETS: dict[str, dict[str, Value]] = {
    "16x16": {"rows": 16, "cols": 16},
    "12x14": {"rows": 12, "cols": 14, "word_bits": 16},
    "128x128": {"rows": 128, "cols": 128, "input_kb": 512, "weight_kb": 512, "output_kb": 512,
                "dram_bits_per_cycle": 512},
    "tpu-v1": {"rows": 256, "cols": 256, "input_kb": 8192, "weight_kb": 256, "output_kb": 4096,
               "dram_bits_per_cycle": 342},
}  # fmt: skip
"""`tpu-v1` is like the chip of Jouppi et al., ISCA 2017: 256x256 multipliers of 8 bits, weights
stationary, a unified buffer of 24 MB (here 8 MB for inputs, as the split is fixed), 4 MB of 32-bit
accumulators, a weight FIFO of 4 tiles of 64 KB, and 30 GB/s of weight memory at 700 MHz: 342 bits
a cycle. The others are arrays that SCALE-Sim's users start with."""


def _parameters(defaults: dict[str, Value], sides: tuple[int, ...]) -> tuple[Parameter, ...]:
    choices: dict[str, tuple[tuple[Value, ...], Value, str, str]] = {
        "rows": (sides, 16, "", "multipliers along the first operand's axis"),
        "cols": (sides, 16, "", "multipliers along the other axis"),
        "dataflow": (("ws", "os", "is"), "ws", "", "what stands still: weights, outputs, inputs"),
        "input_kb": (BUFFER_KB, 64, "KB", "input memory, half of it in use"),
        "weight_kb": (BUFFER_KB, 64, "KB", "weight memory, half of it in use"),
        "output_kb": (BUFFER_KB, 64, "KB", "output memory, half of it in use"),
        "word_bits": ((8, 16), 8, "bits", "of inputs, weights and results"),
        "accumulator_bits": ((16, 32), 32, "bits", "of partial sums"),
        "dram_bits_per_cycle": ((32, 64, 128, 256, 342, 512, 1024, 2048), 128, "bits",
                                "moved to or from DRAM in a cycle"),
    }  # fmt: skip
    return tuple(
        Parameter(
            name,
            values,
            defaults.get(name, default),
            unit,
            doc,
            changes="width" if name in WIDTHS else "",
            free=name not in WIDTHS and name != "dataflow",
            least=1 if name in ("rows", "cols") else None,
        )
        for name, (values, default, unit, doc) in choices.items()
    )


class Systolic(HardwareModel):
    """R x C multipliers through which operands flow from cell to cell.

    Cycles of a fold are SCALE-Sim's, exactly; in front of the array stand three double-buffered
    memories, and the array waits when DRAM is too slow.

    Args:
        preset: where the search starts, and what designs are compared with.
        technology: prices energies.
        area: prices areas; None is the same.
        small_sides: whether arrays of 1, 2 and 4 cells a side are offered too.
        word_bits: whether widths are `held` as in the preset, or a `search` chooses them.
    """

    options: ClassVar[ParameterSpace] = ParameterSpace(
        (
            Parameter("preset", tuple(PRESETS), doc="the baseline"),
            TECHNOLOGY,
            AREA,
            Parameter("small_sides", (False, True), doc="offer sides of 1, 2 and 4 too"),
            WIDTH,
        )
    )

    def __init__(
        self,
        preset: str = "16x16",
        technology: Technology = CHIP,
        area: Technology | None = None,
        *,
        small_sides: bool = False,
        word_bits: str = HELD,
    ) -> None:
        sides = (*SMALL_SIDES, *SIDES) if small_sides else SIDES
        space = ParameterSpace(_parameters(PRESETS[preset], sides))
        self._space = with_width(space, word_bits)
        self._energy, self._area = technology, area or technology
        self._known: dict[tuple[int, ...], Prices] = {}

    @property
    def name(self) -> str:
        """As users write it."""
        return "systolic"

    @property
    def space(self) -> ParameterSpace:
        """The design space."""
        return self._space

    def build(self, configuration: Configuration) -> SystolicAccelerator:
        """Return the machine."""
        values = self.check(configuration)
        sizes = {name: int(cast("int", v)) for name, v in values.items() if name != "dataflow"}
        array = Array(dataflow=cast("Dataflow", values["dataflow"]), **sizes)
        return self.priced(array)

    def floor_over(
        self, choices: Mapping[str, Sequence[Value]], layer: Einsum
    ) -> tuple[float, float]:
        """Return energy (pJ) and cycles that no mapping of a layer undercuts on any of many arrays.

        Each size is taken at its best, each price at its least, whatever they cost together.
        """
        sizes = {name: cast("Sequence[int]", v) for name, v in choices.items()}
        sizes.pop("dataflow")
        largest, smallest = ({name: pick(v) for name, v in sizes.items()} for pick in (max, min))
        prices, view = self._least_prices(sizes), gemm_view(layer)
        energies, cycles = zip(
            *(
                floor(Array(dataflow=flow, **largest), prices, view,
                      Array(dataflow=flow, **smallest))
                for flow in cast("Sequence[Dataflow]", choices["dataflow"])
            ), strict=True,
        )  # fmt: skip
        return min(energies), min(cycles)

    def _least_prices(self, sizes: Mapping[str, Sequence[int]]) -> Prices:
        """Return the least of each price; a memory's hangs on its own size and width alone."""
        memories = [sizes[name] for name in ("input_kb", "weight_kb", "output_kb")]
        found = [
            self._prices((*(kb[i % len(kb)] for kb in memories), width, sums))
            for i in range(max(map(len, memories)))
            for width in sizes["word_bits"]
            for sums in sizes["accumulator_bits"]
        ]
        return Prices(*map(min, zip(*map(astuple, found), strict=True)))

    def _prices(self, of: tuple[int, ...]) -> Prices:
        """Return the prices of an array, whatever its sides: sizes as `_parts` takes them."""
        if of not in self._known:
            parts, width = _parts(*of), of[3]
            energy = {name: self._energy.storage(part).energy for name, part in parts.items()}
            self._known[of] = Prices(
                mac=self._energy.compute(width).energy_pj,
                register=energy["register"].read,
                input_word=energy["input buffer"].read,
                weight_word=energy["weight buffer"].read,
                output_word=energy["output buffer"].read,
                dram_bit=energy["DRAM"].read / width,
            )
        return self._known[of]

    def priced(self, array: Array) -> SystolicAccelerator:
        """Return the machine of any sizes, those beside the choices too."""
        width = array.word_bits
        of = (array.input_kb, array.weight_kb, array.output_kb, width, array.accumulator_bits)
        parts = _parts(*of)
        energy = {name: self._energy.storage(part) for name, part in parts.items()}
        room = {name: self._area.storage(part) for name, part in parts.items()}
        mac, cell = self._energy.compute(width), self._area.compute(width)
        prices = self._prices(of)
        cells = array.rows * array.cols * (cell.area_um2 + 3 * room["register"].area_um2)
        memories = added(room[name].area_um2 for name in parts if name.endswith("buffer"))
        return SystolicAccelerator(
            array,
            prices,
            (cells + memories) / 1e6,
            {
                "cycles": "SCALE-Sim 3.0.0's closed forms",
                "MAC": mac.energy_source,
                **sources_of(energy, room),
            },
        )


def _parts(
    input_kb: int, weight_kb: int, output_kb: int, width: int, sums: int
) -> dict[str, Storage]:
    return {
        "register": Storage("register", "regfile", 1, width),
        "input buffer": _buffer("input buffer", input_kb, width),
        "weight buffer": _buffer("weight buffer", weight_kb, width),
        "output buffer": _buffer("output buffer", output_kb, sums),
        "DRAM": Storage("DRAM", "dram", None, width),
    }


def _buffer(name: str, kilobytes: int, width: int) -> Storage:
    return Storage(name, "sram", kilobytes * 8192 // width, width)
