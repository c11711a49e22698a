"""The design space around Eyeriss: what may be chosen, and what cannot be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cattrs
import numpy as np
from attrs import frozen

from cosearch.search.parameters import Parameter, ParameterSpace, Rule
from cosearch.typing import BoolArray, Configuration, FloatArray
from cosearch.workload.einsum import Role

CHIP_CORE_MM2 = 12.25
"""3.5 mm x 3.5 mm (JSSC 2017, table III)."""

LOCAL_WORDS = 260
"""Words of local store a PE: 12 for inputs, 224 for weights, 24 for partial sums (JSSC 2017)."""

BUFFER_KB = 108
"""Global buffer: 27 banks of 4 KB (JSSC 2017, section III)."""

BUS_WORDS = 9
"""Words a cycle between buffer and array: 16 bits of inputs, 64 bits of partial sums each way
(JSSC 2017, section V). Filters have their own bus, past the buffer."""

INSIDE, SPREAD = "inside", "spread"

_SPAD_WORDS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_WEIGHT_WORDS = (8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 240)
_MESH = (1, 2, 3, 4, 6, 7, 8, 12, 14, 16)
Columns = Mapping[str, np.ndarray]


@frozen
class Design:
    """One configuration, complete.

    Attributes:
        pe_x, pe_y: the PE mesh.
        spad_inputs, spad_weights, spad_outputs: words of a PE's scratchpads.
        buffer_kb: of all buffers together.
        buffer_x, buffer_y: mesh of buffers, each serving its part of the PE mesh.
        buffer_block: words of a row.
        buffer_cluster: buffers side by side in one memory with wider rows.
        word_bits: of every word.
        bus_words: words a cycle that all buffers together move.
        filter_width, filter_height: `inside` a PE, or `spread` over the array.
    """

    pe_x: int
    pe_y: int
    spad_inputs: int
    spad_weights: int
    spad_outputs: int
    buffer_kb: int
    buffer_x: int
    buffer_y: int
    buffer_block: int
    buffer_cluster: int
    bus_words: int
    word_bits: int
    filter_width: str
    filter_height: str

    @classmethod
    def of(cls, configuration: Configuration, pes: int) -> Design:
        """Return a checked configuration with what it leaves open filled in."""
        columns = derived({name: np.array([v]) for name, v in configuration.items()}, pes)
        return cattrs.structure({name: v.item() for name, v in columns.items()}, cls)

    @property
    def scratchpads(self) -> dict[Role, int]:
        """Words by role."""
        return {
            "Weights": self.spad_weights,
            "Inputs": self.spad_inputs,
            "Outputs": self.spad_outputs,
        }


def design_space(pes: int, resources: str, *, fixed: bool, mesh: bool) -> ParameterSpace:
    """Return the space.

    Args:
        pes: processing elements, of a `free` design only those of the default.
        resources: `iso` spends all local words of the chip, `within` at most those; `free` chooses
            the number of PEs and every size too.
        fixed: leave no choice of dataflow: filter columns inside a PE, filter rows spread.
        mesh: choose a mesh of global buffers, and how many share a memory.
    """
    own = {"iso": _iso_parameters, "within": _within_parameters, "free": _free_parameters}
    buffers = _buffer_parameters(free=resources == "free")
    several = _mesh_parameters() if mesh else ()
    within = (LOCAL_STORE,) if resources == "within" else ()
    return ParameterSpace(
        (*own[resources](pes), *buffers, *several, *_dataflow_parameters(fixed=fixed)),
        (*within, *_rules(pes), WIDEST_ROW) if mesh else within,
        lambda columns: _features(derived(columns, pes)),
    )


def derived(columns: Columns, pes: int) -> dict[str, np.ndarray]:
    """Return the columns with what a design does not choose.

    `pe_y` is what makes the mesh have all PEs, and `spad_weights` what is left of the local
    store: every iso-resource row spends the same. Where there is no mesh of buffers, there is one.
    """
    one = np.ones_like(columns["pe_x"])
    whole = {"buffer_x": one, "buffer_y": one, "buffer_cluster": one, **columns}
    if "pe_y" not in whole:
        whole["pe_y"] = pes // whole["pe_x"]
    if "spad_weights" not in whole:
        whole["spad_weights"] = LOCAL_WORDS - whole["spad_inputs"] - whole["spad_outputs"]
    return whole


def _columns(pes: int) -> Parameter:
    divisors = tuple(n for n in range(1, pes + 1) if pes % n == 0)
    doc = f"columns of the mesh; rows make {pes}"
    return Parameter("pe_x", divisors, _chip_columns(pes), "PEs", doc)


def _iso_parameters(pes: int) -> tuple[Parameter, ...]:
    return (
        _columns(pes),
        Parameter("spad_inputs", _SPAD_WORDS, 12, "words", "local store of inputs"),
        Parameter(
            "spad_outputs",
            _SPAD_WORDS,
            24,
            "words",
            f"local store of partial sums; weights get the rest of {LOCAL_WORDS}",
        ),
    )


def _within_parameters(pes: int) -> tuple[Parameter, ...]:
    return (
        _columns(pes),
        Parameter("spad_inputs", _SPAD_WORDS, 12, "words", "local store of inputs"),
        Parameter("spad_weights", _WEIGHT_WORDS, 224, "words", "local store of weights"),
        Parameter("spad_outputs", _SPAD_WORDS, 24, "words", "local store of partial sums"),
    )


def _free_parameters(pes: int) -> tuple[Parameter, ...]:
    mesh = tuple(range(2, 33))
    columns = _chip_columns(pes)
    weights = (16, 32, 64, 96, 128, 160, 192, 224, 256, 384, 512)
    return (
        Parameter("pe_x", mesh, columns, "PEs", "columns of the mesh"),
        Parameter("pe_y", mesh, pes // columns, "PEs", "rows of the mesh"),
        Parameter("spad_inputs", _SPAD_WORDS, 12, "words", "local store of inputs"),
        Parameter("spad_weights", weights, 224, "words", "local store of weights"),
        Parameter("spad_outputs", _SPAD_WORDS, 24, "words", "local store of partial sums"),
    )


def _chip_columns(pes: int) -> int:
    """Return the columns of the chip's mesh: 14 x 12, or 16 x 16 for 256."""
    return 14 if pes == 168 else 16


