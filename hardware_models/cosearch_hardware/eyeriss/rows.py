"""How the Eyeriss chip runs a convolution: row-stationary sets, folding, replication, passes.

The loop-nest model needs factors that divide; the chip does not. It lays logical sets of R x e PEs
(R filter rows, e output rows) into its array, folds those that are wider than the array,
replicates what is left of it over filters and channels, and runs in passes (Y.-H. Chen et al., JSSC
52(1), 2017, section III). This model counts PEs, cycles and words of one such mapping in closed
form, with nothing fitted, and finds the best mapping by trying all of them.
"""

from __future__ import annotations

import numpy as np
from attrs import fields, frozen

from cosearch.errors import Infeasible
from cosearch.typing import FloatArray
from cosearch.workload.einsum import Einsum
from cosearch_hardware.dimensions import Dimensions

MAC_PJ, REGISTER_PJ, BUFFER_PJ, DRAM_PJ = 1.0, 1.0, 6.0, 200.0
"""Relative costs of a 16-bit word (ISCA 2016, table IV), to choose between mappings."""

REGISTER_ACCESSES_PER_MAC = 4
"""Read an input, a weight and a partial sum, and write the partial sum."""


@frozen
class Chip:
    """What bounds a mapping: array, scratchpads (words), buffer (words) and buses (words a cycle).

    The defaults are the chip's: 12 x 14 PEs, scratchpads of 12, 224 and 24 words, 100 KB of the
    108 KB buffer for inputs and partial sums (the rest prefetches filters), buses of 16 bits for
    inputs, 64 bits for filters, and 64 bits each way for partial sums (JSSC 2017, sections III
    and V).
    """

    rows: int = 12
    columns: int = 14
    spad_inputs: int = 12
    spad_weights: int = 224
    spad_outputs: int = 24
    buffer_words: int = 51_200
    input_bus: float = 1.0
    filter_bus: float = 4.0
    sum_bus: float = 4.0


