"""MAESTRO's networks: layers with their type, sizes and strides.

    Network alexnet {
      Layer conv1 {
        Type: CONV
        Stride { X: 4, Y: 4 }
        Dimensions { K: 96, C: 3, R: 11, S: 11, Y: 224, X: 224 }
      }
    }

Source: MAESTRO's own model files, `data/model` and `data/mapping`. Y and X are the input's sizes:
an output is `(Y - R) / stride + 1` long, rounded down, that of a transposed convolution (TRCONV)
`(Y - 1) * stride + R`. Dataflows are mappings and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from cosearch.errors import CosearchError, InputError
from cosearch.workload.einsum import Einsum, conv, gemm
from cosearch.workload.network import Layer, Network, Unmodelled
from cosearch_plugins.readers.shapes_to_layers import transposed_convolution

CONVOLUTIONS = ("CONV", "DSCONV", "FC", "TRCONV")
PRODUCTS = ("GEMM", "BMM")
"""Types of layers that are read; what C counts in NGCONV differs between MAESTRO's own files."""

LARGEST_FILE = 16_000_000
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_CONSTANT = re.compile(r"\bConstant\s+(\w+)\s+(\d{1,12})\s*;")
_NETWORK = re.compile(r"\bNetwork\s+([\w.-]+)\s*\{")
_LAYER = re.compile(r"\bLayer\s+([\w.-]+)\s*\{")
_TYPE = re.compile(r"\bType\s*:\s*(\w+)")
_PART = re.compile(r"\b(Stride|Dimensions)\s*\{([^{}]*)\}")
_PAIR = re.compile(r"\s*(\w+)\s*:\s*(\w+)\s*")


def read_maestro(path: Path) -> Network:
    """Return the network in a file of MAESTRO's.

    Raises:
        InputError: with everything that is wrong, each with its line.
    """
    text = _text(path)
    network = _NETWORK.search(text)
    if network is None:
        raise InputError(str(path), ["holds no 'Network NAME { ... }' of MAESTRO's"])
    constants = {name: int(value) for name, value in _CONSTANT.findall(text)}
    reader = _Reader(text, constants)
    for match in _LAYER.finditer(text):
        reader.layer(match)
    if not reader.layers and not reader.problems:
        reader.problems.append("holds no layer")
    if reader.problems:
        raise InputError(str(path), reader.problems[:20])
    return Network(network[1], tuple(reader.layers), tuple(reader.notes), str(path))


def _text(path: Path) -> str:
    """Return a file's text, comments blanked out."""
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(str(path), [f"is larger than {LARGEST_FILE:,} bytes"])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), [f"is not UTF-8 text (byte {error.start})"]) from None
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


class _Reader:
    """Makes layers of their texts, and collects problems and notes."""

    def __init__(self, text: str, constants: Mapping[str, int]) -> None:
        self.text, self.constants = text, constants
        self.layers: list[Layer] = []
        self.notes: list[Unmodelled] = []
        self.problems: list[str] = []

    def layer(self, match: re.Match[str]) -> None:
        """Take in the layer whose head was found."""
        name, body = match[1], _body(self.text, match.end())
        where = f"line {self.text.count(chr(10), 0, match.start()) + 1}: {name}"
        kind = _TYPE.search(body)
        try:
            parts = {part: self._pairs(inside) for part, inside in _PART.findall(body)}
            layers = _layers(name, kind[1].upper() if kind else "CONV", parts)
        except (CosearchError, ValueError) as error:
            self.problems.append(f"{where}: {error}")
            return
        if "Dataflow" in body:
            reason = "a dataflow is a mapping: the mapper finds its own"
            self.notes.append(Unmodelled(f"{name}.dataflow", "MAESTRO", 0, reason))
        self.layers += layers

    def _pairs(self, text: str) -> dict[str, int]:
        """Return the numbers in `K: 96, C: SzC`."""
        found: dict[str, int] = {}
        for item in filter(str.strip, text.split(",")):
            match = _PAIR.fullmatch(item)
            if match is None:
                raise ValueError(f"{item.strip()!r} is not a dimension and its size")
            value = self.constants.get(match[2], match[2])
            if not str(value).isdecimal() or not 1 <= int(value) < 2**31:
                raise ValueError(f"{match[1]} {match[2]!r} is not a whole number of at least 1")
            found[match[1]] = int(value)
        return found


def _body(text: str, start: int) -> str:
    """Return the text up to the brace that closes the one before `start`."""
    depth = 1
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]


def _layers(name: str, kind: str, parts: Mapping[str, Mapping[str, int]]) -> tuple[Layer, ...]:
    sizes, stride = parts.get("Dimensions", {}), parts.get("Stride", {})
    if kind in PRODUCTS:
        _refuse_missing(sizes, ("M", "N", "K"))
        batch = sizes.get("B", 1) if kind == "BMM" else 1
        return (Layer(gemm(name, B=batch, M=sizes["M"], N=sizes["N"], K=sizes["K"])),)
    if kind not in CONVOLUTIONS:
        known = ", ".join((*CONVOLUTIONS, *PRODUCTS))
        raise ValueError(f"a layer of type {kind} is not read: {known} are")
    _refuse_missing(sizes, ("K", "C"))
    size = {"R": 1, "S": 1, "Y": 1, "X": 1, "N": 1, **sizes}
    steps = stride.get("X", 1), stride.get("Y", 1)
    if kind == "TRCONV":
        return _transposed(name, size, steps)
    return (Layer(_convolution(name, size, steps, deep=kind == "DSCONV")),)


def _convolution(
    name: str, size: Mapping[str, int], steps: tuple[int, int], *, deep: bool
) -> Einsum:
    """Return a convolution; `steps` are its strides along the width and the height."""
    if size["R"] > size["Y"] or size["S"] > size["X"]:
        raise ValueError(f"a filter of {size['R']}x{size['S']} on {size['Y']}x{size['X']} pixels")
    if deep and size["K"] not in (1, size["C"]):
        raise ValueError(f"a depthwise layer of {size['C']} channels with {size['K']} filters")
    return conv(
        name,
        N=size["N"],
        G=size["C"] if deep else 1,
        K=1 if deep else size["K"],
        C=1 if deep else size["C"],
        P=(size["X"] - size["S"]) // steps[0] + 1,
        Q=(size["Y"] - size["R"]) // steps[1] + 1,
        R=size["S"],
        S=size["R"],
        stride=steps,
    )


def _transposed(name: str, size: Mapping[str, int], steps: tuple[int, int]) -> tuple[Layer, ...]:
    """Return a transposed convolution: Y x X pixels, each spread over a filter."""
    width = (size["X"] - 1) * steps[0] + size["S"]
    height = (size["Y"] - 1) * steps[1] + size["R"]
    return transposed_convolution(
        name,
        (size["C"], size["K"], size["R"], size["S"]),
        (size["N"], size["K"], height, width),
        strides=(steps[1], steps[0]),
    )


def _refuse_missing(sizes: Mapping[str, int], needed: tuple[str, ...]) -> None:
    missing = [dim for dim in needed if dim not in sizes]
    if missing:
        raise ValueError(f"has no size for {', '.join(missing)}")