def _buffer_parameters(*, free: bool) -> tuple[Parameter, ...]:
    sizes = (16, 32, 64, 108, 128, 192, 256, 512) if free else (28, 56, 80, 108)
    bus = (3, 6, 9, 18, 36) if free else (3, 6, 9)
    return (
        Parameter("buffer_kb", sizes, BUFFER_KB, "KB", "all global buffers together", free=True),
        Parameter("buffer_block", (1, 2, 4, 8, 16), 4, "words", "width of a buffer row"),
        Parameter("bus_words", bus, BUS_WORDS, "words/cycle", "all buffers together", free=True),
        Parameter(
            "word_bits",
            (8, 16),
            16,
            "bits",
            "of every word; accuracy is not modelled",
            changes="width",
        ),
    )


def _mesh_parameters() -> tuple[Parameter, ...]:
    return (
        Parameter("buffer_x", _MESH, 1, "buffers", "columns of the mesh of global buffers"),
        Parameter("buffer_y", _MESH, 1, "buffers", "rows of the mesh of global buffers"),
        Parameter("buffer_cluster", (1, 2, 4, 8), 1, "buffers", "buffers sharing one memory"),
    )


def _dataflow_parameters(*, fixed: bool) -> tuple[Parameter, ...]:
    width = (INSIDE,) if fixed else (INSIDE, SPREAD)
    height = (SPREAD,) if fixed else (INSIDE, SPREAD)
    return (
        Parameter("filter_width", width, INSIDE, doc="filter columns: in a PE or over the array"),
        Parameter("filter_height", height, SPREAD, doc="filter rows: in a PE or over the array"),
    )


LOCAL_STORE = Rule(
    f"a PE's scratchpads have {LOCAL_WORDS} words together, as the chip's",
    lambda c: c["spad_inputs"] + c["spad_weights"] + c["spad_outputs"] <= LOCAL_WORDS,
)


WIDEST_ROW = Rule(
    "a row wider than 512 bits (32 words of 16) leaves a 4 KB bank fewer than 64 rows",
    lambda c: c["buffer_block"] * c["buffer_cluster"] <= 32,
)


def _rules(pes: int) -> tuple[Rule, ...]:
    def divides(buffers: str, mesh: str) -> Callable[[Columns], BoolArray]:
        return lambda columns: (whole := derived(columns, pes))[mesh] % whole[buffers] == 0

    return (
        Rule(
            "every column of buffers must serve equally many columns of PEs",
            divides("buffer_x", "pe_x"),
        ),
        Rule(
            "every row of buffers must serve equally many rows of PEs", divides("buffer_y", "pe_y")
        ),
        Rule(
            "buffers can be joined in clusters only when the cluster size divides their number",
            lambda c: (c["buffer_x"] * c["buffer_y"]) % c["buffer_cluster"] == 0,
        ),
    )


def _features(c: Columns) -> FloatArray:
    """Return float64[n, 15]: what a cost depends on more simply than on the raw choices.

    Ratios of resources (PEs a buffer, words a PE, aspect of the mesh) in log2, and the two
    choices of dataflow.
    """
    buffers = c["buffer_x"] * c["buffer_y"]
    numbers = (
        c["pe_x"],
        c["pe_y"],
        c["pe_x"] / c["pe_y"],
        c["spad_inputs"],
        c["spad_weights"],
        c["spad_outputs"],
        c["buffer_kb"],
        c["buffer_kb"] / buffers,
        buffers,
        c["pe_x"] * c["pe_y"] / buffers,
        c["buffer_block"] * c["buffer_cluster"],
        c["bus_words"],
        c["word_bits"],
    )
    choices = (c["filter_width"] == SPREAD, c["filter_height"] == SPREAD)
    return np.column_stack(
        [*(np.log2(np.asarray(n, dtype=np.float64)) for n in numbers), *choices]
    ).astype(np.float64)
