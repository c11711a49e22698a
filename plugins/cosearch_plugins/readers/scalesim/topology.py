"""SCALE-Sim's topology files: convolutions or matrix products, one a line.

    Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
    Layer, M, N, K,

The format is that of SCALE-Sim 2 and 3 (`scalesim/topology_utils.py`): a line may end with a comma;
a further cell is a ratio of sparsity such as `2:4`; in the second form a further number is the
batch; in the first form, one behind the stride is the stride along the width (as SCALE-Sim writes
it); what begins with `#` is a remark. A layer with `DP` in its name is depthwise. An output is
`ceil((input - filter + stride) / stride)` long: a last window may hang over the edge.
"""

from __future__ import annotations

from pathlib import Path

from cosearch.errors import InputError
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.language import MAX_SIZE
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers.table import Row, read_table

CONV_SIZES = (
    "input height", "input width", "filter height", "filter width", "channels", "filters", "stride",
)  # fmt: skip
GEMM_SIZES = ("M", "N", "K")
DEPTHWISE = "DP"


def read_topology(path: Path) -> Network:
    """Return the layers of a topology file.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    header, *rows = read_table(path)
    products = _is_product(path, header)
    reader = _Reader(path)
    for row in rows:
        if products:
            reader.product(row)
        else:
            reader.convolution(row)
    if not rows:
        reader.problems.append("holds no layer below its first line, which is the header")
    if reader.problems:
        raise InputError(str(path), reader.problems[:20])
    return Network(path.stem, tuple(reader.layers), tuple(reader.notes), str(path))


def _is_product(path: Path, header: Row) -> bool:
    """Return whether the header is that of matrix products rather than convolutions."""
    names = [cell.lower() for cell in header.cells]
    if names[1:4] == ["m", "n", "k"]:
        return True
    if any("intraline" in name for name in names):
        problem = "is a layout of SCALE-Sim's: how data lie in memories, not which layers there are"
        raise InputError(f"{path}:{header.line}", [problem], "give the topology that it belongs to")
    if len(names) >= 8 and "ifmap" in names[1] and "filter" in names[3]:
        return False
    raise InputError(
        f"{path}:{header.line}",
        ["is no header of a SCALE-Sim topology"],
        "it starts with 'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, "
        "Channels, Num Filter, Strides' or with 'Layer, M, N, K'",
    )


class _Reader:
    """Makes layers of lines and collects problems and notes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layers: list[Layer] = []
        self.notes: list[Unmodelled] = []
        self.problems: list[str] = []
        self.names: dict[str, int] = {}

    def convolution(self, row: Row) -> None:
        """Take in a line of the first form."""
        sizes = self._numbers(row, CONV_SIZES)
        if sizes is None:
            return
        height, width, filter_h, filter_w, channels, filters, stride_h = sizes
        further = row.cells[8:]
        stride_w = stride_h
        if further and further[0].isdecimal():
            stride_w, further = max(1, int(further[0])), further[1:]
        if filter_h > height or filter_w > width:
            self._problem(row, f"a filter of {filter_h}x{filter_w} on {height}x{width} pixels")
            return
        name = self._name(row)
        deep = DEPTHWISE in row.cells[0]
        layer = conv(
            name,
            G=channels if deep else 1,
            K=filters,
            C=1 if deep else channels,
            P=-(-(width - filter_w + stride_w) // stride_w),
            Q=-(-(height - filter_h + stride_h) // stride_h),
            R=filter_w,
            S=filter_h,
            stride=(stride_w, stride_h),
        )
        if (width - filter_w) % stride_w or (height - filter_h) % stride_h:
            self._note(name, "edge", "a last window hangs over the edge, as SCALE-Sim counts")
        self._take(row, layer, further)

    def product(self, row: Row) -> None:
        """Take in a line of the second form."""
        sizes = self._numbers(row, GEMM_SIZES)
        if sizes is None:
            return
        further, batch = row.cells[4:], 1
        numbers = [cell for cell in further if cell.isdecimal()]
        if numbers:
            batch, further = max(1, int(numbers[0])), tuple(c for c in further if c != numbers[0])
        rows, columns, inner = sizes
        self._take(row, gemm(self._name(row), M=rows, N=columns, K=inner, B=batch), further)

    def _take(self, row: Row, layer: Einsum, further: tuple[str, ...]) -> None:
        for cell in further:
            if cell.replace(" ", "") in ("1:1", "") or cell.startswith("#"):
                continue
            if ":" in cell:
                self._note(layer.name, "sparsity", f"sparsity {cell}: the layer is priced as dense")
            else:
                self._problem(row, f"{cell!r} is neither a ratio such as 2:4 nor a number")
        self.layers.append(Layer(layer))

    def _numbers(self, row: Row, names: tuple[str, ...]) -> list[int] | None:
        cells = row.cells[1 : 1 + len(names)]
        missing = names[len(cells) :]
        if missing:
            self._problem(row, f"has no {', '.join(missing)}")
            return None
        wrong = [
            f"{name} {cell!r} is not a whole number from 1 to {MAX_SIZE}"
            for name, cell in zip(names, cells, strict=True)
            if not (cell.isdecimal() and cell.isascii() and 1 <= int(cell[:12]) <= MAX_SIZE)
        ]
        for problem in wrong:
            self._problem(row, problem)
        return None if wrong else [int(cell) for cell in cells]

    def _name(self, row: Row) -> str:
        """Return the line's name, made unique."""
        name = row.cells[0] or f"layer{row.line}"
        self.names[name] = self.names.get(name, 0) + 1
        return name if self.names[name] == 1 else f"{name}#{self.names[name]}"

    def _note(self, name: str, what: str, text: str) -> None:
        self.notes.append(Unmodelled(f"{name}.{what}", "SCALE-Sim", 0, text))

    def _problem(self, row: Row, text: str) -> None:
        self.problems.append(f"line {row.line}: {row.cells[0] or 'a layer without name'}: {text}")
