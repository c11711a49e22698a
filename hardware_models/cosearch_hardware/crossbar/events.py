"""The crossbar chip read by read: slow, plain, and what the closed forms are held against.

Every cell of every array is given its weight's place, every vector goes through load, read and
store with the time at which each stage is free, and every event is counted when it happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from attrs import define, frozen

from cosearch_hardware.crossbar.chip import Chip
from cosearch_hardware.crossbar.cut import sums_bits
from cosearch_hardware.gemm_view import GemmView


@frozen
class Array:
    """What one array holds: the row of K of each of its rows, the output of each of its columns.

    Attributes:
        rows: (matrix, k) of each row in use.
        outputs: (matrix, n) of each group of columns that makes one output.
    """

    rows: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]


@define
class Counts:
    """Events seen, and the cycle at which the last stage ended."""

    conversions: int = 0
    drives: int = 0
    cells: int = 0
    fed_bits: int = 0
    partial_bits: int = 0
    written: int = 0
    cycles: int = 0
    arrays: int = 0


def placed(chip: Chip, view: GemmView, packed: int) -> Iterator[Array]:
    """Yield the arrays of one copy of a layer's weights."""
    B, N, K = (view.size(g) for g in ("B", "N", "K"))
    if packed > 1:
        for first in range(0, B, packed):
            these = range(first, min(first + packed, B))
            yield Array(tuple(product(these, range(K))), tuple(product(these, range(N))))
        return
    wide = chip.cols // chip.slices
    for b, k, n in product(range(B), range(0, K, chip.rows), range(0, N, wide)):
        rows = range(k, min(k + chip.rows, K))
        yield Array(
            tuple((b, row) for row in rows), tuple((b, col) for col in range(n, min(n + wide, N)))
        )


def simulate(chip: Chip, view: GemmView, chosen: Mapping[str, int], *, streamed: bool) -> Counts:
    """Run a layer and return what was counted.

    Args:
        chip: sizes.
        view: the layer.
        chosen: `active_rows`, `copies` and `packed`.
        streamed: whether cells are programmed first.
    """
    counts = Counts()
    copy = list(placed(chip, view, chosen["packed"]))
    turns = -(-view.size("M") // chosen["copies"])
    starts = range(0, turns * chosen["copies"], turns)
    shares = [range(start, min(start + turns, view.size("M"))) for start in starts]
    split = any(len({k for _, k in array.rows}) < view.size("K") for array in copy)
    run = write = 0
    for array, vectors in ((array, share) for share in shares for array in copy):
        counts.arrays += 1
        counts.written += sum(b == c for (b, _), (c, _) in product(array.rows, array.outputs))
        write = max(write, len(array.rows) * chip.write)
        run = max(run, _run(chip, view, array, vectors, chosen["active_rows"], split, counts))
    counts.written *= chip.slices
    counts.partial_bits -= _whole_sums(chip, view) if split else 0
    # One schedule for all passes: each takes the time of the fullest array.
    rounds = -(-counts.arrays // chip.arrays)
    counts.cycles = rounds * (run + (write if streamed else 0))
    return counts


def _whole_sums(chip: Chip, view: GemmView) -> int:
    """Return the bits of the sums that end up whole: the first partial sum of each stays put."""
    results = view.size("M") * view.size("N") * view.size("B")
    return results * sums_bits(chip, view.size("K"))


def _run(
    chip: Chip,
    view: GemmView,
    array: Array,
    vectors: range,
    active: int,
    split: bool,
    counts: Counts,
) -> int:
    """Return the cycle at which an array has stored its last result."""
    columns = len(array.outputs) * chip.slices + chip.extra
    sum_bits = sums_bits(chip, view.size("K")) if split else chip.input_bits
    turn = chip.arrays_per_tile
    loaded = computed = stored = 0
    for _ in vectors:
        bits = len(array.rows) * chip.input_bits
        counts.fed_bits += bits
        end_of_load = loaded + -(-bits * turn // chip.bus_bits)
        start = max(end_of_load, computed)
        now = start
        for _step in range(chip.steps):
            for first in range(0, len(array.rows), active):
                driven = min(active, len(array.rows) - first)
                counts.drives += driven
                counts.cells += driven * columns
                counts.conversions += columns
                now += max(chip.settle, -(-columns // chip.adcs))
        results = len(array.outputs) * sum_bits
        counts.partial_bits += results if split else 0
        begin_store = max(now, stored)
        stored = begin_store + -(-results * turn // chip.bus_bits)
        # A stage hands over when the next is free, and is busy until then.
        loaded, computed = start, begin_store
    return stored
