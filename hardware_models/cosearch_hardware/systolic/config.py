"""SCALE-Sim's configuration files: one systolic array, as a hardware model without choices.

    [architecture_presets]
    ArrayHeight = 32
    ArrayWidth = 32
    IfmapSramSzkB = 64
    FilterSramSzkB = 64
    OfmapSramSzkB = 64
    Dataflow = ws
    Bandwidth = 10
    [run_presets]
    InterfaceBandwidth = CALC

The format is that of SCALE-Sim 2 and 3 (`scalesim/scale_config.py`), whose words have one byte.
With `InterfaceBandwidth = CALC` it gives every operand the bandwidth at which nothing stalls; with
`USER`, each of the three memories moves `Bandwidth` words a cycle.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from cosearch.errors import InputError
from cosearch.machine.hardware import HardwareModel
from cosearch.search.parameters import ParameterSpace
from cosearch.typing import Configuration
from cosearch_hardware.systolic.folds import Dataflow
from cosearch_hardware.systolic.machine import SystolicAccelerator
from cosearch_hardware.systolic.model import Systolic
from cosearch_hardware.systolic.pricing import Array

LARGEST_FILE = 1_000_000
WORD_BITS, ACCUMULATOR_BITS, MEMORIES = 8, 32, 3
SECTION = "architecture_presets"
SIZES = {
    "rows": "ArrayHeight",
    "cols": "ArrayWidth",
    "input_kb": "IfmapSramSzkB",
    "weight_kb": "FilterSramSzkB",
    "output_kb": "OfmapSramSzkB",
}


class ScaleSimMachine(HardwareModel):
    """The array of a configuration file, priced by the default technology of `systolic`.

    Args:
        path: the file.

    Raises:
        InputError: with everything that is wrong.

    Attributes:
        notes: what the file holds and this model has no use for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        sections = _sections(path)
        self.notes = tuple(f"{path}: {note}" for note in _notes(sections))
        self._machine = Systolic().priced(_array(path, sections))

    @property
    def name(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def space(self) -> ParameterSpace:
        """Nothing to choose."""
        return ParameterSpace(())

    def build(self, configuration: Configuration) -> SystolicAccelerator:
        """Return the machine."""
        self.check(configuration)
        return self._machine


def _sections(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the file's sections, their fields in lower case."""
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(str(path), [f"is larger than {LARGEST_FILE:,} bytes"])
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except (configparser.Error, UnicodeDecodeError) as error:
        told = " ".join(str(error).split())
        raise InputError(str(path), [f"is no configuration of SCALE-Sim: {told}"]) from None
    if SECTION not in parser:
        raise InputError(str(path), [f"is no configuration of SCALE-Sim: it has no [{SECTION}]"])
    return {name: dict(parser[name]) for name in parser.sections()}


def _array(path: Path, sections: Mapping[str, Mapping[str, str]]) -> Array:
    fields = sections[SECTION]
    problems: list[str] = []
    sizes = {own: _whole(fields, field, problems) for own, field in SIZES.items()}
    dataflow = fields.get("dataflow", "").strip().lower()
    if dataflow not in get_args(Dataflow):
        problems.append(f"[{SECTION}] Dataflow: {dataflow!r} is not ws, os or is")
    mode = sections.get("run_presets", {}).get("interfacebandwidth", "CALC").strip().upper()
    bandwidth = math.inf
    if mode == "USER":
        first = {"bandwidth": fields.get("bandwidth", "").partition(",")[0]}
        bandwidth = float(MEMORIES * WORD_BITS * _whole(first, "Bandwidth", problems))
    elif mode != "CALC":
        problems.append(f"[run_presets] InterfaceBandwidth: {mode!r} is neither CALC nor USER")
    if problems:
        raise InputError(str(path), problems)
    return Array(
        dataflow=cast("Dataflow", dataflow),
        word_bits=WORD_BITS,
        accumulator_bits=ACCUMULATOR_BITS,
        dram_bits_per_cycle=bandwidth,
        **sizes,
    )


def _whole(fields: Mapping[str, str], field: str, problems: list[str]) -> int:
    text = fields.get(field.lower(), "").strip()
    if text.isdecimal() and text.isascii() and 1 <= int(text[:10]) <= 10**6:
        return int(text[:10])
    problems.append(f"[{SECTION}] {field}: {text!r} is not a whole number from 1 to 1,000,000")
    return 1


def _notes(sections: Mapping[str, Mapping[str, str]]) -> list[str]:
    notes = [f"partial sums have {ACCUMULATOR_BITS} bits, where SCALE-Sim counts words of one byte"]
    sparse = sections.get("sparsity", {}).get("sparsitysupport", "").strip().lower()
    if sparse == "true":
        notes.append("[sparsity] is not modelled: layers are priced as dense")
    layout = [text.strip().lower() for text in sections.get("layout", {}).values()]
    if "true" in layout:
        notes.append("[layout] is not modelled: memories have no banks here")
    return notes