@frozen
class Convolution:
    """Sizes of a layer in the paper's letters.

    Attributes:
        N, G, M, C: batch, groups, filters and channels of a group.
        E, F: output rows and columns.
        R, S: filter rows and columns.
        U: stride.
    """

    N: int
    G: int
    M: int
    C: int
    E: int
    F: int
    R: int
    S: int
    U: int

    @classmethod
    def of(cls, layer: Einsum) -> Convolution:
        """Return the sizes of an einsum; rows run along its height."""
        dims, bounds = Dimensions.of(layer), layer.bounds

        def size(group: frozenset[str]) -> int:
            return int(np.prod([bounds[d] for d in group], initial=1))

        steps = {dim: step for t in layer.operands for a in t.axes for dim, step in a.terms}
        return cls(
            size(dims.streamed),
            size(dims.separate),
            size(dims.produced),
            size(dims.reduced),
            size(dims.output_height),
            size(dims.output_width),
            size(dims.filter_height),
            size(dims.filter_width),
            max((steps[d] for d in dims.output_height), default=1),
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.N * self.G * self.M * self.C * self.E * self.F * self.R * self.S

    @property
    def input_columns(self) -> int:
        """Width of the input that the outputs need."""
        return (self.F - 1) * self.U + self.S


@frozen(eq=False)
class Mappings:
    """n mappings, float64[n] each, in the letters of the paper (JSSC 2017, table II).

    Attributes:
        e: output rows of a set.
        r, t: sets that share an array over channels, and over filters.
        p, q: filters and channels in turn inside a PE.
        n: images of a pass.
        m: filters whose partial sums stay in the buffer.
    """

    e: FloatArray
    r: FloatArray
    t: FloatArray
    p: FloatArray
    q: FloatArray
    n: FloatArray
    m: FloatArray

    def where(self, kept: np.ndarray) -> Mappings:
        """Return those mappings that a mask or an index picks."""
        return Mappings(*(getattr(self, field.name)[kept] for field in fields(Mappings)))


@frozen(eq=False)
class RowStationaryCosts:
    """What n mappings cost, float64[n] each.

    Attributes:
        active_pes: PEs with work.
        cycles: of all passes.
        buffer_words: read from and written to the global buffer.
        dram_words: uncompressed.
    """

    active_pes: FloatArray
    cycles: FloatArray
    buffer_words: FloatArray
    dram_words: FloatArray

    def edp(self, macs: int) -> FloatArray:
        """Return energy (in relative costs) times cycles, float64[n]."""
        energy: FloatArray | float = macs * (MAC_PJ + REGISTER_ACCESSES_PER_MAC * REGISTER_PJ)
        energy = energy + BUFFER_PJ * self.buffer_words + DRAM_PJ * self.dram_words
        return np.asarray(energy * self.cycles)


def mappings(layer: Convolution, chip: Chip = Chip()) -> Mappings:
    """Return every mapping that fits, each with as many filters in the buffer as fit.

    Raises:
        Infeasible: the filter has more rows than the array, or no mapping fits.
    """
    if chip.rows < layer.R:
        raise Infeasible(
            f"a filter of {layer.R} rows does not fit an array of {chip.rows}",
            {"rows": layer.R / chip.rows},
        )
    sets = _sets(layer, chip)
    inside = [
        (p, q)
        for q in range(1, min(chip.spad_inputs // layer.S, layer.C) + 1)
        for p in range(1, min(chip.spad_outputs, chip.spad_weights // (q * layer.S)) + 1)
    ]
    images = [n for n in range(1, layer.N + 1) if layer.N % n == 0]
    rows = [
        (e, r, t, p, q, n)
        for e, r, t in sets
        for p, q in inside
        if p * t <= layer.M and q * r <= layer.C
        for n in images
    ]
    e, r, t, p, q, n = np.array(rows, dtype=np.float64).reshape(-1, 6).T
    found = Mappings(e, r, t, p, q, n, _filters_kept(layer, chip, (e, r, t, p, q, n)))
    found = found.where(found.m > 0)
    if len(found.e) == 0:
        raise Infeasible("no row-stationary mapping fits scratchpads and buffer")
    return found


def _sets(layer: Convolution, chip: Chip) -> list[tuple[int, int, int]]:
    """Return every (e, r, t) that fits the array.

    A set wider than the array is folded into strips stacked on each other; sets narrower than
    half of it stand side by side.
    """
    stacked = chip.rows // layer.R
    found = []
    for e in range(1, min(layer.E, chip.columns * stacked) + 1):
        strips = -(-e // chip.columns)
        sets = stacked * (chip.columns // e) if strips == 1 else stacked // strips
        found += [(e, r, t) for r in range(1, sets + 1) for t in range(1, sets // r + 1)]
    return found


def _filters_kept(layer: Convolution, chip: Chip, letters: tuple[FloatArray, ...]) -> FloatArray:
    """Return float64[n]: the most filters whose partial sums fit the buffer beside a pass's inputs.

    More is never worse: every further round over the filters brings in the inputs again. 0 where
    not even those of one pass fit.
    """
    e, r, t, p, q, n = letters
    inputs = q * r * _input_rows(layer, e) * layer.input_columns
    room = (chip.buffer_words / n - inputs) / (e * layer.F)
    whole_passes = np.floor(room / (p * t)) * p * t
    return np.asarray(np.clip(np.where(room >= layer.M, layer.M, whole_passes), 0, layer.M))


def _input_rows(layer: Convolution, output_rows: FloatArray) -> FloatArray:
    return np.asarray((output_rows - 1) * layer.U + layer.R)


def costs(layer: Convolution, of: Mappings, chip: Chip = Chip()) -> RowStationaryCosts:
    """Return what mappings cost.

    A pass takes, for each output of a row and filter, one cycle a product and one to add the sum
    from the neighbour below or the buffer (a PE has one adder), or as long as its inputs or
    partial sums take over their bus; before it, its filters are loaded (a scratchpad cannot be
    filled while it is in use). Partial sums of all channel passes but the first are read back.
    """
    strips, channels = np.ceil(layer.E / of.e), np.ceil(layer.C / (of.q * of.r))
    filters, images = np.ceil(layer.M / (of.p * of.t)), layer.N / of.n
    passes = strips * channels * filters * images * layer.G
    rows, columns = _input_rows(layer, of.e), layer.input_columns
    compute = of.n * layer.F * of.p * (layer.S * of.q + 1)
    feeding = of.n * of.q * of.r * rows * columns / chip.input_bus
    summing = of.n * of.p * of.t * of.e * layer.F / chip.sum_bus
    loading = of.p * of.t * of.q * of.r * layer.R * layer.S / chip.filter_bus
    cycles = passes * (np.maximum(np.maximum(compute, feeding), summing) + loading)
    outputs = layer.N * layer.G * layer.M * layer.E * layer.F
    inputs = layer.N * layer.G * layer.C * strips * rows * columns
    brought = np.ceil(layer.M / of.m) * inputs
    weights = layer.G * layer.M * layer.C * layer.R * layer.S
    return RowStationaryCosts(
        active_pes=layer.R * of.e * of.r * of.t,
        cycles=cycles,
        buffer_words=(2 * channels - 1) * outputs + filters * inputs + brought,
        dram_words=brought + weights * strips * images + outputs,
    )


def best(layer: Convolution, chip: Chip = Chip(), channels_in_pe: int | None = None) -> Mappings:
    """Return the one mapping of least energy-delay product; the first of equals.

    Args:
        layer: what is run.
        chip: what it runs on.
        channels_in_pe: consider only mappings with that many channels in a PE.
    """
    found = mappings(layer, chip)
    if channels_in_pe is not None:
        found = found.where(found.q == channels_in_pe)
    edp = costs(layer, found, chip).edp(layer.macs)
    return found.where(np.array([int(np.argmin(edp))]))
